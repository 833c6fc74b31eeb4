import json
import os
import shutil
from pathlib import Path

import pytest

from heldout.models import kept_files
from heldout.models.kept_files import is_whole, keep


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return keep(tmp_path / "weights", bytes(range(200)))


def flip(path: Path, place: int) -> None:
    """One bit, and the time stamp as it was: what a bad disk does."""
    content, stamp = bytearray(path.read_bytes()), path.stat()
    content[place] ^= 4
    path.write_bytes(content)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def test_any_flipped_bit_cut_or_loss_is_found(kept: Path) -> None:
    assert is_whole(kept)
    for place in range(0, 200, 7):
        flip(kept, place)
        assert not is_whole(kept), place
        flip(kept, place)
        assert is_whole(kept)
    kept.write_bytes(kept.read_bytes()[:-1])
    assert not is_whole(kept)
    kept.unlink()
    assert not is_whole(kept)


def test_a_record_that_is_absent_or_damaged_is_no_proof(kept: Path) -> None:
    record = kept.with_name("weights.sha256")
    content = record.read_bytes()
    for damaged in (b"", b"{", b"[]", b"{}", content.replace(b'"sha256": "', b'"sha256": "0')):
        record.write_bytes(damaged)
        assert not is_whole(kept), damaged
    record.unlink()
    assert not is_whole(kept)


def test_a_damaged_file_is_told_of_when_it_is_kept_again(kept: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "heldout"):
        keep(kept, kept.read_bytes())
        keep(kept.with_name("another"), b"new")
        assert caplog.messages == []
        flip(kept, 3)
        keep(kept, bytes(range(200)))
    assert caplog.messages == [f"{kept} was damaged and is made again"]
    assert is_whole(kept)


def test_a_large_file_is_hashed_again_only_where_its_stamp_is_another(
    kept: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kept_files, "ALWAYS_HASHED_BYTES", 100)
    flip(kept, 3)
    assert is_whole(kept), "what the disk did without a stamp is left to the disk"
    os.utime(kept, ns=(0, 0))
    assert not is_whole(kept)
    flip(kept, 3)
    copied = tmp_path / "copied"
    copied.mkdir()
    for path in (kept, kept.with_name("weights.sha256")):
        shutil.copy(path, copied)
    assert is_whole(copied / "weights")
    record = json.loads((copied / "weights.sha256").read_bytes())
    assert record["modified_ns"] == (copied / "weights").stat().st_mtime_ns
