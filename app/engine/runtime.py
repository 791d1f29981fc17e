"""One open model: tokenizes, evaluates prompts and single tokens of many sequences, can be interrupted at any moment.

It decides nothing: which texts are decoded together is :mod:`app.engine.batch`'s business. One thread uses it at a
time; only :meth:`Runtime.interrupt` may be called from another.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from app.compose.fallback_prompt import fallback_message
from app.compose.prompt import CHAT_TEMPLATE, Segment
from app.engine import device, errors
from app.engine.pieces import LARGEST, piece_ends
from app.engine.sampling import Floats, Tokens, relative_weights
from app.llama.chat import ChatTemplate
from app.llama.context import NO_MEMORY, STOPPED, Context
from app.llama.flag import Flag
from app.llama.model import LlamaError, Model

MOST_ROWS = 32  # tokens of different sequences evaluated at once
MOST_SEQUENCES = 2 * MOST_ROWS + 1  # that live side by side: those being written, and the prompts they begin with

# What may come next in a text: one row of relative weights and its sum.
Chances = tuple[Floats, float]


class Runtime:
    """A model and its context, on one device.

    Args:
        path: a GGUF file; verified by the caller if it needs to be.
        gpu: where to run it; None for the CPU.
        layers: how many of the model's are put on the GPU, the output counted as one; None for all.
        threads: for the CPU's part of the work.
        context: cells for the tokens of all sequences together.
        progress: told the fraction loaded, 0 to 1; returning False gives up.

    Raises:
        OpeningStopped: ``progress`` returned False.
        EngineError: out_of_memory, model_unsupported, model_speechless or model_damaged.
    """

    def __init__(
        self,
        path: Path,
        *,
        gpu: device.Gpu | None,
        threads: int,
        context: int,
        progress: Callable[[float], bool],
        layers: int | None = None,
    ) -> None:
        self._interrupted = Flag()
        self._avoided: dict[tuple[str, ...], Tokens] = {}
        with ExitStack() as opened:
            self._model = _open_model(path, gpu, layers, progress)
            opened.callback(self._model.close)
            self._context = self._open_context(gpu, threads, context)
            opened.callback(self._context.close)
            self._template = ChatTemplate(self._model)
            self.tuned = self._template.text == CHAT_TEMPLATE
            if not self.tuned:
                self._try_template()
            self.name = self._model.name
            self.parameters = self._model.parameters
            self.vocabulary_size = self._model.vocabulary_size
            self.trained_context = self._model.trained_context
            self.context = self._context.cells
            self.threads = threads
            most = self._model.layers + 1
            self.layers_on_gpu = 0 if gpu is None else most if layers is None else min(layers, most)
            # All at once: looked up for the first greeting, they would keep a person waiting a tenth of a second.
            self._pieces = [self._piece(token) for token in range(self.vocabulary_size)]
            self._weights: Floats = np.empty((MOST_ROWS, self.vocabulary_size), np.float32)
            self._try_one_token()
            self._opened = opened.pop_all()

    def _open_context(self, gpu: device.Gpu | None, threads: int, cells: int) -> Context:
        try:
            return Context(
                self._model,
                cells=cells,
                batch=max(MOST_ROWS, LARGEST),
                sequences=MOST_SEQUENCES,
                threads=threads,
                outputs=MOST_SEQUENCES,
                on_cpu=gpu is None,
                given_up=self._interrupted,
            )
        except LlamaError as error:
            raise _unopened(error) from error

    def _try_template(self) -> None:
        """Have the template rendered once: one that fails shows now and not in a greeting."""
        try:
            self._template.segments("")
        except LlamaError as error:
            raise errors.model_speechless(str(error)) from error

    def _try_one_token(self) -> None:
        """Evaluate one token: a device that cannot, or weights that are not numbers, show now and not in a greeting."""
        self.evaluate(0, [0])
        self.clear()

    def close(self) -> None:
        """Free the context and the model. Harmless when done twice."""
        self._opened.close()

    def use_threads(self, count: int) -> None:
        """Compute with so many threads from now on. On what is computed: :mod:`app.engine.thread_trial`."""
        self._context.use_threads(count)
        self.threads = count

    def interrupt(self) -> None:
        """Give up what is being evaluated as soon as the device can, and all that follows until :meth:`resume`."""
        self._interrupted.raise_()

    def resume(self) -> None:
        """Evaluate again after :meth:`interrupt`."""
        self._interrupted.lower()

    def tokenize(self, segments: Sequence[Segment], *, verbatim: bool = False) -> list[int]:
        """Token ids of a prompt. Only segments marked special may become control tokens. A model that was not tuned is
        asked for the same through its own chat template, unless the prompt is to be taken ``verbatim``.

        Raises:
            EngineError: bad_request, for text that is not valid Unicode.
        """
        if not self.tuned and not verbatim:
            segments = self._template.segments(fallback_message(segments))
        try:
            return self._model.tokenize_prompt(segments)
        except UnicodeEncodeError as error:
            raise errors.bad_request(
                "填的内容里有无法识别的字符，请删掉后再写。",
                "What was filled in contains characters that are not text; remove them and try again.",
                error.reason,
            ) from error
        except LlamaError as error:
            raise errors.internal(str(error)) from error

    def evaluate(self, sequence: int, tokens: Sequence[int], there: int = 0) -> Chances | None:
        """Put ``tokens`` into a sequence that holds the first ``there`` of them, as
        :func:`app.engine.pieces.shared_tokens` says.

        Returns:
            What may come next; None when interrupted: the sequence is empty then.

        Raises:
            EngineError: out_of_memory, model_damaged or internal; :meth:`clear` makes the runtime usable again.
        """
        for start, end in itertools.pairwise([there, *(end for end in piece_ends(len(tokens)) if end > there)]):
            wanted = [False] * (end - start - 1) + [end == len(tokens)]
            if not self._decode(tokens[start:end], range(start, end), [sequence] * (end - start), wanted):
                self.remove(sequence)
                return None
        logits = self._context.logits(1)
        return _chances(*relative_weights(logits, np.empty_like(logits)))[0]

    def advance(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int]
    ) -> list[Chances] | None:
        """Add one token to each of at most :data:`MOST_ROWS` sequences, at the position where it ends.

        Returns:
            What may come next in each, in memory that the next call overwrites; None when interrupted: every sequence
            is as it was.

        Raises:
            EngineError: as :meth:`evaluate`.
        """
        if not self._decode(tokens, positions, sequences, [True] * len(tokens)):
            return None
        return _chances(*relative_weights(self._context.logits(len(tokens)), self._weights))

    def copy(self, source: int, target: int, tokens: int = -1) -> None:
        """Let the empty sequence ``target`` begin with the first ``tokens`` of ``source``, all of them when -1."""
        self._context.copy(source, target, tokens)

    def remove(self, sequence: int, kept: int = 0) -> None:
        """Empty a sequence but for its first ``kept`` tokens."""
        self._context.remove(sequence, kept)

    def clear(self) -> None:
        """Empty every sequence."""
        self._context.clear()

    def bytes_of(self, token: int) -> bytes | None:
        """What a token adds to a text; None for the tokens that end one: a greeting has no use for control tokens."""
        return self._pieces[token]

    def tokens_with(self, texts: tuple[str, ...]) -> Tokens:
        """The tokens any of ``texts`` lies wholly within."""
        if texts not in self._avoided:
            wanted = [text.encode() for text in texts if text]
            found = [
                token
                for token, piece in enumerate(self._pieces if wanted else ())
                if piece and any(text in piece for text in wanted)
            ]
            self._avoided[texts] = np.array(found, np.intp)
        return self._avoided[texts]

    def _piece(self, token: int) -> bytes | None:
        return None if self._model.ends_or_controls(token) else self._model.piece(token)

    def _decode(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], outputs: Sequence[bool]
    ) -> bool:
        """Evaluate a batch. False when interrupted; llama.cpp then has taken its tokens out of the sequences again."""
        if self._interrupted:
            return False
        result = self._context.decode(tokens, positions, sequences, outputs)
        if result == STOPPED and self._interrupted:
            return False
        if result != 0:
            detail = f"llama_decode returned {result}; {self._model.log}"
            raise errors.out_of_memory(detail) if result == NO_MEMORY else errors.internal(detail)
        return True


def _open_model(path: Path, gpu: device.Gpu | None, layers: int | None, progress: Callable[[float], bool]) -> Model:
    going_on = True

    def report(fraction: float) -> bool:
        nonlocal going_on
        going_on = going_on and progress(fraction)
        return going_on

    try:
        # For a processor the weights are arranged anew in memory; a mapped file would only be held beside them.
        model = Model(
            path, devices=[gpu.handle] if gpu else [], layers=layers, read_in=None if gpu else True, progress=report
        )
    except LlamaError as error:
        if not going_on:
            raise errors.OpeningStopped from error
        raise _unopened(error) from error
    if model.vocabulary_size == 0:
        model.close()
        raise errors.model_unsupported("the file has no vocabulary")
    return model


def _unopened(error: LlamaError) -> errors.EngineError:
    """Why llama.cpp does not open a model, from the last it said."""
    detail = str(error)
    if any(words in detail.lower() for words in ("out of memory", "allocate", "bad_alloc")):
        return errors.out_of_memory(detail)
    unknown = re.search(r"unknown model architecture: '([^']{1,40})'", detail)
    return errors.model_unsupported(detail, unknown[1] if unknown else "")


def _chances(weights: Floats, totals: Floats) -> list[Chances]:
    if not np.isfinite(totals).all():
        raise errors.model_damaged("logits that are not finite")
    return list(zip(weights, totals.tolist(), strict=True))
