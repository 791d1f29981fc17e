"""The chat template a model carries, as the pieces of a prompt.

A template is a program from whoever made the file. llama-cpp-python's formatter runs it in Jinja's sandbox, and follows
what the Hub's templates use; llama.cpp's own ``llama_chat_apply_template`` knows a list of them only.
"""

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from llama_cpp import llama_cpp

from app.compose.prompt import Segment
from app.llama.model import LlamaError, Model


class Message(NamedTuple):
    """What one side says: ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    content: str


class ChatTemplate:
    """One model's template; nothing of it is run before it is asked for."""

    def __init__(self, model: Model) -> None:
        self._model = model
        found = llama_cpp.llama_model_chat_template(model.pointer, None)
        self.text = found.decode("utf-8", "replace") if found else ""
        self._frames: dict[tuple[str, ...], list[str]] = {}

    def segments(self, message: str) -> tuple[Segment, ...]:
        """The prompt up to where the model's answer to ``message`` begins, as :meth:`conversation` of it alone."""
        return self.conversation([Message("user", message)])

    def conversation(self, messages: Sequence[Message]) -> tuple[Segment, ...]:
        """The prompt up to where the model's answer to the last of ``messages`` begins. Only the template's own text
        may become control tokens; BOS is left out where the vocabulary adds it.

        Raises:
            LlamaError: the template fails, as some do of a ``system`` message, or leaves a message out.
        """
        roles = tuple(message.role for message in messages)
        if roles not in self._frames:
            self._frames[roles] = self._render(roles)
        first, *rest = self._frames[roles]
        segments = [Segment(first, True)]
        for message, after in zip(messages, rest, strict=True):
            segments += [Segment(message.content, False), Segment(after, True)]
        return tuple(segments)

    def _render(self, roles: Sequence[str]) -> list[str]:
        """What the template puts before, between and after messages: rendered with a mark in the place of each."""
        # Takes a moment to import, which a model of ours never needs.
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        marks = [secrets.token_hex(16) for _ in roles]
        bos = "" if self._model.adds_bos else self._model.token_text(self._model.beginning_of_sequence)
        end = self._model.token_text(self._model.end_of_sequence)
        messages: list[Any] = [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)]
        try:
            formatter = Jinja2ChatFormatter(self.text, eos_token=end, bos_token=bos)
            # Models that think aloud are asked not to: what they think is no greeting.
            rendered = formatter(messages=messages, enable_thinking=False).prompt
        except Exception as error:  # whatever a stranger's template does
            raise LlamaError(f"the chat template fails: {type(error).__name__}: {error}") from error
        pieces = []
        for role, mark in zip(roles, marks, strict=True):
            before, found, rendered = rendered.partition(mark)
            if not found:
                raise LlamaError(f"the chat template leaves out what the {role} says")
            pieces.append(before)
        return [*pieces, rendered]
