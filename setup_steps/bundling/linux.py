"""On Linux: the licences of the system's libraries inside, an archive to unpack anywhere, and a Debian package."""

import gzip
import platform
import shutil
import subprocess
import tarfile
from pathlib import Path

from app import __version__
from setup_steps.bundling.bundle import NAME, Bundle
from setup_steps.bundling.deb import Package, write_deb
from setup_steps.bundling.elf import asked_of_system, binaries, needs_of
from setup_steps.system import debian_package

HOME = f"opt/{NAME}"  # where the package puts the folder
ICON_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
APPSTREAM = "io.github.bainiantie.Bainiantie.metainfo.xml"
# Part of every Debian, or said once for the whole of it.
_OF_LIBC = ("libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libutil.so", "libresolv.so", "ld-linux")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def finish(bundle: Bundle) -> None:
    """Add what Linux alone needs to the folder, and take out what is there twice."""
    link_twins(bundle.contents / "llama_cpp" / "lib")
    remove_unneeded(bundle.folder)
    # Python is often built with what a debugger wants, three times the size.
    for library in bundle.contents.glob("libpython3.*.so*"):
        subprocess.run(["strip", "--strip-unneeded", str(library)], check=True)
    add_system_licences(bundle.contents)
    for size in ICON_SIZES[-2:]:
        shutil.copyfile(
            bundle.resources.parent / f"resources/icons/{NAME}-{size}.png", bundle.folder / f"{NAME}-{size}.png"
        )
    shutil.copyfile(bundle.resources / "linux" / "README.txt", bundle.folder / "README.txt")


def pack(bundle: Bundle, dist: Path) -> list[Path]:
    """The archive and the package."""
    archive = dist / f"{NAME}-{bundle.label}.tar.gz"
    # A model does not get smaller.
    with tarfile.open(archive, "w:gz", compresslevel=1 if bundle.with_model else 6) as tar:
        tar.add(bundle.folder, NAME, filter=_as_roots)
    architecture = ARCHITECTURES[platform.machine()]
    flavour = f"{NAME}-with-model" if bundle.with_model else NAME
    deb = dist / f"{flavour}_{__version__}_{architecture}.deb"
    write_deb(debian(bundle, flavour, architecture), deb)
    return [archive, deb]


def link_twins(folder: Path) -> None:
    """Let each library of llama.cpp be one file: the wheel carries it under three names, whole each time.

    It is not only smaller: a library that is opened under two names and is two files would be two libraries.
    """
    kept: dict[bytes, Path] = {}
    # The name that libraries ask for, libx.so.0, is the longer one of the two that are used and becomes the file.
    for path in sorted(folder.glob("*.so*"), key=lambda path: (-path.name.count("."), path.name)):
        if path.is_symlink():
            continue
        content = path.read_bytes()
        if content in kept:
            path.unlink()
            path.symlink_to(kept[content].name)
        else:
            kept[content] = path


def remove_unneeded(folder: Path) -> None:
    """Take out the system's libraries that came along for the sake of something that did not: GTK's for Qt's GTK theme.

    Only libraries that lie beside the program's own folders are looked at; whatever else there is is used.
    """
    files = list(binaries(folder))
    libraries = {path.name: path for path in files if path.parent == folder / "_internal"}
    reached = needs_of(path for path in files if path not in libraries.values()).libraries
    while more := {name for name in reached if name in libraries}:
        reached = (reached - more) | needs_of(libraries.pop(name) for name in sorted(more)).libraries
    # Python itself is loaded by name, and asks for nothing that is not reached already.
    for name, path in libraries.items():
        if not name.startswith("libpython"):
            path.unlink()


def add_system_licences(contents: Path) -> None:
    """The copyright file of every Debian package a library in the bundle came from."""
    if shutil.which("dpkg-query") is None:
        return
    ours = {path.name for path in contents.glob("*.so*") if not path.is_symlink()}
    listing = subprocess.run(
        ["dpkg-query", "--search", *(f"*/{name}" for name in sorted(ours))], capture_output=True, text=True, check=False
    ).stdout
    folder = contents / "resources" / "licences" / "system"
    for package in sorted({line.partition(":")[0] for line in listing.splitlines() if ".so" in line}):
        copyright = Path("/usr/share/doc") / package / "copyright"
        if copyright.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copyright, folder / f"{package}.txt")


def debian(bundle: Bundle, flavour: str, architecture: str) -> Package:
    """The package's content: the folder, the entry in the menus, icons, and what app centres show."""
    icons = bundle.resources.parent / "resources" / "icons"
    files = {
        f"usr/share/applications/{NAME}.desktop": (bundle.resources / "linux" / f"{NAME}.desktop").read_bytes(),
        f"usr/share/metainfo/{APPSTREAM}": (bundle.resources / "linux" / APPSTREAM).read_bytes(),
        f"usr/share/icons/hicolor/scalable/apps/{NAME}.svg": (icons / f"{NAME}.svg").read_bytes(),
        f"usr/share/doc/{flavour}/copyright": _copyright(bundle),
        f"usr/share/doc/{flavour}/changelog.gz": gzip.compress(_changelog(flavour), mtime=0),
    }
    for size in ICON_SIZES:
        place = f"usr/share/icons/hicolor/{size}x{size}/apps/{NAME}.png"
        files[place] = (icons / f"{NAME}-{size}.png").read_bytes()
    other = NAME if bundle.with_model else f"{NAME}-with-model"
    control = {
        "Package": flavour,
        "Version": __version__,
        "Architecture": architecture,
        "Maintainer": "The Bainiantie authors <bainiantie@users.noreply.github.com>",
        "Section": "misc",
        "Priority": "optional",
        "Depends": ", ".join(depends(bundle.folder)),
        "Conflicts": other,
        "Replaces": other,
        "Description": "writes the New Year message you would have written yourself\n"
        " Three greetings to one particular person, in the tone you choose, by a small language\n"
        " model that runs on your own computer"
        + (" and comes with this package." if bundle.with_model else ";\n it is fetched at the first start (1.1 GB)."),
    }
    return Package(control, {HOME: bundle.folder}, files, {f"usr/bin/{NAME}": f"/{HOME}/{NAME}"}, {})


def depends(folder: Path) -> list[str]:
    """The Debian packages that hold what the bundle asks of the system, with the oldest C library that will do."""
    asked = asked_of_system(folder)
    outside = {name for name in asked.libraries if not name.startswith(_OF_LIBC)}
    packages = {debian_package(name) for name in outside}
    return [f"libc6 (>= {asked.glibc[0]}.{asked.glibc[1]})", *sorted(packages)]


def _copyright(bundle: Bundle) -> bytes:
    notices = bundle.resources.parent / "THIRD_PARTY_NOTICES.md"
    licence = "License: Apache-2.0\n On Debian systems it is in /usr/share/common-licenses/Apache-2.0.\n\n"
    texts = f"The licences of what is inside: /{HOME}/_internal/resources/licences and */*.dist-info there.\n\n"
    return f"Bainiantie\n\n{licence}{texts}{notices.read_text(encoding='utf-8')}".encode()


def _changelog(flavour: str) -> bytes:
    return f"{flavour} ({__version__}) stable; urgency=medium\n\n  * See the project's history.\n".encode()


def _as_roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whoever unpacks it owns it; nobody's name of this machine is in it."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
