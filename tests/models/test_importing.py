"""Taking in GGUF files: what is checked first, what is refused, and what is left when it is stopped."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.compose.sentence import ExplainedError, Sentence
from app.engine import protocol
from app.models.errors import Cancelled, ModelError
from app.models.gguf_file import read_header
from app.models.importing import import_model
from app.models.memory import Memory, machine_memory, needed_memory
from app.models.registry import FILE, Imported, change_registry, read_registry

ROOMY = Memory(1 << 40, 1 << 40)


def take_in(
    folder: Path,
    path: Path,
    *,
    copy: bool = True,
    memory: Memory | None = ROOMY,
    free: int = 1 << 40,
    cancelled: Callable[[], bool] = lambda: False,
    trial: Callable[[Path], None] = lambda path: None,
    report: Callable[[int, int, Sentence], None] = lambda *_: None,
) -> tuple[Imported, Sentence | None]:
    return import_model(
        folder,
        path,
        copy=copy,
        reserved=frozenset({"taken"}),
        report=report,
        cancelled=cancelled,
        trial=trial,
        memory=lambda: memory,
        free_space=lambda _: free,
    )


def copies(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "imported").glob("*"))


def test_it_is_tried_before_anything_is_copied(tmp_path: Path, tiny_base: Path) -> None:
    def refuse(path: Path) -> None:
        assert path == tiny_base and copies(tmp_path) == []
        raise ExplainedError(Sentence("打不开。", "It does not open."))

    with pytest.raises(ExplainedError, match="打不开"):
        take_in(tmp_path, tiny_base, trial=refuse)
    assert copies(tmp_path) == [] and read_registry(tmp_path).imported == ()


def test_one_that_can_never_fit_is_refused_and_one_that_does_not_now_is_noted(tmp_path: Path, tiny_base: Path) -> None:
    with pytest.raises(ModelError) as error:
        take_in(tmp_path, tiny_base, memory=Memory(1_000_000, 1_000_000))
    assert error.value.code == "model_too_large" and "这里一共 1 MB" in error.value.sentence.zh
    _, note = take_in(tmp_path, tiny_base, memory=Memory(1 << 40, 1_000_000))
    assert note is not None and "空闲 1 MB" in note.zh
    assert take_in(tmp_path, tiny_base, memory=None)[1] is None


def test_the_memory_needed_counts_the_cache_of_a_whole_context(tiny_base: Path) -> None:
    header = read_header(tiny_base)
    # 2 layers, 2 heads of 64 numbers, keys and values, 2 bytes each, as many tokens as the engine keeps.
    cache = 2 * 2 * 64 * 2 * 2 * protocol.CONTEXT
    assert needed_memory(header, 1000) - needed_memory(header, 0) == 1000
    assert needed_memory(header, 0) > cache
    without = {key: value for key, value in header.metadata.items() if "head_count" not in key}
    header.metadata.clear()
    header.metadata.update(without)
    assert needed_memory(header, 0) == needed_memory(read_header(tiny_base), 0) - cache


def test_this_machine_has_memory() -> None:
    memory = machine_memory()
    assert memory is not None and 0 < memory.free <= memory.total


def test_a_disk_too_small_for_a_copy_is_said_and_in_place_needs_none(tmp_path: Path, tiny_base: Path) -> None:
    with pytest.raises(ModelError) as error:
        take_in(tmp_path, tiny_base, free=1000)
    assert error.value.code == "disk_full" and "就地使用" in error.value.sentence.zh
    model, _ = take_in(tmp_path, tiny_base, free=1000, copy=False)
    assert model.path(tmp_path) == tiny_base and not model.copied


def test_stopped_in_the_middle_of_the_copy_nothing_is_left(tmp_path: Path, tiny_base: Path) -> None:
    large = tmp_path / "large.gguf"
    large.write_bytes(tiny_base.read_bytes() + bytes(3_000_000))
    copied: list[int] = []

    def report(done: int, total: int, sentence: Sentence) -> None:
        if done:
            copied.append(done)

    with pytest.raises(Cancelled):
        take_in(tmp_path, large, report=report, cancelled=lambda: bool(copied))
    assert 0 < copied[-1] < large.stat().st_size
    assert copies(tmp_path) == [] and read_registry(tmp_path).imported == ()


def test_what_a_killed_import_left_goes_with_the_next_and_nothing_else(tmp_path: Path, tiny_base: Path) -> None:
    take_in(tmp_path, tiny_base)
    for name in ("new.part", "put here by hand.gguf"):
        (tmp_path / "imported" / name).write_bytes(b"GGUF")
    take_in(tmp_path, tiny_base)
    assert copies(tmp_path) == ["put here by hand.gguf", "tiny-q4_k_m.gguf"]


def test_a_damaged_copy_is_mended_by_importing_it_again(tmp_path: Path, tiny_base: Path) -> None:
    model, _ = take_in(tmp_path, tiny_base)
    path = model.path(tmp_path)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    again, _ = take_in(tmp_path, tiny_base)
    assert again == model and path.read_bytes() == tiny_base.read_bytes()


def test_ids_are_made_from_names_and_never_given_twice(tmp_path: Path, tiny_base: Path) -> None:
    files = {"taken.gguf": "taken-2", "我的 模型 (1).gguf": "我的-模型-1", "....gguf": "model"}
    for number, (name, id) in enumerate(files.items()):
        path = tmp_path / name
        path.write_bytes(tiny_base.read_bytes() + bytes(number + 1))  # each another file
        assert take_in(tmp_path / "models", path)[0].id == id


def test_a_file_from_our_own_folder_is_not_cleaned_away(tmp_path: Path, tiny_base: Path) -> None:
    mine = tmp_path / "imported" / "mine.gguf"
    mine.parent.mkdir()
    mine.write_bytes(tiny_base.read_bytes())
    model, _ = take_in(tmp_path, mine, copy=False)
    assert model.path(tmp_path).is_file()


def test_a_record_that_makes_no_sense_is_said_and_never_written_over(tmp_path: Path, tiny_base: Path) -> None:
    (tmp_path / FILE).write_text("imported: 3\n", encoding="utf-8")
    for act in (lambda: read_registry(tmp_path), lambda: take_in(tmp_path, tiny_base)):
        with pytest.raises(ModelError) as error:
            act()
        assert error.value.code == "registry_broken" and "imported" in error.value.sentence.zh
    assert (tmp_path / FILE).read_text(encoding="utf-8") == "imported: 3\n"


def test_the_record_survives_its_own_words(tmp_path: Path) -> None:
    odd = Imported("a", "引号 ' : # \n 换行", "/a b/ü.gguf", 1, "0" * 64, "", "qwen2", 2, False)
    change_registry(tmp_path, lambda registry: registry.with_model(odd))
    assert read_registry(tmp_path).find("a") == odd
    assert change_registry(tmp_path, lambda registry: registry.without("a")).imported == ()
