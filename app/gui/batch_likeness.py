"""Which texts of a batch are alike, kept up to date as they come: two thousand are not compared pair by pair.

Without Qt. :func:`app.compose.select.alike` has the last word; an index of what texts share says whom to ask it about.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from app.compose.select import ALIKE, ALIKE_RUN, alike


class Likeness:
    """The texts of a batch by row id, and which of them a reader of both would take for one."""

    def __init__(self, texts: Iterable[tuple[int, str]] = ()) -> None:
        self._texts: dict[int, str] = {}
        self._sizes: dict[int, int] = {}
        self._pairs: defaultdict[str, set[int]] = defaultdict(set)
        self._runs: defaultdict[str, set[int]] = defaultdict(set)
        self._alike: defaultdict[int, set[int]] = defaultdict(set)
        for id, text in texts:
            self.put(id, text)

    def __contains__(self, id: int) -> bool:
        return id in self._texts

    def put(self, id: int, text: str) -> set[int]:
        """Set a row's text, empty for none; the rows whose likes changed."""
        changed = self._take_out(id)
        if text:
            found = self.like(text)
            pairs, runs = _parts(text)
            self._texts[id], self._sizes[id] = text, len(pairs)
            for part in pairs:
                self._pairs[part].add(id)
            for part in runs:
                self._runs[part].add(id)
            self._alike[id] = set(found)
            for other in found:
                self._alike[other].add(id)
            changed |= found
        return changed | {id}

    def like(self, text: str) -> set[int]:
        """The rows whose texts are alike to ``text``."""
        pairs, runs = _parts(text)
        shared = Counter(id for part in pairs for id in self._pairs.get(part, ()))
        near = {id for id, count in shared.items() if count >= ALIKE * (len(pairs) + self._sizes[id] - count)}
        near.update(*(self._runs.get(part, ()) for part in runs))
        return {id for id in near if alike(text, self._texts[id])}

    def of(self, id: int) -> frozenset[int]:
        """The rows alike to this one."""
        return frozenset(self._alike.get(id, ()))

    def _take_out(self, id: int) -> set[int]:
        text = self._texts.pop(id, None)
        if text is None:
            return set()
        pairs, runs = _parts(text)
        for part in pairs:
            self._pairs[part].discard(id)
        for part in runs:
            self._runs[part].discard(id)
        others = self._alike.pop(id, set())
        for other in others:
            self._alike[other].discard(id)
        return others


def _parts(text: str) -> tuple[set[str], set[str]]:
    """What ``alike`` compares: pairs of neighbours, and runs of ten, punctuation aside."""
    body = re.sub(r"\W", "", text)
    pairs = {body[i : i + 2] for i in range(len(body) - 1)} or {body}
    return pairs, {body[i : i + ALIKE_RUN] for i in range(len(body) - ALIKE_RUN + 1)}
