"""A record as the token ids a model is trained and measured on, by the tokenizer in the model's own GGUF file.

Exactly what the app feeds the model: the prompt is :mod:`app.compose.prompt`'s, tokenized segment by segment as
the engine does it. Opens the vocabulary of a file and nothing else of it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from app.compose.catalog import Catalog
from app.compose.prompt import TURN_END, Segment, prompt_segments
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.llama.chat import ChatTemplate
from app.llama.model import LlamaError, Model
from app.models.verify import verify_model
from training.errors import TrainingError
from training.records import Record


class Encoded(NamedTuple):
    """Token ids of a record: what is given, and what is to be predicted (the greeting and the end of the turn)."""

    prompt: list[int]
    answer: list[int]


class Encoder:
    """The tokenizer of one GGUF file, and the chat ``template`` it carries; a context manager.

    Args:
        path: a GGUF file; its weights are not read.

    Raises:
        ModelError: not a whole GGUF model (codes of :func:`app.models.verify.verify_model`).
        TrainingError: llama.cpp cannot read its vocabulary, or nothing in it ends a turn.
    """

    def __init__(self, path: Path) -> None:
        verify_model(path, sha256=None)
        try:
            self._model = Model(path, vocabulary_only=True)
        except LlamaError as error:
            raise _unreadable(path, str(error)) from error
        self.size = self._model.vocabulary_size
        self.template = ChatTemplate(self._model)
        self.end = self._end_of_turn()
        if self.end < 0:
            self.close()
            raise _unreadable(path, f"it has neither {TURN_END} nor an end-of-sequence token")

    def close(self) -> None:
        """Free the vocabulary. Harmless when done twice."""
        self._model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def encode(self, record: Record, catalog: Catalog) -> Encoded:
        """Prompt and answer of a record."""
        return Encoded(self.encode_prompt(record.request, catalog), self.encode_answer(record.text))

    def encode_prompt(self, request: GreetingRequest, catalog: Catalog) -> list[int]:
        """The prompt of a request, up to where the greeting begins."""
        return self.encode_segments(prompt_segments(request, catalog))

    def encode_segments(self, segments: Iterable[Segment]) -> list[int]:
        """Segments as the app's runtime encodes them: the BOS token where the vocabulary adds one, then each."""
        return self._model.tokenize_prompt(segments)

    def encode_answer(self, text: str) -> list[int]:
        """A greeting, as plain text whatever it contains, and the token that ends the turn."""
        return [*self.tokenize(text), self.end]

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text; control tokens are recognized in it only where ``special``."""
        return self._model.tokenize(text, special=special)

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; of a control token, its name."""
        return self._model.piece(token, special=True)

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """The bytes of each token; joined, the text."""
        return [self.piece(token) for token in tokens]

    def _end_of_turn(self) -> int:
        """``<|im_end|>`` where it is one special token, else the end of the sequence; -1 where there is neither."""
        ids = self.tokenize(TURN_END, special=True)
        if len(ids) == 1 and self.tokenize(TURN_END) != ids:
            return ids[0]
        return self._model.end_of_sequence


def _unreadable(path: Path, detail: str) -> TrainingError:
    return TrainingError(
        Sentence(
            f"{path.name} 的词表没法用：llama.cpp 读不懂它，或者里面没有表示结束的词元。请换一个完整的 GGUF 模型。",
            f"The vocabulary of {path.name} cannot be used: llama.cpp does not understand it, or no token in it ends a "
            "turn. Use another whole GGUF model.",
        ),
        f"{path}: {detail}",
    )
