"""``bench --files``: several GGUF files beside each other: how fast they are decoded and what memory they take.

Each is opened anew in every turn, so that no two are in memory at once; every other turn goes through them backwards.
Speed is that of decoding, once the prompt is read. A ratio is to the first file named: the median over the turns, each
of which met one machine.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.commands.bench_engine import Ours, together
from app.compose.catalog import Catalog
from app.compose.request import GreetingRequest
from app.engine.protocol import Sampling
from app.engine.threads import usable_cores

SEQUENCES = (1, 8)
_HEADINGS = ("file", "MB", *(f"{count} at once, tokens/s" for count in SEQUENCES), "memory, MB")


@dataclass
class _File:
    """What was measured of one: tokens a second by the number of sequences, and the most bytes resident."""

    rates: dict[int, list[float]] = field(default_factory=lambda: {count: [] for count in SEQUENCES})
    resident: int = 0


def files_beside_each_other(
    files: Sequence[Path], requests: Sequence[GreetingRequest], catalog: Catalog, sampling: Sampling, turns: int
) -> dict[str, Any]:
    """Write the requests with every file, ``turns`` times; what was measured of each, by its path.

    Raises:
        EngineError: a file cannot be opened.
    """
    found = {file: _File() for file in files}
    for turn in range(turns):
        for file, measured in list(found.items())[:: -1 if turn % 2 else 1]:
            with Ours(file, None, "cpu", catalog, sampling, usable_cores()) as ours:
                ours.write(requests[:1], 1, turn)  # warms up
                for count, rates in measured.rates.items():
                    timings = [ours.write([request], count, turn) for request in requests]
                    rates.append(together(timings).decode_rate)
                measured.resident = max(measured.resident, (ours.memory() or {}).get("peak", 0))
    first, *_ = found.values()
    return {
        str(file): {
            "MB": round(file.stat().st_size / 1e6, 1),
            "memory, MB": round(measured.resident / 1e6, 1),
            "tokens a second": measured.rates,
            "ratios": {
                count: round(statistics.median(a / b for a, b in zip(rates, first.rates[count], strict=True)), 2)
                for count, rates in measured.rates.items()
            },
        }
        for file, measured in found.items()
    }


def as_table(found: dict[str, Any]) -> str:
    """Markdown: a line a file, medians, and in brackets how many times the first file's."""
    lines = [_HEADINGS, ("---", *["---:"] * (len(_HEADINGS) - 1))]
    for name, file in found.items():
        rates = [
            f"{statistics.median(file['tokens a second'][count]):.1f} ({file['ratios'][count]:.2f})"
            for count in SEQUENCES
        ]
        lines.append((name, str(file["MB"]), *rates, str(file["memory, MB"])))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
