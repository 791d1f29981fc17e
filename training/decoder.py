"""A model opened for measuring: tokens of many sequences in, logits out, and nothing kept between two calls.

The app's own door is ``app/engine/runtime.py``, which samples; this one only evaluates. One thread uses it at a time.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from llama_cpp import llama_cpp
from numpy.typing import NDArray

from app.compose.sentence import Sentence
from app.models.verify import verify_model
from training.errors import TrainingError
from training.llama_log import fresh_log

Floats = NDArray[np.float32]


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

    # Pointers of llama.cpp, None until they are opened and after they are closed.
    _model: Any = None
    _context: Any = None
    _batch: Any = None

    def __init__(self, path: Path, *, tokens: int, sequences: int, threads: int | None = None) -> None:
        verify_model(path, sha256=None)
        self._path = path
        self._log = fresh_log()
        llama_cpp.llama_backend_init()
        try:
            self._open(tokens, sequences, threads or os.cpu_count() or 1)
        except BaseException:
            self.close()
            raise

    def _open(self, tokens: int, sequences: int, threads: int) -> None:
        self._model = llama_cpp.llama_model_load_from_file(
            os.fsencode(self._path), llama_cpp.llama_model_default_params()
        )
        if self._model is None:
            raise self._failed("llama_model_load_from_file returned nothing")
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = tokens
        params.n_seq_max = sequences
        # One pool of cells for all sequences, or each would get its share of the context and no more.
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads
        if not llama_cpp.llama_supports_gpu_offload():
            # As in the app's runtime: on a processor it only rounds attention to half precision.
            params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.no_perf = True
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        if self._context is None:
            raise self._failed("llama_init_from_model returned nothing")
        vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self.vocabulary_size: int = llama_cpp.llama_vocab_n_tokens(vocabulary)
        self.trained_context: int = llama_cpp.llama_model_n_ctx_train(self._model)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(tokens, 0, 1)
        self._tokens = np.ctypeslib.as_array(self._batch.token, (tokens,))
        self._positions = np.ctypeslib.as_array(self._batch.pos, (tokens,))
        self._outputs = np.ctypeslib.as_array(self._batch.logits, (tokens,))
        np.ctypeslib.as_array(self._batch.n_seq_id, (tokens,))[:] = 1

    def close(self) -> None:
        """Free everything. Harmless when done twice."""
        if self._batch is not None:
            llama_cpp.llama_batch_free(self._batch)
        if self._context is not None:
            llama_cpp.llama_free(self._context)
        if self._model is not None:
            llama_cpp.llama_model_free(self._model)
        self._model = self._context = self._batch = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def clear(self) -> None:
        """Forget every sequence."""
        llama_cpp.llama_memory_clear(self._memory, False)

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
        count = len(tokens)
        self._tokens[:count] = tokens
        self._positions[:count] = positions
        self._outputs[:count] = outputs
        for place, sequence in enumerate(sequences):
            self._batch.seq_id[place][0] = sequence
        self._batch.n_tokens = count
        result = llama_cpp.llama_decode(self._context, self._batch)
        if result != 0:
            raise self._failed(f"llama_decode returned {result}")
        wanted = sum(outputs)
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits(self._context), (wanted, self.vocabulary_size))
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
            f"{self._path}: {detail}; {self._log}",
        )
