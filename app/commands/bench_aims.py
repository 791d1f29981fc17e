"""What the program sets out to reach, held against what was measured. Pure."""

from dataclasses import dataclass
from typing import Any

TRIMMED = "sequences: {}"
UNTRIMMED = "sequences: 1, untrimmed"
PEER = "high-level call"
LOOP = "high-level call, untrimmed"
DECODING = ", decoding"  # of a rate: without the time that reading the prompt takes
MOST_MEMORY = 1100  # MB resident
MOST_GROWTH = 1.0  # kB a greeting: with less, a thousand take no megabyte more
MOST_WAIT = 100.0  # ms until a stop is answered


@dataclass(frozen=True)
class Aim:
    """``found`` is to be at least ``wanted``, or at most where ``at_most``."""

    name: str
    found: float
    wanted: float
    at_most: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is reached."""
        return self.found <= self.wanted if self.at_most else self.found >= self.wanted


_SPEED = (
    ("one sequence / what memory allows", "one sequence / what memory allows", 0.8),
    ("three sequences / high-level loop, untrimmed", f"{TRIMMED.format(3)} / {LOOP}", 2.0),
    ("eight sequences / high-level loop, untrimmed", f"{TRIMMED.format(8)} / {LOOP}", 3.5),
    ("one sequence / the same, untrimmed", f"{TRIMMED.format(1)}{DECODING} / {UNTRIMMED}{DECODING}", 1.2),
)


def aims(ratios: dict[str, float], memory: dict[str, float], milliseconds: dict[str, list[float]]) -> list[Aim]:
    """Those about which there are figures.

    Args:
        ratios: as the bench prints them.
        memory: MB, and kB a greeting.
        milliseconds: of each kind of stop, all times measured.
    """
    found = [Aim(name, ratios[ratio], wanted) for name, ratio, wanted in _SPEED if ratio in ratios]
    if "peak, MB" in memory:
        found.append(Aim("most memory resident, MB", memory["peak, MB"], MOST_MEMORY, at_most=True))
    if "growth, kB a greeting" in memory:
        found.append(Aim("growth of memory, kB a greeting", memory["growth, kB a greeting"], MOST_GROWTH, at_most=True))
    stops = [value for name, values in milliseconds.items() if name.startswith("stop") for value in values]
    if stops:
        found.append(Aim("slowest answer to a stop, ms", max(stops), MOST_WAIT, at_most=True))
    return found


def as_figures(found: list[Aim]) -> dict[str, dict[str, Any]]:
    """For JSON."""
    return {
        aim.name: {
            "found": round(aim.found, 2),
            "at most" if aim.at_most else "at least": aim.wanted,
            "holds": aim.holds,
        }
        for aim in found
    }
