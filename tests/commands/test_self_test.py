"""``python -m app --self-test`` as a person who helps another has it run."""

import json
import os
import subprocess
from pathlib import Path

from app import __version__, program


def self_test(*arguments: str, **environment: str) -> tuple[int, dict]:
    done = subprocess.run(
        program.command("--self-test", *arguments),
        cwd=program.ROOT,
        env=os.environ | environment,
        capture_output=True,
        timeout=240,
    )
    assert done.stderr == b""
    return done.returncode, json.loads(done.stdout)


def test_it_writes_a_greeting_and_says_with_what(tiny_model: Path) -> None:
    code, facts = self_test("--model", str(tiny_model), "--device", "cpu")
    assert (code, facts["ok"], facts["version"], facts["bundle"]) == (0, True, __version__, False)
    assert facts["greeting"] and facts["device"] == "CPU" and facts["threads"] >= 1
    assert any(line.startswith("CPU") for line in facts["found"])
    assert facts["seconds"]["open"] > 0


def test_what_is_in_the_way_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "模型.gguf"
    broken.write_bytes(b"not a model")
    code, facts = self_test("--model", str(broken))
    assert (code, facts["ok"]) == (1, False)
    assert facts["code"].startswith("model_") and facts["zh"] and facts["en"]
    code, facts = self_test(BAINIANTIE_MODELS=str(tmp_path / "none"))
    assert (code, facts["code"]) == (1, "model_missing")
