"""A log -> the findings of every rule, the gravest first. No torch."""

from collections.abc import Iterable

from heldout.auditing.facts import Facts
from heldout.auditing.rule import AuditFinding, Rule, finding_of, gravest_first
from heldout.auditing.seen.log import Log


def judge(log: Log, rules: Iterable[Rule]) -> tuple[AuditFinding, ...]:
    """What the rules find; the same case at the same line is told once, at its gravest.

    Args:
        log: What was seen.
        rules: Each is asked once.
    """
    facts = Facts(log)
    found: dict[tuple[str, object], AuditFinding] = {}
    for rule in rules:
        try:
            hits = list(rule.find(facts))
        except Exception as error:  # what the others found after hours of a run must not be lost
            log.faults = (*log.faults, f"{rule.code}: {type(error).__name__}: {error}")
            continue
        for hit in hits:
            fresh = finding_of(rule, hit)
            told = found.setdefault((rule.code, hit.place), fresh)
            if gravest_first((told, fresh))[0].severity != told.severity:
                found[rule.code, hit.place] = fresh
    return gravest_first(found.values())
