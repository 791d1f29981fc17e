"""In which pieces a prompt is evaluated, and how much of it another prompt has in common with it.

Where a piece ends depends on the place alone, never on what was evaluated before. What two prompts begin with is
therefore computed alike, and a job alone may take it over from the one before without changing a text: in six pairs of
prompts our model's logits after it were the same to the last bit. Beside other jobs: :mod:`app.engine.batch`.

That is within one process. To keep it on disk from one start to the next would save the first request its first piece
(about half the time of an ordinary prompt of 37 tokens, as measured on two busy cores); a file of it would have to be
told from that of any other model, device and version of llama.cpp.
"""

import itertools
from collections.abc import Iterator, Sequence

# Two greetings of the same relationship, tone, occasion and length have the first 22 to 28 tokens in common, before the
# lines about the person. A multiple of 4, as the processor's kernels take so many rows at a time.
FIRST = 20
# Stopping waits for a piece on a GPU, and for an operation on a whole piece on a processor: no more than that.
LARGEST = 64


def piece_ends(tokens: int) -> Iterator[int]:
    """Where the pieces of a prompt of so many tokens end, at least 1; the last is ``tokens``."""
    yield from range(FIRST, tokens, LARGEST)
    yield tokens


def shared_tokens(prompt: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens at the beginning of ``prompt`` need not be evaluated where ``other`` has been: whole pieces that
    are the same in both. The last piece of ``prompt`` never is among them: what may come after it is to be found out.
    """
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(prompt, other, strict=False)))
    return max((end for end in piece_ends(len(prompt)) if end <= min(same, len(prompt) - 1)), default=0)
