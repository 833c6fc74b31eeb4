"""One process at a time: locks that the operating system frees when their holder dies, however it dies.

flock and no file of process numbers: a number can outlive its process and be given to another. Where the system has no
flock (Windows), nothing is locked.
"""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from heldout.errors import Locked, StorageError

LOCK_NAME = ".lock"

if sys.platform != "win32":
    import fcntl


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Within: this process alone works in the folder.

    Raises:
        Locked: Another process does; it is named.
        StorageError: The disk knows no locks, or may not be written.
    """
    handle = take_lock(folder)
    try:
        yield
    finally:
        give_lock_back(handle, folder)


def take_lock(folder: Path) -> int:
    """The handle of a folder's lock, which must be given back.

    Raises:
        Locked: Another process holds it.
        StorageError: The disk knows no locks, or may not be written.
    """
    path = folder / LOCK_NAME
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _no_lock(path, error) from error
        try:
            if sys.platform != "win32":
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_current = path.stat().st_ino == os.fstat(handle).st_ino
        except BlockingIOError:
            holder = os.pread(handle, 1000, 0)
            os.close(handle)
            raise _held(folder, holder) from None
        except FileNotFoundError:
            is_current = False  # its holder gave it back while we took it
        except OSError as error:
            os.close(handle)
            raise _no_lock(path, error) from error
        if is_current:
            break
        os.close(handle)
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
    return handle


def give_lock_back(handle: int, folder: Path) -> None:
    """End a lock that `take_lock` gave; nothing is left of it."""
    with suppress(OSError):  # the folder may be gone
        (folder / LOCK_NAME).unlink()
    os.close(handle)


def lock_quietly(handle: int) -> None:
    """Mark an open file as in use by this process, until it is closed; where that cannot be done it is not."""
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)


def is_ours_now(handle: int) -> bool:
    """Whether nobody else has marked an open file as in use; it is then marked as ours."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False  # in use, or the disk knows no locks: then nobody can tell
    return True


def _held(folder: Path, holder: bytes) -> Locked:
    try:
        content = json.loads(holder)
        who = f"process {content['pid']} on {content['host']}"
    except (ValueError, KeyError, TypeError):
        who = "another process"  # it has the lock and has not written its name yet
    return Locked(
        f"{folder} is in use by {who}",
        expected="one process at a time in a run folder",
        fix="wait until it has ended, or end it; the folder is free at once then",
    )


def _no_lock(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot lock {path}: {error.strerror or error}",
        expected="a disk that can be written and that knows locks (flock)",
        fix="choose a place on a local disk with --out",
    )
