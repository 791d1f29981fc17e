"""A picture is whole at its place, or what was there before is."""

import os
import subprocess
import sys

import pytest

from app.cards.errors import SaveError
from app.cards.saving import save_whole


def test_a_picture_is_saved_in_place_of_the_old_one_and_nothing_is_left_beside_it(tmp_path):
    target = tmp_path / "贺卡.png"
    save_whole(target, b"old")
    save_whole(target, b"new")
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["贺卡.png"]


def test_a_folder_that_is_gone_is_named(tmp_path):
    with pytest.raises(SaveError) as refused:
        save_whole(tmp_path / "gone" / "card.png", b"x")
    assert "gone" in refused.value.sentence.zh and "card.png" in refused.value.sentence.en
    assert refused.value.detail.startswith("FileNotFoundError")


def test_a_target_that_is_a_folder_is_refused_and_leaves_nothing(tmp_path):
    (tmp_path / "card.png" / "inside").mkdir(parents=True)
    with pytest.raises(SaveError):
        save_whole(tmp_path / "card.png", b"x")
    assert os.listdir(tmp_path) == ["card.png"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is full on purpose exists on Linux only")
def test_a_full_disk_says_so_and_the_old_picture_stays(tmp_path):
    target = tmp_path / "card.png"
    target.write_bytes(b"old")
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from app.cards.errors import SaveError; from app.cards.saving import save_whole\n"
        "Path(sys.argv[1]).with_name('card.png.part').symlink_to('/dev/full')\n"
        "try: save_whole(Path(sys.argv[1]), b'x' * 100_000)\n"
        "except SaveError as error: print(error.sentence.zh)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("磁盘满了")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["card.png"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_named(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SaveError) as refused:
            save_whole(tmp_path / "card.png", b"x")
    finally:
        tmp_path.chmod(0o700)
    assert "不让写入" in refused.value.sentence.zh
