"""Where models lie on this machine."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from app.models.folders import free_space, models_folder


def test_the_folder_is_the_one_named(tmp_path: Path) -> None:
    assert models_folder({"BAINIANTIE_MODELS": str(tmp_path / "别处")}) == tmp_path / "别处"


def test_the_folder_is_beside_the_program_where_that_can_be_written(tmp_path: Path) -> None:
    assert models_folder({}, checkout=tmp_path) == tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the XDG convention")
def test_where_the_program_cannot_be_written_it_is_the_persons_own(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = tmp_path / "file" / "models"  # root may write anywhere, but not below a file
    assert models_folder({"XDG_DATA_HOME": str(tmp_path)}, checkout=nowhere) == tmp_path / "bainiantie" / "models"
    home = Path(os.path.expanduser("~"))
    expected = home / ".local" / "share" / "bainiantie" / "models"
    assert models_folder({"XDG_DATA_HOME": "relative"}, checkout=nowhere) == expected


def test_free_space_is_that_of_the_nearest_folder_there_is(tmp_path: Path) -> None:
    assert free_space(tmp_path / "not" / "yet") == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.2)
