"""Which input method module Qt is asked to load, on the desktops there are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QLibraryInfo

from app.gui.input_method import input_modules
from app.program import ROOT


@pytest.mark.parametrize(
    ("environment", "modules"),
    [
        ({"QT_IM_MODULE": "fcitx"}, "fcitx;ibus"),
        ({"QT_IM_MODULE": "fcitx5", "WAYLAND_DISPLAY": "wayland-0"}, "fcitx5;ibus"),
        ({"QT_IM_MODULE": "ibus"}, None),
        ({"QT_IM_MODULE": "fcitx", "QT_IM_MODULES": "wayland;fcitx"}, None),
        ({"XMODIFIERS": "@im=fcitx"}, "ibus"),
        ({"XMODIFIERS": "@im=ibus"}, "ibus"),
        ({"XMODIFIERS": "@im=fcitx", "WAYLAND_DISPLAY": "wayland-0"}, None),
        ({"XMODIFIERS": "@im=none"}, None),
        ({}, None),
    ],
)
def test_what_the_desktop_asks_for_comes_first_and_ibus_stands_in_for_fcitx(
    environment: dict[str, str], modules: str | None
) -> None:
    assert input_modules(environment) == modules


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the modules of Linux")
def test_the_module_that_stands_in_is_there() -> None:
    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)) / "platforminputcontexts"
    assert list(plugins.glob("*ibus*"))


def test_the_application_is_started_with_it() -> None:
    script = "import os\nfrom app.gui.application import make_application as make\n"
    script += "make()\nprint(os.environ['QT_IM_MODULES'])"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QT_IM")}
    environment |= {"QT_IM_MODULE": "fcitx", "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, timeout=60)
    assert done.stdout.strip() == b"fcitx;ibus"
