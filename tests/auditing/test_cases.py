"""Whole scripts of many hands and shapes: what is wrong is told at its line, and nothing is told of what is right."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from auditing.fork_server import ForkServer
from auditing.framework_environment import environment
from auditing.marked import Case, cases, is_at
from heldout.auditing.auditor import audit_of, read_only
from heldout.auditing.process.targets import find_target
from heldout.auditing.rule import AuditFinding

ALL = cases()
BUGS = [case for case in ALL if case.is_bug]
LEGITIMATE = [case for case in ALL if not case.is_bug]
# Each takes a second; of each kind a few are run every time.
QUICK = 4


def _marked(some: list[Case]) -> list[object]:
    own = [case for case in some if not case.needs_frameworks]
    quick = {case.name for case in own[:: max(1, len(own) // QUICK)][:QUICK]}
    slow = (pytest.mark.slow, pytest.mark.timeout(900))
    marks = {case.name: pytest.mark.frameworks if case.needs_frameworks else slow for case in some}
    return [pytest.param(case, id=case.name, marks=() if case.name in quick else marks[case.name]) for case in some]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    with ForkServer(environment(tmp_path_factory.mktemp("cases"))) as server:
        yield server


def _told(case: Case, server: ForkServer, folder: Path) -> list[AuditFinding]:
    """What is told above a note, by a script that writes into a folder of its own; of a bug, notes too."""
    target = find_target(case.path)
    audited = audit_of(server.log_of(target, folder), target)
    assert audited.outcome == "finished", audited.summary()
    assert audited.watched is not None
    assert audited.watched.faults == ()
    assert audited.watched.n_models or not case.is_bug
    return [each for each in audited.findings if each.severity != "note" or case.is_bug]


@pytest.mark.parametrize("case", _marked(LEGITIMATE))
def test_nothing_is_told_of_a_correct_script(case: Case, server: ForkServer, tmp_path: Path) -> None:
    assert case.marks == ()
    told = _told(case, server, tmp_path)
    assert {each.code for each in told} == set(case.false_alarms), "\n".join(f"{e.code} {e.observed}" for e in told)


@pytest.mark.parametrize("case", _marked(BUGS))
def test_what_is_wrong_is_told_at_its_line(case: Case, server: ForkServer, tmp_path: Path) -> None:
    told = _told(case, server, tmp_path)
    assert [mark for mark in case.of_kind("fault") if not any(is_at(mark, each) for each in told)] == []
    # A mark that the audit has outgrown is taken away.
    assert [mark for mark in case.of_kind("missed") if any(is_at(mark, each) for each in told)] == []
    true = {mark.code for mark in case.marks}
    grave = [each for each in told if each.severity != "note"]
    assert {each.code for each in grave} <= true, "\n".join(f"{e.code} {e.place} {e.observed}" for e in grave)


@pytest.mark.parametrize("case", LEGITIMATE, ids=[case.name for case in LEGITIMATE])
def test_nothing_is_read_in_a_correct_script(case: Case) -> None:
    told = {each.code for each in read_only(case.path).findings if each.severity != "note"}
    assert told <= set(case.false_alarms)


def test_there_are_cases_of_both_kinds_and_each_bug_is_marked() -> None:
    assert len(BUGS) >= 30
    assert len(LEGITIMATE) >= 30
    assert [case.name for case in BUGS if not case.of_kind("fault") and not case.of_kind("missed")] == []
