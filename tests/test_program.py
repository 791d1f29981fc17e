"""How the program finds itself and starts itself again, in a checkout and in a bundle."""

import json
import os
import subprocess
import sys
from pathlib import Path

from app import program

ROOT = Path(__file__).resolve().parent.parent

# What PyInstaller's bootloader sets before the program's first line.
_AS_BUNDLE = """
import json, sys
sys.frozen, sys.executable = True, "/opt/拜年 帖/bainiantie"
from app import __main__, program
from app.engine.child import COMMAND as engine
from app.gui.models_process import COMMAND as models
from app.models.folders import models_folder
print(json.dumps([engine, models, str(models_folder({"XDG_DATA_HOME": "/data", "LOCALAPPDATA": "/data"})),
                  str(program.SHIPPED_MODELS), program.called(), __main__.COMMANDS]))
"""


def test_a_bundle_starts_its_one_executable_and_keeps_nothing_in_its_folder() -> None:
    done = subprocess.run([sys.executable, "-c", _AS_BUNDLE], cwd=ROOT, capture_output=True, check=True)
    engine, models, folder, shipped, called, commands = json.loads(done.stdout)
    assert engine == ["/opt/拜年 帖/bainiantie", "--engine-child"]
    assert models == ["/opt/拜年 帖/bainiantie", "models"]
    assert ROOT not in Path(folder).parents and Path(folder).name == "models"
    assert Path(shipped) == ROOT / "models"
    assert called == "bainiantie" and "bench" not in commands


def test_a_checkout_starts_its_own_python() -> None:
    assert program.command("models") == (sys.executable, "-m", "app", "models")
    assert program.SHIPPED_MODELS is None


def test_the_version_is_printed_and_nothing_else() -> None:
    done = subprocess.run(program.command("--version"), cwd=program.ROOT, capture_output=True, check=True)
    assert done.stdout.strip().count(b".") == 2 and done.stderr == b""


def test_chinese_is_printed_whatever_language_the_system_speaks() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for arguments in (("--help",), ("compose", "--help"), ("no-such-command",)):
        done = subprocess.run(program.command(*arguments), cwd=program.ROOT, env=environment, capture_output=True)
        said = (done.stdout + done.stderr).decode("utf-8")
        assert "Traceback" not in said and any("\u4e00" <= character <= "\u9fff" for character in said), said


def test_the_engine_child_ends_when_nobody_speaks_to_it() -> None:
    command = program.command(program.ENGINE)
    done = subprocess.run(command, cwd=program.ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_window_without_streams_is_given_some(tmp_path: Path) -> None:
    """As Windows starts a program that has no console: what would have been printed is lost, and nothing fails."""
    script = (
        "import sys\n"
        "from app.__main__ import main\n"
        "sys.stdin = sys.stdout = sys.stderr = None\n"
        "code = main(['compose', '--relationship', 'nobody', '--tone', 'warm', '--model', 'none.gguf'])\n"
        "open(sys.argv[1], 'w').write(repr([code, sys.stdin.read()]))\n"
    )
    seen = tmp_path / "seen"
    subprocess.run([sys.executable, "-c", script, seen], cwd=ROOT, check=True, timeout=60)
    assert seen.read_text() == "[2, '']"
