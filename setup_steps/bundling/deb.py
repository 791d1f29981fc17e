"""A Debian package, written with the standard library: deb(5), which is an ar(5) archive of two tar archives.

Every file belongs to root and has the same time, so that the same folder gives the same bytes.
"""

import gzip
import hashlib
import io
import lzma
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_TIME = 1767225600  # of every file: 2026-01-01, UTC
_LARGE = 300_000_000  # bytes; a model does not get smaller, and trying takes minutes
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Package:
    """What a package is made of.

    Args:
        control: the fields of its control file, in their order; ``Installed-Size`` is added.
        folders: a folder on this machine for each place in the system where its content goes.
        files: the content of single files by their places.
        links: what the symbolic links at these places point to.
        scripts: maintainer scripts (``postinst``, …) by name.
    """

    control: Mapping[str, str]
    folders: Mapping[str, Path]
    files: Mapping[str, bytes]
    links: Mapping[str, str]
    scripts: Mapping[str, str]


def write_deb(package: Package, path: Path) -> None:
    """Write the package; ``path`` is overwritten."""
    data = path.with_name(path.name + ".data")
    sums: dict[str, str] = {}
    size = 0
    try:
        large = sum(file.stat().st_size for folder in package.folders.values() for file in _files(folder)) > _LARGE
        with lzma.open(data, "wb", preset=0 if large else 3) as packed, _tar(packed) as archive:
            for place, folder in sorted(package.folders.items()):
                size += _add_folder(archive, place, folder, sums)
            for place, content in sorted(package.files.items()):
                _add(archive, place, content)
                sums[place] = hashlib.md5(content, usedforsecurity=False).hexdigest()
                size += len(content)
            for place, target in sorted(package.links.items()):
                _add_link(archive, place, target)
        _write_ar(
            path, {"debian-binary": b"2.0\n", "control.tar.gz": _control(package, sums, size), "data.tar.xz": data}
        )
    finally:
        data.unlink(missing_ok=True)


def _control(package: Package, sums: Mapping[str, str], size: int) -> bytes:
    fields = {**package.control, "Installed-Size": str(-(-size // 1024))}
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", mtime=_TIME) as packed, _tar(packed) as archive:
        _add(archive, "control", text.encode())
        _add(archive, "md5sums", "".join(f"{sum}  {place}\n" for place, sum in sorted(sums.items())).encode())
        for name, script in sorted(package.scripts.items()):
            _add(archive, name, script.encode(), mode=0o755)
    return content.getvalue()


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


def _add_folder(archive: tarfile.TarFile, place: str, folder: Path, sums: dict[str, str]) -> int:
    """A folder with everything in it; its size in bytes."""
    size = 0
    _add_parents(archive, PurePosixPath(place))
    for path in sorted(folder.rglob("*")):
        inside = f"{place}/{path.relative_to(folder).as_posix()}"
        if path.is_symlink():
            _add_link(archive, inside, str(path.readlink()))
        elif path.is_dir():
            archive.addfile(_entry(inside, tarfile.DIRTYPE, 0o755))
        else:
            entry = _entry(inside, tarfile.REGTYPE, 0o755 if path.stat().st_mode & 0o100 else 0o644)
            entry.size = path.stat().st_size
            with path.open("rb") as file:
                archive.addfile(entry, file)
                file.seek(0)
                sums[inside] = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            size += entry.size
    return size


def _add(archive: tarfile.TarFile, place: str, content: bytes, mode: int = 0o644) -> None:
    _add_parents(archive, PurePosixPath(place).parent)
    entry = _entry(place, tarfile.REGTYPE, mode)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _add_link(archive: tarfile.TarFile, place: str, target: str) -> None:
    _add_parents(archive, PurePosixPath(place).parent)
    entry = _entry(place, tarfile.SYMTYPE, 0o777)
    entry.linkname = target
    archive.addfile(entry)


def _add_parents(archive: tarfile.TarFile, folder: PurePosixPath) -> None:
    """The folders on the way; dpkg makes none by itself."""
    there = set(archive.getnames())
    for parent in [*reversed(folder.parents), folder]:
        if str(parent) != "." and f"./{parent}" not in there:
            archive.addfile(_entry(str(parent), tarfile.DIRTYPE, 0o755))


def _tar(packed: io.IOBase | gzip.GzipFile | lzma.LZMAFile) -> tarfile.TarFile:
    return tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT)  # type: ignore[call-overload,no-any-return]


def _entry(place: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(f"./{place}")
    entry.type, entry.mode, entry.mtime = kind, mode, _TIME
    entry.uname = entry.gname = "root"
    return entry


def _write_ar(path: Path, members: Mapping[str, bytes | Path]) -> None:
    """An ar archive: after the magic, for each member a head of 60 bytes and its content, padded to an even length."""
    with path.open("wb") as archive:
        archive.write(b"!<arch>\n")
        for name, content in members.items():
            size = len(content) if isinstance(content, bytes) else content.stat().st_size
            archive.write(f"{name:<16}{_TIME:<12}{0:<6}{0:<6}{'100644':<8}{size:<10}`\n".encode("ascii"))
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as source:
                while block := source.read(_BLOCK):
                    archive.write(block)
            archive.write(b"\n" * (size % 2))
