"""Where a model evaluates tokens: cells that hold sequences side by side, and the batch that goes through at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from llama_cpp import llama_cpp
from numpy.typing import NDArray

from app.llama.flag import Flag
from app.llama.model import LlamaError, Model

Floats = NDArray[np.float32]

STOPPED = 2  # what llama_decode returns when it was aborted (llama.h)
NO_MEMORY = -2


class Context:
    """A context of one model. One thread uses it at a time.

    Args:
        cells: tokens of all sequences together.
        batch: the most tokens one call of :meth:`decode` takes.
        sequences: the most that live side by side.
        outputs: the most logits wanted of one call, not fewer than ``sequences``; any number when None.
        on_cpu: nothing of it is computed on a GPU.
        given_up: looked at while a batch is computed on the CPU; once raised, it is given up.

    Raises:
        LlamaError: it does not fit into memory, or llama.cpp cannot run the model.
    """

    # Pointers of llama.cpp, None until they are opened and after they are closed.
    _pointer: Any = None
    _batch: Any = None

    def __init__(
        self,
        model: Model,
        *,
        cells: int,
        batch: int,
        sequences: int,
        threads: int,
        outputs: int | None = None,
        on_cpu: bool,
        given_up: Flag | None = None,
    ) -> None:
        self._vocabulary_size = model.vocabulary_size
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = cells
        params.n_batch = params.n_ubatch = batch
        params.n_seq_max = sequences
        if outputs is not None:
            params.n_outputs_max = outputs
        # One pool of cells for all sequences, or each would get its share of the context and no more.
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads
        params.offload_kqv = params.op_offload = not on_cpu
        if on_cpu:
            # On a processor it saves nothing here, and it rounds attention to half precision.
            params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._given_up = given_up  # to live as long as the context
        if given_up is not None:
            params.abort_callback, params.abort_callback_data = given_up.look, given_up.data
        params.no_perf = True
        self._pointer = llama_cpp.llama_init_from_model(model.pointer, params)
        if self._pointer is None:
            raise LlamaError(str(model.log))
        self.cells: int = llama_cpp.llama_n_ctx(self._pointer)
        self._memory = llama_cpp.llama_get_memory(self._pointer)
        self._batch = llama_cpp.llama_batch_init(batch, 0, 1)
        self._tokens = np.ctypeslib.as_array(self._batch.token, (batch,))
        self._positions = np.ctypeslib.as_array(self._batch.pos, (batch,))
        self._outputs = np.ctypeslib.as_array(self._batch.logits, (batch,))
        np.ctypeslib.as_array(self._batch.n_seq_id, (batch,))[:] = 1

    def close(self) -> None:
        """Free it, before its model. Harmless when done twice."""
        if self._batch is not None:
            llama_cpp.llama_batch_free(self._batch)
        if self._pointer is not None:
            llama_cpp.llama_free(self._pointer)
        self._pointer = self._batch = None

    def use_threads(self, count: int) -> None:
        """Compute with so many threads from the next batch on."""
        llama_cpp.llama_set_n_threads(self._pointer, count, count)

    def decode(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], outputs: Sequence[bool]
    ) -> int:
        """Evaluate tokens, each at a position of a sequence, which begins where that sequence ended.

        Returns:
            What llama_decode returns: 0 when all went well, :data:`STOPPED`, :data:`NO_MEMORY`, or another number.
        """
        count = len(tokens)
        self._tokens[:count] = tokens
        self._positions[:count] = positions
        self._outputs[:count] = outputs
        for place, sequence in enumerate(sequences):
            self._batch.seq_id[place][0] = sequence
        self._batch.n_tokens = count
        return int(llama_cpp.llama_decode(self._pointer, self._batch))

    def logits(self, rows: int) -> Floats:
        """Those after each token of the last batch whose output was wanted, in order: (rows, vocabulary). llama.cpp's
        own memory, valid until the next batch."""
        return np.ctypeslib.as_array(llama_cpp.llama_get_logits(self._pointer), (rows, self._vocabulary_size))

    def copy(self, source: int, target: int, tokens: int = -1) -> None:
        """Let the empty sequence ``target`` begin with the first ``tokens`` of ``source``, all of them when -1; they
        share its cells."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, -1, tokens)

    def remove(self, sequence: int, kept: int = 0) -> None:
        """Forget one sequence but for its first ``kept`` tokens."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, kept, -1)

    def clear(self) -> None:
        """Forget every sequence."""
        llama_cpp.llama_memory_clear(self._memory, False)
