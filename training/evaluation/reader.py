"""A reader made of counts: it learns from the corpus alone what a tone or a relationship sounds like, and then says of
any text what it takes it for.

Character 1- to 4-grams, weighed by TF-IDF (Salton and Buckley 1988, sublinear term frequency), and multinomial logistic
regression (scikit-learn). It knows nothing of meaning, so what it recognises is wording; how well it reads hand-written
texts it has never seen says how far it is to be trusted, and is the ceiling of what any system can reach.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation.bootstrap import Estimate, share_over_requests
from training.evaluation.written import Written, unchanged

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

GRAMS = (1, 4)  # characters
FOLDS = 5
LEAST_TEXTS = 2  # an n-gram of one text alone says who wrote about what, not how
STRENGTH = 30.0  # scikit-learn's C; cross-validated over relationships 3, 30 and 300 give 28.2, 28.9 and 28.2 %


@dataclass(frozen=True)
class Reader:
    """A trained reader of one label.

    Attributes:
        labels: those it can tell apart.
        chance: the accuracy of always naming the commonest.
        cross_validated: accuracy on texts of the training split it was not trained on, stratified k-fold; None
            where a label has one text only.
    """

    model: "Pipeline"
    labels: tuple[str, ...]
    chance: float
    cross_validated: float | None

    def read(self, texts: Sequence[str]) -> list[str]:
        """What it takes each text for; "" for one without a word."""
        if not texts:
            return []
        return [
            str(label) if text.strip() else ""
            for label, text in zip(self.model.predict(list(texts)), texts, strict=True)
        ]


def train_reader(texts: Sequence[str], labels: Sequence[str], what: Sentence, seed: int = 0) -> Reader:
    """A reader of ``labels``, with its cross-validated accuracy.

    Args:
        what: the label's name, for the sentence of a refusal.
        seed: of the folds.

    Raises:
        TrainingError: there are not two labels to tell apart.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    counts = Counter(labels)
    if len(counts) < 2:
        only = next(iter(counts), "—")
        raise TrainingError(
            Sentence(
                f"语料里只有一种{what.zh}（{only}），学不出怎么分辨{what.zh}，这一项量不了。要量它，语料至少要有两种{what.zh}。",
                f"The corpus has one {what.en} only ({only}); no reader can learn to tell one from another, so this is "
                f"not measured. To measure it the corpus needs at least two values of {what.en}.",
            )
        )
    folds = min(FOLDS, min(counts.values()))
    cross_validated = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last digits of a weight decide no label
        if folds > 1:
            parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
            cross_validated = float(
                np.mean(cross_val_score(_untrained(len(texts)), list(texts), list(labels), cv=parts))
            )
        model = _untrained(len(texts)).fit(list(texts), list(labels))
    return Reader(model, tuple(sorted(counts)), max(counts.values()) / len(labels), cross_validated)


def recognised(
    written: Sequence[Written], reader: Reader, asked_for: Callable[[GreetingRequest], str], seed: int = 0
) -> Estimate:
    """Share of the texts that the reader takes for what was asked, 0 to 1: of the requests as they are, mean over
    requests of the mean over their texts.

    Args:
        asked_for: the label of a request: its tone, or its relationship.
    """
    texts = unchanged(written)
    read = reader.read([each.body for each in texts])
    right = [float(label == asked_for(each.asked)) for label, each in zip(read, texts, strict=True)]
    return share_over_requests(right, [each.request for each in texts], seed)


def _untrained(texts: int) -> "Pipeline":
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    least = LEAST_TEXTS if texts >= 100 else 1  # of a small corpus everything is rare
    grams = TfidfVectorizer(analyzer="char", ngram_range=GRAMS, min_df=least, sublinear_tf=True, lowercase=False)
    return make_pipeline(grams, LogisticRegression(C=STRENGTH, max_iter=60, tol=1e-3))
