"""The rules about printed numbers on real scripts, run one after the other in this process under a watch."""

import io
import runpy
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from auditing.number_scripts import BAD, BEGINNING
from auditing.number_scripts_loops import LOOPS
from auditing.number_scripts_printing import PRINTING
from auditing.number_scripts_shapes import SHAPES
from heldout.auditing.judging import judge
from heldout.auditing.rule import AuditFinding
from heldout.auditing.rules import (
    numbers_batches,
    numbers_counters,
    numbers_divisor,
    numbers_splits,
    numbers_training,
    numbers_unexplained,
)
from heldout.auditing.seen.log import Log
from heldout.auditing.watch.watching import Watch

SUBJECTS = (
    numbers_divisor,
    numbers_counters,
    numbers_batches,
    numbers_training,
    numbers_splits,
    numbers_unexplained,
)
GOOD = {**PRINTING, **SHAPES, **LOOPS}
RULES = [rule for subject in SUBJECTS for rule in subject.RULES]
# Each takes some tenths of a second; that they are all silent, or all told, is seen in the slow suite.
QUICK = ("H303_both_counters", "H305_wrong_variable", "best_epoch")


def _watched(file: Path, source: str) -> Log:
    file.write_text(BEGINNING + source, encoding="utf-8")
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        watch = Watch(str(file))
        watch.begin()
        try:
            runpy.run_path(str(file), run_name="__main__")
        finally:
            log = watch.end()
    assert log.faults == ()
    return log


def _told(folder: Path, source: str) -> list[AuditFinding]:
    return [each for each in judge(_watched(folder / "train.py", source), RULES) if each.severity != "note"]


def _marked(names: list[str]) -> list[object]:
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", _marked(list(GOOD)))
def test_of_correct_scripts_no_number_is_accused(name: str, tmp_path: Path) -> None:
    if "tqdm" in GOOD[name]:
        pytest.importorskip("tqdm")
    assert _told(tmp_path, GOOD[name]) == []


@pytest.mark.parametrize("name", _marked(list(BAD)))
def test_a_fault_is_told_with_its_code_at_its_line(name: str, tmp_path: Path) -> None:
    found = _told(tmp_path, BAD[name])
    assert {each.code for each in found} == {name.partition("_")[0]}
    lines = (BEGINNING + BAD[name]).splitlines()
    assert all("print(" in lines[each.place.line - 1] or "return" in lines[each.place.line - 1] for each in found)
