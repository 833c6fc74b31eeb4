"""Archives that nobody packs by accident."""

import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from archived import pack, patched, tar_entry, tar_of, zip_entry, zip_of
from hostile.folders import Argument, Case, photos
from hostile.pictures import drawn, saved

Entries = list[tuple[zipfile.ZipInfo | str, bytes]]


def _pictures() -> list[tuple[str, bytes]]:
    names = [f"{kind}/{number}.png" for kind in ("cat", "dog") for number in range(3)]
    return [(name, saved(drawn(seed=number), "PNG")) for number, name in enumerate(names)]


def _case(
    name: str, file: str, make: Callable[[Path], object], *says: str, code: int = 2, flags: Sequence[str] = ()
) -> Case:
    def made(home: Path) -> Sequence[Argument]:
        make(home / file)
        return ["check", file, *flags]

    return Case(name, made, [file, *says] if code else says, code)


def _zip(name: str, entry: zipfile.ZipInfo | str, *says: str, data: bytes = b"x") -> Case:
    return _case(name, "x.zip", lambda path: zip_of(path, [*_pictures(), (entry, data)]), "refused", *says)


def _tar(name: str, entry: tarfile.TarInfo, *says: str, form: int = tarfile.PAX_FORMAT) -> Case:
    return _case(name, "x.tar", lambda path: tar_of(path, [*_pictures(), (entry, b"")], form), "refused", *says)


def _patched(path: Path, field: str, value: int) -> None:
    patched(zip_of(path, _pictures()), "cat/0.png", field, value)


def _deflated_zeros(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, data in _pictures():
            packed.writestr(name, data)
        packed.writestr("cat/zeros.png", bytes(100 * 2**20))


def _nested(path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as packed:
        packed.writestr("cat/0.png", b"x")
    zip_of(path, [*_pictures(), ("cat/inner.zip", inner.getvalue())])


def _twice(path: Path) -> None:
    """The same name twice, which `zipfile` would warn about."""
    data = bytearray(zip_of(path, [*_pictures(), ("cat/9.png", b"x")]).read_bytes())
    path.write_bytes(data.replace(b"cat/9.png", b"cat/0.png"))


def _cut(path: Path, *, by: int) -> None:
    zip_of(path, _pictures())
    os.truncate(path, path.stat().st_size - by)


def many_entries(path: Path, n: int) -> None:
    """A zip of so many empty files, none of which is called a picture."""
    body, index = bytearray(), bytearray()
    for number in range(n):
        name = b"cat/%06d.txt" % number
        index += struct.pack(
            "<4s2B5H3L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, len(body)
        )
        index += name
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    place = len(body)
    end_64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, n, n, len(index), place)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, place + len(index), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, min(n, 0xFFFF), min(n, 0xFFFF), len(index), place, 0)
    path.write_bytes(bytes(body + index) + end_64 + locator + end)


def _packed(path: Path) -> bytes:
    """A whole archive of three pictures a class."""
    folder = photos(path.parent / "unpacked", n=3)
    data = pack(folder, path).read_bytes()
    for file in folder.rglob("*.png"):
        file.unlink()
    for name in ("cat", "dog", ""):
        (folder / name).rmdir()
    return data


def _cut_tar(path: Path, share: float) -> None:
    data = _packed(path)
    path.write_bytes(data[: int(share * len(data))])


def _gzip_bomb(path: Path) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        entry = tar_entry("cat/zeros.png")
        entry.size = 300 * 2**20
        with Path("/dev/zero").open("rb") as zeros:
            tar.addfile(entry, zeros)


ARCHIVES = (
    _zip("a name that leads out", "../../x", "'../../x'"),
    _zip("an absolute name", "/abs.png", "'/abs.png'"),
    _zip("backslashes", zipfile.ZipInfo("a\\..\\..\\x"), "backslash"),
    _zip("a drive", "C:/x.png", "drive letter"),
    _zip(
        "a symbolic link", zip_entry("cat/link.png", 0o120777), "'cat/link.png'", "a symbolic link", data=b"/etc/passwd"
    ),
    _zip("a device", zip_entry("cat/null.png", 0o020666), "neither a file nor a folder"),
    _zip("setuid", zip_entry("cat/root.png", 0o104755), "setuid"),
    _case("100 MB of zeros", "x.zip", _deflated_zeros, "cat/zeros.png"),
    _case("70,000 entries", "x.zip", lambda path: many_entries(path, 70_000), "70,000 other files, but no picture"),
    _case("one name twice", "x.zip", _twice, "refused", "'cat/0.png', which stands there twice"),
    _case("a size too small", "x.zip", lambda path: _patched(path, "size", 100), "refused", "claims 100 bytes"),
    _case("a size too large", "x.zip", lambda path: _patched(path, "size", 10**6), "refused", "claims 1,000,000 bytes"),
    _case("a size of 4 GB", "x.zip", lambda path: _patched(path, "size", 2**32 - 2), "x.zip"),
    _case("encrypted", "x.zip", lambda path: _patched(path, "flags", 1), "refused", "encrypted"),
    _case("an unknown method", "x.zip", lambda path: _patched(path, "method", 97), "x.zip"),
    _case("an index that is cut", "x.zip", lambda path: _cut(path, by=40), "cut short or no .zip"),
    _case("a zip cut by 1 byte", "x.zip", lambda path: _cut(path, by=1), "cut short or no .zip"),
    _case("an empty zip", "x.zip", lambda path: path.touch(), "cut short or no .zip"),
    _case("a text called zip", "x.zip", lambda path: path.write_text("hello"), "cut short or no .zip"),
    _case("a pipe called zip", "x.zip", os.mkfifo, "neither a folder nor a file"),
    _case("a zip in a zip", "x.zip", _nested, "cat/inner.zip: no picture suffix", code=0),
    _tar("a tar that leads out", tar_entry("../x"), "'../x'"),
    _tar("an absolute link", tar_entry("cat/l.png", tarfile.SYMTYPE, link="/etc/passwd"), "a symbolic link"),
    _tar("a hard link outside", tar_entry("cat/l.png", tarfile.LNKTYPE, link="../../etc/passwd"), "a hard link"),
    _tar("a character device", tar_entry("cat/null.png", tarfile.CHRTYPE), "a character device"),
    _tar("a pipe in a tar", tar_entry("cat/pipe.png", tarfile.FIFOTYPE), "a named pipe"),
    _tar("setuid in a tar", tar_entry("cat/root.png", mode=0o4755), "setuid"),
    _tar("a sparse file", tar_entry("cat/sparse.png", tarfile.GNUTYPE_SPARSE), "x.tar", form=tarfile.GNU_FORMAT),
    _case("a tar cut in half", "x.tar", lambda path: _cut_tar(path, 0.5), "x.tar"),
    _case("a gzip cut in half", "x.tar.gz", lambda path: _cut_tar(path, 0.5), "cut short"),
    _case("300 MB of zeros in a gzip", "x.tar.gz", _gzip_bomb, "inflates to"),
    _case("an empty tar", "x.tar", lambda path: path.touch(), "x.tar"),
    _case("a text called tar", "x.tar", lambda path: path.write_text("hello"), "x.tar"),
    _case("a text called tar.gz", "x.tar.gz", lambda path: path.write_text("hello"), "damaged or no gzip"),
)
