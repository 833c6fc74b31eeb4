"""What an audit came to: the findings, what they rest on, and how the script ended. No torch."""

import linecache
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from heldout.auditing.facts import Facts
from heldout.auditing.rule import AuditFinding, gravest_first
from heldout.auditing.seen.log import Log
from heldout.auditing.seen.place import Place
from heldout.auditing.watch.held_samples import n_distinct_in
from heldout.findings import SEVERITIES, Severity

# The line where a case shows while the script runs is often the one below that where it can be read. Assumed.
_NEAR = 2


@dataclass(frozen=True, slots=True)
class Watched:
    """How much was seen, so that silence can be judged.

    Attributes:
        torch: Its version; empty where the script never imported it.
        n_models: Models that were called, counted once with all that shares their parameters.
        n_trained: How many of them learned.
        n_steps: Steps of all optimisers.
        n_evaluations: Loops in which a model that learns at some time was only asked.
        n_samples: Distinct samples that a model was given.
        n_lines: Lines that were printed.
        left_out: What was left out to keep the log small, and how often.
        faults: What went wrong in the watch itself.
    """

    torch: str = ""
    n_models: int = 0
    n_trained: int = 0
    n_steps: int = 0
    n_evaluations: int = 0
    n_samples: int = 0
    n_lines: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """What is known of a script.

    Attributes:
        script: As it was given.
        findings: Why its numbers cannot be trusted, the gravest first; none says only that none of the rules spoke.
        watched: How much was seen; None where the script was read and not run.
        outcome: How it ended: `finished`, `exit 3`, `ValueError: ...`, `interrupted`, `stopped after 60 s`,
            `killed by SIGKILL`, or `read`.
        exit_code: The script's own, as a shell has it.
        seconds: How long it ran.
        lines: The source at the places of the findings.
    """

    script: str
    findings: tuple[AuditFinding, ...]
    watched: Watched | None
    outcome: str
    exit_code: int = 0
    seconds: float = 0.0
    lines: Mapping[Place, str] = field(default_factory=dict, repr=False)

    def count(self, severity: Severity) -> int:
        """How many findings are of this severity."""
        return sum(each.severity == severity for each in self.findings)

    def summary(self, *, width: int = 100) -> str:
        """All of it, for a person to read.

        Args:
            width: Of a line.
        """
        from heldout.auditing.told import lines_of

        return "\n".join(lines_of(self, width=width))

    def as_dict(self) -> dict[str, Any]:
        """All of it, for a program to read."""
        return {
            "script": self.script,
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 3),
            "counts": {severity: self.count(severity) for severity in SEVERITIES},
            "findings": [self._finding_as_dict(each) for each in self.findings],
            "watched": asdict(self.watched) if self.watched is not None else None,
        }

    def _finding_as_dict(self, finding: AuditFinding) -> dict[str, Any]:
        return {
            "code": finding.code,
            "name": finding.name,
            "severity": finding.severity,
            **self.place_as_dict(finding.place),
            "observed": finding.observed,
            "believed": finding.believed,
            "effect": finding.effect,
            "fix": finding.fix,
            "page": finding.page,
            "more": [self.place_as_dict(place) for place in finding.more],
        }

    def place_as_dict(self, place: Place) -> dict[str, Any]:
        """A place as file, line and the source that stands there; in a notebook the cell as well."""
        cell = cell_of(place)
        file = self.script if cell else shown_file(place.file)
        return {"file": file, "cell": cell, "line": place.line, "source": self.lines.get(place, "")}


def cell_of(place: Place) -> int | None:
    """The number of a notebook's cell; None for a place in a file."""
    return int(place.file[6:-1]) if place.file.startswith("<cell ") else None


def shown_file(file: str) -> str:
    """A file as seen from here, where it is here or below; whole otherwise."""
    if not file or file.startswith("<"):
        return file
    absolute = os.path.normpath(Path(file).absolute())
    return str(Path(absolute).relative_to(Path.cwd())) if Path(absolute).is_relative_to(Path.cwd()) else absolute


def watched_in(log: Log) -> Watched:
    """How much a log tells of."""
    facts = Facts(log)
    return Watched(
        torch=log.torch,
        n_models=len({model.family for model in log.models}),
        n_trained=len(facts.trained_families),
        n_steps=sum(each.n_steps for each in log.optimisers),
        n_evaluations=len(facts.evaluations),
        n_samples=n_distinct_in([each.items for each in log.samples]),
        n_lines=len(facts.lines),
        left_out=dict(log.truncated),
        faults=log.faults,
    )


def merged(seen: Sequence[AuditFinding], read: Sequence[AuditFinding]) -> tuple[AuditFinding, ...]:
    """What was seen and what was read; of the same case at the same lines what was seen, for it has the evidence."""
    found = list(seen)
    for each in read:
        near = [at for at, other in enumerate(found) if other.code == each.code and _are_near(each.place, other.place)]
        if not near:
            found.append(each)
        elif all(each.place.line not in {place.line for place in (found[at].place, *found[at].more)} for at in near):
            found[near[0]] = replace(found[near[0]], more=(*found[near[0]].more, each.place))
    return gravest_first(found)


def _are_near(one: Place, other: Place) -> bool:
    files = {each.file if each.file.startswith("<") else os.path.realpath(each.file) for each in (one, other)}
    return len(files) == 1 and abs(one.line - other.line) <= _NEAR


def lines_at(findings: Sequence[AuditFinding], known: Mapping[str, Sequence[str]]) -> dict[Place, str]:
    """The source at every place of some findings.

    Args:
        findings: Whose places.
        known: Lines of files as they were when the script began.
    """
    found = {}
    for place in (place for each in findings for place in (each.place, *each.more)):
        lines = known.get(place.file)
        if lines is None:
            text = linecache.getline(place.file, place.line) if place.line else ""
        else:
            text = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
        found[place] = text.expandtabs(4).rstrip()
    return found
