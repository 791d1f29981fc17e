"""What is tried: the base with a prompt, the base with retrieved examples, and what a short training makes of it.

Greetings are asked for in the evaluation's own prompt; texts of another kind in a plain one, which lists the labels and
what was typed, below generic rules or the person's own. The tuned model is given that list alone, in the turn every
model of ours is trained on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.compose.prompt import Segment, turn_segments, user_message
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.engine.protocol import CONTEXT
from app.engine.refusals import MOST_TOKENS
from app.llama.chat import Message
from app.models.verify import verify_model
from training.decision.corpus import LabelledRequest, Labels
from training.encoding import Encoder
from training.errors import TrainingError
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
        rules: the system message.
    """

    rules: str

    def messages(self, request: GreetingRequest, examples: Sequence[Record]) -> tuple[Message, ...]:
        """Rules, the examples as turns of a conversation, the request."""
        turns = [
            message
            for one in examples
            for message in (Message("user", listed(one.request)), Message("assistant", one.text))
        ]
        return (Message("system", self.rules), *turns, Message("user", listed(request)))


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


def read_rules(path: Path) -> str:
    """The person's own prompt, as a file of text has it.

    Raises:
        TrainingError: it cannot be read, or says nothing.
    """
    try:
        text, detail = path.read_text(encoding="utf-8-sig").strip(), "empty"
    except (OSError, UnicodeDecodeError) as error:
        text, detail = "", str(error)
    if not text:
        raise TrainingError(
            Sentence(
                f"提示词 {path.name} 读不出来，或者是空的。它应是 UTF-8 的纯文本，写上你平时给模型的那段话。",
                f"The prompt {path.name} cannot be read or is empty. It should be plain text in UTF-8: what you tell "
                "the model as a rule.",
            ),
            f"{path}: {detail}",
        )
    return text


@contextmanager
def base_systems(
    base: Path, records: Sequence[Record], labels: Labels, task: str, rules: str = ""
) -> Iterator[Mapping[str, System]]:
    """The base with a prompt and with retrieval, while its vocabulary is open. Both are shown as many of
    :data:`EXAMPLES` examples as leave room for the text.

    Args:
        records: what examples are taken from.
        task: what the texts are called, for the generic rules.
        rules: the person's own in place of ours.

    Raises:
        TrainingError, ModelError: the base cannot be read. Asked for segments, a system raises TrainingError where not
            even one example fits.
    """
    prompt = Prompt(Choices().layout, labels.catalog) if labels.own else PlainPrompt(_RULES.format(task=task))
    fixed = prompt.examples if isinstance(prompt, Prompt) else spread(records, EXAMPLES)
    index = Index(records, Choices().ranking)
    examples: Mapping[str, Callable[[GreetingRequest], Sequence[Record]]] = {
        PROMPT: lambda request: fixed,
        RAG: lambda request: index.nearest(request, EXAMPLES),
    }
    context = _context_of(base)
    with Encoder(base) as encoder:

        def system(name: str) -> System:
            def segments(request: GreetingRequest) -> tuple[Segment, ...]:
                most = labels.catalog.length(request.length).most_tokens
                shown = examples[name](request)
                tokens = 0
                for count in range(len(shown), 0, -1):
                    # The nearest stand last; of a fixed choice the first are kept, so that prompts begin alike.
                    kept = shown[len(shown) - count :] if name == RAG else shown[:count]
                    messages = prompt.messages(request, kept)
                    if rules:
                        messages = (Message("system", rules), *messages[1:])
                    found = in_template(messages, encoder.template)
                    tokens = len(encoder.encode_segments(found))
                    if tokens + most <= context and most <= MOST_TOKENS:
                        return found
                raise _too_long(tokens, most, context)

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


def _context_of(base: Path) -> int:
    """Tokens the engine has room for with this base."""
    metadata = verify_model(base, sha256=None).metadata
    return min(CONTEXT, int(metadata.get(f"{metadata.get('general.architecture')}.context_length", CONTEXT)))


def _too_long(tokens: int, most: int, context: int) -> TrainingError:
    return TrainingError(
        Sentence(
            f"语料的文字太长：只放一个例子，提示词就有 {tokens:,} 词元，还要留 {most:,} 词元来写（一篇最多 "
            f"{MOST_TOKENS:,}），上下文一共 {context:,}。请把长的文字拆短或去掉，或缩短 --prompt。",
            f"The corpus's texts are too long: with one example the prompt has {tokens:,} tokens, and {most:,} must be "
            f"left to write (at most {MOST_TOKENS:,} a text), in a context of {context:,}. Cut or leave out the long "
            "texts, or shorten --prompt.",
        )
    )


def _counter(encoder: Encoder) -> Callable[[tuple[Segment, ...]], int]:
    return lambda segments: len(encoder.encode_segments(segments))
