"""One line of a terminal that shows how far an installation has come; on anything else, a line now and then."""

import shutil
import time
import unicodedata
from collections import deque
from typing import TextIO

from app.models.progress import Progress

_WINDOW = 10.0  # seconds the speed is measured over
_BAR = 20  # characters
_IN_LOGS = 10  # per cent between two lines where there is no terminal


class ProgressBar:
    """Draws on ``stream`` in a language (``zh`` or ``en``)."""

    def __init__(self, stream: TextIO, language: str) -> None:
        self._stream = stream
        self._chinese = language == "zh"
        self._language = language
        self._live = stream.isatty()
        self._step = ""
        self._logged = -1
        self._seen: deque[tuple[float, int]] = deque()

    def show(self, progress: Progress) -> None:
        """Draw this state in place of the last one."""
        if progress.step != self._step:
            self.close()
            self._step, self._logged = progress.step, -1
        percent = 100 * progress.done // progress.total if progress.total else 0
        text = progress.sentence.in_language(self._language)
        if self._live:
            left = self._time_left(progress)
            bar = "█" * (percent * _BAR // 100) + "░" * (_BAR - percent * _BAR // 100)
            line = f"{bar} {percent:3d}%  {text}{left}" if progress.total else f"{text} …"
            self._stream.write(f"\r{_cut(line, shutil.get_terminal_size().columns - 1)}\x1b[K")
        elif percent // _IN_LOGS > self._logged:
            self._logged = percent // _IN_LOGS
            self._stream.write(f"{text} ({percent}%)\n" if progress.total else f"{text} …\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave the line as it is and begin another."""
        self._seen.clear()
        if self._live and self._step:
            self._stream.write("\n")
            self._stream.flush()
        self._step = ""

    def _time_left(self, progress: Progress) -> str:
        """Speed and time left, once both can be told; only downloads last long enough to ask."""
        if progress.step != "download" or not progress.total:
            return ""
        now = time.monotonic()
        self._seen.append((now, progress.done))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()
        seconds, moved = now - self._seen[0][0], progress.done - self._seen[0][1]
        if seconds < 1 or moved <= 0:
            return ""
        speed = moved / seconds
        left = int((progress.total - progress.done) / speed)
        minutes, rest = divmod(left, 60)
        return (
            f"  {speed / 1e6:.1f} MB/s  还要 {minutes} 分 {rest:02d} 秒"
            if self._chinese
            else f"  {speed / 1e6:.1f} MB/s  {minutes}:{rest:02d} left"
        )


def _cut(text: str, columns: int) -> str:
    """The beginning of ``text`` that fits; Chinese characters are two columns wide."""
    used = 0
    for index, character in enumerate(text):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > columns:
            return text[:index]
    return text
