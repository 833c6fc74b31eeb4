"""What an audit comes to, for programs; how places are named, and findings of two sources joined."""

import json
import os
from array import array
from pathlib import Path

import numpy as np
import pytest

from auditing.make_audits import audit, finding, here
from heldout.auditing.audited import lines_at, merged, shown_file, watched_in
from heldout.auditing.seen.data import Samples
from heldout.auditing.seen.log import Log, Printed
from heldout.auditing.seen.models import Model, Optimiser, Stretch
from heldout.auditing.seen.place import Place


def test_the_record_holds_all_a_program_needs() -> None:
    made = audit(finding(more=(Place("<cell 2>", 3),)), finding(code="H204", severity="note"), exit_code=3)
    record = json.loads(json.dumps(made.as_dict()))
    assert record["counts"] == {"error": 1, "warning": 0, "note": 1}
    assert (record["script"], record["outcome"], record["exit_code"], record["seconds"]) == (
        "train.py",
        "finished",
        3,
        12.34,
    )
    first = record["findings"][0]
    assert {key: first[key] for key in ("code", "severity", "file", "line", "cell", "source", "page")} == {
        "code": "H101",
        "severity": "error",
        "file": "train.py",
        "line": 85,
        "cell": None,
        "source": "    source of 85",
        "page": "docs/audit/H101.md",
    }
    assert first["more"] == [{"file": "train.py", "cell": 2, "line": 3, "source": "    source of 3"}]
    assert record["watched"]["n_steps"] == 1200


def test_files_below_are_named_from_here_and_others_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_file(f"{tmp_path}/a/../train.py") == "train.py"
    assert shown_file("sub/./train.py") == os.path.join("sub", "train.py")  # noqa: PTH118
    assert shown_file("/elsewhere/train.py") == "/elsewhere/train.py"
    assert shown_file("") == ""
    assert shown_file("<cell 1>") == "<cell 1>"


def test_of_what_was_seen_and_read_the_same_is_told_once_with_the_evidence() -> None:
    seen = [finding(observed="seen"), finding(here(9), "H204", severity="note")]
    relative = Place(here(85).file.replace("/train.py", "/./train.py"), 85)
    read = [finding(relative, observed="read"), finding(here(7), "H203"), finding(Place("<cell 1>", 2))]
    read.append(finding(here(83), observed="read"))
    told = [(each.code, each.place.line, each.observed[:4]) for each in merged(seen, read)]
    assert told == [("H101", 85, "seen"), ("H101", 2, "100 "), ("H203", 7, "100 "), ("H204", 9, "100 ")]


def test_source_is_what_the_script_was_when_it_began(tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    file.write_text("changed\n")
    (tmp_path / "model.py").write_text("first\n\tsecond\n")
    own, other = Place(str(file), 1), Place(str(tmp_path / "model.py"), 2)
    found = lines_at([finding(own, more=(other, Place(), Place(str(file), 9)))], {str(file): ("as it was  ",)})
    assert found == {own: "as it was", other: "    second", Place(): "", Place(str(file), 9): ""}


def test_what_was_seen_is_counted() -> None:
    place = Place("/train.py", 3)
    log = Log(torch="2.13.0", truncated={"printed": 3}, faults=("x",))
    log.models = [Model(0, [], "Net", place, 5, 1, family=0), Model(1, [], "Wrapped", place, 5, 1, family=0)]
    log.optimisers = [Optimiser(0, "SGD", place, {}, 0.1, n_steps=4), Optimiser(1, "SGD", place, {}, 0.1, n_steps=3)]
    for number, trained in enumerate((True, False)):
        stretch = Stretch(number, 0, place, None, trained, trained, trained)
        stretch.moments, stretch.sizes = array("q", [number + 1]), array("q", [2])
        log.stretches.append(stretch)
    log.samples = [
        Samples(0, 0, True, np.array([1, 2], np.uint64), np.zeros(0, np.uint64)),
        Samples(0, 0, False, np.array([2, 3], np.uint64), np.zeros(0, np.uint64)),
    ]
    log.printed = [Printed(1, place, "stdout", "a\nb\n")]
    counted = watched_in(log)
    assert (counted.n_models, counted.n_trained, counted.n_steps, counted.n_evaluations) == (1, 1, 7, 1)
    assert (counted.n_samples, counted.n_lines, counted.left_out, counted.faults) == (3, 2, {"printed": 3}, ("x",))
    assert watched_in(Log()).n_samples == 0
