"""The best prompt we know for a base that was not tuned: rules, examples, the request, in the base's own template.

What is the same for every request comes first, so that the engine evaluates it once for all of them. The words are in
``prompt.yaml``.

What was tried with four validation requests that are not easy, three texts each at temperature 0.7: of 12 texts the
guard passed 6 with the eight examples as turns, 4 with four of them, 2 with four and the words of
:mod:`app.compose.fallback_prompt`, none with those words alone. Told what is asked as a list of labels in place of
sentences, the base gave the facts back as they were.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from app.compose.catalog import Catalog
from app.compose.prompt import Segment
from app.compose.request import GreetingRequest
from app.compose.schema import typed
from app.llama.chat import ChatTemplate, Message
from app.llama.model import LlamaError
from training.records import Record, parse_record

PROMPT_FILE = Path(__file__).with_name("prompt.yaml")


class Layout(Enum):
    """Where the examples are."""

    NONE = "none"  # there are none
    TOLD = "told"  # in the system message, below the rules
    TURNS = "turns"  # as turns of the conversation, each a request and its answer


@dataclass(frozen=True)
class Wording:
    """What ``prompt.yaml`` says: the rules, how a choice of the catalogue is told, by its id, and the examples."""

    system: str
    tones: dict[str, str]
    occasions: dict[str, str]
    lengths: dict[str, str]
    pronouns: dict[str, str]
    examples: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Prompt:
    """One way to ask a general model.

    Args:
        layout: where the examples go.
        catalog: for the names of what is asked.
    """

    layout: Layout
    catalog: Catalog

    @cached_property
    def wording(self) -> Wording:
        """The words of the prompt."""
        wording: Wording = typed(Wording, yaml.safe_load(PROMPT_FILE.read_text(encoding="utf-8")))
        return wording

    @cached_property
    def examples(self) -> tuple[Record, ...]:
        """The hand-picked greetings."""
        lines = (json.dumps(example, ensure_ascii=False) for example in self.wording.examples)
        return tuple(
            parse_record(f"{PROMPT_FILE.stem}:{number}", line, self.catalog) for number, line in enumerate(lines, 1)
        )

    def messages(self, request: GreetingRequest, examples: Sequence[Record]) -> tuple[Message, ...]:
        """The conversation up to the request, with these examples."""
        system = self.wording.system.rstrip()
        turns: list[Message] = []
        if self.layout is Layout.TOLD and examples:
            told = "\n\n".join(f"{self.asked(one.request)}\n消息：{one.text}" for one in examples)
            system = f"{system}\n\n几条写得好的：\n\n{told}"
        elif self.layout is Layout.TURNS:
            for one in examples:
                turns += [Message("user", self.asked(one.request)), Message("assistant", one.text)]
        return (Message("system", system), *turns, Message("user", self.asked(request)))

    def asked(self, request: GreetingRequest) -> str:
        """The request in words: every choice with what it means, and the person's own words as they are."""
        relationship = self.catalog.relationship(request.relationship)
        lines = [
            f"请替我写一条拜年消息，发给{relationship.zh}，{self.wording.pronouns[relationship.pronoun]}。",
            f"场合：{self.wording.occasions[request.occasion]}",
            f"语气：{self.wording.tones[request.tone]}",
            f"篇幅：{self.wording.lengths[request.length]}",
        ]
        if request.zodiac:
            lines.append(f"生肖：{request.zodiac}年，要用上“{request.zodiac}”字")
        if request.details:
            lines.append(f"要说到的事：{'；'.join(request.details)}")
        lines.append(f"开头先叫“{request.address}”。" if request.address else "开头不叫名字。")
        if request.signature:
            lines.append(f"结尾署上我的名字：“——{request.signature}”。")
        return "\n".join(lines)


def in_template(messages: Sequence[Message], template: ChatTemplate) -> tuple[Segment, ...]:
    """The conversation as the model's own template puts it. Where that knows no system message, as Gemma's, its text is
    put before what is asked first.

    Raises:
        LlamaError: the template fails.
    """
    try:
        return template.conversation(messages)
    except LlamaError:
        system, first, *rest = messages
        return template.conversation([first._replace(content=f"{system.content}\n\n{first.content}"), *rest])
