"""Audits made by hand, as a watch or a reading would bring them."""

from pathlib import Path

from heldout.auditing.audited import Audit, Watched
from heldout.auditing.rule import AuditFinding
from heldout.auditing.seen.place import Place
from heldout.findings import Severity

WATCHED = Watched(torch="2.13.0", n_models=1, n_trained=1, n_steps=1200, n_evaluations=2, n_samples=300, n_lines=7)


def finding(
    place: Place | None = None,
    code: str = "H101",
    *,
    severity: Severity = "error",
    observed: str = "100 % of the 816 samples evaluated here had been trained on.",
    more: tuple[Place, ...] = (),
) -> AuditFinding:
    return AuditFinding(
        code,
        "evaluated-on-trained-samples",
        severity,
        place or here(85),
        observed,
        "It was never seen.",
        "Too high.",
        "evaluate elsewhere",
        more,
    )


def here(line: int, name: str = "train.py") -> Place:
    return Place(str(Path.cwd() / name), line)


def audit(
    *findings: AuditFinding, outcome: str = "finished", exit_code: int = 0, watched: Watched | None = WATCHED
) -> Audit:
    lines = {place: f"    source of {place.line}" for each in findings for place in (each.place, *each.more)}
    return Audit("train.py", findings, watched, outcome, exit_code, 12.34, lines)
