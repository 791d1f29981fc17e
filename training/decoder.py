"""A model opened for measuring: tokens of many sequences in, logits out, and nothing kept between two calls.

The app's own door is ``app/engine/runtime.py``, which samples; this one only evaluates. One thread uses it at a time.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from llama_cpp import llama_cpp

from app.compose.sentence import Sentence
from app.llama.context import Context, Floats
from app.llama.model import LlamaError, Model
from app.models.verify import verify_model
from training.errors import TrainingError


class Decoder:
    """One model and one context; a context manager.

    Args:
        path: a GGUF file.
        tokens: the most one call of :meth:`decode` takes, and the cells of the context.
        sequences: the most that live side by side.
        threads: None for one a processor.

    Raises:
        ModelError: not a whole GGUF model (codes of :func:`app.models.verify.verify_model`).
        TrainingError: llama.cpp cannot open it, or there is too little memory.
    """

    def __init__(self, path: Path, *, tokens: int, sequences: int, threads: int | None = None) -> None:
        verify_model(path, sha256=None)
        self._path = path
        with ExitStack() as opened:
            try:
                self._model = Model(path)
                opened.callback(self._model.close)
                self._context = Context(
                    self._model,
                    cells=tokens,
                    batch=tokens,
                    sequences=sequences,
                    threads=threads or os.cpu_count() or 1,
                    on_cpu=not llama_cpp.llama_supports_gpu_offload(),
                )
            except LlamaError as error:
                raise self._failed(str(error)) from error
            opened.callback(self._context.close)
            self.vocabulary_size = self._model.vocabulary_size
            self.trained_context = self._model.trained_context
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Free everything. Harmless when done twice."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def clear(self) -> None:
        """Forget every sequence."""
        self._context.clear()

    def decode(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], outputs: Sequence[bool]
    ) -> Floats:
        """Evaluate tokens, each at a position of a sequence that begins where that sequence ended.

        Returns:
            The logits after each token whose output is wanted, in order: (outputs, vocabulary). llama.cpp's own
            memory, valid until the next call.

        Raises:
            TrainingError: llama.cpp fails, or the logits are not numbers.
        """
        result = self._context.decode(tokens, positions, sequences, outputs)
        if result != 0:
            raise self._failed(f"llama_decode returned {result}; {self._model.log}")
        logits = self._context.logits(sum(outputs))
        if not all(np.isfinite(row).all() for row in logits):
            raise self._failed("logits that are not finite")
        return logits

    def _failed(self, detail: str) -> TrainingError:
        name = self._path.name
        return TrainingError(
            Sentence(
                f"llama.cpp 用不了 {name}：文件损坏，结构不认识，或者内存不够。请核对文件，或关掉一些程序再试。",
                f"llama.cpp cannot use {name}: the file is damaged, of a structure it does not know, or there is too "
                "little memory. Check the file, or close some programs and try again.",
            ),
            f"{self._path}: {detail}",
        )
