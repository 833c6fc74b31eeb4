"""The members of a .zip, read in place: an own reader of its index, because what is odd shall be refused.

Python's `zipfile` repairs: it strips what follows a NUL in a name, reads archives whose parts lie elsewhere than they
say, and keeps a kilobyte an entry. This reader takes the central directory as the one truth, and an archive that
contradicts it is refused. The bytes of a member are counted while it is inflated, against the size that it claims.

Source: PKWARE, .ZIP File Format Specification (APPNOTE.TXT) 6.3.10, 4.3 and 4.5.3.
"""

import stat
import struct
import zlib
from array import array
from dataclasses import dataclass, field

import numpy as np

from heldout.data.pictures.decoding import UnreadablePicture
from heldout.data.storage.member_names import (
    FREE_BYTES,
    MAX_FILES,
    MAX_RATIO,
    MAX_TOTAL_BYTES,
    checked,
    damaged,
    refused,
    too_much,
)
from heldout.data.storage.random_access import RandomAccess
from heldout.errors import DataError, is_want_of_memory

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s2B5H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_FULL = 0xFFFFFFFF  # a field that does not hold its number: it stands in the 64-bit extra field
_STORED, _DEFLATED, _AES = 0, 8, 99
_ENCRYPTED_FLAGS = 0x2041  # bits 0, 6 and 13: encrypted, strongly, and with a masked directory
_MAX_DIRECTORY_BYTES = 2**29  # 2 million entries with names of 200 bytes
_LOCAL_EXTRA_BYTES = 64  # usual length of the extra field before a member's bytes: one read instead of two


@dataclass(frozen=True, slots=True)
class ZipMembers:
    """What the index says of each file, a column a field."""

    file: RandomAccess
    archive: str
    names: list[str] = field(default_factory=list)
    starts: "array[int]" = field(default_factory=lambda: array("Q"))
    compressed: "array[int]" = field(default_factory=lambda: array("Q"))
    sizes: "array[int]" = field(default_factory=lambda: array("Q"))
    checksums: "array[int]" = field(default_factory=lambda: array("L"))
    methods: "array[int]" = field(default_factory=lambda: array("H"))
    name_bytes: "array[int]" = field(default_factory=lambda: array("H"))

    def size(self, row: int) -> int:
        """The bytes that a member claims to have."""
        return self.sizes[row]

    def read(self, row: int) -> bytes:
        """The bytes of a member.

        Raises:
            UnreadablePicture: It is damaged.
            DataError: It lies about its size, which makes the archive untrustworthy.
        """
        data = self._compressed_bytes(row)
        if self.methods[row] == _DEFLATED:
            data = self._inflated(row, data)
        if zlib.crc32(data) != self.checksums[row]:
            raise UnreadablePicture("damaged in the archive: the checksum is another")
        return data

    def _compressed_bytes(self, row: int) -> bytes:
        start, n_bytes = self.starts[row], self.compressed[row]
        head_bytes = _LOCAL.size + self.name_bytes[row]
        data = self.file.read_at(start, head_bytes + _LOCAL_EXTRA_BYTES + n_bytes)
        if len(data) < head_bytes:
            raise UnreadablePicture("damaged in the archive: the file ends before it")
        mark, _, flags, method, *_, n_name, n_extra = _LOCAL.unpack_from(data)
        name = data[_LOCAL.size : head_bytes]
        if (mark, method, n_name) != (b"PK\3\4", self.methods[row], self.name_bytes[row]) or (
            checked(_text(name, flags), self.archive) != self.names[row]
        ):
            raise UnreadablePicture("damaged in the archive: its own header and the archive's index differ")
        begin = head_bytes + n_extra
        if begin + n_bytes > len(data):
            data += self.file.read_at(start + len(data), begin + n_bytes - len(data))
        if begin + n_bytes > len(data):
            raise UnreadablePicture("damaged in the archive: the file ends inside it")
        return data[begin : begin + n_bytes]

    def _inflated(self, row: int, data: bytes) -> bytes:
        size = self.sizes[row]
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            inflated = inflater.decompress(data, size + 1)  # never more, whatever is in there
        except zlib.error as error:
            if is_want_of_memory(error):
                raise MemoryError(f"no memory to inflate {self.names[row]}") from error
            raise UnreadablePicture(f"damaged in the archive: {error}") from None
        if len(inflated) > size or (inflater.eof and len(inflated) < size):
            n = f"more than {size:,}" if len(inflated) > size else f"{len(inflated):,}"
            raise refused(self.archive, self.names[row], f"which claims {size:,} bytes and has {n}")
        if len(inflated) < size:
            raise UnreadablePicture("damaged in the archive: its compressed bytes end too early")
        return inflated


def read_zip(file: RandomAccess, archive: str) -> ZipMembers:
    """The members of a .zip, from its index alone; folders end in "/".

    Args:
        file: The archive.
        archive: Its name, for errors.

    Raises:
        DataError: It is no whole .zip, is beyond a limit, or has an entry that is refused.
    """
    n_entries, n_bytes, begin = _find_directory(file, archive)
    directory = file.read_at(begin, n_bytes)
    if len(directory) < n_bytes:
        raise damaged(archive, "its index is cut short")
    members = ZipMembers(file, archive)
    at = 0
    for _ in range(n_entries):
        at = _add_entry(members, directory, at)
    if at != n_bytes:
        raise damaged(archive, f"its index has {n_bytes:,} bytes, but its {n_entries:,} entries take {at:,}")
    _check_sizes(members, begin)
    return members


def _find_directory(file: RandomAccess, archive: str) -> tuple[int, int, int]:
    """The number of entries, and the length and the place of the central directory."""
    tail_start = max(0, file.size - _END.size - 2**16)
    tail = file.read_at(tail_start, file.size - tail_start)
    at = tail.rfind(b"PK\5\6")
    while at >= 0 and (at + _END.size > len(tail) or at + _END.size + _END.unpack_from(tail, at)[-1] != len(tail)):
        at = tail.rfind(b"PK\5\6", 0, at)
    if at < 0:
        raise damaged(archive, "it has no index at its end, so it is cut short or no .zip")
    _, disk, first_disk, n_here, n_entries, n_bytes, begin, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    locator = file.read_at(max(0, end - _LOCATOR.size), _LOCATOR.size)
    if locator.startswith(b"PK\6\7"):
        small = n_here, n_entries, n_bytes, begin
        n_here, n_entries, n_bytes, begin, end = _find_directory_64(file, archive, _LOCATOR.unpack(locator)[2])
        large = n_here, n_entries, n_bytes, begin
        if any(a not in {b, full} for a, b, full in zip(small, large, (0xFFFF, 0xFFFF, _FULL, _FULL), strict=True)):
            raise damaged(archive, "its two ends say different things")
    if disk not in {0, 0xFFFF} or first_disk not in {0, 0xFFFF} or n_here != n_entries:
        raise damaged(archive, "it is one of several volumes")
    if n_entries > MAX_FILES or n_bytes > _MAX_DIRECTORY_BYTES:
        raise too_much(archive, f"has {n_entries:,} entries in {n_bytes:,} bytes", f"at most {MAX_FILES:,} entries")
    if begin + n_bytes != end or n_entries * _ENTRY.size > n_bytes:
        raise damaged(archive, "its index does not lie where its end says, so something was put before it or cut out")
    return n_entries, n_bytes, begin


def _find_directory_64(file: RandomAccess, archive: str, place: int) -> tuple[int, int, int, int, int]:
    record = file.read_at(min(place, file.size), _END_64.size)
    if len(record) < _END_64.size or not record.startswith(b"PK\6\6"):
        raise damaged(archive, "its 64-bit index does not lie where it says")
    *_, n_here, n_entries, n_bytes, begin = _END_64.unpack(record)
    return n_here, n_entries, n_bytes, begin, place


def _add_entry(members: ZipMembers, directory: bytes, at: int) -> int:
    """Add the entry at a place of the directory; give the place of the next."""
    archive = members.archive
    if at + _ENTRY.size > len(directory) or directory[at : at + 4] != b"PK\1\2":
        raise damaged(archive, "its index is damaged")
    fields = _ENTRY.unpack_from(directory, at)
    _, _, _, _, flags, method, _, _, checksum, compressed, size, n_name, n_extra, n_comment, *rest = fields
    attributes, start = rest[2], rest[3]
    at += _ENTRY.size
    raw, extra = directory[at : at + n_name], directory[at + n_name : at + n_name + n_extra]
    given = _text(raw, flags)
    name = checked(given, archive)
    if flags & _ENCRYPTED_FLAGS or method == _AES:
        raise refused(archive, given, "which is encrypted")
    _check_mode(archive, given, attributes >> 16)  # whichever system wrote them; 0 where it has no modes
    if _FULL in {size, compressed, start}:
        size, compressed, start = _sizes_64(archive, extra, (size, compressed, start))
    if method not in {_STORED, _DEFLATED}:
        raise refused(archive, given, f"which is compressed by method {method}; 0 (stored) and 8 (deflated) are read")
    if (method == _STORED and compressed != size) or (name.endswith("/") and size):
        raise refused(archive, given, f"which claims {size:,} bytes and has {compressed:,}")
    if size > MAX_RATIO * compressed + FREE_BYTES:
        what = f"holds {given!r}, {size:,} bytes from {compressed:,}"
        raise too_much(archive, what, f"at most {MAX_RATIO} bytes from each")
    if name:
        members.names.append(name)
        members.starts.append(start)
        members.compressed.append(compressed)
        members.sizes.append(size)
        members.checksums.append(checksum)
        members.methods.append(method)
        members.name_bytes.append(n_name)
    return at + int(n_name + n_extra + n_comment)


def _check_mode(archive: str, name: str, mode: int) -> None:
    kind = stat.S_IFMT(mode)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        what = "a symbolic link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
        raise refused(archive, name, what)
    if mode & (stat.S_ISUID | stat.S_ISGID) and kind != stat.S_IFDIR:
        raise refused(archive, name, "a file that runs with another user's rights (setuid)")


def _sizes_64(archive: str, extra: bytes, fields: tuple[int, int, int]) -> tuple[int, int, int]:
    """Size, compressed size and start with those that are `_FULL` taken from the 64-bit extra field, in that order."""
    while len(extra) >= 4:
        kind, n_bytes = struct.unpack_from("<2H", extra)
        content, extra = extra[4 : 4 + n_bytes], extra[4 + n_bytes :]
        if kind == 1 and len(content) >= 8 * fields.count(_FULL):
            numbers = iter(struct.unpack_from(f"<{fields.count(_FULL)}Q", content))
            size, compressed, start = (next(numbers) if value == _FULL else value for value in fields)
            return size, compressed, start
    raise damaged(archive, "a 64-bit size is missing in its index")


def _check_sizes(members: ZipMembers, end: int) -> None:
    """Refuse members that overlap (one block of bytes inflated again and again), or that are too much together."""
    starts, compressed = np.array(members.starts, np.uint64), np.array(members.compressed, np.uint64)
    limit = np.uint64(end)
    if np.any(starts > limit) or np.any(compressed > limit):
        raise damaged(members.archive, "a member lies outside of it")
    order = np.argsort(starts, kind="stable")
    heads = np.array(members.name_bytes, np.uint64) + np.uint64(_LOCAL.size)
    ends = (starts + compressed + heads)[order]
    if np.any(ends > np.append(starts[order][1:], limit)):
        raise DataError(
            f"{members.archive!r} is refused: members overlap, so that few bytes would inflate to many",
            expected="members one after the other",
            fix="pack the pictures again",
        )
    if sum(members.sizes) > MAX_TOTAL_BYTES:
        what = f"holds {sum(members.sizes):,} bytes"
        raise too_much(members.archive, what, f"at most {MAX_TOTAL_BYTES:,}")


def _text(raw: bytes, flags: int) -> str:
    """A name: UTF-8 where it is said or where it can be read so (macOS does not say), otherwise code page 437."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "surrogateescape") if flags & 0x800 else raw.decode("cp437")
