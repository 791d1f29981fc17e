"""A recipe is read strictly: whatever no run can have is refused with the file, the key and what would be right."""

from pathlib import Path

import pytest

from app.models.manifest import load_manifest
from training.errors import TrainingError
from training.recipe import ROOT, read_recipe, run_folder

SMALLEST = "name: mine\nbase: {file: base.gguf}\ncorpus: corpus\n"


def _written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _refused(path: Path) -> tuple[str, str]:
    """The sentences, Chinese and English, in which a recipe is refused; both name it."""
    with pytest.raises(TrainingError) as error:
        read_recipe(path)
    sentence = error.value.sentence
    assert path.name in sentence.zh and path.name in sentence.en
    assert sentence.zh.endswith("。") and sentence.en.endswith(".")
    assert any("一" <= character <= "鿿" for character in sentence.zh)
    assert not any("一" <= character <= "鿿" for character in sentence.en)
    return sentence.zh, sentence.en


def test_what_is_not_given_has_its_default_and_paths_begin_at_the_recipe(tmp_path: Path):
    recipe = read_recipe(_written(tmp_path, SMALLEST))
    assert recipe.base.file == tmp_path / "base.gguf" and recipe.corpus == tmp_path / "corpus"
    assert (recipe.vocabulary, recipe.device, recipe.preference) == ("trimmed", "auto", None)
    assert recipe.adapter.rank == 16 and len(recipe.adapter.modules) == 7
    assert recipe.text == SMALLEST
    assert run_folder(recipe, None) == ROOT / "runs" / "mine"
    assert run_folder(recipe, tmp_path / "out") == tmp_path / "out"


def test_paths_may_lead_up_and_may_be_absolute(tmp_path: Path):
    text = f"name: mine\nbase: {{file: ../models/base.gguf}}\ncorpus: {(tmp_path / '语料').as_posix()}\n"
    recipe = read_recipe(_written(tmp_path, text))
    assert recipe.base.file == tmp_path.parent / "models" / "base.gguf" and recipe.corpus == tmp_path / "语料"


def test_the_shipped_recipes_are_recipes():
    recipes = {path.stem: read_recipe(path) for path in (ROOT / "training" / "recipes").glob("*.yaml")}
    assert set(recipes) == {"bainian-1.5b", "smoke", "study", "trial"}
    ours = recipes["bainian-1.5b"]
    assert ours.corpus == ROOT / "training" / "corpus" and ours.base.sha256 == load_manifest().base.sha256
    assert recipes["smoke"].base.sha256 is None and recipes["smoke"].preference is not None


def test_numbers_are_read_as_people_write_them(tmp_path: Path):
    text = SMALLEST + "tuning: {learning_rate: 3e-4, epochs: 2, clip: 1}\nadapter: {alpha: 8}\n"
    recipe = read_recipe(_written(tmp_path, text))
    assert recipe.tuning.learning_rate == 3e-4
    assert recipe.tuning.epochs == 2.0 and recipe.adapter.alpha == 8.0


@pytest.mark.parametrize(
    ("line", "unknown", "nearest"),
    [
        ("corpsu: there", "corpsu", "corpus"),
        ("tuning: {learning_rat: 1e-3}", "learning_rat", "learning_rate"),
        ("adapter: {rnak: 8}", "rnak", "rank"),
        ("preference: {btea: 1}", "btea", "beta"),
        ("path: elsewhere", "path", ""),  # known to the program, not to the file
        ("1: 2", "1", ""),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(tmp_path: Path, line: str, unknown: str, nearest: str):
    zh, en = _refused(_written(tmp_path, f"{SMALLEST}{line}\n"))
    assert f"不认识的 {unknown}" in zh and f"unknown key {unknown};" in en
    assert f"想写 {nearest}" in zh and f"known one is {nearest}" in en


@pytest.mark.parametrize(
    ("line", "where", "kind"),
    [
        ("seed: one", "seed", "a whole number"),
        ("seed: 1.5", "seed", "a whole number"),
        ("seed: true", "seed", "a whole number"),
        ("title: 7", "title", "text"),
        ("tuning: {learning_rate: fast}", "tuning.learning_rate", "a number"),
        ("tuning: {learning_rate: yes}", "tuning.learning_rate", "a number"),
        ("tuning: {epochs: [1]}", "tuning.epochs", "a number"),
        (f"tuning: {{clip: 1{'0' * 400}}}", "tuning.clip", "a number"),
        ("tuning: {patience: null}", "tuning.patience", "a whole number"),
        ("adapter: {modules: q_proj}", "adapter.modules", "a list"),
        ("adapter: {modules: [1]}", "adapter.modules[1]", "text"),
        ("adapter: 16", "adapter", "a mapping"),
        ("tuning: null", "tuning", "a mapping"),
    ],
)
def test_a_value_of_another_kind_is_refused(tmp_path: Path, line: str, where: str, kind: str):
    _, en = _refused(_written(tmp_path, f"{SMALLEST}{line}\n"))
    assert f"{where} must be {kind}" in en


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: mine\ncorpus: c\n", "lacks base"),
        ("name: mine\ncorpus: c\nbase: {sha256: x}\n", "base lacks file"),
        ("name: mine\ncorpus: 3\nbase: {file: b}\n", "corpus must be a path"),
        ("name: mine\ncorpus: ''\nbase: {file: b}\n", "corpus must be a path"),
        ("", "must be a mapping"),
        ("- name\n", "must be a mapping"),
        ("name: mine\ncorpus: c\nbase: base.gguf\n", "base must be a mapping"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, text: str, said: str):
    assert said in _refused(_written(tmp_path, text))[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("seed: -1", "seed is -1, not in 0"),
        ("marks: [marks.jsonl]", "there is no section preference"),
        ("adapter: {modules: []}", "adapter.modules is empty"),
        ("adapter: {rank: 0}", "adapter.rank is 0, not in 1–512"),
        ("adapter: {dropout: 1.0}", "adapter.dropout is 1.0"),
        ("adapter: {alpha: .nan}", "adapter.alpha is nan"),
        ("tuning: {learning_rate: .inf}", "tuning.learning_rate is inf"),
        ("tuning: {learning_rate: 0}", "tuning.learning_rate is 0"),
        ("tuning: {epochs: 0}", "tuning.epochs is 0"),
        ("tuning: {batch_tokens: 8}", "tuning.batch_tokens is 8"),
        ("tuning: {validate_every: 0}", "tuning.validate_every is 0"),
        ("preference: {temperature: 0}", "preference.temperature is 0"),
        ("preference: {requests: 0}", "preference.requests is 0"),
        ("merge: {seed: -5}", "merge.seed is -5"),
        ("merge: {type: Q9_K}", "merge.type knows F32,"),
        ("device: gpu", "device knows auto, cuda, mps, cpu, not gpu"),
        ("vocabulary: half", "vocabulary knows trimmed, whole, not half"),
        ("adapter: {modules: [q_proj, lm_head]}", "adapter.modules knows q_proj,"),
    ],
)
def test_a_value_no_run_can_have_is_refused(tmp_path: Path, line: str, said: str):
    assert said in _refused(_written(tmp_path, f"{SMALLEST}{line}\n"))[1]


def test_a_name_that_is_no_file_name_and_a_hash_that_is_none_are_refused(tmp_path: Path):
    for name in ("'../mine'", "'..'", "Mine", "é", "''"):
        assert "name" in _refused(_written(tmp_path, SMALLEST.replace("name: mine", f"name: {name}")))[1]
    for sha256 in ("abc", "'" + "z" * 64 + "'"):
        text = SMALLEST.replace("file: base.gguf", f"file: base.gguf, sha256: {sha256}")
        assert "base.sha256 must have 64" in _refused(_written(tmp_path, text))[1]
    digest = "AB" * 32
    text = SMALLEST.replace("file: base.gguf", f"file: base.gguf, sha256: {digest}")
    assert read_recipe(_written(tmp_path, text)).base.sha256 == digest


@pytest.mark.parametrize(
    "raw",
    [
        b"name: [mine\n",
        b"\xff\xfe\x00name",
        b"title: 2024-13-45\n",
        b"seed: !!python/object:os.system 1\n",
        b"[" * 3000,
        b"\x00",
        b"? {a: 1}\n: 2\n",
    ],
)
def test_what_is_not_yaml_is_refused(tmp_path: Path, raw: bytes):
    path = tmp_path / "mine.yaml"
    path.write_bytes(raw)
    _refused(path)


def test_a_recipe_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path):
    assert "cannot be read" in _refused(tmp_path / "none.yaml")[1]
    (tmp_path / "folder.yaml").mkdir()
    assert "cannot be read" in _refused(tmp_path / "folder.yaml")[1]


def test_the_model_must_not_have_the_name_of_the_trimmed_base(tmp_path: Path):
    assert "must not be base" in _refused(_written(tmp_path, SMALLEST.replace("mine", "base")))[1]
