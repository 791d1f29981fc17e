"""What a corpus holds, as tables of plain text: the numbers of its data card."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from app.compose.catalog import Catalog, Choice
from app.compose.request import ZODIAC
from training.records import HELD_OUT, Record

_KEYS = (("address", "称呼"), ("zodiac", "生肖"), ("details", "细节"), ("signature", "落款"))


def count_tables(records: Sequence[Record], held_out: Mapping[str, str], catalog: Catalog) -> list[str]:
    """The lines of the tables.

    Args:
        records: the corpus; ids unknown to the catalogue are counted in the totals only.
        held_out: the part of every record held out, by id; the rest trains.
    """
    parts = Counter(held_out.get(record.id, "train") for record in records)
    facts = Counter(len(record.request.details) for record in records)
    animals = Counter(record.request.zodiac for record in records)
    characters = sum(len(record.text) for record in records)
    return [
        *_table(
            "关系 relationship", catalog.relationships, records, lambda record: record.request.relationship, catalog
        ),
        "",
        *_table("语气 tone", catalog.tones, records, lambda record: record.request.tone, catalog),
        "",
        *_cell_lines(records, catalog),
        "生肖 zodiac: " + ", ".join(f"{animal} {animals[animal]}" for animal in ZODIAC),
        "细节 facts a record: " + ", ".join(f"{number}: {facts[number]}" for number in sorted(facts)),
        f"字数 characters: {characters}, {characters / max(1, len(records)):.1f} a text",
        "划分 split: " + ", ".join(f"{part} {parts[part]}" for part in ("train", *HELD_OUT)),
    ]


def _table(
    title: str, rows: Iterable[Choice], records: Sequence[Record], row_of: Callable[[Record], str], catalog: Catalog
) -> list[str]:
    """One row a choice and one for all: records, then how many have each occasion, length and key."""
    heads = ["记录", *(each.zh for each in (*catalog.occasions, *catalog.lengths)), *(zh for _, zh in _KEYS)]
    lines = [_padded(title, 34) + "".join(_padded(head, -6) for head in heads)]
    for id, label in (*((each.id, f"{each.zh} {each.id}") for each in rows), (None, "合计 all")):
        chosen = [record.request for record in records if id is None or row_of(record) == id]
        cells = [
            len(chosen),
            *(sum(request.occasion == occasion.id for request in chosen) for occasion in catalog.occasions),
            *(sum(request.length == length.id for request in chosen) for length in catalog.lengths),
            *(sum(bool(getattr(request, key)) for request in chosen) for key, _ in _KEYS),
        ]
        lines.append(_padded(label, 34) + "".join(f"{number:6}" for number in cells))
    return lines


def _cell_lines(records: Sequence[Record], catalog: Catalog) -> list[str]:
    """How large the cells are, and how many lack an occasion altogether."""
    sizes = Counter(record.cell for record in records)
    met = {(record.cell, record.request.occasion) for record in records}
    lacking = {
        occasion.zh: sum(
            ((relationship.id, tone.id), occasion.id) not in met
            for relationship in catalog.relationships
            for tone in catalog.tones
        )
        for occasion in catalog.occasions
    }
    smallest, largest = (min(sizes.values()), max(sizes.values())) if sizes else (0, 0)
    return [
        f"格子 cells (relationship × tone): {len(sizes)}, of {smallest} to {largest} records",
        "缺某个场合的格子 cells without an occasion: "
        + ", ".join(f"{occasion} {number}" for occasion, number in lacking.items()),
    ]


def _padded(text: str, columns: int) -> str:
    """``text`` filled up to so many columns of a terminal, where a hanzi takes two; on its left where negative."""
    taken = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
    blank = " " * (abs(columns) - taken)
    return blank + text if columns < 0 else text + blank
