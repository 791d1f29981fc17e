"""Points in time: Unix milliseconds in the file, aware datetimes outside it."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 253_402_214_400_000  # the last day of the year 9999, which every time zone can still show


def milliseconds(at: datetime | None) -> int:
    """``at``, or now, in Unix milliseconds; a time without a zone is local."""
    return ((at or datetime.now(UTC)).astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def local_time(at: int) -> datetime:
    """Unix milliseconds as local time. Out of a damaged file may come any number: it is brought into range."""
    return (_EPOCH + timedelta(milliseconds=min(max(at, 0), LATEST))).astimezone()
