import copy
import hashlib
import json
import os
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from heldout.data.examples import Examples, Row, gather
from heldout.data.sealed import HeldOut, count_openings, open_heldout, seal
from heldout.data.splits import Split, make_split
from heldout.data.storage.sources import FolderSource
from heldout.errors import DataError, RunFolderError, StorageError, UsageError


def data() -> tuple[Examples, Split, list[str]]:
    rows: list[Row] = [(f"{c}/{i}.jpg", c, -1) for c in ("cat", "dog") for i in range(10)]
    examples = gather(FolderSource(Path("/d")), rows, layout="class folders")
    return examples, make_split(examples, seed=0), [hashlib.sha256(id_.encode()).hexdigest() for id_ in examples.ids]


def sealed() -> HeldOut:
    return seal(*data())


def test_only_the_size_the_classes_and_the_fingerprint_can_be_seen() -> None:
    examples, split, content = data()
    heldout = seal(examples, split, content)
    assert (heldout.n, heldout.classes) == (4, ("cat", "dog"))
    pairs = "".join(f"{examples.ids[i]}\0{content[i]}\0" for i in split.indices("test"))
    assert heldout.fingerprint == hashlib.sha256(pairs.encode()).hexdigest()
    assert [name for name in dir(heldout) if not name.startswith("_")] == ["classes", "fingerprint", "n"]
    assert repr(heldout) == f"HeldOut(n=4, fingerprint='{heldout.fingerprint[:12]}')"
    assert not hasattr(heldout, "__dict__")
    with pytest.raises(AttributeError):
        heldout.n = 5  # type: ignore[misc]


def test_the_fingerprint_changes_with_the_content_and_the_choice() -> None:
    examples, split, content = data()
    first = seal(examples, split, content).fingerprint
    i = split.indices("test")[0]
    changed = [*content[:i], "0" * 64, *content[i + 1 :]]
    assert seal(examples, split, changed).fingerprint != first
    j = split.indices("train")[0]
    assert seal(examples, split, [*content[:j], "0" * 64, *content[j + 1 :]]).fingerprint == first
    assert seal(examples, make_split(examples, seed=1), content).fingerprint != first


def test_opening_gives_the_test_examples_and_writes_one_line(tmp_path: Path) -> None:
    examples, split, content = data()
    heldout = seal(examples, split, content)
    opened = open_heldout(heldout, log=tmp_path / "openings.jsonl", run="flowers-001", why='the "last" look\n')
    assert opened.ids == tuple(examples.ids[i] for i in split.indices("test"))
    assert opened.labels.tolist() == examples.labels[split.indices("test")].tolist()
    (line,) = (tmp_path / "openings.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert datetime.now(UTC) - datetime.fromisoformat(record.pop("when")) < timedelta(minutes=1)
    assert record == {
        "run": "flowers-001",
        "why": 'the "last" look\n',
        "model": "",
        "fingerprint": heldout.fingerprint,
        "n": 4,
    }


def test_a_second_opening_is_refused_and_not_logged(tmp_path: Path) -> None:
    heldout, log = sealed(), tmp_path / "openings.jsonl"
    open_heldout(heldout, log=log, run="a", why="score")
    with pytest.raises(UsageError, match="has been opened already"):
        open_heldout(heldout, log=log, run="a", why="score again")
    assert len(log.read_text().splitlines()) == 1
    assert heldout.n == 4


def test_the_log_is_only_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "openings.jsonl"
    log.write_bytes(b'{"when": "2026-01-01", "fingerprint": "x"}\n')
    open_heldout(sealed(), log=log, run="a", why="score")
    assert log.read_bytes().startswith(b'{"when": "2026-01-01", "fingerprint": "x"}\n{"when"')


def test_a_log_that_cannot_be_written_keeps_the_seal(tmp_path: Path) -> None:
    heldout = sealed()
    with pytest.raises(StorageError, match="cannot write"):
        open_heldout(heldout, log=tmp_path / "absent" / "openings.jsonl", run="a", why="score")
    assert len(open_heldout(heldout, log=tmp_path / "openings.jsonl", run="a", why="score")) == 4


def test_the_line_is_on_the_disk_before_the_examples_are_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heldout, log = sealed(), tmp_path / "openings.jsonl"
    written: list[str] = []

    def failing(handle: int) -> None:
        written.append(log.read_text())
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(StorageError, match="Input/output error"):
            open_heldout(heldout, log=log, run="a", why="score")
    # The whole line had been handed to the system when it was asked to make it durable; it was not, so no labels.
    assert json.loads(written[0])["fingerprint"] == heldout.fingerprint
    assert len(open_heldout(heldout, log=log, run="a", why="score")) == 4


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copies_are_refused(how: object) -> None:
    with pytest.raises(UsageError, match="cannot be copied or pickled"):
        how(sealed())  # type: ignore[operator]


def test_an_empty_test_part_is_refused() -> None:
    examples, _, content = data()
    with pytest.raises(DataError, match="the test part holds no example"):
        seal(examples, Split(parts=np.zeros(20, np.int8), made=(), seed=0), content)


def test_openings_are_counted_over_run_folders(tmp_path: Path) -> None:
    fingerprint = sealed().fingerprint
    for name in ("one", "two", "none"):
        (tmp_path / name).mkdir()
    open_heldout(sealed(), log=tmp_path / "one/openings.jsonl", run="one", why="score")
    open_heldout(sealed(), log=tmp_path / "one/openings.jsonl", run="one", why="evaluate")
    open_heldout(sealed(), log=tmp_path / "two/openings.jsonl", run="two", why="score")
    folders = [tmp_path / name for name in ("one", "two", "none", "absent", "one")]
    assert count_openings(folders, fingerprint) == 3
    assert count_openings(folders, "another") == 0
    assert count_openings([], fingerprint) == 0


def test_a_torn_line_counts_nothing_and_swallows_nothing(tmp_path: Path) -> None:
    log = tmp_path / "openings.jsonl"
    fingerprint = sealed().fingerprint
    open_heldout(sealed(), log=log, run="a", why="score")
    whole = log.read_bytes()
    for n_bytes in (1, 9, 60, len(whole) - 2):
        log.write_bytes(b"[1]\n\xff\n" + whole[:n_bytes])
        open_heldout(sealed(), log=log, run="a", why='{"when" it was asked')
        assert count_openings([tmp_path], fingerprint) == 1, n_bytes


def test_a_log_that_cannot_be_read_is_an_error_and_not_zero(tmp_path: Path) -> None:
    (tmp_path / "openings.jsonl").mkdir()
    with pytest.raises(RunFolderError, match="cannot be read: Is a directory"):
        count_openings([tmp_path], "x")


def test_a_run_that_comes_to_its_opening_again_with_the_same_model_logs_it_once(tmp_path: Path) -> None:
    examples, split, content = data()
    log = tmp_path / "openings.jsonl"

    def look(run: str, model: str) -> int:
        opened = open_heldout(seal(examples, split, content), log=log, run=run, why="score", model=model)
        assert len(opened) == 4
        return len(log.read_text().splitlines())

    assert [look("a", "m"), look("a", "m"), look("a", "other"), look("b", "m"), look("a", ""), look("a", "")] == [
        1,
        1,
        2,
        3,
        4,
        5,
    ]
