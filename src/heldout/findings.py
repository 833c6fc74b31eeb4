"""Findings: doubts about a number. They never stop a run; they stand in every report."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
# How many files, classes or settings a Finding names in `where`; `what` has the full count.
MAX_NAMED = 24
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that weakens the trust a reader may put in a number.

    Attributes:
        code: Stable short name, such as `duplicate-across-splits`.
        severity: `error` must be acted on, `warning` should be looked at, `note` is good to know.
        where: The files, classes or settings concerned (at most a few dozen; `what` has the count).
        what: What was observed, with counts.
        why: Why it moves the number, and which way.
        fix: What to do about it, in one line.
        source: The literature or measurement behind it; empty where it needs none.
    """

    code: str
    severity: Severity
    what: str
    why: str
    fix: str
    where: tuple[str, ...] = ()
    source: str = ""

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return asdict(self)


def by_severity(findings: list[Finding]) -> list[Finding]:
    """The gravest first; among equals the order stays."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
