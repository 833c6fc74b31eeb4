"""Work that is kept between runs: arrays and facts by the content of the picture they were made from.

    <cache>/<kind>/<key>/rows-<name>.npy     arrays of one shape, one row a picture
    <cache>/<kind>/<key>/rows-<name>.keys    whose rows they are, and a checksum of each; written last
    <cache>/pictures/<key>/facts-<name>.arrow    what is known of each picture, and its impression

A file is written once, whole, and never changed; two processes that add at the same time add two files. A row is read
by itself, so that memory does not grow with the store. Everything can be deleted at any time.
"""

import os
import secrets
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import UInt8
from numpy.lib import format as npy_format

from heldout.data.pictures.appearance import Appearance
from heldout.data.pictures.decoding import PictureFacts
from heldout.data.pictures.impressions import Glimpse, impressions
from heldout.data.pictures.likeness import SIGNATURE_BYTES
from heldout.errors import StorageError
from heldout.records import atomic_file, remove_if_ownerless, write_atomic

# One entry of a .keys file: SHA-256 of the picture file, CRC-32 of the row's bytes.
_KEY_TYPE = np.dtype([("sha256", "V32"), ("crc32", "<u4")])
# What the files of a `FactStore` hold of each picture: a row is read only if its checksums fit.
_FACT_NAMES = list(PictureFacts.__dataclass_fields__)
_LOOK_NAMES = list(Appearance.__dataclass_fields__)
_PARTS = ("facts", "appearance", "signature", "thumbnail")
_FACT_COLUMNS = [*_FACT_NAMES, *_LOOK_NAMES, "signature", "thumbnail", *(f"{part}_crc32" for part in _PARTS)]
# The values as `astuple` gives them, which copies each, so that a checksum takes four times as long (measured here,
# 2026-11-22).
_VALUES = {PictureFacts: attrgetter(*_FACT_NAMES), Appearance: attrgetter(*_LOOK_NAMES)}
_Record = TypeVar("_Record", bound=PictureFacts | Appearance)
# A store gathers this many bytes before it writes a file, so that memory stays bounded and files stay few (assumed).
FLUSH_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one row lies."""

    file: Path
    offset: int
    crc32: int


class ArrayStore:
    """Arrays of one shape and type, by content key.

    Args:
        folder: Where its files lie; made when something is added.
        row_shape: Shape of each array.
        dtype: Type of each array.
    """

    def __init__(self, folder: Path, row_shape: Sequence[int], dtype: str) -> None:
        self.folder = folder
        self.row_shape = tuple(row_shape)
        self.dtype = np.dtype(dtype)
        self._row_bytes = int(np.prod(self.row_shape)) * self.dtype.itemsize
        self._places: dict[bytes, _Place] = {}
        self._waiting: dict[bytes, np.ndarray] = {}
        for keys in sorted(folder.glob("rows-*.keys")):
            self._index(keys)
        for rows in folder.glob("rows-*.npy"):
            if not rows.with_suffix(".keys").exists():
                remove_if_ownerless(rows, unless=rows.with_suffix(".keys"))  # of a process that was killed in between

    def _index(self, keys: Path) -> None:
        rows = keys.with_suffix(".npy")
        try:
            entries = np.frombuffer(keys.read_bytes(), _KEY_TYPE)
            with rows.open("rb") as file:
                npy_format.read_magic(file)
                shape, _, dtype = npy_format.read_array_header_1_0(file)
                start = file.tell()
            if shape != (len(entries), *self.row_shape) or dtype != self.dtype:
                return
            if rows.stat().st_size != start + len(entries) * self._row_bytes:
                return
        except Exception:  # numpy's reading of a damaged header raises ValueError, TypeError, TokenError ...
            return  # not whole: its rows are made again
        for number, entry in enumerate(entries):
            self._places[entry["sha256"].tobytes()] = _Place(
                rows, start + number * self._row_bytes, int(entry["crc32"])
            )

    def __contains__(self, sha256: str) -> bool:
        key = bytes.fromhex(sha256)
        return key in self._places or key in self._waiting

    def add(self, sha256: str, row: np.ndarray) -> None:
        """Keep one row; it reaches the disk at the next flush."""
        assert row.shape == self.row_shape, (row.shape, self.row_shape)
        self._waiting[bytes.fromhex(sha256)] = np.ascontiguousarray(row, self.dtype)
        if len(self._waiting) * self._row_bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting.

        Raises:
            StorageError: The disk refused; nothing half-written is left.
        """
        if not self._waiting:
            return
        rows = self.folder / f"rows-{secrets.token_hex(8)}.npy"
        entries = np.zeros(len(self._waiting), _KEY_TYPE)
        with atomic_file(rows) as file:
            header = {"descr": self.dtype.str, "fortran_order": False, "shape": (len(entries), *self.row_shape)}
            npy_format.write_array_header_1_0(file, header)
            for number, (key, row) in enumerate(self._waiting.items()):
                content = row.reshape(-1).view(np.uint8).data
                entries[number] = (key, zlib.crc32(content))
                file.write(content)
            owned = os.dup(file.fileno())  # shares the file's lock: until it has its keys, nobody takes it for a stray
        try:
            write_atomic(rows.with_suffix(".keys"), entries.tobytes())
        finally:
            os.close(owned)
        self._index(rows.with_suffix(".keys"))
        self._waiting.clear()  # afterwards, so that threads which ask find each row at one of the two places

    def rows(self, sha256s: Sequence[str]) -> "StoredRows":
        """The rows of these pictures, in this order, to be read when they are asked for.

        Raises:
            KeyError: One of them is not in the store.
        """
        self.flush()
        return StoredRows(tuple(self._places[bytes.fromhex(key)] for key in sha256s), self.row_shape, self.dtype)


def _damaged(file: Path, reason: str) -> StorageError:
    return StorageError(
        f"{file} is damaged: {reason}",
        expected="the bytes that were written",
        fix=f"delete the folder {file.parent}; what it held is computed again",
    )


@dataclass(frozen=True)
class StoredRows:
    """Chosen rows of a store, each read from the disk when it is asked for and checked as it is read."""

    places: tuple[_Place, ...]
    row_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    _handles: dict[Path, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.places)

    def take(self, indices: Iterable[int]) -> np.ndarray:
        """These rows, stacked.

        Raises:
            StorageError: A row's bytes are not those that were written.
        """
        chosen = list(indices)
        out = np.empty((len(chosen), *self.row_shape), self.dtype)
        for number, index in enumerate(chosen):
            place = self.places[index]
            content = out[number].reshape(-1).view(np.uint8).data
            try:
                n_read = os.preadv(self._handle(place.file), [content], place.offset)
            except OSError as error:
                raise _damaged(place.file, error.strerror or str(error)) from error
            if n_read != len(content) or zlib.crc32(content) != place.crc32:
                raise _damaged(place.file, "a row's checksum does not fit")
        return out

    def all(self) -> np.ndarray:
        """All rows, stacked."""
        return self.take(range(len(self)))

    def _handle(self, file: Path) -> int:
        if file not in self._handles:
            self._handles[file] = os.open(file, os.O_RDONLY)
        return self._handles[file]

    def __del__(self) -> None:
        for handle in self._handles.values():
            os.close(handle)


class FactStore:
    """What is known of each picture, and its impression, by content key.

    Args:
        folder: Where its files lie; made when something is added.
        short_side: The short side that large pictures are decoded for, pixels: the facts of a picture hold for it.
    """

    def __init__(self, folder: Path, short_side: int) -> None:
        self.folder = folder
        self.short_side = short_side
        self._tables: list[tuple[Path, Any]] = []
        self._places: dict[str, tuple[int, int]] = {}
        self._waiting: dict[str, tuple[PictureFacts, Glimpse]] = {}
        self._waiting_bytes = 0
        for file in sorted(folder.glob("facts-*.arrow")):
            self._index(file)

    def _index(self, file: Path) -> None:
        import pyarrow as pa

        try:
            table = pa.ipc.open_file(pa.memory_map(str(file))).read_all()
            if table.column_names != _FACT_COLUMNS:
                return
            table.validate(full=True)
            keys = table["sha256"].to_pylist()
        except (OSError, ValueError, pa.ArrowException):  # ValueError: a column's name is no UTF-8
            return  # not whole: its facts are found again
        self._tables.append((file, table))
        for row, sha256 in enumerate(keys):
            self._places[sha256] = (len(self._tables) - 1, row)

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._places or sha256 in self._waiting

    def add(self, facts: PictureFacts, glimpse: Glimpse) -> None:
        """Keep what is known of one picture; its impression is made, and reaches the disk, at the next flush."""
        self._waiting[facts.sha256] = (facts, glimpse)
        # As on the disk, for files to stay few; what waits takes two to five times as much.
        self._waiting_bytes += len(glimpse.thumbnail) + SIGNATURE_BYTES + 1000
        if self._waiting_bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting.

        Raises:
            StorageError: The disk refused; nothing half-written is left.
        """
        import pyarrow as pa

        if not self._waiting:
            return
        kept = [facts for facts, _ in self._waiting.values()]
        seen = impressions([glimpse for _, glimpse in self._waiting.values()])
        columns: Mapping[str, list[Any]] = {
            **{name: [getattr(facts, name) for facts in kept] for name in _FACT_NAMES},
            **{name: [getattr(one.appearance, name) for one in seen] for name in _LOOK_NAMES},
            "signature": [one.signature for one in seen],
            "thumbnail": [one.thumbnail for one in seen],
            "facts_crc32": [_crc32(facts) for facts in kept],
            "appearance_crc32": [_crc32(one.appearance) for one in seen],
            "signature_crc32": [zlib.crc32(one.signature) for one in seen],
            "thumbnail_crc32": [zlib.crc32(one.thumbnail) for one in seen],
        }
        table = pa.table(dict(columns))
        file = self.folder / f"facts-{secrets.token_hex(8)}.arrow"
        with atomic_file(file) as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
        self._index(file)
        self._waiting.clear()
        self._waiting_bytes = 0

    def facts(self, sha256s: Iterable[str]) -> Iterator[PictureFacts]:
        """The facts of these pictures, in this order.

        Raises:
            KeyError: One of them is not in the store.
            StorageError: Its facts are not those that were written.
        """
        return self._records(sha256s, PictureFacts, "facts_crc32")

    def appearances(self, sha256s: Iterable[str]) -> Iterator[Appearance]:
        """How these pictures look, in this order.

        Raises:
            KeyError: One of them is not in the store.
            StorageError: It is not what was written.
        """
        return self._records(sha256s, Appearance, "appearance_crc32")

    def _records(self, sha256s: Iterable[str], kind: type[_Record], checksum: str) -> Iterator[_Record]:
        names = list(kind.__dataclass_fields__)
        places = self._found(sha256s)
        found: dict[tuple[int, int], _Record] = {}
        for number, rows in self._by_table(places).items():
            file, table = self._tables[number]
            columns = [column.to_pylist() for column in table.select([*names, checksum]).take(rows)]
            for row, *values, crc32 in zip(rows, *columns, strict=True):
                record = kind(*values)
                if _crc32(record) != crc32:
                    raise _damaged(file, "the checksum of what is known of a picture does not fit")
                found[number, row] = record
        return (found[place] for place in places)

    def signatures(self, sha256s: Iterable[str]) -> UInt8[np.ndarray, "pictures bytes"]:
        """The signatures of these pictures, in this order.

        Raises:
            KeyError: One of them is not in the store.
            StorageError: One is not what was written.
        """
        places = self._found(sha256s)
        at: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, place in enumerate(places):
            at[place].append(index)
        out = np.empty((len(places), SIGNATURE_BYTES), np.uint8)
        for number, rows in self._by_table(places).items():
            file, table = self._tables[number]
            chosen = table.select(["signature", "signature_crc32"]).take(rows).to_pydict()
            for row, content, crc32 in zip(rows, *chosen.values(), strict=True):
                if zlib.crc32(content) != crc32 or len(content) != SIGNATURE_BYTES:
                    raise _damaged(file, "a signature's checksum does not fit")
                out[at[number, row]] = np.frombuffer(content, np.uint8)
        return out

    def _found(self, sha256s: Iterable[str]) -> list[tuple[int, int]]:
        self.flush()
        return [self._places[sha256] for sha256 in sha256s]

    @staticmethod
    def _by_table(places: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
        wanted: dict[int, set[int]] = defaultdict(set)
        for number, row in places:
            wanted[number].add(row)
        return {number: sorted(rows) for number, rows in wanted.items()}

    def thumbnail(self, sha256: str) -> bytes:
        """The JPEG of the whole picture, small.

        Raises:
            KeyError: It is not in the store.
            StorageError: It is not the one that was written.
        """
        self.flush()
        number, row = self._places[sha256]
        file, table = self._tables[number]
        content: bytes = table["thumbnail"][row].as_py()
        if zlib.crc32(content) != table["thumbnail_crc32"][row].as_py():
            raise _damaged(file, "a thumbnail's checksum does not fit")
        return content


def _crc32(record: PictureFacts | Appearance) -> int:
    return zlib.crc32(repr(_VALUES[type(record)](record)).encode())
