"""The held-out part: sealed until the one moment when a run is scored on it, and every opening logged.

The seal guards against accident, not against intent: who holds the examples and the split can read the labels
anyway. What it makes impossible is a slip, such as a loop that tunes on what it was given, a second look
at the end of a notebook, or an opening that leaves no trace.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from heldout.data.examples import Examples
from heldout.data.splits import Split
from heldout.errors import DataError, RunFolderError, UsageError
from heldout.records import append_line

LOG_NAME = "openings.jsonl"


class HeldOut:
    """The sealed test part: how many examples, of which classes, and its fingerprint; no more.

    `open_heldout` gives out the examples, once.
    """

    __slots__ = ("__classes", "__examples", "__fingerprint", "__n")

    def __init__(self, examples: Examples, fingerprint: str) -> None:
        self.__examples: Examples | None = examples
        self.__n = len(examples)
        self.__classes = examples.classes
        self.__fingerprint = fingerprint

    @property
    def n(self) -> int:
        """How many examples."""
        return self.__n

    @property
    def classes(self) -> tuple[str, ...]:
        """The class map, which is that of the whole data."""
        return self.__classes

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the sorted pairs (id, SHA-256 of the file), hexadecimal."""
        return self.__fingerprint

    def __repr__(self) -> str:
        return f"HeldOut(n={self.n}, fingerprint={self.fingerprint[:12]!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise UsageError(
            "a held-out part cannot be copied or pickled: a copy could be opened again",
            expected="one HeldOut object, opened once, in the process that sealed it",
            fix="seal the test part where it is opened; pass on its n, classes and fingerprint",
        )

    def _check_sealed(self) -> None:
        if self.__examples is None:
            raise UsageError(
                f"the held-out part {self.fingerprint[:12]} has been opened already",
                expected="one opening a run: a second look makes the first score a choice",
                fix="keep the examples or the predictions of the first opening, or make a new run, which is counted",
            )

    def _break_seal(self) -> Examples:
        self._check_sealed()
        examples, self.__examples = self.__examples, None
        assert examples is not None
        return examples


def seal(examples: Examples, split: Split, content: Sequence[str]) -> HeldOut:
    """The test part of a split, sealed.

    Args:
        examples: All examples.
        split: Of these examples.
        content: SHA-256 of each example's file, hexadecimal, in the order of `examples`.

    Raises:
        DataError: The test part is empty.
    """
    assert len(examples) == len(split.parts) == len(content), (
        f"{len(examples)} examples, {len(split.parts)} parts, {len(content)} hashes"
    )
    test = split.indices("test")
    if not len(test):
        raise DataError(
            "the test part holds no example",
            expected="at least one example of each class in the test part",
            fix="add test examples, or remove the test part: heldout then makes one",
        )
    opened = "".join(f"{examples.ids[i]}\0{content[i]}\0" for i in test.tolist())  # ascending, and ids are sorted
    return HeldOut(examples.take(test), hashlib.sha256(opened.encode()).hexdigest())


def open_heldout(heldout: HeldOut, *, log: Path, run: str, why: str, model: str = "") -> Examples:
    """The examples of a held-out part, after the opening has been logged.

    One JSON line (when, run, why, model, fingerprint, n) is on the disk before the examples are given out; where it
    cannot be written the part stays sealed. The log is only ever appended to. A run that was killed after its opening
    and comes to the same place again, with the same model, finds its own line and writes no second one: it can see
    nothing that it has not seen. With another model it is another look.

    Args:
        heldout: What to open; it can be opened once.
        log: The file `openings.jsonl` of the run.
        run: Name of the run.
        why: What the examples are for.
        model: Fingerprint of what is judged on them; where it is not given, every opening is a new one.

    Raises:
        UsageError: It has been opened before.
        StorageError: The log cannot be written.
    """
    heldout._check_sealed()
    record = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": run,
        "why": why,
        "model": model,
        "fingerprint": heldout.fingerprint,
        "n": heldout.n,
    }
    if not (model and any(_is_same(line, record) for line in _lines(log))):
        append_line(log, record)
    return heldout._break_seal()


def count_openings(folders: Iterable[Path], fingerprint: str) -> int:
    """How often a held-out part has been opened, over the logs of these run folders.

    Folders without a log count nothing. A line that was cut off by a kill or a full disk counts nothing: the part
    stayed sealed.

    Raises:
        RunFolderError: A log is there and cannot be read, so that the count would be too low.
    """
    return sum(_count(folder / LOG_NAME, fingerprint) for folder in {folder.resolve() for folder in folders})


def _count(log: Path, fingerprint: str) -> int:
    return sum(entry.get("fingerprint") == fingerprint for entry in map(_entry, _lines(log)))


def _lines(log: Path) -> list[bytes]:
    try:
        content = log.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RunFolderError(
            f"the openings in {str(log)!r} cannot be read: {error.strerror}",
            expected="logs that can be read, so that no opening is missed",
            fix="change the permissions of the file",
        ) from error
    # A line that was cut off has no end, so the next one begins inside it.
    return content.replace(b'{"when"', b'\n{"when"').splitlines()


def _entry(line: bytes) -> dict[str, Any]:
    """What a line says; nothing where it was cut off."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _is_same(line: bytes, record: Mapping[str, Any]) -> bool:
    """Whether a line tells of the same opening, whenever that was."""
    return {**_entry(line), "when": record["when"]} == record
