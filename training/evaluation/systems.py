"""The systems that are compared: which file is asked, in which words, and how its answer is drawn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.commands.model_choice import sampling_of
from app.compose.catalog import Catalog
from app.compose.prompt import Segment, prompt_segments
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.engine.protocol import Sampling
from app.models.folders import base_path, models_folder
from app.models.manifest import load_manifest
from training.encoding import Encoder
from training.errors import TrainingError
from training.evaluation.names import checked_name, parts_of
from training.evaluation.prompt_system import Layout, Prompt, in_template
from training.evaluation.retrieval import Index, Ranking
from training.records import CORPUS, Record, read_corpus, read_split

# The fine-tuned model is drawn from as the app does, which the manifest says. The base, prompted for three validation
# requests three times each, had 2 of 9 texts past the guard at a temperature of 0.4, 6 at 0.7, 4 at 1.0.
BASE_SAMPLING = {"prompt": Sampling(temperature=0.7, min_p=0.1), "rag": Sampling(temperature=0.7, min_p=0.1)}


@dataclass(frozen=True)
class Choices:
    """What systems are made of; by default each is the best that was found.

    Attributes:
        base: the GGUF file that is prompted; None for the app's own base.
        model: the tuned one; None for the one the app has built.
        corpus: its training part is what retrieval finds.
        nearest: how many records it finds. Of the same nine texts the guard passed 4 with eight, 2 with four.
    """

    base: Path | None = None
    model: Path | None = None
    corpus: Path = CORPUS
    layout: Layout = Layout.TURNS
    ranking: Ranking = Ranking.FIELDS
    nearest: int = 8


@dataclass(frozen=True)
class System:
    """One of them, ready to be asked. ``segments`` is the prompt of a request, ``tokens`` how many a prompt has."""

    name: str
    model: Path
    sampling: Sampling
    segments: Callable[[GreetingRequest], tuple[Segment, ...]]
    tokens: Callable[[tuple[Segment, ...]], int]


def own_sampling(kind: str) -> Sampling:
    """How a kind of system is drawn from at its best."""
    return sampling_of(load_manifest()) if kind == "lora" else BASE_SAMPLING[kind]


@contextmanager
def opened(name: str, choices: Choices, catalog: Catalog) -> Iterator[System]:
    """The system of that name (:mod:`.names`), while its vocabulary is open.

    Raises:
        TrainingError, ModelError: its file is not there or cannot be read, or the corpus cannot.
    """
    name = checked_name(name)
    kind, temperature = parts_of(name)
    sampling = own_sampling(kind)
    if temperature is not None:
        sampling = replace(sampling, temperature=temperature)
    manifest = load_manifest()
    if kind == "lora":
        model = choices.model or models_folder() / manifest.built.file
    else:
        model = choices.base or base_path(models_folder(), manifest.base)
    if not model.is_file():
        raise no_model(model, "--model" if kind == "lora" else "--base")
    with Encoder(model) as encoder:
        yield System(
            name,
            model,
            sampling,
            _segments(kind, choices, catalog, encoder),
            lambda segments: len(encoder.encode_segments(segments)),
        )


def _segments(
    kind: str, choices: Choices, catalog: Catalog, encoder: Encoder
) -> Callable[[GreetingRequest], tuple[Segment, ...]]:
    if kind == "lora":
        return lambda request: prompt_segments(request, catalog)
    prompt = Prompt(choices.layout, catalog)
    if kind == "prompt":

        def examples(request: GreetingRequest) -> tuple[Record, ...]:
            return prompt.examples
    else:
        index = Index(training_part(choices.corpus, catalog), choices.ranking)

        def examples(request: GreetingRequest) -> tuple[Record, ...]:
            return index.nearest(request, choices.nearest)

    return lambda request: in_template(prompt.messages(request, examples(request)), encoder.template)


def training_part(corpus: Path, catalog: Catalog) -> tuple[Record, ...]:
    """The records that may be shown to a system.

    Raises:
        TrainingError: the corpus or its split cannot be read, or nothing of it trains.
    """
    records = read_split(corpus, read_corpus(corpus, catalog)).train
    if not records:
        raise TrainingError(
            Sentence(
                f"{corpus} 里没有用来训练的记录，检索不到例子。请用 `python -m training split` 重新划分。",
                f"Nothing of {corpus} trains, so there is nothing to retrieve. Make the split again: "
                "`python -m training split`.",
            )
        )
    return records


def no_model(path: Path, option: str) -> TrainingError:
    """That a model file is not there, and with which option another is named."""
    return TrainingError(
        Sentence(
            f"没有 {path.name} 这个模型文件。运行 `python3 run.py install` 下载和生成它，"
            f"或用 {option} 指一个 GGUF 文件。",
            f"The model file {path.name} is not there. `python3 run.py install` fetches and builds it, or name a GGUF "
            f"file with {option}.",
        ),
        str(path),
    )
