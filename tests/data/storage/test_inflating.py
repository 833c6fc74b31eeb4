import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from heldout.data.storage import inflating
from heldout.data.storage.inflating import InflatedFile
from heldout.data.storage.random_access import LocalFile
from heldout.errors import DataError


def content(n_bytes: int, seed: int = 0) -> bytes:
    """Bytes that deflate to about a half."""
    generator = np.random.default_rng(seed)
    return bytes(generator.integers(0, 16, n_bytes, dtype=np.uint8))


def inflated(path: Path, compressed: bytes) -> InflatedFile:
    path.write_bytes(compressed)
    return InflatedFile(LocalFile(path), str(path))


@pytest.mark.parametrize("spacing", [10_000, 2**20])
def test_any_part_can_be_read_in_any_order(tmp_path: Path, spacing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflating, "_FIRST_SPACING", spacing)
    monkeypatch.setattr(inflating, "_MAX_STATES", 20)
    monkeypatch.setattr(inflating, "_MAX_WARM", 3)
    data = content(2_000_000)
    file = inflated(tmp_path / "a.gz", gzip.compress(data[:700_000]) + gzip.compress(data[700_000:]))
    assert file.read_at(300_000, 1000) == data[300_000:301_000]
    file.finish()
    assert file.size == len(data)
    generator = np.random.default_rng(1)
    for start, n_bytes in generator.integers(0, [len(data), 50_000], (200, 2)).tolist():
        assert file.read_at(start, n_bytes) == data[start : start + n_bytes]
    assert file.read_at(len(data) - 5, 100) == data[-5:]
    assert file.read_at(len(data) + 5, 100) == b""
    assert len(file._states) <= 20
    assert file._positions == sorted(file._positions)


def test_padding_after_the_end_is_no_harm_and_anything_else_is(tmp_path: Path) -> None:
    data = content(100_000)
    file = inflated(tmp_path / "a.gz", gzip.compress(data) + bytes(20_000))
    assert file.read_at(0, 200_000) == data
    file.finish()
    with pytest.raises(DataError, match="damaged or no gzip file"):
        inflated(tmp_path / "b.gz", gzip.compress(data) + b"more").finish()


def test_a_cut_or_a_flipped_byte_is_refused_at_the_latest_at_the_end(tmp_path: Path) -> None:
    whole = gzip.compress(content(3000), mtime=0)
    for length in range(0, len(whole), 7):
        with pytest.raises(DataError, match="cannot be read: "):
            inflated(tmp_path / "a.gz", whole[:length]).finish()
    for at in range(10, len(whole), 7):
        with pytest.raises(DataError, match="cannot be read: "):
            inflated(tmp_path / "a.gz", whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]).finish()


def test_a_bomb_is_stopped_before_it_fills_memory(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    compressed = packer.compress(content(1000)) + b"".join(packer.compress(bytes(10**6)) for _ in range(200))
    file = inflated(tmp_path / "a.gz", compressed + packer.flush())
    with pytest.raises(DataError, match=r"inflates to [0-9,]+ bytes from") as caught:
        file.finish()
    n_bytes = int(caught.value.what.split("inflates to ")[1].split(" bytes")[0].replace(",", ""))
    assert n_bytes < 20_000_000


def test_the_limit_of_all_bytes_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflating, "MAX_TOTAL_BYTES", 50_000)
    with pytest.raises(DataError, match="inflates to more than 50,000 bytes"):
        inflated(tmp_path / "a.gz", gzip.compress(content(100_000))).finish()
