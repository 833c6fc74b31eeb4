"""The run folder: made whole, kept while there is something to resume, and opened only if it is what was written.

A run folder appears with its plan inside and its lock taken, by one rename: however early the process is killed, there
is either no folder or one that `heldout resume` can take up.
"""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from heldout.errors import DamagedRun, HeldoutError, Locked, RunFolderError
from heldout.locking import LOCK_NAME, give_lock_back, take_lock
from heldout.manifest import CHECKPOINTS, MANIFEST, check_whole
from heldout.records import TEMPORARY, read_json, remove_strays, storage_error, write_atomic

RUN_FILES = ("plan.toml", "scores.json")
# Checked whenever a run is opened; the others when it is reported or resumed.
ALWAYS_CHECKED = ("plan.toml", "scores.json", "model/")
# What makes a run that failed worth keeping: something was learned.
LEARNED = ("history.csv", CHECKPOINTS, "ledger.jsonl")


@contextmanager
def fresh_run_folder(out: Path, name: str, *, first: Mapping[str, bytes] | None = None) -> Iterator[Path]:
    """A new run folder `out/name-NNN`, locked for as long as the block lasts; an existing one is never touched.

    It goes again when an error of ours, or want of memory, ends the block before there is anything worth keeping. What
    ends the block otherwise (Ctrl-C, a kill, a fault of ours) leaves it: `heldout resume` takes it up.

    Args:
        out: Where run folders lie.
        name: What its name starts with.
        first: Files that it has from its first moment.

    Raises:
        StorageError: `out` cannot be written.
    """
    folder, handle = _new_folder(out, name, first or {})
    try:
        yield folder
    except (HeldoutError, MemoryError):
        if not any((folder / kept).exists() for kept in LEARNED):
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                out.rmdir()  # only if nothing else is in it
        raise
    finally:
        give_lock_back(handle, folder)


@contextmanager
def fresh_folder(out: Path, name: str, *, files: Sequence[str]) -> Iterator[Path]:
    """A new folder `out/name-NNN` for what is made in one go and is no run: it stays whole or not at all.

    However the block ends, nothing is left unless every file is there. What a killed process left of such a folder is
    removed when the next one is made.

    Args:
        out: Where such folders lie, runs among them perhaps.
        name: What its name starts with.
        files: All that is written into it.

    Raises:
        StorageError: `out` cannot be written.
    """
    _remove_unfinished(out, files)
    folder, handle = _new_folder(out, name, {})
    try:
        yield folder
    finally:
        if not _has_all(folder, files):
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                out.rmdir()  # only if nothing else is in it
        give_lock_back(handle, folder)


def _has_all(folder: Path, files: Sequence[str]) -> bool:
    return all((folder / name).is_file() for name in files)


def _remove_unfinished(out: Path, files: Sequence[str]) -> None:
    """Remove what killed processes left of folders with these files, and nothing that can be anything else."""
    for lock in out.glob(f"*-[0-9][0-9][0-9]*/{LOCK_NAME}"):  # whoever ends by himself takes the lock with him
        folder = lock.parent
        try:
            names = [entry.name for entry in folder.iterdir() if not entry.name.startswith(TEMPORARY)]
            if not {LOCK_NAME, *files}.issuperset(names):
                continue  # a run, or somebody put something there
            handle = take_lock(folder)
        except (HeldoutError, OSError):
            continue  # somebody is making it, or has removed it already
        if _has_all(folder, files):  # killed after the last of them
            remove_strays(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
        give_lock_back(handle, folder)


def _new_folder(out: Path, name: str, first: Mapping[str, bytes]) -> tuple[Path, int]:
    """The folder and the handle of its lock."""
    made = _missing_parents(out)
    try:
        while True:
            try:
                out.mkdir(parents=True, exist_ok=True)
                _remove_stray_folders(out)
                return _staged(out, name, first)
            except _TakenForStray:
                continue
    except BaseException as error:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError) and not isinstance(error, HeldoutError):
            raise storage_error(error, out) from error
        raise


def _missing_parents(out: Path) -> list[Path]:
    return [folder for folder in (out, *out.parents) if not folder.exists()]


def _staged(out: Path, name: str, first: Mapping[str, bytes]) -> tuple[Path, int]:
    stage = out / f"{TEMPORARY}{secrets.token_hex(6)}"
    stage.mkdir()
    handle = _lock_of(stage)
    try:
        for file, content in first.items():
            write_atomic(stage / file, content)
        return _renamed(stage, out, name), handle
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        os.close(handle)
        raise


class _TakenForStray(Exception):
    """Another process removed what we were making, in the moment before it was locked."""


def _lock_of(stage: Path) -> int:
    try:
        return take_lock(stage)
    except Locked:
        raise _TakenForStray from None
    except BaseException:
        is_gone = not stage.exists()
        shutil.rmtree(stage, ignore_errors=True)
        if is_gone:
            raise _TakenForStray from None
        raise


def _renamed(stage: Path, out: Path, name: str) -> Path:
    """The next free `out/name-NNN`, which the staged folder has become."""
    pattern = re.compile(re.escape(name) + r"-(\d{3,9})")
    number = max((int(match[1]) for entry in os.scandir(out) if (match := pattern.fullmatch(entry.name))), default=0)
    while True:
        number += 1
        folder = out / f"{name}-{number:03d}"
        try:
            # Never onto another run: a folder that is not empty cannot be replaced, and ours never are.
            stage.rename(folder)
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                continue
            raise
        return folder


def _remove_stray_folders(out: Path) -> None:
    """Remove what killed processes were about to make."""
    for entry in out.glob(f"{TEMPORARY}*"):
        try:
            handle = take_lock(entry)
        except HeldoutError:
            continue  # somebody is making it
        shutil.rmtree(entry, ignore_errors=True)
        os.close(handle)


def is_finished(folder: Path) -> bool:
    """Whether a run folder has all that a run writes down; it may be damaged."""
    if (folder / MANIFEST).is_file():
        return True
    return (folder / "scores.json").is_file() and not _is_sealed(folder)


def run_folder(path: Path, *, check: Sequence[str] = ALWAYS_CHECKED) -> Path:
    """`path`, if it is the folder of a finished run that is as it was written.

    Args:
        path: The folder.
        check: Which files must be those that were written; as for `manifest.check_whole`.

    Raises:
        RunFolderError: It is no run, or none that is finished.
        DamagedRun: A file is not the one that was written.
    """
    if (path / MANIFEST).is_file():
        check_whole(path, check)
        return path
    absent = [name for name in RUN_FILES if not (path / name).is_file()]
    if absent:
        is_begun = absent == ["scores.json"]
        raise RunFolderError(
            f"{path} is no finished run: {', '.join(absent)} {'is' if len(absent) == 1 else 'are'} absent",
            expected="a folder that `heldout train` made and finished",
            fix=f"heldout resume {path}"
            if is_begun
            else "give the folder that `heldout train` named, such as runs/flowers-001",
        )
    if _is_sealed(path):
        raise DamagedRun(
            f"{path / MANIFEST} is absent: the run was not finished, or the file was lost",
            expected="the manifest that is written when a run is finished",
            fix=f"heldout resume {path}",
        )
    return path  # of a version that wrote no manifest


def started_run(path: Path) -> Path:
    """`path`, if it is the folder of a run, finished or not.

    Raises:
        RunFolderError: It is not.
    """
    if not (path / "plan.toml").is_file():
        if (path / MANIFEST).is_file():
            check_whole(path, ["plan.toml"])
        is_sweep = (path / "sweep.toml").is_file()
        raise RunFolderError(
            f"{path} is {'a sweep' if is_sweep else 'no run: plan.toml is absent'}",
            expected="a folder that `heldout train` made",
            fix="to go on with a sweep, give its `heldout sweep` command again: it does what is missing"
            if is_sweep
            else "give the folder that `heldout train` named, such as runs/flowers-001",
        )
    return path


def _is_sealed(folder: Path) -> bool:
    """Whether scores.json says that a manifest belongs to it."""
    scores = read_json(folder / "scores.json")
    return isinstance(scores, dict) and scores.get("manifest") == MANIFEST
