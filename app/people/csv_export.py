"""People, history and batches as CSV that a spreadsheet opens well and that can do nothing there.

Every cell is defused (:mod:`app.people.formulas`) and quoted. UTF-8 with a byte order mark, by which Excel knows it.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from app.compose.catalog import Catalog, Choice
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.people.batch import rows_of
from app.people.errors import storage_error
from app.people.formulas import defused
from app.people.history import sent_of
from app.people.recipients import all_recipients
from app.people.search import Filters, search
from app.people.store import Store
from app.whole_file import whole_file

_REQUEST_TITLES = (
    Sentence("关系", "Relationship"),
    Sentence("语气", "Tone"),
    Sentence("场合", "Occasion"),
    Sentence("篇幅", "Length"),
    Sentence("称呼", "Address"),
    Sentence("生肖", "Zodiac"),
    Sentence("想提到的事", "Facts"),
    Sentence("落款", "Signature"),
)
_NAME, _TEXT = Sentence("姓名", "Name"), Sentence("正文", "Text")
_STATES = {
    "waiting": Sentence("等待", "waiting"),
    "writing": Sentence("正在写", "being written"),
    "written": Sentence("已写好", "written"),
    "failed": Sentence("没写成", "failed"),
}


def export_recipients(store: Store, path: Path, catalog: Catalog, language: str) -> int:
    """Write everybody to a CSV file, which is whole or not there; how many people.

    Args:
        catalog: for the names of relationships and tones.
        language: a locale such as ``zh_CN`` or ``en``, for titles and names.

    Raises:
        StoreError: the file cannot be read, or the CSV not be written. So do the two functions below.
    """
    names = _names(catalog, language)
    titles = (_NAME, *_REQUEST_TITLES[:1], *_REQUEST_TITLES[4:5], *_REQUEST_TITLES[1:2], *_REQUEST_TITLES[6:7])
    rows = (
        (
            person.fields.name,
            names(person.fields.relationship),
            person.fields.address,
            names(person.fields.tone),
            "；".join(person.fields.facts),
            person.fields.notes,
        )
        for person in all_recipients(store)
    )
    return _write(path, language, (*titles, Sentence("备注", "Notes")), rows)


def export_written(store: Store, path: Path, catalog: Catalog, language: str) -> int:
    """Write the whole history to a CSV file, newest first; how many texts. As :func:`export_recipients`."""
    titles = (
        Sentence("写于", "Written"),
        Sentence("收件人", "To"),
        Sentence("年份", "Year"),
        *_REQUEST_TITLES,
        _TEXT,
        Sentence("收藏", "Favourite"),
        Sentence("发出", "Sent"),
        Sentence("模型", "Model"),
        Sentence("种子", "Seed"),
    )
    return _write(path, language, titles, _written_rows(store, _names(catalog, language)))


def export_batch(store: Store, batch: int, path: Path, catalog: Catalog, language: str) -> int:
    """Write a batch's rows to a CSV file, in their order; how many rows. As :func:`export_recipients`."""
    names = _names(catalog, language)
    titles = (_NAME, *_REQUEST_TITLES, _TEXT, Sentence("状态", "State"), Sentence("已复制", "Copied"))
    rows = (
        (
            row.fields.name,
            *_request_cells(row.fields.request, names),
            row.text,
            _STATES[row.state].in_language(language),
            "✓" if row.sent is not None else "",
        )
        for row in rows_of(store, batch)
    )
    return _write(path, language, titles, rows)


def _written_rows(store: Store, names: Callable[[str], str]) -> Iterator[tuple[str, ...]]:
    people = {person.id: person.fields.name for person in all_recipients(store)}
    before: int | None = None
    while True:
        page = search(store, Filters(), before, limit=1000)
        for entry in page.entries:
            yield (
                entry.at.strftime("%Y-%m-%d %H:%M:%S"),
                people.get(entry.recipient, "") if entry.recipient is not None else "",
                str(entry.year),
                *_request_cells(entry.request, names),
                entry.text,
                "✓" if entry.favourite else "",
                " ".join(note.at.strftime("%Y-%m-%d") for note in sent_of(store, entry.id)),
                entry.model,
                str(entry.seed),
            )
        before = page.before
        if before is None:
            return


def _request_cells(request: GreetingRequest, names: Callable[[str], str]) -> tuple[str, ...]:
    return (
        names(request.relationship),
        names(request.tone),
        names(request.occasion),
        names(request.length),
        request.address,
        request.zodiac,
        "；".join(request.details),
        request.signature,
    )


def _names(catalog: Catalog, language: str) -> Callable[[str], str]:
    choices: Iterable[Choice] = (*catalog.relationships, *catalog.tones, *catalog.occasions, *catalog.lengths)
    known: Mapping[str, str] = {choice.id: choice.name(language) for choice in choices}
    return lambda id: known.get(id, id)


def _write(path: Path, language: str, titles: Iterable[Sentence], rows: Iterable[Iterable[str]]) -> int:
    count = 0
    try:
        with whole_file(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerow(title.in_language(language) for title in titles)
            for row in rows:
                writer.writerow(map(defused, row))
                count += 1
    except OSError as error:
        raise storage_error(error, path) from error
    return count
