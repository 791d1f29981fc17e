"""What tests of an evaluation share: a base to prompt, a corpus in its words, and the yardstick of another corpus."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.models.merge import merge_model
from tests.engine.test_chat import CHATML
from tests.training.evaluation import voices
from tests.training.tiny_run import write_greetings
from training.evaluation.reference import Reference

# A prompt of a thousand characters is thousands of tokens to the tiny vocabulary.
LONG_CONTEXT = 16384


@pytest.fixture(scope="session")
def instruct(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the tiny model a general one: with a chat template, and room for long prompts."""
    folder = tmp_path_factory.mktemp("general")
    made: dict[str, Path] = {}

    def make(template: str = CHATML) -> Path:
        if template not in made:
            made[template] = folder / f"{len(made)}.gguf"
            about = {"tokenizer.chat_template": template, "qwen2.context_length": LONG_CONTEXT}
            merge_model(tiny_base, None, made[template], vocabulary=None, seed=1, metadata=about)
        return made[template]

    return make


@pytest.fixture(scope="session")
def greetings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small corpus, with its split."""
    return write_greetings(tmp_path_factory.mktemp("greetings") / "corpus")


@pytest.fixture(scope="session")
def reference() -> Reference:
    """What is measured against, learned from a small corpus of two tones (:mod:`.voices`)."""
    return voices.reference()
