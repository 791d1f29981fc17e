"""What systems are called, in files and by people: ``lora``, and ``lora-at-0.7`` for the same one drawn from at another
temperature than its own."""

import re

from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation.outputs import AUTHOR

KINDS = ("prompt", "rag", "lora")
HOTTEST = 10.0  # that the engine draws at
_NAME = re.compile(rf"({'|'.join(KINDS)})-at-(\d+(?:\.\d+)?)")
_TITLES = {
    "prompt": Sentence("提示词", "Prompt"),
    "rag": Sentence("检索", "RAG"),
    "lora": Sentence("微调", "Fine-tune"),
    AUTHOR: Sentence("语料原文", "Corpus author"),
}


def at_temperature(kind: str, temperature: float) -> str:
    """The name of a kind of system at a temperature, to six decimals."""
    return f"{kind}-at-{degrees(temperature)}"


def degrees(temperature: float) -> str:
    """A temperature as it is written: 0.7, 1."""
    return f"{temperature:.6f}".rstrip("0").rstrip(".")


def parts_of(system: str) -> tuple[str, float | None]:
    """The kind of a system, and the temperature in its name, None where it is its own; a name that is none of ours is
    its own kind."""
    found = _NAME.fullmatch(system)
    return (found[1], float(found[2])) if found else (system, None)


def order_of(system: str) -> tuple[int, str]:
    """Where it stands among others: kind by kind, each before its other temperatures, the author last."""
    known = list(_TITLES)
    kind, _ = parts_of(system)
    return (known.index(kind) if kind in known else len(known), system)


def title_of(system: str, temperature: float | None = None) -> Sentence:
    """A system's name for people, with its temperature where it is known or stands in the name."""
    kind, named = parts_of(system)
    title = _TITLES.get(kind, Sentence(system, system))
    shown = temperature if named is None else named
    if shown is None:
        return title
    return Sentence(f"{title.zh}（温度 {degrees(shown)}）", f"{title.en} (temperature {degrees(shown)})")


def checked_name(name: str) -> str:
    """The name of a system somebody asks for, as files have it.

    Raises:
        TrainingError: there is no such system.
    """
    kind, temperature = parts_of(name)
    if kind in KINDS and (temperature is None or temperature <= HOTTEST):
        return kind if temperature is None else at_temperature(kind, temperature)
    known = "、".join(KINDS), ", ".join(KINDS)
    raise TrainingError(
        Sentence(
            f"没有叫 {name[:40]!r} 的系统，可用的有 {known[0]}，可以带一个 0 到 {HOTTEST:g} 的温度，"
            "如 lora-at-0.7。请改一下 --systems，用逗号隔开。",
            f"There is no system {name[:40]!r}; there are {known[1]}, each with a temperature from 0 to {HOTTEST:g} "
            "behind it where another is wanted, as lora-at-0.7. Correct --systems, which takes them separated by "
            "commas.",
        )
    )
