"""Character n-grams of many texts as one sparse table, and their sums over drawn texts."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from training.evaluation.bootstrap import Indexes

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def grams_of(text: str, size: int) -> Counter[str]:
    """The n-grams of a text, marks counted and white space not, with how often each comes."""
    letters = "".join(text.split())
    return Counter(letters[start : start + size] for start in range(len(letters) - size + 1))


class GramTable:
    """How often every n-gram comes in every text. Columns are the n-grams of ``vocabulary`` first, then those only the
    texts have."""

    def __init__(self, texts: Sequence[str], size: int, vocabulary: Sequence[str] = ()) -> None:
        from scipy.sparse import csr_array

        columns = {gram: column for column, gram in enumerate(vocabulary)}
        values: list[int] = []
        places: list[int] = []
        starts = [0]
        for text in texts:
            for gram, count in grams_of(text, size).items():
                places.append(columns.setdefault(gram, len(columns)))
                values.append(count)
            starts.append(len(values))
        self.columns = len(columns)
        shape = (len(texts), max(1, self.columns))
        self._counts: csr_array = csr_array((values, places, starts), shape=shape, dtype=np.float64)

    def sums(self, draws: Indexes) -> "csr_array":
        """The n-grams' counts over the texts of each draw: (draws, columns)."""
        from scipy.sparse import csr_array

        ends = np.arange(0, draws.size + 1, draws.shape[1])
        shape = (len(draws), self._counts.shape[0])
        return csr_array((np.ones(draws.size), draws.ravel(), ends), shape=shape) @ self._counts
