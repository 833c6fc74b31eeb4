"""Writes docs/audit/cases.md: what the audit tells of each script in tests/auditing/cases, by watching and by reading.

python tests/auditing/make_matrix.py
"""

import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

sys.path.insert(0, str(Path(__file__).parents[1]))

from auditing.fork_server import ForkServer
from auditing.framework_environment import environment
from auditing.marked import Case, Mark, cases, is_at
from heldout.auditing.auditor import read_only
from heldout.auditing.judging import judge
from heldout.auditing.process.targets import find_target
from heldout.auditing.rule import AuditFinding
from heldout.auditing.rules.every import RULES

PAGE = Path(__file__).parents[2] / "docs" / "audit" / "cases.md"
N_PROCESSES = 2
HEAD = """# The cases of `heldout audit`: rule × script

{n_bugs} scripts with one silent bug each and {n_legitimate} correct ones, of many shapes and styles,
in [tests/auditing/cases](../../tests/auditing/cases); {n_frameworks} of them use a framework.
They were written before anybody looked at what the audit says of them; then the audit was mended by them.
So these figures flatter it: scripts of yours it has not seen will fare worse. What stays missed or wrong is in bold.

Made by `python tests/auditing/make_matrix.py`, which runs every one of them under watch.
`tests/auditing/test_cases.py` holds each of them to its row.
"""


@dataclass(frozen=True)
class Outcome:
    """What was told of a case above a note, and of its faults at any severity."""

    case: Case
    outcome: str
    watched: tuple[AuditFinding, ...]
    read: tuple[AuditFinding, ...]
    faults: tuple[str, ...] = ()

    def is_told(self, code: str, *, by_reading: bool = False) -> bool:
        """Whether each mark with this code is told, at its line."""
        told = self.read if by_reading else self.watched
        return all(any(is_at(mark, each) for each in told) for mark in self.expected if mark.code == code)

    @property
    def expected(self) -> tuple[Mark, ...]:
        """What ought to be told."""
        return (*self.case.of_kind("fault"), *self.case.of_kind("missed"))

    @property
    def wrongly(self) -> tuple[AuditFinding, ...]:
        """What is told above a note, and no mark asks for."""
        true = {mark.code for mark in self.case.marks}
        return tuple(f for f in (*self.watched, *self.read) if f.severity != "note" and f.code not in true)


def outcome_of(case: Case, server: ForkServer) -> Outcome:
    """Run a case under watch, and read it."""
    target = find_target(case.path)
    with tempfile.TemporaryDirectory() as folder:
        log = server.log_of(target, Path(folder))
    return Outcome(case, log.outcome, judge(log, RULES), read_only(case.path).findings, log.faults)


def outcomes_of(some: Sequence[Case]) -> list[Outcome]:
    """The outcomes of cases, on two cores."""
    free: Queue[ForkServer] = Queue()

    def run(case: Case) -> Outcome:
        server = free.get()
        try:
            return outcome_of(case, server)
        finally:
            free.put(server)

    with ExitStack() as stack:
        variables = environment(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        for _ in range(N_PROCESSES):
            free.put(stack.enter_context(ForkServer(variables)))
        with ThreadPoolExecutor(N_PROCESSES) as pool:
            return list(pool.map(run, some))


def main() -> None:
    some = [case for case in cases() if not sys.argv[1:] or case.path.stem in sys.argv[1:]]
    outcomes = outcomes_of(some)
    for line in (line for each in outcomes for line in _off_the_marks(each)):
        print(line)
    if not sys.argv[1:] and all(each.outcome == "finished" for each in outcomes):
        PAGE.write_text("\n".join(_lines(outcomes)) + "\n", encoding="utf-8")
        print(PAGE)


def _off_the_marks(outcome: Outcome) -> Iterable[str]:
    """Where a script does not say of itself what is told of it."""
    name = outcome.case.name
    told = (*outcome.watched, *outcome.read)
    if outcome.outcome != "finished" or outcome.faults:
        yield f"{name}: {outcome.outcome} {' '.join(outcome.faults)}"
    for finding in outcome.wrongly:
        if finding.code not in outcome.case.false_alarms:
            yield f"{name}:{finding.place.line}: {finding.code} is told, and no mark says so: {finding.observed}"
    for mark in outcome.expected:
        if any(is_at(mark, each) for each in told) != (mark.kind == "fault"):
            lines = [each.place.line for each in told if each.code == mark.code]
            yield f"{name}:{mark.line}: {mark.code} is marked as {mark.kind}, and told at lines {lines}"


def _lines(outcomes: Sequence[Outcome]) -> Iterable[str]:
    bugs = [each for each in outcomes if each.case.is_bug]
    legitimate = [each for each in outcomes if not each.case.is_bug]
    n_frameworks = sum(each.case.needs_frameworks for each in outcomes)
    yield HEAD.format(n_bugs=len(bugs), n_legitimate=len(legitimate), n_frameworks=n_frameworks)
    yield from _by_rule(bugs, legitimate)
    yield "\n## Scripts with a bug\n\n| script | what is wrong | by watching | by reading |\n| --- | --- | --- | --- |"
    for each in bugs:
        codes = sorted({mark.code for mark in each.expected})
        watched, read = (_codes(each, codes, by_reading=by_reading) for by_reading in (False, True))
        missed = [code for code in codes if not each.is_told(code) and not each.is_told(code, by_reading=True)]
        shown = ", ".join(f"**{code}, missed**" if code in missed else code for code in codes)
        yield f"| {_link(each.case)} | {shown} | {watched} | {read} |"
    yield "\n## Correct scripts\n\nNotes are left out.\n"
    yield "| script | told by watching | told by reading |\n| --- | --- | --- |"
    for each in legitimate:
        told = [sorted({f.code for f in some if f.severity != "note"}) for some in (each.watched, each.read)]
        watched, read = (", ".join(f"**{code}**" for code in codes) or "nothing" for codes in told)
        yield f"| {_link(each.case)} | {watched} | {read} |"


def _by_rule(bugs: Sequence[Outcome], legitimate: Sequence[Outcome]) -> Iterable[str]:
    yield "\n| rule | scripts with it | told by watching | told by reading | missed by both | told wrongly |"
    yield "| --- | --- | --- | --- | --- | --- |"
    wrongly = [{finding.code for finding in each.wrongly} for each in (*bugs, *legitimate)]
    totals = [0, 0, 0, 0, 0]
    for code in sorted({rule.code for rule in RULES}):
        having = [each for each in bugs if any(mark.code == code for mark in each.expected)]
        watched = [each.is_told(code) for each in having]
        read = [each.is_told(code, by_reading=True) for each in having]
        neither = sum(not one and not other for one, other in zip(watched, read, strict=True))
        row = [len(having), sum(watched), sum(read), neither, sum(code in codes for codes in wrongly)]
        totals = [one + other for one, other in zip(totals, row, strict=True)]
        yield f"| [{code}]({code}.md) | " + " | ".join(str(number) if number else "" for number in row) + " |"
    yield "| all | " + " | ".join(str(number) for number in totals) + " |"


def _codes(outcome: Outcome, codes: Sequence[str], *, by_reading: bool) -> str:
    """The expected codes that are told, and after a plus what else is."""
    told = {f.code for f in (outcome.read if by_reading else outcome.watched) if f.severity != "note"}
    right = [code for code in codes if outcome.is_told(code, by_reading=by_reading)]
    true = {mark.code for mark in outcome.case.marks}
    more = [code if code in true else f"**{code}, wrongly**" for code in sorted(told - set(codes))]
    return ", ".join(right) + (" + " + ", ".join(more) if more else "")


def _link(case: Case) -> str:
    return f"[{case.name.rpartition('.')[0]}](../../tests/auditing/cases/{case.name})"


if __name__ == "__main__":
    main()
