"""The chat template a model carries, as the pieces of a prompt.

A template is a program from whoever made the file. llama-cpp-python's formatter runs it in Jinja's sandbox, and follows
what the Hub's templates use; llama.cpp's own ``llama_chat_apply_template`` knows a list of them only.
"""

import secrets
from functools import cached_property
from typing import Any

from llama_cpp import llama_cpp

from app.compose.prompt import Segment
from app.llama.model import LlamaError, Model


class ChatTemplate:
    """One model's template; nothing of it is run before it is asked for."""

    def __init__(self, model: Model) -> None:
        self._model = model
        found = llama_cpp.llama_model_chat_template(model.pointer, None)
        self.text = found.decode("utf-8", "replace") if found else ""

    def segments(self, message: str) -> tuple[Segment, ...]:
        """The prompt up to where the model's answer to ``message`` begins. Only the template's own text may become
        control tokens; BOS is left out where the vocabulary adds it.

        Raises:
            LlamaError: the template fails, or leaves the message out.
        """
        before, after = self._around
        return (Segment(before, True), Segment(message, False), Segment(after, True))

    @cached_property
    def _around(self) -> tuple[str, str]:
        """What the template puts before and after a message: rendered once, with a mark in the message's place."""
        # Takes a moment to import, which a model of ours never needs.
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        mark = secrets.token_hex(16)
        bos = "" if self._model.adds_bos else self._model.token_text(self._model.beginning_of_sequence)
        end = self._model.token_text(self._model.end_of_sequence)
        messages: list[Any] = [{"role": "user", "content": mark}]
        try:
            formatter = Jinja2ChatFormatter(self.text, eos_token=end, bos_token=bos)
            # Models that think aloud are asked not to: what they think is no greeting.
            rendered = formatter(messages=messages, enable_thinking=False).prompt
        except Exception as error:  # whatever a stranger's template does
            raise LlamaError(f"the chat template fails: {type(error).__name__}: {error}") from error
        before, found, after = rendered.partition(mark)
        if not found:
            raise LlamaError("the chat template leaves out what the user says")
        return before, after
