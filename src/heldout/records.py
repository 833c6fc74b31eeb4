"""Results <-> files: atomic writes, formats, and where cached work lies.

Every file of ours is written by `write_atomic` (or `atomic_file` for large ones): into a temporary file in the same
folder, flushed to the disk, then renamed over the target. Whoever reads sees the old content or the new, never half.
A temporary file is locked by its writer, so that what a killed process left can be told from what is being written.
"""

import csv
import errno
import io
import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from heldout.errors import DamagedRun, RunFolderError, StorageError
from heldout.locking import is_ours_now, lock_quietly

# Goes up when what lies in the cache changes its form; older forms are then no longer looked at.
_CACHE_FORMAT = "1"
TEMPORARY = ".heldout-tmp-"


@contextmanager
def atomic_file(path: Path, *, n_bytes: int | None = None) -> Iterator[IO[bytes]]:
    """A binary file to write, that becomes `path` when the block ends well and vanishes when it does not.

    Args:
        path: What it becomes.
        n_bytes: How many bytes will be written, for the error where they find no room; None where that is not known.

    Raises:
        StorageError: The disk is full, read-only, or a limit was met; `path` is as it was before.
    """
    temporary = path.parent / f"{TEMPORARY}{path.name[:80]}-{secrets.token_hex(6)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _own_file(temporary) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, path, n_bytes=n_bytes) from error
    finally:
        with suppress(OSError):  # where the folder cannot be had, there is nothing to remove either
            temporary.unlink(missing_ok=True)


def _own_file(temporary: Path) -> IO[bytes]:
    """A new file that is locked by this process, and still there."""
    while True:
        file = temporary.open("wb")
        lock_quietly(file.fileno())
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # somebody took it for a stray in the moment before it was locked


def write_atomic(path: Path, data: bytes) -> Path:
    """Write `data` to `path`, whole or not at all.

    Raises:
        StorageError: As `atomic_file`.
    """
    with atomic_file(path, n_bytes=len(data)) as file:
        file.write(data)
    return path


def remove_strays(folder: Path) -> int:
    """Remove the temporary files below a folder that no living process is writing, and say how many."""
    return sum(remove_if_ownerless(path) for path in folder.rglob(f"{TEMPORARY}*") if path.is_file())


def remove_if_ownerless(path: Path, *, unless: Path | None = None) -> bool:
    """Remove a file unless a process holds its lock, and say whether that was done.

    Args:
        path: The file.
        unless: A file whose presence, once nobody holds the lock, means that `path` is wanted after all.
    """
    try:
        with path.open("rb") as file:
            if not is_ours_now(file.fileno()) or (unless is not None and unless.exists()):
                return False
            path.unlink()
            return True
    except OSError:
        return False  # it went by itself, or may not be removed


def storage_error(error: OSError, path: Path, *, n_bytes: int | None = None) -> StorageError:
    """The error of ours for what the operating system said about `path`."""
    reason = error.strerror or str(error)
    elsewhere = "with HELDOUT_CACHE=FOLDER" if path.is_relative_to(cache_folder()) else "with --out"
    fix = {
        errno.ENOSPC: "free some space, or choose another place",
        errno.EDQUOT: "free some space, or choose another place",
        errno.EFBIG: "raise the file-size limit (ulimit -f), or choose another place",
        errno.EROFS: "choose a place that can be written",
        errno.EACCES: "choose a place that you may write",
    }.get(error.errno or 0, "choose another place") + f" {elsewhere}"
    needed = "" if n_bytes is None else f" ({n_bytes:,} bytes)"
    return StorageError(
        f"cannot write {path}{needed}: {reason}", expected="a place with room that can be written", fix=fix
    )


def sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system knows how to."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def to_json(value: Any) -> bytes:
    """Strict JSON (no NaN), indented, keys in the order given, with a final newline."""
    return (json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()


def read_json(path: Path) -> Any:
    """The content of a JSON file of a run.

    Raises:
        RunFolderError: It is absent.
        DamagedRun: It is not whole.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RunFolderError(
            f"{path} is absent",
            expected="the folder of a finished run",
            fix="give the folder that `heldout train` named, such as runs/flowers-001",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedRun(
            f"{path} cannot be read: {error}", expected="whole JSON, as heldout wrote it", fix="train again"
        ) from error


def read_parquet(path: Path, columns: Sequence[str]) -> Any:
    """Columns of a Parquet file of a run, as a pyarrow table.

    Raises:
        DamagedRun: It is absent or not whole.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Not `read_table`, which loads pyarrow's datasets: 0.4 s of every command for nothing that is used here.
        with pq.ParquetFile(path) as file:
            if absent := [name for name in columns if name not in file.schema_arrow.names]:
                raise KeyError(f"it has no column {absent[0]!r}")
            table = file.read(columns=list(columns))
            table.validate(full=True)  # strings that are no UTF-8 would fail wherever they are used first
            return table
    except (OSError, pa.ArrowException, KeyError, UnicodeDecodeError) as error:
        raise DamagedRun(
            f"{path} cannot be read: {error}", expected="a whole run folder, as heldout wrote it", fix="train again"
        ) from error


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Append one JSON line and see it on the disk before returning.

    A last line that was torn off, by a crash or a full disk, is ended first, so that it spoils itself alone.

    Raises:
        StorageError: The disk refused.
    """
    line = json.dumps(record, allow_nan=False).encode() + b"\n"
    try:
        is_new = not path.exists()
        with path.open("a+b") as file:
            if file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, path) from error


def cache_folder() -> Path:
    """Where reusable work lies: `HELDOUT_CACHE`, or `heldout` in the user's cache folder.

    Everything in it can be deleted at any time; it is made again when it is needed.
    """
    if own := os.environ.get("HELDOUT_CACHE"):
        return Path(own) / _CACHE_FORMAT
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "heldout" / _CACHE_FORMAT


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows that all have the same columns as CSV with a header.

    Raises:
        StorageError: As `atomic_file`.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return write_atomic(path, text.getvalue().encode())


def write_parquet(path: Path, columns: Mapping[str, Any]) -> Path:
    """Write columns of equal length as Parquet.

    Raises:
        StorageError: As `atomic_file`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from heldout.arrow_arrays import arrow_column

    with atomic_file(path) as file:
        pq.write_table(pa.table({name: arrow_column(values) for name, values in columns.items()}), file)
    return path
