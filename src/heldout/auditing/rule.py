"""What a rule is, and what it finds. Imports no torch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heldout.auditing.seen.place import Place
from heldout.findings import SEVERITIES, Severity

if TYPE_CHECKING:
    from heldout.auditing.facts import Facts


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule's case was seen.

    Attributes:
        place: The user's line that is at fault, as near as it can be told.
        observed: What was seen, with counts, as a sentence: `100 % of 816 evaluated samples had been trained on.`
        severity: Where this case is graver or milder than the rule's usual; None for the usual.
        more: Further lines that belong to it.
    """

    place: Place
    observed: str
    severity: Severity | None = None
    more: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A way in which a number comes to mean something else than its reader believes.

    Attributes:
        code: Such as `H101`; docs/audit/H101.md tells all about it.
        name: A few words in kebab case, for a list.
        severity: Usually; an error where the number is wrong, a warning where it may be, a note to think about.
        believed: What the reader of the number is led to believe.
        effect: Why it moves the number, and which way.
        fix: One line that mends it.
        find: Gives the hits in what was seen.
    """

    code: str
    name: str
    severity: Severity
    believed: str
    effect: str
    fix: str
    find: "Callable[[Facts], Iterable[Hit]]"


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """A reason why a printed number cannot be trusted.

    Attributes:
        code: Of the rule.
        name: Of the rule.
        severity: How grave it is here.
        place: The line at fault.
        observed: What was seen there, with counts.
        believed: What the reader of the number is led to believe.
        effect: Why it moves the number, and which way.
        fix: One line that mends it.
        more: Further lines.
    """

    code: str
    name: str
    severity: Severity
    place: Place
    observed: str
    believed: str
    effect: str
    fix: str
    more: tuple[Place, ...] = ()

    @property
    def page(self) -> str:
        """Where all about the rule stands."""
        return f"docs/audit/{self.code}.md"


def finding_of(rule: Rule, hit: Hit) -> AuditFinding:
    """What a rule says about one place."""
    return AuditFinding(
        rule.code,
        rule.name,
        hit.severity or rule.severity,
        hit.place,
        hit.observed,
        rule.believed,
        rule.effect,
        rule.fix,
        hit.more,
    )


def gravest_first(findings: Iterable[AuditFinding]) -> tuple[AuditFinding, ...]:
    """Findings as they are told: by severity, then by code, then by line."""
    return tuple(sorted(findings, key=lambda each: (SEVERITIES.index(each.severity), each.code, each.place)))
