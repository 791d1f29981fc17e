"""What the program sets out to reach, held against what was measured. Pure."""

from dataclasses import dataclass
from typing import Any

TRIMMED = "sequences: {}"
UNTRIMMED = "sequences: 1, untrimmed"
LOOP = "high-level call, untrimmed"
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


def aims(
    rates: dict[str, float], bound: float, memory: dict[str, float], milliseconds: dict[str, list[float]]
) -> list[Aim]:
    """Those about which there are figures.

    Args:
        rates: median tokens a second.
        bound: the tokens a second that memory allows.
        memory: MB, and kB a greeting.
        milliseconds: of each kind of stop, all times measured.
    """
    one = rates[TRIMMED.format(1)]
    found = [Aim("one sequence / what memory allows", one / bound, 0.8)]
    if LOOP in rates:
        found += [
            Aim("three sequences / high-level loop, untrimmed", rates[TRIMMED.format(3)] / rates[LOOP], 2.0),
            Aim("eight sequences / high-level loop, untrimmed", rates[TRIMMED.format(8)] / rates[LOOP], 3.5),
        ]
    if UNTRIMMED in rates:
        found.append(Aim("one sequence / the same, untrimmed", one / rates[UNTRIMMED], 1.2))
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
