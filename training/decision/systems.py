"""What is tried: the base with a prompt, the base with retrieved examples, and what a short training makes of it.

Greetings are asked for in the evaluation's own prompt; texts of another kind in a plain one, which lists the labels and
what was typed. The tuned model is given that list alone, in the turn every model of ours is trained on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.compose.prompt import Segment, turn_segments, user_message
from app.compose.request import GreetingRequest
from app.llama.chat import Message
from training.decision.corpus import LabelledRequest, Labels
from training.encoding import Encoder
from training.evaluation.prompt_system import Prompt, in_template
from training.evaluation.retrieval import Index
from training.evaluation.systems import BASE_SAMPLING, Choices, System
from training.part import spread
from training.records import Record

PROMPT, RAG, TUNED = "prompt", "rag", "tuned"
EXAMPLES = Choices().nearest  # in the prompt as well, so that only their choice differs

_RULES = """\
照要求写一段{task}，写好就直接用。
1. 只写正文，不要标题、解释和引号，语言和例子一样。
2. 要求里的每一项都照做，口气、长短跟着例子。
3. 给了称呼就用上，给了细节就自然地说到，没给的事不要编。"""
_TYPED = {"address": "称呼", "zodiac": "生肖", "signature": "落款"}


@dataclass(frozen=True)
class PlainPrompt:
    """A prompt for texts of any kind.

    Args:
        task: what they are called.
    """

    task: str

    def messages(self, request: GreetingRequest, examples: Sequence[Record]) -> tuple[Message, ...]:
        """Rules, the examples as turns of a conversation, the request."""
        turns = [
            message
            for one in examples
            for message in (Message("user", listed(one.request)), Message("assistant", one.text))
        ]
        return (Message("system", _RULES.format(task=self.task)), *turns, Message("user", listed(request)))


def listed(request: GreetingRequest) -> str:
    """The labels and what was typed, a line each."""
    labels = request.labels if isinstance(request, LabelledRequest) else ()
    lines = [f"{name}：{value}" for name, value in labels]
    lines += [f"{name}：{getattr(request, key)}" for key, name in _TYPED.items() if getattr(request, key)]
    lines += [f"细节：{'；'.join(request.details)}"] if request.details else []
    return "\n".join(lines)


def bare(request: GreetingRequest, labels: Labels) -> tuple[Segment, ...]:
    """All that a tuned model is told; of a greeting, the app's prompt."""
    return turn_segments(user_message(request, labels.catalog) if labels.own else listed(request))


@contextmanager
def base_systems(base: Path, records: Sequence[Record], labels: Labels, task: str) -> Iterator[Mapping[str, System]]:
    """The base with a prompt and with retrieval, while its vocabulary is open.

    Args:
        records: what examples are taken from.

    Raises:
        TrainingError, ModelError: the base cannot be read.
    """
    prompt = Prompt(Choices().layout, labels.catalog) if labels.own else PlainPrompt(task)
    fixed = prompt.examples if isinstance(prompt, Prompt) else spread(records, EXAMPLES)
    index = Index(records, Choices().ranking)
    examples: Mapping[str, Callable[[GreetingRequest], Sequence[Record]]] = {
        PROMPT: lambda request: fixed,
        RAG: lambda request: index.nearest(request, EXAMPLES),
    }
    with Encoder(base) as encoder:

        def system(name: str) -> System:
            def segments(request: GreetingRequest) -> tuple[Segment, ...]:
                return in_template(prompt.messages(request, examples[name](request)), encoder.template)

            return System(name, base, BASE_SAMPLING[name], segments, _counter(encoder))

        yield {name: system(name) for name in examples}


@contextmanager
def tuned_system(model: Path, labels: Labels) -> Iterator[System]:
    """The tuned model, while its vocabulary is open.

    Raises:
        TrainingError, ModelError: it cannot be read.
    """
    with Encoder(model) as encoder:
        yield System(
            TUNED,
            model,
            BASE_SAMPLING[PROMPT],
            lambda request: bare(request, labels),
            _counter(encoder),
        )


def _counter(encoder: Encoder) -> Callable[[tuple[Segment, ...]], int]:
    return lambda segments: len(encoder.encode_segments(segments))
