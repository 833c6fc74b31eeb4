"""An audit as SARIF 2.1.0, the form in which tools for code review take findings.

Source:
    OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0 Plus Errata 01 (2023).
"""

import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heldout.auditing.rule import AuditFinding, Rule
from heldout.auditing.seen.place import Place

if TYPE_CHECKING:
    from heldout.auditing.audited import Audit

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Locations are relative to this; whoever takes the file knows which folder it is.
_ROOT = "%SRCROOT%"


def sarif_of(audit: "Audit") -> dict[str, Any]:
    """The whole audit as one SARIF log with one run."""
    from heldout.auditing.rules.every import RULES

    rules = {rule.code: _rule(rule) for rule in RULES}
    for finding in audit.findings:  # what is found by reading alone has no rule among these
        rules.setdefault(finding.code, _rule(finding))
    order = list(rules)
    driver = {"name": "heldout audit", "version": version("heldout"), "rules": list(rules.values())}
    invocation: dict[str, Any] = {"executionSuccessful": audit.exit_code == 0, "exitCode": audit.exit_code}
    if audit.outcome not in {"finished", "read"}:
        level = "note" if audit.outcome.startswith("stopped") else "error"
        invocation["toolExecutionNotifications"] = [{"level": level, "message": {"text": audit.outcome}}]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(audit, finding, order.index(finding.code)) for finding in audit.findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule | AuditFinding) -> dict[str, Any]:
    told = f"What is believed: {rule.believed}\nWhy the number moves: {rule.effect}\nHow to mend it: {rule.fix}"
    page = f"docs/audit/{rule.code}.md"
    marked = f"**What is believed.** {rule.believed}\n\n**Why the number moves.** {rule.effect}\n\n**Fix.** {rule.fix}"
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.name.replace("-", " ").capitalize() + "."},
        "fullDescription": {"text": rule.effect},
        "help": {"text": f"{told}\nMore: {page}", "markdown": f"{marked}\n\nMore: `{page}`"},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(audit: "Audit", finding: AuditFinding, index: int) -> dict[str, Any]:
    told = f"{finding.observed} {finding.effect} Fix: {finding.fix}"
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": told},
        "locations": [_location(audit, finding.place)],
        # The same case at the same source is the same result, though lines above it come and go.
        "partialFingerprints": {"heldout/v1": _fingerprint(audit, finding)},
    }
    if finding.more:
        result["relatedLocations"] = [
            {"id": number, **_location(audit, place)} for number, place in enumerate(finding.more, 1)
        ]
    return result


def _location(audit: "Audit", place: Place) -> dict[str, Any]:
    told = audit.place_as_dict(place)
    line = _line_in_notebook(audit.script, told["cell"], told["source"]) if told["cell"] else place.line
    region: dict[str, Any] = {"startLine": max(line, 1)}
    if told["source"]:
        region["snippet"] = {"text": told["source"]}
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(told["file"] or audit.script), "region": region}
    }
    if told["cell"]:
        location["message"] = {"text": f"cell {told['cell']}, line {place.line}"}
    return location


def _artifact(file: str) -> dict[str, str]:
    """A file relative to here where it is below; whole where it is not."""
    absolute = Path(os.path.normpath(Path(file).absolute()))
    if not absolute.is_relative_to(Path.cwd()):
        return {"uri": absolute.as_uri()}
    here = absolute.relative_to(Path.cwd())
    return {"uri": Path("/", here).as_uri().removeprefix("file:///"), "uriBaseId": _ROOT}


def _line_in_notebook(notebook: str, cell: int, source: str) -> int:
    """The line of a notebook's file that holds a line of a cell; 1 where it cannot be found."""
    try:
        lines = Path(notebook).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return 1
    begins = [number for number, line in enumerate(lines) if '"cell_type"' in line]
    first = begins[cell - 1] if cell <= len(begins) else 0
    wanted = json.dumps(source.strip(), ensure_ascii=False)[1:-1]
    return next(
        (number for number, line in enumerate(lines[first:], first + 1) if wanted and wanted in line), first + 1
    )


def _fingerprint(audit: "Audit", finding: AuditFinding) -> str:
    told = audit.place_as_dict(finding.place)
    return hashlib.sha256(f"{finding.code}\n{told['file']}\n{told['source'].strip()}".encode()).hexdigest()[:32]
