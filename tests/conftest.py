"""What is skipped where something is not installed, and the session fixtures shared by all tests: the tiny model, its
adapter, and the two merged.
"""

import importlib.util
import os
import re
from pathlib import Path

import pytest

from app.compose.prompt import CHAT_TEMPLATE
from app.models.built import find_built
from app.models.folders import models_folder
from app.models.gguf_file import read_header
from app.models.manifest import load_manifest
from app.models.merge import merge_model
from tests import tiny
from training.tokenizer import Tokenizer
from training.vocabulary import kept_tokens

pytest_plugins = ["tests.tally"]

TRAINING_PACKAGES = ("torch", "transformers", "peft", "safetensors", "matplotlib", "accelerate", "sklearn", "bm25s")
NO_TRAINING = "the training packages are not installed here (python3 run.py training)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests are skipped where the real model is not built, or the training not installed; in CI they fail instead."""
    if in_ci():
        return
    reasons = {}
    if find_built(models_folder(), load_manifest()) is None:
        reasons["model"] = "the real model is not built here (python3 run.py install)"
    if not _can_train():
        reasons["torch"] = NO_TRAINING
    for item in items:
        for marker, reason in reasons.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """A file marked as a whole, ``pytestmark = pytest.mark.torch``, may import torch at its top: it is not imported."""
    whole = re.search(r"^pytestmark\b.*\bmark\.torch\b", module_path.read_text(encoding="utf-8"), re.MULTILINE)
    return _SkippedModule.from_parent(parent, path=module_path) if whole and not in_ci() and not _can_train() else None


class _SkippedModule(pytest.Module):
    def collect(self) -> list[pytest.Item]:
        pytest.skip(NO_TRAINING, allow_module_level=True)


def in_ci() -> bool:
    """Whether nothing may be skipped."""
    return os.environ.get("CI", "") not in ("", "0", "false")


def _can_train() -> bool:
    return all(map(importlib.util.find_spec, TRAINING_PACKAGES))


@pytest.fixture(scope="session")
def tiny_float_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny random Qwen2 model in F16."""
    path = tmp_path_factory.mktemp("tiny") / "tiny-f16.gguf"
    tiny.write_float_base(path)
    return path


@pytest.fixture(scope="session")
def tiny_base(tiny_float_base: Path) -> Path:
    """The tiny model as Q4_K_M: Q4_K and Q6_K tensors, a whole small vocabulary, a chat template of its own."""
    path = tiny_float_base.with_name("tiny-q4_k_m.gguf")
    tiny.quantize(tiny_float_base, path)
    return path


@pytest.fixture(scope="session")
def tiny_adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEFT LoRA adapter of the tiny model, as a folder."""
    return tiny.write_adapter(tmp_path_factory.mktemp("tiny-adapter"))


@pytest.fixture(scope="session")
def tiny_vocabulary(tiny_base: Path) -> tuple[int, ...]:
    """The tokens of the tiny model that are kept: what Chinese greetings need of it."""
    tokenizer = Tokenizer(read_header(tiny_base).metadata)
    characters = frozenset(tiny.COVERED + "".join(tiny.EMOJI) + " \n")
    return tuple(kept_tokens(tokenizer, ["user\n", "assistant\n"], characters))


@pytest.fixture(scope="session")
def tiny_model(tiny_base: Path, tiny_adapter: Path, tiny_vocabulary: tuple[int, ...], tmp_path_factory) -> Path:
    """The tiny model as the app runs it: adapter merged, vocabulary trimmed, our chat template."""
    path = tmp_path_factory.mktemp("tiny-model") / "tiny-model-q4_k_m.gguf"
    metadata = {"general.name": "Tiny", "tokenizer.chat_template": CHAT_TEMPLATE}
    merge_model(tiny_base, tiny_adapter, path, vocabulary=tiny_vocabulary, seed=1, metadata=metadata)
    return path
