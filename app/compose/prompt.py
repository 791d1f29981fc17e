"""THE prompt: a request as the text the adapter was trained on, byte for byte. The app and training both build it here.

What a person typed must never be able to end the turn: the prompt is handed on as segments, and only the ones marked
``special`` may be read as control tokens. ``prompt_text`` joins them, for training data and for eyes.
"""

from typing import NamedTuple

from app.compose.catalog import Catalog
from app.compose.request import GreetingRequest

TURN_END = "<|im_end|>"
USER_TURN = "user\n"  # what stands before the request

# What the built GGUF carries as tokenizer.chat_template: one user turn through it is exactly `prompt_text`.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


class Segment(NamedTuple):
    """A piece of a prompt; ``special`` pieces are control tokens, the others plain text whatever they contain."""

    text: str
    special: bool


def user_message(request: GreetingRequest, catalog: Catalog) -> str:
    """The lines of the user's turn, in their fixed order; optional lines appear only when given."""
    lines = [
        "写祝福",
        f"关系：{catalog.relationship(request.relationship).zh}",
        f"语气：{catalog.tone(request.tone).zh}",
        f"场合：{catalog.occasion(request.occasion).zh}",
        f"篇幅：{catalog.length(request.length).zh}",
    ]
    if request.address:
        lines.append(f"称呼：{request.address}")
    if request.zodiac:
        lines.append(f"生肖：{request.zodiac}")
    if request.details:
        lines.append(f"细节：{'；'.join(request.details)}")
    if request.signature:
        lines.append(f"落款：{request.signature}")
    return "\n".join(lines)


def prompt_segments(request: GreetingRequest, catalog: Catalog) -> tuple[Segment, ...]:
    """The prompt up to where the greeting begins."""
    return turn_segments(user_message(request, catalog))


def turn_segments(message: str) -> tuple[Segment, ...]:
    """A user's turn that says ``message``, up to where the answer begins."""
    return (
        Segment("<|im_start|>", True),
        Segment(USER_TURN + message, False),
        Segment(TURN_END, True),
        Segment("\n", False),
        Segment("<|im_start|>", True),
        Segment("assistant\n", False),
    )


def prompt_text(request: GreetingRequest, catalog: Catalog) -> str:
    """The segments joined."""
    return "".join(segment.text for segment in prompt_segments(request, catalog))
