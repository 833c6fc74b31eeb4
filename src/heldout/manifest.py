"""manifest.json: the SHA-256 of every file of a finished run, written last.

A run is finished when it has one. Whatever is flipped, cut off or removed afterwards is found when the run is opened.
`openings.jsonl` may grow: of a log, the bytes that the manifest knows must still be its beginning.

Its format number stands for the whole run folder: it goes up when any file takes a form that older versions would
misread, so that they refuse the folder, as they cannot know what else is new.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heldout.errors import DamagedRun, RunFolderError
from heldout.locking import LOCK_NAME
from heldout.records import TEMPORARY, read_json, to_json, write_atomic

MANIFEST = "manifest.json"
CHECKPOINTS = "checkpoints"
_FORMAT = 1
_GROWING = ".jsonl"


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of a run that is not the one that was written: which, and how it differs."""

    name: str
    reason: str


def write_manifest(folder: Path) -> Path:
    """Write down what the files of a finished run are now.

    Raises:
        StorageError: The disk refused.
    """
    files = {name: _facts(folder / name) for name in _names(folder)}
    return write_atomic(folder / MANIFEST, to_json({"format": _FORMAT, "files": files}))


def renew_manifest(folder: Path, names: Iterable[str]) -> None:
    """Write down what some files have become on purpose; a run without a manifest stays without one.

    Args:
        folder: The run folder.
        names: Files, and folders with a slash at the end, that were written again.
    """
    if not (folder / MANIFEST).is_file():
        return
    known, names = _read(folder), list(names)
    files = {name: facts for name, facts in known.items() if not _is_among(name, names)}
    files |= {name: _facts(folder / name) for name in _names(folder) if _is_among(name, names)}
    content = {"format": _FORMAT, "files": dict(sorted(files.items()))}
    write_atomic(folder / MANIFEST, to_json(content))


def find_damages(folder: Path, among: Sequence[str] = ("",)) -> list[Damage]:
    """Which files of a finished run are not those that were written.

    Files that the manifest does not know are the reader's own, and of no matter.

    Args:
        folder: The run folder, with a manifest.
        among: Files, folders with a slash at the end, or "" for everything.

    Raises:
        DamagedRun: The manifest itself is damaged.
        RunFolderError: A newer version wrote it.
    """
    found = []
    for name, facts in _read(folder).items():
        if _is_among(name, among) and (reason := _difference(folder / name, facts)):
            found.append(Damage(name, reason))
    return found


def check_whole(folder: Path, among: Sequence[str] = ("",)) -> None:
    """Refuse a run that was damaged.

    Args:
        folder: The run folder, with a manifest.
        among: As for `find_damages`.

    Raises:
        DamagedRun: A file is not the one that was written.
    """
    if damages := find_damages(folder, among):
        raise damaged_run(folder, damages)


def damaged_run(folder: Path, damages: Sequence[Damage]) -> DamagedRun:
    """The error for a run of which some files are damaged."""
    first = damages[0]
    more = f", and {len(damages) - 1} more" if len(damages) > 1 else ""
    return DamagedRun(
        f"{folder / first.name} {first.reason}{more}",
        expected=f"the files whose SHA-256 stands in {folder / MANIFEST}",
        fix="copy the run folder again from where it is whole, or train again",
    )


def _names(folder: Path) -> list[str]:
    found = []
    for root, folders, files in os.walk(folder):
        if Path(root) == folder:
            folders[:] = [name for name in folders if name != CHECKPOINTS]
        found += [(Path(root) / name).relative_to(folder).as_posix() for name in files]
    ours = (MANIFEST, LOCK_NAME)
    return sorted(name for name in found if name not in ours and not Path(name).name.startswith(TEMPORARY))


def _is_among(name: str, among: Sequence[str]) -> bool:
    return any(name == one or (name.startswith(one) and one[-1:] in ("", "/")) for one in among)


def _facts(path: Path) -> dict[str, Any]:
    n_bytes = path.stat().st_size
    return {"n_bytes": n_bytes, "sha256": hash_of(path, n_bytes)}


def hash_of(path: Path, n_bytes: int) -> str:
    """SHA-256 of the first `n_bytes` of a file, hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while n_bytes > 0 and (piece := file.read(min(n_bytes, 2**20))):
            digest.update(piece)
            n_bytes -= len(piece)
    return digest.hexdigest()


def _difference(path: Path, facts: dict[str, Any]) -> str:
    """How a file differs from what was written, or nothing."""
    try:
        size = path.stat().st_size
        if size < facts["n_bytes"] or (size > facts["n_bytes"] and path.suffix != _GROWING):
            return f"has {size:,} bytes, and {facts['n_bytes']:,} were written"
        if hash_of(path, facts["n_bytes"]) != facts["sha256"]:
            return "is not the file that was written: its SHA-256 differs"
    except FileNotFoundError:
        return "is absent"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return ""


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    content = read_json(folder / MANIFEST)
    number = content.get("format") if isinstance(content, dict) else None
    if isinstance(number, int) and number > _FORMAT:
        raise RunFolderError(
            f"{folder} is a run of format {number}, which a newer heldout wrote",
            expected=f"format {_FORMAT}, or an older one",
            fix="upgrade heldout; environment.json of the run names the version that wrote it",
        )
    files = content.get("files") if number == _FORMAT else None
    is_whole = isinstance(files, dict) and all(
        isinstance(one, dict) and isinstance(one.get("n_bytes"), int) and isinstance(one.get("sha256"), str)
        for one in files.values()
    )
    if not is_whole:
        raise DamagedRun(
            f"{folder / MANIFEST} is damaged",
            expected="the file as heldout wrote it",
            fix="copy the run folder again from where it is whole",
        )
    assert isinstance(files, dict)
    return files
