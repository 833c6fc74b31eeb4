"""The scripts of `tests/auditing/cases`, with what is to be said of each, as comments in it tell.

A line that is at fault ends in `# <- H201`; where more is true of it, or of another line, `also H212` stands there;
what the audit does not tell, though it ought to, is marked `# <- missed H405`. A correct script has no such marks.
The first line `# false alarm: H206` owns up to what is told of a correct script, though it ought not to be.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heldout.auditing.audited import cell_of
from heldout.auditing.rule import AuditFinding
from heldout.auditing.seen.place import Place

CASES = Path(__file__).parent / "cases"
FRAMEWORKS = CASES / "frameworks"
_MARK = re.compile(r"(<- missed|<-|\balso)\s+(H\d{3})")
_FALSE_ALARM = re.compile(r"\A# false alarms?:((?:[ ,]+H\d{3})+)")


@dataclass(frozen=True, order=True)
class Mark:
    """What is to be told of a line.

    Attributes:
        cell: Of a notebook; 0 in a file.
        line: In the file, or in the cell.
        code: The rule's.
        kind: `fault`; `also`, which is true and may be told; `missed`, which ought to be told and is not.
    """

    cell: int
    line: int
    code: str
    kind: str


@dataclass(frozen=True)
class Case:
    """A script with its marks."""

    path: Path
    marks: tuple[Mark, ...]
    false_alarms: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its path below the folder of all cases, as every system writes it."""
        return self.path.relative_to(CASES).as_posix()

    @property
    def is_bug(self) -> bool:
        """Whether something is wrong with it."""
        return "bugs" in self.path.relative_to(CASES).parts

    @property
    def needs_frameworks(self) -> bool:
        """Whether more than heldout's own packages must be installed."""
        return self.path.is_relative_to(FRAMEWORKS)

    def of_kind(self, kind: str) -> tuple[Mark, ...]:
        """The marks of a kind."""
        return tuple(mark for mark in self.marks if mark.kind == kind)


def cases() -> list[Case]:
    """All of them."""
    paths = [path for folder in ("bugs", "legitimate") for path in CASES.glob(f"**/{folder}/*") if path.suffix]
    return [_case(path) for path in sorted(paths) if path.suffix in (".py", ".ipynb")]


def _case(path: Path) -> Case:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = [(number, "".join(cell["source"])) for number, cell in enumerate(json.loads(text)["cells"], 1)]
    else:
        cells = [(0, text)]
    marks = [
        Mark(cell, line, code, {"<-": "fault", "<- missed": "missed", "also": "also"}[word])
        for cell, source in cells
        for line, row in enumerate(source.splitlines(), 1)
        if "#" in row
        for word, code in _MARK.findall(row.rpartition("# ")[2])
    ]
    owned = _FALSE_ALARM.match(cells[0][1])
    return Case(path, tuple(marks), tuple(re.findall(r"H\d{3}", owned[1])) if owned else ())


def is_at(mark: Mark, finding: AuditFinding) -> bool:
    """Whether a finding tells what a mark asks for, at its line or with its line among the others."""
    places: Sequence[Place] = (finding.place, *finding.more)
    return finding.code == mark.code and any((cell_of(at) or 0, at.line) == (mark.cell, mark.line) for at in places)
