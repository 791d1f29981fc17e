"""One candidate while it is being decoded: tokens go in, whole characters come out."""

import codecs
from dataclasses import dataclass, field

import numpy as np

from app.engine.protocol import Finished


@dataclass
class Candidate:
    """A candidate being decoded, in one of the context's sequences."""

    index: int
    sequence: int
    generator: np.random.Generator
    text: str = ""
    tokens: int = 0
    last: int = 0
    _logprob: float = 0.0
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    def take(self, token: int, logprob: float, added: bytes | None, most: int) -> tuple[str, str]:
        """Go on by one token. Returns the whole characters it completed, and how the candidate ended, "" when not."""
        self._logprob += logprob
        if added is None:
            return "", "stop"
        self.last = token
        self.tokens += 1
        text = self._decoder.decode(added)
        self.text += text
        return text, "length" if self.tokens == most else ""

    def finished(self, job: int, end: str) -> Finished:
        """Its last event. Bytes of a character that was never completed are left out."""
        drawn = self.tokens + (end == "stop")
        return Finished(job, self.index, self.text, self.tokens, self._logprob / drawn if drawn else 0.0, end)
