import io
import tarfile
from pathlib import Path

import pytest

from archived import tar_entry, tar_of
from heldout.data.storage.archives import open_archive
from heldout.data.storage.random_access import LocalFile
from heldout.data.storage.tar_files import read_tar
from heldout.errors import DataError

GOOD = [("cat/a.jpg", b"cat " * 400), ("dog/b.jpg", bytes(range(256)) * 9), ("dog/empty.jpg", b"")]


def opened(archive: Path) -> dict[str, bytes]:
    """Every file with its bytes."""
    source = open_archive(LocalFile(archive), str(archive))
    return {name: source.read(name) for name in source.names.ordered if not name.endswith("/")}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_every_format_with_long_names(tmp_path: Path, form: int, suffix: str) -> None:
    long = "/".join(["folder" * 8] * 4) + "/caf\u00e9.jpg"
    entries = [*GOOD, (long, b"long"), ("./dot.jpg", b"dot")]
    expected = {name.removeprefix("./"): data for name, data in entries}
    assert opened(tar_of(tmp_path / f"a{suffix}", entries, form)) == expected


REFUSED = [
    (tar_entry("../../x"), "leads out of a folder"),
    (tar_entry("/abs/x.jpg"), "an absolute path"),
    (tar_entry("a\\..\\x.jpg"), "a backslash"),
    (tar_entry("C:/x.jpg"), "a drive letter"),
    (tar_entry("link.jpg", tarfile.SYMTYPE, link="/etc/passwd"), "a symbolic link"),
    (tar_entry("link.jpg", tarfile.SYMTYPE, link="cat/a.jpg"), "a symbolic link"),
    (tar_entry("hard.jpg", tarfile.LNKTYPE, link="../../etc/passwd"), "a hard link"),
    (tar_entry("zero.jpg", tarfile.CHRTYPE), "a character device"),
    (tar_entry("disk.jpg", tarfile.BLKTYPE), "a block device"),
    (tar_entry("pipe.jpg", tarfile.FIFOTYPE), "a named pipe"),
    (tar_entry("odd.jpg", b"Z"), "neither a file nor a folder"),
    (tar_entry("root.jpg", mode=0o4755), "setuid"),
    (tar_entry("group.jpg", mode=0o2755), "setuid"),
    (tar_entry("cat/a.jpg"), "which stands there twice"),
    (tar_entry("cat/a.jpg/b.jpg"), "both a file and a folder"),
    (tar_entry("cat/a.jpg", tarfile.DIRTYPE), "both a file and a folder"),
]


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
@pytest.mark.parametrize(("entry", "why"), REFUSED, ids=lambda value: getattr(value, "name", ""))
def test_one_bad_entry_refuses_the_archive(tmp_path: Path, entry: tarfile.TarInfo, why: str, suffix: str) -> None:
    archive = tar_of(tmp_path / f"a{suffix}", [*GOOD, (entry, b"")])
    with pytest.raises(DataError, match=f"refused because of its entry .*{why}") as caught:
        opened(archive)
    assert str(archive) in caught.value.what
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


def test_a_folder_for_a_group_is_no_setuid_file(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar", [(tar_entry("cat", tarfile.DIRTYPE, mode=0o2775), b""), *GOOD])
    assert opened(archive) == dict(GOOD)


def test_a_sparse_file_is_refused(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("cat/a.jpg")
    entry.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "99999999"}
    with pytest.raises(DataError, match="a sparse file"):
        opened(tar_of(tmp_path / "a.tar", [*GOOD, (entry, b"1\n0\n10\n".ljust(512, b"\0") + b"0123456789")]))


def test_a_cut_at_any_place_is_refused(tmp_path: Path) -> None:
    whole = tar_of(tmp_path / "a.tar", GOOD).read_bytes()
    end = len(whole.rstrip(b"\0")) // 512 * 512 + 512  # where the end mark begins: zeros up to 10,240 bytes follow
    for length in {*range(0, end + 1, 31), *range(0, end + 1, 512), end - 1, end + 511}:
        (tmp_path / "cut.tar").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"cut.tar' cannot be read: "):
            opened(tmp_path / "cut.tar")


def test_a_damaged_header_in_the_middle_does_not_end_the_archive(tmp_path: Path) -> None:
    whole = bytearray(tar_of(tmp_path / "a.tar", GOOD).read_bytes())
    whole[whole.index(b"dog/b.jpg") + 3] ^= 1
    (tmp_path / "bad.tar").write_bytes(whole)
    with tarfile.open(tmp_path / "bad.tar") as tar:
        assert tar.getnames() == ["cat/a.jpg"]  # what Python makes of it
    with pytest.raises(DataError, match="no header and no end mark after 1 members"):
        opened(tmp_path / "bad.tar")


def test_a_header_of_megabytes_is_not_read(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("cat/a.jpg")
    entry.pax_headers = {"comment": "x" * 3_000_000}
    with pytest.raises(DataError, match="has a header of 3,"):
        opened(tar_of(tmp_path / "a.tar", [*GOOD, (entry, b"")]))


def test_too_many_entries_and_too_many_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tar_of(tmp_path / "a.tar", GOOD)
    monkeypatch.setattr("heldout.data.storage.tar_files.MAX_FILES", 2)
    with pytest.raises(DataError, match="more than 2 entries"):
        opened(archive)
    monkeypatch.setattr("heldout.data.storage.tar_files.MAX_FILES", 3)
    monkeypatch.setattr("heldout.data.storage.tar_files.MAX_TOTAL_BYTES", 4000)
    with pytest.raises(DataError, match="more than 4,000 bytes"):
        opened(archive)


def test_names_that_are_no_utf8_are_told_as_in_a_folder(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", encoding="latin-1", format=tarfile.GNU_FORMAT) as tar:
        for name in ("cat/\u00e9.jpg", "dog/b.jpg"):
            tar.addfile(tarfile.TarInfo(name))
    (tmp_path / "a.tar").write_bytes(out.getvalue())
    assert read_tar(LocalFile(tmp_path / "a.tar"), "a.tar").names == ["cat/\udce9.jpg", "dog/b.jpg"]
    with pytest.raises(DataError, match=r"1 names in 'a\.tar/cat/' are not valid UTF-8"):
        open_archive(LocalFile(tmp_path / "a.tar"), "a.tar").look_into("cat/")
