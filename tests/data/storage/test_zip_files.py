import stat
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from archived import patched, zip_entry, zip_of
from heldout.data.pictures.decoding import UnreadablePicture
from heldout.data.storage.archives import open_archive
from heldout.data.storage.random_access import LocalFile
from heldout.errors import DataError

GOOD = [("cat/a.jpg", b"cat " * 400), ("dog/b.jpg", bytes(range(256)) * 9), ("dog/empty.jpg", b"")]


def opened(archive: Path) -> dict[str, bytes]:
    """Every file with its bytes."""
    source = open_archive(LocalFile(archive), str(archive))
    return {name: source.read(name) for name in source.names.ordered if not name.endswith("/")}


def test_stored_deflated_and_empty_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for level, (name, data) in enumerate(GOOD):
            packed.writestr(name, data, zipfile.ZIP_DEFLATED if level % 2 else zipfile.ZIP_STORED)
        packed.mkdir("folder")
        packed.comment = b"PK\5\6 in a comment" * 3
    assert opened(tmp_path / "a.zip") == dict(GOOD)


def test_names_in_utf8_with_and_without_the_flag_and_in_code_page_437(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", [("caf\u00e9/\u65e5.jpg", b"1"), ("XXX/b.jpg", b"2"), ("YY/c.jpg", b"3")])
    data = archive.read_bytes()
    archive.write_bytes(data.replace(b"XXX/", b"\xc3\xa9x/").replace(b"YY/", b"\x82y/"))
    assert opened(archive) == {"caf\u00e9/\u65e5.jpg": b"1", "\u00e9x/b.jpg": b"2", "\u00e9y/c.jpg": b"3"}


def test_64_bit_sizes_and_more_entries_than_16_bits_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("ZIP64_LIMIT", "ZIP_FILECOUNT_LIMIT"):  # so that a small archive is written as a large one
        monkeypatch.setattr(zipfile, limit, 2)
        archive = zip_of(tmp_path / f"{limit}.zip", GOOD)
        assert opened(archive) == dict(GOOD)
        assert archive.read_bytes().count(b"PK\6\6") == 1
    data = bytearray(archive.read_bytes())
    data[-12] ^= 1  # the count of entries at the very end, beside the 64-bit one
    archive.write_bytes(data)
    with pytest.raises(DataError, match="its two ends say different things"):
        opened(archive)


REFUSED = [
    ("../../x", "leads out of a folder"),
    ("cat/../../x.jpg", "leads out of a folder"),
    ("..", "leads out of a folder"),
    ("/abs/x.jpg", "an absolute path"),
    ("a\\..\\..\\x.jpg", "a backslash"),
    ("C:/x.jpg", "a drive letter"),
    ("cat//x.jpg", "no plain path"),
    ("cat/./x.jpg", "no plain path"),
    ("c" * 5000, "more than 4,096 characters"),
    (zip_entry("link.jpg", stat.S_IFLNK | 0o777), "a symbolic link"),
    (zip_entry("zero.jpg", stat.S_IFCHR | 0o644), "neither a file nor a folder"),
    (zip_entry("pipe.jpg", stat.S_IFIFO | 0o644), "neither a file nor a folder"),
    (zip_entry("root.jpg", stat.S_IFREG | stat.S_ISUID | 0o755), "setuid"),
    ("cat/a.jpg/b.jpg", "both a file and a folder"),
]


@pytest.mark.parametrize(("entry", "why"), REFUSED, ids=lambda value: str(value)[:30])
def test_one_bad_entry_refuses_the_archive(tmp_path: Path, entry: str | zipfile.ZipInfo, why: str) -> None:
    archive = zip_of(tmp_path / "a.zip", [*GOOD, (entry, b"x")])
    with pytest.raises(DataError, match=f"refused because of its entry .*{why}") as caught:
        opened(archive)
    assert str(archive) in caught.value.what
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_there_twice_refuses_the_archive(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="which stands there twice"):
        opened(zip_of(tmp_path / "a.zip", [*GOOD, ("./cat/a.jpg", b"x")]))
    with pytest.raises(DataError, match="which stands there twice"):
        opened(zip_of(tmp_path / "b.zip", [*GOOD, ("cat/a.jpg", b"x")]))


def test_a_nul_in_a_name_is_refused_and_not_cut_off(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", [*GOOD, ("catXa.jpg", b"x")])
    archive.write_bytes(archive.read_bytes().replace(b"catXa", b"cat\0a"))
    with pytest.raises(DataError, match="a NUL"):
        opened(archive)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("flags", 1, "is encrypted"),
        ("flags", 0x40, "is encrypted"),
        ("method", 99, "is encrypted"),
        ("method", 9, "compressed by method 9"),
        ("size", 1599, "claims 1,599 bytes and has more than 1,599"),
        ("size", 1601, "claims 1,601 bytes and has 1,600"),
        ("size", 10_000_000, "10,000,000 bytes from"),
        ("start", 100_000, "a member lies outside"),
        ("start", 2**32 - 1, "a 64-bit size is missing"),
    ],
)
def test_what_an_index_must_not_say_refuses_the_archive(tmp_path: Path, field: str, value: int, why: str) -> None:
    with pytest.raises(DataError, match=why):
        opened(patched(zip_of(tmp_path / "a.zip", GOOD), "cat/a.jpg", field, value))


def test_an_entry_that_python_calls_encrypted_is_refused(tmp_path: Path) -> None:
    archive = patched(zip_of(tmp_path / "a.zip", GOOD), "dog/b.jpg", "flags", 1)
    with zipfile.ZipFile(archive) as packed, pytest.raises(RuntimeError, match="encrypted"):
        packed.read("dog/b.jpg")
    with pytest.raises(DataError, match=r"'dog/b\.jpg', which is encrypted"):
        opened(archive)


def test_a_bomb_is_refused_before_anything_is_inflated(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", [*GOOD, ("cat/bomb.jpg", bytes(100_000_000))])
    with pytest.raises(DataError, match="100,000,000 bytes from 97,") as caught:
        open_archive(LocalFile(archive), "a.zip")
    assert "100 bytes for each compressed one" in caught.value.expected


def test_a_bomb_that_lies_is_stopped_while_it_is_inflated(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", [("cat/bomb.jpg", bytes(100_000_000))])
    with pytest.raises(DataError, match="claims 1,000 bytes and has more than 1,000"):
        opened(patched(archive, "cat/bomb.jpg", "size", 1000))


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", [("a.jpg", b"x" * 999), ("b.jpg", b"x" * 999)])
    with pytest.raises(DataError, match="members overlap"):
        opened(patched(archive, "b.jpg", "start", 0))


def test_too_many_entries_and_too_many_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zip_of(tmp_path / "a.zip", GOOD)
    monkeypatch.setattr("heldout.data.storage.zip_files.MAX_FILES", 2)
    with pytest.raises(DataError, match="has 3 entries"):
        opened(archive)
    monkeypatch.setattr("heldout.data.storage.zip_files.MAX_FILES", 3)
    monkeypatch.setattr("heldout.data.storage.zip_files.MAX_TOTAL_BYTES", 3000)
    with pytest.raises(DataError, match="holds 3,904 bytes"):
        opened(archive)


def test_a_cut_at_any_place_is_refused(tmp_path: Path) -> None:
    whole = zip_of(tmp_path / "a.zip", GOOD).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"cut.zip' cannot be read: "):
            opened(tmp_path / "cut.zip")


def test_something_put_before_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", GOOD)
    archive.write_bytes(b"\xff\xd8\xff a picture" + archive.read_bytes())
    with pytest.raises(DataError, match="does not lie where its end says"):
        opened(archive)


def test_no_flipped_byte_changes_a_picture_unnoticed(tmp_path: Path) -> None:
    whole = zip_of(tmp_path / "a.zip", GOOD).read_bytes()
    n_noticed = 0
    generator = np.random.default_rng(0)
    for at in range(len(whole)):
        bad = whole[:at] + bytes([whole[at] ^ int(generator.integers(1, 256))]) + whole[at + 1 :]
        (tmp_path / "bad.zip").write_bytes(bad)
        try:
            found = opened(tmp_path / "bad.zip")
        except (DataError, UnreadablePicture):
            n_noticed += 1
        else:  # dates, versions and attributes are not used; a name may have become another
            assert sorted(found.values()) == sorted(data for _, data in GOOD)
    assert n_noticed > len(whole) / 2


def test_a_damaged_member_is_unreadable_and_the_others_are_read(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", GOOD)
    data = archive.read_bytes()
    source = zlib.compress(b"other " * 270, 9)[2:-4]
    at = data.index(b"cat/a.jpg") + 9
    archive.write_bytes(data[:at] + source[:10] + data[at + 10 :])
    members = open_archive(LocalFile(archive), "a.zip")
    with pytest.raises((UnreadablePicture, DataError)):
        members.read("cat/a.jpg")
    assert members.read("dog/b.jpg") == GOOD[1][1]
