"""A record as the token ids a model is trained and measured on, by the tokenizer in the model's own GGUF file.

Exactly what the app feeds the model: the prompt is :mod:`app.compose.prompt`'s, tokenized segment by segment as
``app.engine.runtime.Runtime.tokenize`` does it. Opens the vocabulary of a file and nothing else of it.
"""

import ctypes
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from llama_cpp import llama_cpp

from app.compose.catalog import Catalog
from app.compose.prompt import TURN_END, Segment, prompt_segments
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.models.verify import verify_model
from training.errors import TrainingError
from training.llama_log import fresh_log
from training.records import Record


class Encoded(NamedTuple):
    """Token ids of a record: what is given, and what is to be predicted (the greeting and the end of the turn)."""

    prompt: list[int]
    answer: list[int]


class Encoder:
    """The tokenizer of one GGUF file; a context manager.

    Args:
        path: a GGUF file; its weights are not read.

    Raises:
        ModelError: not a whole GGUF model (codes of :func:`app.models.verify.verify_model`).
        TrainingError: llama.cpp cannot read its vocabulary, or nothing in it ends a turn.
    """

    _model: Any = None  # llama.cpp's pointer, None after close()
    end: int
    size: int

    def __init__(self, path: Path) -> None:
        verify_model(path, sha256=None)
        log = fresh_log()
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = True
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), params)
        if self._model is None:
            raise _unreadable(path, str(log))
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self.size = llama_cpp.llama_vocab_n_tokens(self._vocabulary)
        self.end = self._end_of_turn()
        if self.end < 0:
            self.close()
            raise _unreadable(path, f"it has neither {TURN_END} nor an end-of-sequence token")

    def close(self) -> None:
        """Free the vocabulary. Harmless when done twice."""
        if self._model is not None:
            llama_cpp.llama_model_free(self._model)
        self._model = None

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
        tokens = []
        if llama_cpp.llama_vocab_get_add_bos(self._vocabulary):
            tokens.append(llama_cpp.llama_vocab_bos(self._vocabulary))
        for text, special in segments:
            tokens += self.tokenize(text, special=special)
        return tokens

    def encode_answer(self, text: str) -> list[int]:
        """A greeting, as plain text whatever it contains, and the token that ends the turn."""
        return [*self.tokenize(text), self.end]

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text; control tokens are recognized in it only where ``special``."""
        encoded = text.encode("utf-8")
        # No token is shorter than a byte.
        found = (llama_cpp.llama_token * (len(encoded) + 8))()
        count = llama_cpp.llama_tokenize(self._vocabulary, encoded, len(encoded), found, len(found), False, special)
        return list(found[:count])

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; of a control token, its name."""
        buffer = ctypes.create_string_buffer(512)
        count = llama_cpp.llama_token_to_piece(self._vocabulary, token, buffer, len(buffer), 0, True)
        return buffer.raw[: max(0, count)]

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """The bytes of each token; joined, the text."""
        return [self.piece(token) for token in tokens]

    def _end_of_turn(self) -> int:
        """``<|im_end|>`` where it is one special token, else the end of the sequence; -1 where there is neither."""
        ids = self.tokenize(TURN_END, special=True)
        if len(ids) == 1 and self.tokenize(TURN_END) != ids:
            return ids[0]
        return int(llama_cpp.llama_vocab_eos(self._vocabulary))


def _unreadable(path: Path, detail: str) -> TrainingError:
    return TrainingError(
        Sentence(
            f"{path.name} 的词表没法用：llama.cpp 读不懂它，或者里面没有表示结束的词元。请换一个完整的 GGUF 模型。",
            f"The vocabulary of {path.name} cannot be used: llama.cpp does not understand it, or no token in it ends a "
            "turn. Use another whole GGUF model.",
        ),
        f"{path}: {detail}",
    )
