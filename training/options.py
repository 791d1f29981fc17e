"""Numbers on a command line, refused before anything is done where nothing can be done with them."""

from app.compose.sentence import Sentence
from training.errors import TrainingError


def check_number(option: str, number: float | None, least: float, most: float | None = None) -> None:
    """Let pass what lies between ``least`` and ``most``, and None, for an option that was not given.

    Raises:
        TrainingError: it does not.
    """
    if number is None or (number >= least and (most is None or number <= most)):
        return
    zh = f"至少是 {least}" if most is None else f"要在 {least} 到 {most} 之间"
    en = f"at least {least}" if most is None else f"between {least} and {most}"
    raise TrainingError(Sentence(f"{option} {zh}，现在是 {number}。", f"{option} must be {en}; it is {number}."))
