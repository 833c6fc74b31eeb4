"""Results <-> files: atomic writes, the run folder, and where cached work lies.

Every file of ours is written by `write_atomic` (or `atomic_file` for large ones): into a temporary file in the same
folder, flushed to the disk, then renamed over the target. Whoever reads sees the old content or the new, never half.
"""

import csv
import errno
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from heldout.errors import HeldoutError, RunFolderError, StorageError

RUN_FILES = ("plan.toml", "scores.json")
# Goes up when what lies in the cache changes its form; older forms are then no longer looked at.
_CACHE_FORMAT = "1"
_TEMPORARY = ".heldout-tmp-"


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write, that becomes `path` when the block ends well and vanishes when it does not.

    Raises:
        StorageError: The disk is full, read-only, or a limit was met; `path` is as it was before.
    """
    temporary = path.parent / f"{_TEMPORARY}{path.name[:80]}-{secrets.token_hex(6)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        with suppress(OSError):  # where the folder cannot be had, there is nothing to remove either
            temporary.unlink(missing_ok=True)


def write_atomic(path: Path, data: bytes) -> Path:
    """Write `data` to `path`, whole or not at all.

    Raises:
        StorageError: As `atomic_file`.
    """
    with atomic_file(path) as file:
        file.write(data)
    return path


def storage_error(error: OSError, path: Path) -> StorageError:
    """The error of ours for what the operating system said about `path`."""
    reason = error.strerror or str(error)
    fix = {
        errno.ENOSPC: "free some space, or choose another place with --out",
        errno.EFBIG: "raise the file-size limit (ulimit -f), or choose another place with --out",
        errno.EROFS: "choose a place that can be written with --out",
        errno.EACCES: "choose a place that you may write with --out",
    }.get(error.errno or 0, "choose another place with --out")
    return StorageError(f"cannot write {path}: {reason}", expected="a place with room that can be written", fix=fix)


def _sync_folder(folder: Path) -> None:
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
        RunFolderError: It is absent or not whole.
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
        raise RunFolderError(
            f"{path} cannot be read: {error}", expected="whole JSON, as heldout wrote it", fix="train again"
        ) from error


def read_parquet(path: Path, columns: Sequence[str]) -> Any:
    """Columns of a Parquet file of a run, as a pyarrow table.

    Raises:
        RunFolderError: It is absent or not whole.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Not `read_table`, which loads pyarrow's datasets: 0.4 s of every command for nothing that is used here.
        with pq.ParquetFile(path) as file:
            if absent := [name for name in columns if name not in file.schema_arrow.names]:
                raise KeyError(f"it has no column {absent[0]!r}")
            return file.read(columns=list(columns))
    except (OSError, pa.ArrowException, KeyError) as error:
        raise RunFolderError(
            f"{path} cannot be read: {error}", expected="a whole run folder, as heldout wrote it", fix="train again"
        ) from error


def new_run_folder(out: Path, name: str) -> Path:
    """Create and return the next free `out/name-NNN`; an existing one is never touched.

    Raises:
        StorageError: `out` cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        taken = [
            int(match[1])
            for entry in os.scandir(out)
            if (match := re.fullmatch(re.escape(name) + r"-(\d{3,9})", entry.name))
        ]
        number = max(taken, default=0)
        while True:
            number += 1
            folder = out / f"{name}-{number:03d}"
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise storage_error(error, out) from error


def run_folder(path: Path) -> Path:
    """`path`, if it is the folder of a finished run.

    Raises:
        RunFolderError: It is not.
    """
    absent = [name for name in RUN_FILES if not (path / name).is_file()]
    if absent:
        raise RunFolderError(
            f"{path} is no finished run: {', '.join(absent)} {'is' if len(absent) == 1 else 'are'} absent",
            expected="a folder that `heldout train` made and finished",
            fix="give the folder that `heldout train` named, such as runs/flowers-001",
        )
    return path


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
            _sync_folder(path.parent)
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

    with atomic_file(path) as file:
        pq.write_table(pa.table(dict(columns)), file)
    return path


@contextmanager
def fresh_run_folder(out: Path, name: str, *, keep_if: str) -> Iterator[Path]:
    """A new run folder for as long as the block lasts; it goes again when an error of ours ends the block early.

    Args:
        out: Where run folders lie.
        name: What its name starts with.
        keep_if: A file whose presence makes the folder worth keeping in spite of an error.
    """
    folder = new_run_folder(out, name)
    try:
        yield folder
    except HeldoutError:
        if not (folder / keep_if).exists():
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                out.rmdir()  # only if nothing else is in it
        raise
