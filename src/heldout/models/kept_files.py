"""Files in the cache that must be what was written: a hash beside each, looked at when the file is opened.

    <file>            what is kept
    <file>.sha256     JSON: its SHA-256, its size, and the time stamp that the system gave it; written after it

A flipped bit in a weights file makes other numbers and no error, in every format that is read here. A file without a
record, or with another content, is no use: who keeps it makes it again.
"""

import hashlib
import logging
from pathlib import Path
from typing import Any

from heldout.errors import RunFolderError
from heldout.models.fetching import file_sha256
from heldout.records import read_json, to_json, write_atomic

# Up to so many bytes are hashed whenever they are opened: 17 ms (1.47 GB a second, measured here, 2026-11-22). Larger
# files are hashed when size or time stamp are not those that were written down; the rest is left to the disk.
ALWAYS_HASHED_BYTES = 24 * 2**20

log = logging.getLogger(__name__)


def keep(path: Path, content: bytes) -> Path:
    """Write a file that `is_whole` knows again, in place of a damaged one if there is one.

    Raises:
        StorageError: The disk refused.
    """
    if path.is_file() and _record_of(path).is_file() and not is_whole(path):
        log.info("%s was damaged and is made again", path)
    write_atomic(path, content)
    _write_record(path, hashlib.sha256(content).hexdigest())
    return path


def is_whole(path: Path) -> bool:
    """Whether there is such a file, and it is the one that was kept.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = keep(Path(folder) / "weights", b"some")
        ...     before = is_whole(path)
        ...     n_written = path.write_bytes(b"sone")
        ...     before, is_whole(path)
        (True, False)
    """
    record = _known(path)
    if record is None or not path.is_file():
        return False
    status = path.stat()
    if status.st_size != record["n_bytes"]:
        return False
    is_as_stamped = status.st_mtime_ns == record["modified_ns"]
    if is_as_stamped and status.st_size > ALWAYS_HASHED_BYTES:
        return True
    if file_sha256(path) != record["sha256"]:
        return False
    if not is_as_stamped and status.st_size > ALWAYS_HASHED_BYTES:
        _write_record(path, record["sha256"])  # copied, say: need not be hashed again
    return True


def _write_record(path: Path, sha256: str) -> None:
    status = path.stat()
    record = {"sha256": sha256, "n_bytes": status.st_size, "modified_ns": status.st_mtime_ns}
    write_atomic(_record_of(path), to_json(record))


def _record_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _known(path: Path) -> dict[str, Any] | None:
    try:
        record = read_json(_record_of(path))
    except RunFolderError:
        return None  # absent, or damaged itself
    is_record = isinstance(record, dict) and {"sha256", "n_bytes", "modified_ns"} <= record.keys()
    return record if is_record else None
