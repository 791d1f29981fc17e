"""A recipe: one YAML file that says everything a training run depends on, checked when it is read.

Paths in it are relative to the recipe's own folder. An unknown key is an error that names the nearest known one.
"""

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import yaml

from app.compose.schema import Misfit, plain_yaml, typed
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.quantize import TYPES

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ROOT = Path(__file__).resolve().parents[1]
DEVICES = ("auto", "cuda", "mps", "cpu")


@dataclass(frozen=True)
class Base:
    """The model that is tuned: a GGUF file and the SHA-256 (hex) it must have; None trusts whatever is there."""

    file: Path
    sha256: str | None = None


@dataclass(frozen=True)
class Adapter:
    """The shape of the LoRA (Hu et al. 2021, arXiv:2106.09685): ``W + alpha / rank * B A``.

    ``first_layer`` is the lowest layer that has one. All below it run once, without gradients, and are remembered.
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    first_layer: int = 0
    modules: tuple[str, ...] = PROJECTIONS


@dataclass(frozen=True)
class Tuning:
    """How the adapter is trained on the corpus.

    Attributes:
        batch_tokens: most tokens of a step, prompts included; records are packed up to it.
        learning_rate: at its highest, after ``warmup`` (a share of all steps); a cosine leads down to zero.
        clip: the gradient's greatest norm.
        validate_every: steps between two looks at the validation loss.
        patience: how many looks in a row may bring nothing better before training stops.
    """

    epochs: float = 2.0
    batch_tokens: int = 1024
    learning_rate: float = 3e-4
    warmup: float = 0.03
    weight_decay: float = 0.0
    clip: float = 1.0
    validate_every: int = 50
    patience: int = 4


@dataclass(frozen=True)
class Preference:
    """A second stage (DPO, Rafailov et al. 2023, arXiv:2305.18290): better texts preferred to those the model writes.

    Attributes:
        requests: of how many training records the tuned model writes its own answer; without the recipe's ``marks``.
        temperature: at which it writes them.
        pairs_a_request: the most of one request, with ``marks``.
        beta: how far from the first stage's model the second may go, less the larger it is.
        likelihood: weight of the ordinary loss on the preferred text, which keeps its probability from falling with the
            other's (Pang et al. 2024, arXiv:2404.19733).
    """

    requests: int = 1200
    temperature: float = 0.7
    pairs_a_request: int = 4
    beta: float = 0.1
    likelihood: float = 0.2
    learning_rate: float = 2e-5
    warmup: float = 0.05
    batch_tokens: int = 2048
    epochs: float = 1.0


@dataclass(frozen=True)
class Merge:
    """How base and adapter become one file: the seed of the rounding; the type a float base is quantized to."""

    seed: int = 1
    type: str = "Q4_K_M"


@dataclass(frozen=True)
class Recipe:
    """Everything a run depends on; ``path`` is the file it was read from, ``text`` its content.

    ``vocabulary`` is ``trimmed`` (what Chinese greetings need, chosen from base and corpus) or ``whole``. ``marks`` are
    files in which a reader said which of the model's own texts they would send; the preference stage then learns from
    them, and not from the corpus. ``checkpoint_seconds`` pass at most, about, between two checkpoints; nothing that
    comes out depends on it.
    """

    path: Path
    text: str
    name: str
    base: Base
    corpus: Path
    seed: int = 1
    title: str = ""
    vocabulary: str = "trimmed"
    device: str = "auto"
    checkpoint_seconds: float = 240.0
    adapter: Adapter = field(default_factory=Adapter)
    tuning: Tuning = field(default_factory=Tuning)
    preference: Preference | None = None
    marks: tuple[Path, ...] = ()
    merge: Merge = field(default_factory=Merge)


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``--recipe``, what may take the place of its paths, and ``--out``, the run's folder."""
    parser.add_argument("--recipe", type=Path, required=True, help="a YAML file, such as training/recipes/*.yaml")
    parser.add_argument("--base", type=Path, help="a GGUF file in place of the recipe's base.file")
    parser.add_argument("--corpus", type=Path, help="a folder in place of the recipe's corpus")
    parser.add_argument("--out", type=Path, help="the run's folder; runs/<the recipe's name> if not given")


def recipe_of(args: argparse.Namespace) -> "Recipe":
    """The recipe these arguments name, with their paths.

    Raises:
        TrainingError: see :func:`read_recipe`.
    """
    recipe = read_recipe(args.recipe)
    if args.base is not None:
        recipe = replace(recipe, base=replace(recipe.base, file=args.base.resolve()))
    if args.corpus is not None:
        recipe = replace(recipe, corpus=args.corpus.resolve())
    return recipe


def run_folder(recipe: "Recipe", out: Path | None) -> Path:
    """Where a recipe's run leaves its files."""
    return (out if out is not None else ROOT / "runs" / recipe.name).resolve()


def read_recipe(path: Path) -> Recipe:
    """The recipe at ``path``.

    Raises:
        TrainingError: unreadable, not YAML, an unknown or missing key, or a value that makes no sense.
    """
    try:
        text = path.read_text(encoding="utf-8")
        raw = plain_yaml(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TrainingError(
            Sentence(
                f"配方 {path.name} 读不出来，它应是一个 YAML 文件。",
                f"The recipe {path.name} cannot be read; it should be a YAML file.",
            ),
            f"{path}: {error}",
        ) from error
    try:
        recipe: Recipe = typed(Recipe, raw, folder=path.resolve().parent, path=path, text=text)
    except Misfit as misfit:
        raise _broken(path, misfit.clause.zh, misfit.clause.en) from misfit
    _check(recipe)
    return recipe


def _broken(path: Path, zh: str, en: str) -> TrainingError:
    return TrainingError(Sentence(f"配方 {path.name}：{zh}。", f"The recipe {path.name}: {en}."))


def _check(recipe: Recipe) -> None:
    """Refuse values no run can have."""
    adapter, tuning, preference = recipe.adapter, recipe.tuning, recipe.preference
    limits: dict[str, tuple[float, float, float]] = {
        "seed": (recipe.seed, 0, 2**31 - 1),
        "checkpoint_seconds": (recipe.checkpoint_seconds, 0, 86_400),
        "merge.seed": (recipe.merge.seed, 0, 2**31 - 1),
        "adapter.rank": (adapter.rank, 1, 512),
        "adapter.alpha": (adapter.alpha, 1e-3, 4096),
        "adapter.dropout": (adapter.dropout, 0, 0.9),
        "adapter.first_layer": (adapter.first_layer, 0, 1000),
        **_limits("tuning", tuning),
        **(_limits("preference", preference) if preference else {}),
    }
    for where, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise _broken(
                recipe.path,
                f"{where} 是 {value}，应在 {low} 与 {high} 之间",
                f"{where} is {value}, not in {low}–{high}",
            )
    if not adapter.modules:
        raise _broken(recipe.path, "adapter.modules 是空的，没有一层可训练", "adapter.modules is empty")
    for where, word, known in (
        ("device", recipe.device, DEVICES),
        ("vocabulary", recipe.vocabulary, ("trimmed", "whole")),
        ("merge.type", recipe.merge.type, tuple(TYPES)),
        *(("adapter.modules", module, PROJECTIONS) for module in adapter.modules),
    ):
        if word not in known:
            listed = "、".join(known)
            raise _broken(
                recipe.path,
                f"{where} 里没有 {word}，可用的有 {listed}",
                f"{where} knows {', '.join(known)}, not {word}",
            )
    digest = recipe.base.sha256
    if digest is not None and not re.fullmatch("[0-9a-fA-F]{64}", digest):
        raise _broken(
            recipe.path,
            f"base.sha256 应是 64 位十六进制数，写的是 {digest[:80]!r}",
            f"base.sha256 must have 64 hexadecimal digits, not {digest[:80]!r}",
        )
    if recipe.marks and recipe.preference is None:
        raise _broken(
            recipe.path,
            "写了 marks，没有 preference 一节，标记用不上；补上 preference，或去掉 marks",
            "marks serve the preference stage, and there is no section preference; add it, or remove marks",
        )
    if recipe.name == "base":
        raise _broken(
            recipe.path,
            "name 不能是 base，做好的模型会盖掉裁过的底座；换一个名字",
            "name must not be base, as the built model would overwrite the trimmed base; choose another",
        )
    if not re.fullmatch("[a-z0-9][-a-z0-9_.]*", recipe.name):
        raise _broken(
            recipe.path,
            f"name {recipe.name!r} 要用作文件名，请以小写字母或数字开头，只用它们和 - _ .",
            f"name {recipe.name!r} becomes a file's name; begin it with a lower-case letter or a digit and use only "
            "these and - _ .",
        )


def _limits(where: str, stage: Tuning | Preference) -> Mapping[str, tuple[float, float, float]]:
    known = {
        "epochs": (0.01, 1000),
        "batch_tokens": (64, 1 << 20),
        "learning_rate": (1e-8, 1.0),
        "warmup": (0, 0.9),
        "weight_decay": (0, 1),
        "clip": (1e-6, 1e6),
        "validate_every": (1, 1_000_000),
        "patience": (1, 1_000_000),
        "requests": (1, 10_000_000),
        "temperature": (0.01, 5),
        "pairs_a_request": (1, 1_000_000),
        "beta": (1e-4, 100),
        "likelihood": (0, 100),
    }
    return {f"{where}.{each.name}": (getattr(stage, each.name), *known[each.name]) for each in fields(stage)}
