"""The messages between the program and its engine process: one JSON object a line, each a frozen dataclass here.

Commands go to the child's standard input, events come from its standard output. A line that is not exactly one of
these raises :class:`ProtocolError`; nothing half-understood is ever acted on.
"""

import dataclasses
import json
import types
import typing
from dataclasses import dataclass
from typing import Any

from app.compose.prompt import Segment
from app.compose.sentence import Sentence

LONGEST_LINE = 1 << 20  # bytes; a longer line is refused unread
CONTEXT = 4096  # tokens, unless more or fewer are asked for


class ProtocolError(Exception):
    """A line that is not a message; the text says what is wrong with it."""


@dataclass(frozen=True)
class Sampling:
    """How one token is drawn from the model's distribution.

    ``temperature`` 0 takes the likeliest token. ``min_p`` keeps tokens at least that fraction as likely as the
    likeliest (Nguyen et al. 2024, arXiv:2407.01082); ``top_p`` keeps the smallest set of at least that mass (Holtzman
    et al. 2020, arXiv:1904.09751); both are applied before the temperature. Tokens that contain a text of ``avoid`` are
    never drawn.
    """

    temperature: float = 0.4
    top_p: float = 1.0
    min_p: float = 0.1
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True)
class Load:
    """Open a model file. First command of every engine. ``sha256`` (hex) is checked while it loads, when given."""

    path: str
    sha256: str | None = None
    device: str = "auto"  # "auto" or "cpu"
    device_reason: Sentence | None = None  # why "cpu" was asked for, to be repeated in Ready
    threads: int | None = None
    context: int = CONTEXT  # tokens of all sequences of all jobs together
    hash_first: bool = False  # not while the file is opened: a process has died opening it


@dataclass(frozen=True)
class Write:
    """Write ``draw`` candidates of one prompt as parallel sequences; candidate ``i`` is drawn with ``(seed, i)``.

    A prompt of ours is put otherwise to a model that was not tuned on it; one that is ``verbatim`` never is.
    """

    job: int
    prompt: tuple[Segment, ...]
    draw: int
    seed: int
    sampling: Sampling = Sampling()
    most_tokens: int = 160  # of one candidate
    verbatim: bool = False


@dataclass(frozen=True)
class Cancel:
    """Stop a job, whether it is waiting or running; it still ends with Done, ``cancelled`` true."""

    job: int


@dataclass(frozen=True)
class Loading:
    """Progress of Load, 0 to 1, and what the model is being opened on, as in Ready; "" before that is known."""

    fraction: float
    device: str = ""


@dataclass(frozen=True)
class Ready:
    """The model is open. ``device`` is what runs it (``CPU``, ``CUDA0 NVIDIA …``), ``reason`` why that one, ``found``
    the GPUs there are and what of this build could use one."""

    device: str
    reason: Sentence
    model: str
    parameters: int
    layers_on_gpu: int
    threads: int
    context: int
    seconds: float
    found: tuple[str, ...] = ()


@dataclass(frozen=True)
class Piece:
    """More text of one candidate, whole characters only."""

    job: int
    candidate: int
    text: str


@dataclass(frozen=True)
class Finished:
    """One candidate is complete. ``logprob`` is the mean natural-log probability a token, end of turn included, under
    the model's unmodified distribution; ``end`` is ``stop`` (the model ended its turn), ``length`` or ``cancelled``."""

    job: int
    candidate: int
    text: str
    tokens: int
    logprob: float
    end: str


@dataclass(frozen=True)
class Done:
    """Every candidate of a job has finished. ``first_piece`` and ``seconds`` count from when the job was taken up."""

    job: int
    seconds: float
    first_piece: float | None
    cancelled: bool


@dataclass(frozen=True)
class Failed:
    """Something went wrong and the engine goes on: with one ``job``, or, when None, with loading the model.

    ``code`` is one of: model_missing, model_empty, model_foreign, model_truncated, model_damaged, model_unsupported,
    model_speechless, model_changed, out_of_memory, bad_request, prompt_too_long, engine_died, internal.
    """

    job: int | None
    code: str
    sentence: Sentence
    detail: str = ""


@dataclass(frozen=True)
class Died:
    """Made by the client, never sent by the child: the engine process is gone; ``restarting`` says what follows."""

    exit_code: int
    sentence: Sentence
    restarting: bool


Command = Load | Write | Cancel
Event = Loading | Ready | Piece | Finished | Done | Failed | Died

_MESSAGES: dict[str, type] = {
    kind.__name__: kind for kind in (Load, Write, Cancel, Loading, Ready, Piece, Finished, Done, Failed, Died)
}


def encode(message: Command | Event) -> bytes:
    """One line, newline included, ASCII only."""
    return json.dumps({"type": type(message).__name__} | _plain(message)).encode("ascii") + b"\n"


def decode(line: bytes) -> Command | Event:
    """The message on one line.

    Raises:
        ProtocolError: too long, not JSON, an unknown type or key, a missing key, or a value of another type.
    """
    if len(line) > LONGEST_LINE:
        raise ProtocolError(f"a line of {len(line)} bytes; at most {LONGEST_LINE}")
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from error
    name = raw.pop("type", None) if isinstance(raw, dict) else None
    kind = _MESSAGES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ProtocolError("not a message of a known type")
    return _build(kind, raw, kind.__name__)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _build(kind: Any, raw: Any, where: str) -> Any:
    """``raw`` (parsed JSON) as a value of the annotated type ``kind``."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        options = typing.get_args(kind)
        if raw is None and type(None) in options:
            return None
        return _build(next(option for option in options if option is not type(None)), raw, where)
    if origin is tuple:
        if not isinstance(raw, list):
            raise ProtocolError(f"{where} must be a list")
        return tuple(_build(typing.get_args(kind)[0], item, where) for item in raw)
    if kind is Segment:
        if not (isinstance(raw, list) and len(raw) == 2):
            raise ProtocolError(f"{where} must be a pair")
        return Segment(_build(str, raw[0], where), _build(bool, raw[1], where))
    if dataclasses.is_dataclass(kind):
        if not isinstance(raw, dict):
            raise ProtocolError(f"{where} must be an object")
        hints = typing.get_type_hints(kind)
        for key in raw:
            if key not in hints:
                raise ProtocolError(f"{where} has the unknown key {key[:40]!r}")
        try:
            return kind(**{key: _build(hints[key], value, f"{where}.{key}") for key, value in raw.items()})  # type: ignore[operator]
        except TypeError as error:
            raise ProtocolError(f"{where}: {error}") from error
    if kind is float and type(raw) is int:
        try:
            return float(raw)
        except OverflowError as error:
            raise ProtocolError(f"{where} is too large") from error
    if type(raw) is not kind:
        raise ProtocolError(f"{where} must be {kind.__name__}")
    return raw
