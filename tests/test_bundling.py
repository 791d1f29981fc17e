"""What ``run.py bundle`` makes of a folder, and the files each system is given: as far as this machine can tell."""

import configparser
import gzip
import io
import plistlib
import re
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest
import yaml

from setup_steps import cli
from setup_steps.bundling import elf
from setup_steps.bundling.deb import Package, write_deb
from setup_steps.bundling.linux import APPSTREAM, ICON_SIZES, link_twins, remove_unneeded
from setup_steps.engine import cmake_arguments, wheel_folder
from setup_steps.gpu import PORTABLE
from setup_steps.system import debian_package
from setup_steps.terminal import SetupError

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = ROOT / "bundle"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux")


def needs(*tools: str) -> pytest.MarkDecorator:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed here: {', '.join(missing)}")


# The command


def test_a_bundle_needs_the_model_only_inside() -> None:
    assert not cli.parse(["bundle"]).needs_model
    assert cli.parse(["bundle", "--with-model"]).needs_model
    assert not cli.parse(["bundle"]).opens_window
    with pytest.raises(SetupError, match="--with-modle"):
        _ = cli.parse(["bundle", "--with-modle"]).needs_model


def test_llama_cpp_of_a_bundle_has_nothing_of_this_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    arguments = cmake_arguments(PORTABLE)
    assert "-DGGML_NATIVE=OFF" in arguments and "-DGGML_CPU_ALL_VARIANTS=ON" in arguments
    assert "PORTABLE" not in arguments
    assert wheel_folder(PORTABLE) != wheel_folder("cpu")


# The Debian package


@pytest.fixture
def package(tmp_path: Path) -> Package:
    folder = tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "inside" / "字.txt").write_text("祝福", encoding="utf-8")
    (folder / "link").symlink_to("run")
    control = {"Package": "small", "Version": "1.0", "Architecture": "all", "Maintainer": "N <n@n>", "Description": "x"}
    return Package(control, {"opt/small": folder}, {"usr/share/a.txt": b"a"}, {"usr/bin/small": "/opt/small/run"}, {})


def members(path: Path) -> dict[str, bytes]:
    """The members of an ar archive."""
    data, found = path.read_bytes(), {}
    assert data.startswith(b"!<arch>\n")
    place = 8
    while place < len(data):
        head = data[place : place + 60]
        assert head.endswith(b"`\n")
        size = int(head[48:58])
        found[head[:16].decode().strip()] = data[place + 60 : place + 60 + size]
        place += 60 + size + size % 2
    return found


def test_a_package_holds_folder_files_links_and_sums(package: Package, tmp_path: Path) -> None:
    write_deb(package, tmp_path / "small.deb")
    found = members(tmp_path / "small.deb")
    assert list(found) == ["debian-binary", "control.tar.gz", "data.tar.xz"] and found["debian-binary"] == b"2.0\n"
    with tarfile.open(fileobj=io.BytesIO(found["data.tar.xz"])) as data:
        entries = {entry.name: entry for entry in data}
    assert entries["./opt/small/run"].mode == 0o755 and entries["./opt/small/inside/字.txt"].mode == 0o644
    assert entries["./usr/bin/small"].linkname == "/opt/small/run" and entries["./opt/small/link"].linkname == "run"
    assert {entry.uname for entry in entries.values()} == {"root"}
    for name in entries:
        assert Path(name).parent == Path(".") or f"./{Path(name).parent}" in entries, f"no folder for {name}"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(found["control.tar.gz"]))) as control:
        sums = control.extractfile("./md5sums").read().decode()
        fields = control.extractfile("./control").read().decode()
    assert "0cc175b9c0f1b6a831c399e269772661  usr/share/a.txt" in sums and "opt/small/inside/字.txt" in sums
    assert fields.startswith("Package: small\n") and "Installed-Size: 1\n" in fields


def test_the_same_folder_gives_the_same_package(package: Package, tmp_path: Path) -> None:
    write_deb(package, tmp_path / "one.deb")
    write_deb(package, tmp_path / "two.deb")
    assert (tmp_path / "one.deb").read_bytes() == (tmp_path / "two.deb").read_bytes()


@needs("dpkg-deb")
def test_dpkg_reads_and_unpacks_it(package: Package, tmp_path: Path) -> None:
    write_deb(package, tmp_path / "small.deb")
    told = subprocess.run(["dpkg-deb", "--info", tmp_path / "small.deb"], capture_output=True, text=True, check=True)
    assert "Package: small" in told.stdout
    subprocess.run(["dpkg-deb", "--extract", tmp_path / "small.deb", tmp_path / "root"], check=True)
    assert (tmp_path / "root/opt/small/inside/字.txt").read_text(encoding="utf-8") == "祝福"
    assert (tmp_path / "root/opt/small/link").is_symlink()


# The folder on Linux


@linux
@needs("objdump")
def test_what_a_binary_asks_of_the_system_is_read_from_it(tmp_path: Path) -> None:
    python = Path(sys.executable).resolve()
    asked = elf.needs_of([python])
    assert "libc.so.6" in asked.libraries and asked.glibc >= (2, 2)
    (tmp_path / "_internal").mkdir()
    shutil.copy(python, tmp_path / "_internal" / "python")
    (tmp_path / "_internal" / "libc.so.6").write_text("not a binary")
    (tmp_path / "_internal" / "again").symlink_to("python")
    assert [path.name for path in elf.binaries(tmp_path)] == ["python"]
    assert "libc.so.6" not in elf.asked_of_system(tmp_path).libraries
    # The executable is loaded before anything knows of the folder's libraries.
    shutil.copy(python, tmp_path / "program")
    assert "libc.so.6" in elf.asked_of_system(tmp_path).libraries


@linux
@needs("cc", "objdump")
def test_libraries_that_nothing_asks_for_are_taken_out(tmp_path: Path) -> None:
    """The program needs one, which needs another; the third is there for nobody."""
    inside = tmp_path / "_internal"
    inside.mkdir()
    (tmp_path / "x.c").write_text("int x(void) { return 0; }")
    (tmp_path / "main.c").write_text("int main(void) { return 0; }")

    def compile_(*arguments: str) -> None:
        subprocess.run(["cc", "-Wl,--no-as-needed", *arguments], cwd=tmp_path, check=True)

    for name, others in (("far", ()), ("near", ("_internal/libfar.so.1",)), ("idle", ())):
        soname = f"lib{name}.so.1"
        compile_("-shared", "-fPIC", f"-Wl,-soname,{soname}", "-o", f"_internal/{soname}", "x.c", *others)
    compile_("-o", "program", "main.c", "_internal/libnear.so.1")
    for source in tmp_path.glob("*.c"):
        source.unlink()
    remove_unneeded(tmp_path)
    assert sorted(path.name for path in inside.iterdir()) == ["libfar.so.1", "libnear.so.1"]


def test_a_library_under_three_names_becomes_one_file(tmp_path: Path) -> None:
    for name, content in (("libx.so", b"x"), ("libx.so.0", b"x"), ("libx.so.0.25.3", b"x"), ("libx-haswell.so", b"y")):
        (tmp_path / name).write_bytes(content)
    link_twins(tmp_path)
    files = [path for path in tmp_path.iterdir() if not path.is_symlink()]
    assert sorted(path.read_bytes() for path in files) == [b"x", b"y"]
    assert all((tmp_path / name).read_bytes() == b"x" for name in ("libx.so", "libx.so.0", "libx.so.0.25.3"))


def test_the_package_of_a_library_is_known_or_an_error() -> None:
    assert debian_package("libEGL.so.1") == "libegl1" and debian_package("libxcb-cursor.so.0") == "libxcb-cursor0"
    with pytest.raises(KeyError):
        debian_package("libnobody.so.9")


def test_the_menu_entry_is_whole_in_both_languages() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(BUNDLE / "linux" / "bainiantie.desktop", encoding="utf-8")
    fields = entry["Desktop Entry"]
    assert (fields["Type"], fields["Exec"], fields["Icon"], fields["Terminal"]) == (
        *("Application", "bainiantie", "bainiantie", "false"),
    )
    for name in ("Name", "GenericName", "Comment", "Keywords"):
        assert fields[name] and fields[f"{name}[zh_CN]"]
    assert all((ROOT / f"resources/icons/bainiantie-{size}.png").is_file() for size in ICON_SIZES)


@needs("desktop-file-validate")
def test_the_menu_entry_is_valid() -> None:
    file = BUNDLE / "linux" / "bainiantie.desktop"
    done = subprocess.run(["desktop-file-validate", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_metadata_for_app_centres_says_all_in_both_languages() -> None:
    root = xml.parse(BUNDLE / "linux" / APPSTREAM).getroot()
    assert root.findtext("id") == APPSTREAM.removesuffix(".metainfo.xml")
    assert root.findtext("launchable") == "bainiantie.desktop"
    for tag in ("name", "summary", "description/p"):
        assert [element.get(LANGUAGE) for element in root.findall(tag)] == [None, "zh-CN"], tag


@needs("appstreamcli")
def test_the_metadata_is_valid() -> None:
    command = ["appstreamcli", "validate", "--no-net", BUNDLE / "linux" / APPSTREAM]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


# Windows and macOS


def test_the_installer_script_has_its_files_and_every_message_in_both_languages() -> None:
    raw = (BUNDLE / "windows" / "bainiantie.iss").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "Inno Setup takes a script without a BOM for ANSI"
    script = raw.decode("utf-8-sig")
    messages = re.search(r"\[CustomMessages\]\n(.*?)\n\n\[", script, re.DOTALL)
    assert messages is not None
    said = {language: set(re.findall(rf"^{language}\.(\w+)=", messages[1], re.MULTILINE)) for language in ("zh", "en")}
    used = set(re.findall(r"\{cm:(\w+)\}", script)) | set(re.findall(r"CustomMessage\('(\w+)'\)", script))
    assert said["zh"] == said["en"] == used
    for name in re.findall(r"=(\.\.\\[^\n]+)", script):
        assert (BUNDLE / "windows" / name.replace("\\", "/")).is_file(), name
    defined = set(re.findall(r"\{#(\w+)\}", script)) - set(re.findall(r"#define (\w+)", script))
    assert defined == {"Version", "Source", "Output", "Setup"}
    assert "PrivilegesRequired=lowest" in script and "usPostUninstall" in script


def test_the_installers_chinese_is_read_after_its_own_english() -> None:
    raw = (BUNDLE / "windows" / "chinese.isl").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    messages = raw.decode("utf-8-sig").partition("[Messages]\n")[2].splitlines()
    names = [line.partition("=")[0] for line in messages if line]
    assert len(names) == len(set(names)) > 50
    script = (BUNDLE / "windows" / "bainiantie.iss").read_text(encoding="utf-8-sig")
    assert '"compiler:Default.isl,chinese.isl"' in script


def test_apples_lists_are_lists() -> None:
    information = plistlib.loads((BUNDLE / "macos" / "Info.plist").read_bytes())
    assert information["CFBundleIdentifier"] == APPSTREAM.rpartition(".Bainiantie")[0]
    assert information["LSMultipleInstancesProhibited"] is True and information["NSHighResolutionCapable"] is True
    entitlements = plistlib.loads((BUNDLE / "macos" / "entitlements.plist").read_bytes())
    assert all(name.startswith("com.apple.security.") and value is True for name, value in entitlements.items())


def test_the_workflow_builds_and_starts_both_flavours_on_all_three_systems() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "bundles.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["bundle"]
    systems = [system.partition("-")[0] for system in job["strategy"]["matrix"]["system"]]
    assert sorted(systems) == ["macos", "ubuntu", "windows"]
    flavours = job["strategy"]["matrix"]["flavour"]
    assert all(cli.parse(["bundle", *flavour.split()]).with_model is bool(flavour) for flavour in flavours)
    runs = [step.get("run", "") for step in job["steps"]]
    assert sum("--report-first-paint" in run for run in runs) == sum("--self-test" in run for run in runs) == 3
    assert any("SHA256SUMS" in str(step.get("with", "")) for step in job["steps"])


def test_the_recipe_names_files_that_are_there() -> None:
    recipe = (BUNDLE / "bainiantie.spec").read_text(encoding="utf-8")
    compile(recipe, "bainiantie.spec", "exec")
    data = re.search(r"^DATA = \[\n(.*?)^\]", recipe, re.MULTILINE | re.DOTALL)
    assert data is not None
    for source in re.findall(r'^    \("([^"]+)",', data[1], re.MULTILINE):
        assert list(ROOT.glob(source)), source
