"""Archives for tests: of folders, and of entries that no honest program would write."""

import io
import struct
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

SUFFIXES = (".zip", ".tar", ".tar.gz")


def pack(folder: Path, archive: Path, *, top: str = "") -> Path:
    """Everything in a folder as an archive of the kind that the suffix says, below `top` where it is given."""
    names = sorted(path for path in folder.rglob("*"))
    archive.parent.mkdir(parents=True, exist_ok=True)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in names:
                packed.write(path, f"{top}{path.relative_to(folder)}")
        return archive
    with tarfile.open(archive, "w" if archive.suffix == ".tar" else "w:gz") as tar:
        for path in names:
            tar.add(path, f"{top}{path.relative_to(folder)}", recursive=False)
    return archive


def zip_of(archive: Path, entries: Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    """A deflated .zip of entries as they are given; `ZipInfo` for what a name alone cannot say."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries:
            packed.writestr(name, data, zipfile.ZIP_DEFLATED)
    return archive


def zip_entry(name: str, mode: int) -> zipfile.ZipInfo:
    """An entry with a Unix mode."""
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, mode << 16
    return entry


def patched(archive: Path, name: str, field: str, value: int) -> Path:
    """The .zip with one number of one entry changed in the index alone."""
    offset, form = {"flags": (8, "<H"), "method": (10, "<H"), "size": (24, "<L"), "start": (42, "<L")}[field]
    data = bytearray(archive.read_bytes())
    at = data.index(b"PK\1\2")
    while bytes(data[at + 46 : at + 46 + len(name)]) != name.encode():
        at = data.index(b"PK\1\2", at + 1)
    struct.pack_into(form, data, at + offset, value)
    archive.write_bytes(data)
    return archive


def tar_of(
    archive: Path, entries: Iterable[tuple[tarfile.TarInfo | str, bytes]], form: int = tarfile.PAX_FORMAT
) -> Path:
    """A .tar (or .tar.gz) of entries as they are given."""
    with tarfile.open(archive, "w:gz" if archive.suffix == ".gz" else "w", format=form) as tar:
        for entry, data in entries:
            info = tarfile.TarInfo(entry) if isinstance(entry, str) else entry
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return archive


def tar_entry(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """An entry of any kind."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode = kind, link, mode
    return entry
