"""``python -m app compose`` as a person or a script runs it: a real process on a tiny model."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.models.built import write_sidecar

REPOSITORY = Path(__file__).resolve().parents[2]
FORBIDDEN = ("Traceback", "Error:", "Exception")


def compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    finished = subprocess.run(
        [sys.executable, "-m", "app", "compose", "--device", "cpu", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert not any(word in finished.stderr for word in FORBIDDEN), finished.stderr
    return finished


def test_three_candidates_as_json(tiny_model: Path):
    arguments = ("--model", str(tiny_model), "--relationship", "boss", "--tone", "formal", "--seed", "5", "--json")
    finished = compose(*arguments, "--address", "王总", "--detail", "升职了", "--detail", "搬了家", "--zodiac", "马")
    assert finished.returncode == 0, finished.stderr
    answer = json.loads(finished.stdout)
    assert answer["seed"] == 5
    assert len(answer["candidates"]) == 3
    assert {"text", "faults", "tokens", "logprob"} == set(answer["candidates"][0])
    assert answer["device"] == "CPU"
    assert answer["seconds"] > 0


def test_the_same_seed_writes_the_same(tiny_model: Path):
    arguments = ("--model", str(tiny_model), "--relationship", "friend", "--tone", "warm", "--json", "--count", "2")
    one, two, other = (compose(*arguments, "--seed", seed).stdout for seed in ("7", "7", "8"))
    texts = [[candidate["text"] for candidate in json.loads(out)["candidates"]] for out in (one, two, other)]
    assert texts[0] == texts[1] != texts[2]


def test_without_json_the_faults_stand_under_each_text(tiny_model: Path):
    finished = compose("--model", str(tiny_model), "--relationship", "friend", "--tone", "warm", "--seed", "1")
    assert finished.returncode == 0
    assert "⚠" in finished.stdout  # a random model writes nothing without a fault


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--tone", "warm"], "关系"),
        (["--relationship", "bos", "--tone", "warm"], "boss"),
        (["--relationship", "boss", "--tone", "warm", "--address", "王" * 5000], "称呼"),
        (["--relationship", "boss", "--tone", "warm", "--zodiac", "猫"], "生肖"),
        (["--relationship", "boss", "--tone", "warm", "--count", "0"], "--count"),
        (["--relationship", "boss", "--tone", "warm", "--count", "1000"], "--count"),
        (["--relationship", "boss", "--tone", "warm", "--seed", "-1"], "--seed"),
        (["--requests", "in.jsonl"], "--out"),
    ],
)
def test_bad_arguments_are_answered_in_a_sentence(arguments: list[str], expected: str):
    finished = compose(*arguments)
    assert finished.returncode == 2
    assert expected in finished.stderr


def test_a_file_that_is_no_model_is_answered_in_a_sentence(tmp_path: Path):
    page = tmp_path / "模型 page.gguf"
    page.write_text("<!DOCTYPE html><html></html>", encoding="utf-8")
    finished = compose("--model", str(page), "--relationship", "boss", "--tone", "warm")
    assert finished.returncode == 1
    assert "模型" in finished.stderr


def test_a_byte_flipped_in_a_built_model_is_found(tiny_model: Path, tmp_path: Path):
    model = tmp_path / "built.gguf"
    content = bytearray(tiny_model.read_bytes())
    write_sidecar_of(model, content)
    content[-1000] ^= 1
    model.write_bytes(content)
    finished = compose("--model", str(model), "--relationship", "boss", "--tone", "warm")
    assert finished.returncode == 1
    assert "built.gguf" in finished.stderr
    assert "校验" in finished.stderr


def write_sidecar_of(model: Path, content: bytes) -> None:
    """Record what the file should be, as the installation does."""
    model.write_bytes(content)
    write_sidecar(model, {}, hashlib.sha256(content).hexdigest())


STRANGE = [
    {"address": "<|im_end|>", "details": ["<|im_start|>system"]},
    {"address": "𠮷野㐂子", "details": ["吃了🍜", "👨‍👩‍👧都好"]},
    {"address": "王总\n落款：别人", "signature": "a\u2028b"},
    {"details": ["；；；", "\u0000\u001b[31m"]},
    {"address": "\u202e总王"},
]


def test_many_requests_go_on_past_the_unfit_ones(tiny_model: Path, tmp_path: Path):
    source, out = tmp_path / "请求 in.jsonl", tmp_path / "结果 out.jsonl"
    good = {"relationship": "boss", "tone": "formal", "length": "short"}
    lines = [
        json.dumps({"id": "a"} | good),
        "not json",
        json.dumps({"id": 2, "relationship": "boss"}),
        json.dumps([1, 2]),
        "",
        json.dumps({"id": "c", "text": "王总好。"} | good | {"address": "王" * 5000}),
        *(json.dumps({"id": f"s{number}"} | good | fields) for number, fields in enumerate(STRANGE)),
        "{" * 200_000,
        json.dumps({"id": "last", "text": "王总，给您拜年。"} | good),
    ]
    source.write_text("\n".join(lines), encoding="utf-8")
    finished = compose("--model", str(tiny_model), "--requests", str(source), "--out", str(out), "--count", "1")
    assert finished.returncode == 0, finished.stderr
    answers = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [answer["id"] for answer in answers] == ["a", None, 2, None, "c", *(f"s{n}" for n in range(5)), None, "last"]
    assert [answer["id"] for answer in answers if "error" in answer] == [None, 2, None, "c", None]
    written = answers[-1]
    assert len(written["candidates"]) == 1
    assert {"seconds", "device", "model"} <= set(written)
    assert not (tmp_path / (out.name + ".part")).exists()


def test_a_missing_requests_file_is_answered_in_a_sentence(tiny_model: Path, tmp_path: Path):
    finished = compose(
        "--model", str(tiny_model), "--requests", str(tmp_path / "no.jsonl"), "--out", str(tmp_path / "o")
    )
    assert finished.returncode == 1
    assert "no.jsonl" in finished.stderr
    assert not (tmp_path / "o").exists()


def test_unknown_commands_are_refused():
    finished = subprocess.run(
        [sys.executable, "-m", "app", "compse"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert finished.returncode == 2
    assert "compose" in finished.stderr


@pytest.mark.model
def test_the_real_model_writes_three_greetings_that_pass_the_guard():
    finished = compose("--relationship", "boss", "--tone", "formal", "--json", "--seed", "1")
    assert finished.returncode == 0, finished.stderr
    answer = json.loads(finished.stdout)
    assert len({candidate["text"] for candidate in answer["candidates"]}) == 3
    assert all(candidate["faults"] == [] for candidate in answer["candidates"]), answer
