"""A decision measured again, held against an earlier one (``decide --check``)."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation.bootstrap import Estimate
from training.json_lines import parse_object

CLOSE = 0.005  # two figures without an interval are one from here on: the last digit in which they are shown
_OF_MACHINE = ("seconds",)
_ESTIMATE = {field.name for field in fields(Estimate)}
_MEASURED = ("corpus", "trial")


def read_decision(path: Path) -> dict[str, Any]:
    """What ``decide --json`` printed.

    Raises:
        TrainingError: the file cannot be read, or is something else.
    """
    try:
        found, fault = parse_object(path.read_text(encoding="utf-8"))
        if fault is None and all(isinstance(each["id"], str) for each in found["questions"]):
            return found
        detail = fault.en if fault else "a question without a name"
    except (OSError, UnicodeDecodeError, KeyError, TypeError) as error:
        detail = f"{type(error).__name__}: {error}"
    raise TrainingError(
        Sentence(
            f"{path.name} 不是 `python -m training decide --json` 打印的结果。请检查路径，或再存一次。",
            f"{path.name} is not what `python -m training decide --json` prints. Check the path, or save it again.",
        ),
        f"{path}: {detail}",
    )


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Sentence]:
    """What of the earlier decision did not come out again.

    An answer has to be the same. A figure with an interval has to lie in the earlier interval; one without, within
    :data:`CLOSE` of the earlier figure, and a count has to be the same. What depends on the machine, and what is
    only said in words, is not compared.

    Args:
        old, new: as :func:`training.decision.result.as_json` gives them.
    """
    found = []
    before, now = ({each["id"]: each.get("measured") for each in result["questions"]} for result in (old, new))
    for id, answer in before.items():
        if answer is not None and now.get(id) != answer:
            found.append(_changed(id, answer, now.get(id)))
    for part in _MEASURED:
        found += _differing(part, old.get(part), new.get(part))
    return found


def _differing(name: str, old: Any, new: Any) -> Iterator[Sentence]:
    if isinstance(old, Mapping):
        if set(old) == _ESTIMATE:
            yield from _left(name, Estimate(**old), new)
            return
        for key, each in old.items():
            if key not in _OF_MACHINE:
                yield from _differing(f"{name}.{key}", each, new.get(key) if isinstance(new, Mapping) else None)
    elif isinstance(old, list):
        others = new if isinstance(new, list) else []
        for place, each in enumerate(old):
            yield from _differing(f"{name}[{place}]", each, others[place] if place < len(others) else None)
    elif isinstance(old, bool | int):
        if new != old:
            yield _changed(name, old, new)
    elif isinstance(old, float) and not (isinstance(new, int | float) and abs(new - old) <= CLOSE):
        yield _changed(name, old, new)


def _left(name: str, old: Estimate, new: Any) -> Iterator[Sentence]:
    value = new.get("value") if isinstance(new, Mapping) else None
    if not isinstance(value, int | float):
        yield _changed(name, old.value, None)
    elif not old.holds(value):
        interval = f"{old.low:.3f}–{old.high:.3f}"
        yield Sentence(
            f"{name} 是 {value:.3f}，出了原来的区间 {interval}。",
            f"{name} is {value:.3f}, outside the earlier {interval}.",
        )


def _changed(name: str, old: Any, new: Any) -> Sentence:
    if new is None:
        return Sentence(f"{name} 原来是 {old}，这次没有量到。", f"{name} was {old}, and was not measured this time.")
    return Sentence(f"{name} 原来是 {old}，这次是 {new}。", f"{name} was {old}, and is {new}.")
