"""One open model: tokenizes a prompt, decodes several candidates of it in one batch, can be stopped at any moment.

The only module besides :mod:`app.engine.device` that touches llama.cpp. It knows nothing of processes and pipes, and
one thread uses it at a time; only :meth:`Runtime.stop` may be called from another.

Sequence 0 of the context holds the prompt, evaluated once; the candidates are sequences 1 and up, which share its cells
and add only their own. A candidate that ends leaves the batch and its cells.
"""

import ctypes
import functools
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from llama_cpp import llama_cpp

from app.compose.prompt import Segment
from app.engine import device, errors
from app.engine.candidate import Candidate
from app.engine.protocol import Finished, Piece, Write
from app.engine.sampling import Floats, Tokens, pick, relative_weights

MOST_PARALLEL = 32  # candidates decoded at once; more of them wait for a place
BATCH = 256  # tokens of a prompt evaluated at once
_LOG_LINES = 40
_TROUBLE = (3, 4)  # enum ggml_log_level of ggml.h: warnings and errors


# One row of relative weights and its sum.
_Chances = tuple[Floats, float]


class Runtime:
    """A model and its context, on one device.

    Args:
        path: a GGUF file; verified by the caller if it needs to be.
        gpu: where to run it; None for the CPU.
        threads: for the CPU's part of the work.
        context: cells for the tokens of all sequences together.
        progress: told the fraction loaded, 0 to 1; returning False gives up.

    Raises:
        OpeningStopped: ``progress`` returned False.
        EngineError: out_of_memory, model_unsupported or model_damaged.
    """

    # Pointers of llama.cpp, None until they are opened and after they are closed.
    _model: Any = None
    _context: Any = None
    _batch: Any = None
    _vocabulary: Any
    _memory: Any

    threads: int
    context: int
    trained_context: int
    vocabulary_size: int
    layers_on_gpu: int

    def __init__(
        self, path: Path, *, gpu: device.Gpu | None, threads: int, context: int, progress: Callable[[float], bool]
    ) -> None:
        self._log = _native_log()
        self._log.lines.clear()
        llama_cpp.llama_backend_init()
        self._stopped = False
        self._going_on = True
        self._prompt: list[int] = []
        # ctypes keeps no reference to a callback it hands to C.
        self._on_progress = llama_cpp.llama_progress_callback(lambda fraction, _: self._report(progress, fraction))
        self._on_abort = llama_cpp.ggml_abort_callback(lambda _: self._stopped)
        try:
            self._open_model(path, gpu)
            self._open_context(gpu, threads, context)
            self._try_one_token()
        except BaseException:
            self.close()
            raise

    def _open_model(self, path: Path, gpu: device.Gpu | None) -> None:
        params = llama_cpp.llama_model_default_params()
        # A list of exactly the device chosen, ended by NULL: an empty one keeps every GPU out of it.
        handles = [gpu.handle, None] if gpu else [None]
        self._devices = (ctypes.c_void_p * len(handles))(*handles)
        params.devices = ctypes.cast(self._devices, ctypes.c_void_p)
        params.n_gpu_layers = -1 if gpu else 0
        params.progress_callback = self._on_progress
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), params)
        if self._model is None:
            if not self._going_on:
                raise errors.OpeningStopped
            raise self._unopened()
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self.vocabulary_size = llama_cpp.llama_vocab_n_tokens(self._vocabulary)
        if self.vocabulary_size == 0:
            raise errors.model_unsupported("the file has no vocabulary")

    def _open_context(self, gpu: device.Gpu | None, threads: int, context: int) -> None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = context
        params.n_batch = params.n_ubatch = BATCH
        params.n_seq_max = MOST_PARALLEL + 1
        params.n_outputs_max = MOST_PARALLEL + 1
        # One pool of cells for all sequences, or every one would get a 33rd of the context.
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads
        params.offload_kqv = params.op_offload = gpu is not None
        if gpu is None:
            # On a processor it saves nothing here, and it rounds attention to half precision.
            params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.abort_callback = self._on_abort
        params.no_perf = True
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        if self._context is None:
            raise self._unopened()
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(BATCH, 0, 1)
        self._tokens = np.ctypeslib.as_array(self._batch.token, (BATCH,))
        self._positions = np.ctypeslib.as_array(self._batch.pos, (BATCH,))
        self._outputs = np.ctypeslib.as_array(self._batch.logits, (BATCH,))
        np.ctypeslib.as_array(self._batch.n_seq_id, (BATCH,))[:] = 1
        self._weights: Floats = np.empty((MOST_PARALLEL + 1, self.vocabulary_size), np.float32)
        self._pieces: dict[int, bytes | None] = {}
        self._avoided: dict[tuple[str, ...], Tokens] = {}
        self.context = llama_cpp.llama_n_ctx(self._context)
        self.trained_context = llama_cpp.llama_model_n_ctx_train(self._model)
        self.threads = threads
        self.layers_on_gpu = llama_cpp.llama_model_n_layer(self._model) + 1 if gpu else 0

    def _try_one_token(self) -> None:
        """Evaluate one token: a device that cannot, or weights that are not numbers, show now and not in a greeting."""
        logits = self._evaluate([0])
        self._forget()
        if logits is not None:
            _chances(*relative_weights(logits, np.empty_like(logits)))

    def close(self) -> None:
        """Free the context and the model. Harmless when done twice."""
        if self._batch is not None:
            llama_cpp.llama_batch_free(self._batch)
        if self._context is not None:
            llama_cpp.llama_free(self._context)
        if self._model is not None:
            llama_cpp.llama_model_free(self._model)
        self._model = self._context = self._batch = None

    @property
    def name(self) -> str:
        """What the file calls itself, "" when it does not say."""
        buffer = ctypes.create_string_buffer(256)
        found = llama_cpp.llama_model_meta_val_str(self._model, b"general.name", buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if found >= 0 else ""

    @property
    def parameters(self) -> int:
        """How many weights the model has."""
        return llama_cpp.llama_model_n_params(self._model)

    def stop(self) -> None:
        """End the job that is running as soon as the device can; safe from any thread, lasts until :meth:`rearm`."""
        self._stopped = True

    def rearm(self) -> None:
        """Let jobs run again after :meth:`stop`."""
        self._stopped = False

    def tokenize(self, segments: Sequence[Segment]) -> list[int]:
        """Token ids of a prompt. Only segments marked special may become control tokens.

        Raises:
            EngineError: bad_request, for text that is not valid Unicode.
        """
        tokens = []
        if llama_cpp.llama_vocab_get_add_bos(self._vocabulary):
            tokens.append(llama_cpp.llama_vocab_bos(self._vocabulary))
        for text, special in segments:
            try:
                encoded = text.encode()
            except UnicodeEncodeError as error:
                raise errors.bad_request(
                    "填的内容里有无法识别的字符，请删掉后再写。",
                    "What was filled in contains characters that are not text; remove them and try again.",
                    error.reason,
                ) from error
            # No token is shorter than a byte.
            found = (llama_cpp.llama_token * (len(encoded) + 8))()
            count = llama_cpp.llama_tokenize(self._vocabulary, encoded, len(encoded), found, len(found), False, special)
            if count < 0:
                raise errors.internal(f"llama_tokenize returned {count} for {len(encoded)} bytes")
            tokens += found[:count]
        return tokens

    def write(self, job: Write) -> Iterator[Piece | Finished]:
        """Decode the candidates of one job, yielding text as it comes and each candidate's end.

        After :meth:`stop` every candidate still open ends as ``cancelled``. The same job on the same device with the
        same number of threads gives the same texts, whatever ran before it.

        Raises:
            EngineError: prompt_too_long, bad_request, out_of_memory, model_damaged or internal; the runtime remains
                usable.
        """
        prompt = self.tokenize(job.prompt)
        if not prompt:
            raise errors.bad_request(
                "没有要写的内容，请先填好再写。", "There is nothing to write about; fill the form in."
            )
        longest = min(self.context, self.trained_context) - job.most_tokens
        if len(prompt) > longest:
            raise errors.prompt_too_long(len(prompt), max(1, longest))
        width = min(job.draw, (self.context - len(prompt)) // job.most_tokens, MOST_PARALLEL)
        avoided = self._tokens_with(job.sampling.avoid)
        places = deque(range(1, width + 1))
        waiting = deque(range(job.draw))
        live: list[Candidate] = []
        try:
            first = self._after_prompt(prompt)
            while (waiting or live) and first is not None and not self._stopped:
                chances = self._after_step(live, len(prompt))
                if chances is None:
                    break
                while waiting and places:
                    live.append(self._begin(waiting.popleft(), places.popleft(), job.seed))
                    chances.append(first)
                going, live = live, []
                for candidate, (weights, total) in zip(going, chances, strict=True):
                    token, logprob = pick(weights, total, job.sampling, candidate.generator, avoided)
                    text, end = candidate.take(token, logprob, self._bytes_of(token), job.most_tokens)
                    if text:
                        yield Piece(job.job, candidate.index, text)
                    if end:
                        llama_cpp.llama_memory_seq_rm(self._memory, candidate.sequence, -1, -1)
                        places.append(candidate.sequence)
                        yield candidate.finished(job.job, end)
                    else:
                        live.append(candidate)
            live += [Candidate(index, 0, np.random.default_rng(0)) for index in waiting]
            for candidate in live:
                yield candidate.finished(job.job, "cancelled")
        finally:
            for sequence in range(1, width + 1):
                llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def _begin(self, index: int, sequence: int, seed: int) -> Candidate:
        llama_cpp.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)
        return Candidate(index, sequence, np.random.default_rng((seed, index)))

    def _after_prompt(self, prompt: list[int]) -> _Chances | None:
        """What may come first after ``prompt``, which is in sequence 0 then; None when stopped.

        A prompt that is already there is not evaluated again. One that only begins alike is: evaluated in other pieces
        it would differ in the last bits, and the same request would not always give the same text.
        """
        if prompt != self._prompt:
            self._forget()
            logits = self._evaluate(prompt)
            if logits is None:
                return None
            weights, totals = relative_weights(logits, np.empty_like(logits))
            self._first = _chances(weights, totals)[0]
            self._prompt = prompt
        return self._first

    def _evaluate(self, tokens: list[int]) -> Floats | None:
        """Put ``tokens`` into sequence 0. The logits after the last, shape (1, vocabulary); None when stopped."""
        for start in range(0, len(tokens), BATCH):
            part = tokens[start : start + BATCH]
            ending = start + len(part) == len(tokens)
            self._fill(part, range(start, start + len(part)), [0] * len(part))
            self._outputs[: len(part)] = 0
            self._outputs[len(part) - 1] = ending
            if self._stopped or not self._decode():
                return None
        return self._logits(1)

    def _after_step(self, live: list[Candidate], prompt: int) -> list[_Chances] | None:
        """What may come next in each live candidate, after its last token was evaluated; None when stopped."""
        if not live:
            return []
        self._fill(
            [candidate.last for candidate in live],
            [prompt + candidate.tokens - 1 for candidate in live],
            [candidate.sequence for candidate in live],
        )
        self._outputs[: len(live)] = 1
        if not self._decode():
            return None
        return _chances(*relative_weights(self._logits(len(live)), self._weights))

    def _fill(self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int]) -> None:
        count = len(tokens)
        self._tokens[:count] = tokens
        self._positions[:count] = positions
        for place, sequence in enumerate(sequences):
            self._batch.seq_id[place][0] = sequence
        self._batch.n_tokens = count

    def _decode(self) -> bool:
        """Run the batch. False when it was stopped; what it had done by then is forgotten."""
        result = llama_cpp.llama_decode(self._context, self._batch)
        if result == 0:
            return True
        self._forget()
        if result == 2 and self._stopped:
            return False
        detail = f"llama_decode returned {result}; {self._log}"
        raise errors.out_of_memory(detail) if result == -2 else errors.internal(detail)

    def _logits(self, rows: int) -> Floats:
        """The context's own memory, valid until the next batch."""
        return np.ctypeslib.as_array(llama_cpp.llama_get_logits(self._context), (rows, self.vocabulary_size))

    def _bytes_of(self, token: int) -> bytes | None:
        """What a token adds to a text; None for the tokens that end one: a greeting has no use for control tokens."""
        if token not in self._pieces:
            if llama_cpp.llama_vocab_is_eog(self._vocabulary, token) or llama_cpp.llama_vocab_is_control(
                self._vocabulary, token
            ):
                self._pieces[token] = None
            else:
                buffer = ctypes.create_string_buffer(512)
                count = llama_cpp.llama_token_to_piece(self._vocabulary, token, buffer, len(buffer), 0, False)
                self._pieces[token] = buffer.raw[: max(0, count)]
        return self._pieces[token]

    def _tokens_with(self, texts: tuple[str, ...]) -> Tokens:
        """The tokens any of ``texts`` lies wholly within."""
        if texts not in self._avoided:
            wanted = [text.encode() for text in texts if text]
            found = [
                token
                for token in (range(self.vocabulary_size) if wanted else ())
                if any(text in (self._bytes_of(token) or b"") for text in wanted)
            ]
            self._avoided[texts] = np.array(found, np.intp)
        return self._avoided[texts]

    def _forget(self) -> None:
        """Empty the context."""
        self._prompt = []
        llama_cpp.llama_memory_clear(self._memory, False)

    def _report(self, progress: Callable[[float], bool], fraction: float) -> bool:
        self._going_on = self._going_on and progress(fraction)
        return self._going_on

    def _unopened(self) -> errors.EngineError:
        """Why llama.cpp returned nothing, from the last it said."""
        detail = str(self._log)
        memory = any(words in detail.lower() for words in ("out of memory", "allocate", "bad_alloc"))
        return errors.out_of_memory(detail) if memory else errors.model_unsupported(detail)


class _NativeLog:
    """The last warnings and errors of llama.cpp."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=_LOG_LINES)
        self._receiver = llama_cpp.llama_log_callback(self._keep)
        llama_cpp.llama_log_set(self._receiver, None)

    def _keep(self, level: int, text: bytes, _: object) -> None:
        if level in _TROUBLE:
            self.lines.append(text.decode("utf-8", "replace"))

    def __str__(self) -> str:
        return "".join(self.lines).strip()


@functools.cache
def _native_log() -> _NativeLog:
    """The one log of this process: llama.cpp writes to it even while a model is freed, so it is never given up."""
    return _NativeLog()


def _chances(weights: Floats, totals: Floats) -> list[_Chances]:
    if not np.isfinite(totals).all():
        raise errors.model_damaged("logits that are not finite")
    return list(zip(weights, totals.tolist(), strict=True))
