"""Vocabulary and trimmed base are always of one base and one corpus."""

from pathlib import Path

import pytest

import training.prepare
from tests.training.tiny_run import workspace
from training.prepare import prepare

pytestmark = pytest.mark.torch


def test_what_was_broken_off_for_another_recipe_is_prepared_anew(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ours = workspace(tmp_path, tiny_base)
    prepare(ours)
    kept = ours.vocabulary.read_bytes(), ours.base.read_bytes()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(training.prepare, "trim", stop)
        patched.setattr(type(ours), "identity", lambda *_: "another corpus's")
        patched.setattr(training.prepare, "chosen_tokens", lambda *_: list(range(300)))
        with pytest.raises(KeyboardInterrupt):
            prepare(ours)
    assert ours.vocabulary.read_bytes() != kept[0]
    prepare(ours)
    assert (ours.vocabulary.read_bytes(), ours.base.read_bytes()) == kept
