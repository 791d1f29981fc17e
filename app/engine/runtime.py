"""One open model: tokenizes a prompt, decodes several candidates of it in one batch, can be stopped at any moment.

It knows nothing of processes and pipes, and one thread uses it at a time; only :meth:`Runtime.stop` may be called from
another.

Sequence 0 of the context holds the prompt, evaluated once; the candidates are sequences 1 and up, which share its cells
and add only their own. A candidate that ends leaves the batch and its cells.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from app.compose.prompt import Segment
from app.engine import device, errors
from app.engine.candidate import Candidate
from app.engine.protocol import Finished, Piece, Write
from app.engine.sampling import Floats, Tokens, pick, relative_weights
from app.llama.context import NO_MEMORY, STOPPED, Context
from app.llama.model import LlamaError, Model

MOST_PARALLEL = 32  # candidates decoded at once; more of them wait for a place
BATCH = 256  # tokens of a prompt evaluated at once

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

    def __init__(
        self, path: Path, *, gpu: device.Gpu | None, threads: int, context: int, progress: Callable[[float], bool]
    ) -> None:
        self._stopped = False
        self._prompt: list[int] = []
        self._pieces: dict[int, bytes | None] = {}
        self._avoided: dict[tuple[str, ...], Tokens] = {}
        with ExitStack() as opened:
            self._model = _open_model(path, gpu, progress)
            opened.callback(self._model.close)
            self._context = self._open_context(gpu, threads, context)
            opened.callback(self._context.close)
            self.name = self._model.name
            self.parameters = self._model.parameters
            self.vocabulary_size = self._model.vocabulary_size
            self.trained_context = self._model.trained_context
            self.context = self._context.cells
            self.threads = threads
            self.layers_on_gpu = self._model.layers + 1 if gpu else 0
            self._weights: Floats = np.empty((MOST_PARALLEL + 1, self.vocabulary_size), np.float32)
            self._try_one_token()
            self._opened = opened.pop_all()

    def _open_context(self, gpu: device.Gpu | None, threads: int, cells: int) -> Context:
        try:
            return Context(
                self._model,
                cells=cells,
                batch=BATCH,
                sequences=MOST_PARALLEL + 1,
                threads=threads,
                outputs=MOST_PARALLEL + 1,
                on_cpu=gpu is None,
                aborted=lambda: self._stopped,
            )
        except LlamaError as error:
            raise _unopened(error) from error

    def _try_one_token(self) -> None:
        """Evaluate one token: a device that cannot, or weights that are not numbers, show now and not in a greeting."""
        logits = self._evaluate([0])
        self._forget()
        if logits is not None:
            _chances(*relative_weights(logits, np.empty_like(logits)))

    def close(self) -> None:
        """Free the context and the model. Harmless when done twice."""
        self._opened.close()

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
                        self._context.remove(candidate.sequence)
                        places.append(candidate.sequence)
                        yield candidate.finished(job.job, end)
                    else:
                        live.append(candidate)
            live += [Candidate(index, 0, np.random.default_rng(0)) for index in waiting]
            for candidate in live:
                yield candidate.finished(job.job, "cancelled")
        finally:
            for sequence in range(1, width + 1):
                self._context.remove(sequence)

    def _begin(self, index: int, sequence: int, seed: int) -> Candidate:
        self._context.copy(0, sequence)
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
            wanted = [False] * (len(part) - 1) + [start + len(part) == len(tokens)]
            if self._stopped or not self._decode(part, range(start, start + len(part)), [0] * len(part), wanted):
                return None
        return self._context.logits(1)

    def _after_step(self, live: list[Candidate], prompt: int) -> list[_Chances] | None:
        """What may come next in each live candidate, after its last token was evaluated; None when stopped."""
        if not live:
            return []
        going_on = self._decode(
            [candidate.last for candidate in live],
            [prompt + candidate.tokens - 1 for candidate in live],
            [candidate.sequence for candidate in live],
            [True] * len(live),
        )
        if not going_on:
            return None
        return _chances(*relative_weights(self._context.logits(len(live)), self._weights))

    def _decode(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], outputs: Sequence[bool]
    ) -> bool:
        """Evaluate a batch. False when it was stopped; what it had done by then is forgotten."""
        result = self._context.decode(tokens, positions, sequences, outputs)
        if result == 0:
            return True
        self._forget()
        if result == STOPPED and self._stopped:
            return False
        detail = f"llama_decode returned {result}; {self._model.log}"
        raise errors.out_of_memory(detail) if result == NO_MEMORY else errors.internal(detail)

    def _bytes_of(self, token: int) -> bytes | None:
        """What a token adds to a text; None for the tokens that end one: a greeting has no use for control tokens."""
        if token not in self._pieces:
            self._pieces[token] = None if self._model.ends_or_controls(token) else self._model.piece(token)
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
        self._context.clear()


def _open_model(path: Path, gpu: device.Gpu | None, progress: Callable[[float], bool]) -> Model:
    going_on = True

    def report(fraction: float) -> bool:
        nonlocal going_on
        going_on = going_on and progress(fraction)
        return going_on

    try:
        model = Model(path, devices=[gpu.handle] if gpu else [], progress=report)
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
    memory = any(words in detail.lower() for words in ("out of memory", "allocate", "bad_alloc"))
    return errors.out_of_memory(detail) if memory else errors.model_unsupported(detail)


def _chances(weights: Floats, totals: Floats) -> list[_Chances]:
    if not np.isfinite(totals).all():
        raise errors.model_damaged("logits that are not finite")
    return list(zip(weights, totals.tolist(), strict=True))
