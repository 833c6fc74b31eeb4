"""The form for code review: what its schema requires, and what reviewers go by."""

import json
from pathlib import Path
from typing import Any

import pytest

from auditing.make_audits import audit, finding, here
from heldout.auditing.audited import Audit
from heldout.auditing.rules.every import RULES
from heldout.auditing.sarif import sarif_of
from heldout.auditing.seen.place import Place


def _run(made: Audit) -> Any:
    log = json.loads(json.dumps(sarif_of(made)))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    return log["runs"][0]


def test_every_rule_is_there_with_help() -> None:
    rules = _run(audit())["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.code for rule in RULES]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["name"].isalnum()
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
        for text in (rule["shortDescription"], rule["fullDescription"], rule["help"]):
            assert text["text"]
        assert f"docs/audit/{rule['id']}.md" in rule["help"]["text"]


def test_a_finding_points_at_its_line_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = _run(audit(finding(here(85, "my folder/train.py"), more=(here(3),)), finding(code="H999", severity="note")))
    first, second = run["results"]
    location = first["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "my%20folder/train.py", "uriBaseId": "%SRCROOT%"}
    assert location["region"] == {"startLine": 85, "snippet": {"text": "    source of 85"}}
    assert first["relatedLocations"][0]["id"] == 1
    assert (first["level"], second["level"]) == ("error", "note")
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert len(result["partialFingerprints"]["heldout/v1"]) == 32


def test_a_file_that_is_not_below_is_named_whole_and_a_place_without_a_line_is_the_script() -> None:
    far, none = _run(audit(finding(Place("/else where/model.py", 4)), finding(Place())))["results"]
    assert far["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///else%20where/model.py"}
    physical = none["locations"][0]["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical["region"]["startLine"]) == ("train.py", 1)


def test_the_line_of_a_cell_is_found_in_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells = [{"cell_type": "code", "source": [f"x = {number}\n", 'y = "ä"']} for number in (1, 2)]
    Path("a.ipynb").write_text(json.dumps({"cells": cells}, indent=1, ensure_ascii=False), encoding="utf-8")
    place = Place("<cell 2>", 2)
    made = Audit("a.ipynb", (finding(place),), None, "read", lines={place: 'y = "ä"'})
    location = _run(made)["results"][0]["locations"][0]
    line = location["physicalLocation"]["region"]["startLine"]
    text = Path("a.ipynb").read_text(encoding="utf-8").splitlines()
    assert "ä" in text[line - 1]
    assert line > len(text) // 2
    assert location["message"]["text"] == "cell 2, line 2"
    Path("a.ipynb").unlink()
    assert _run(made)["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


@pytest.mark.parametrize(
    ("outcome", "code", "level"), [("finished", 0, None), ("stopped after 5 s", 0, "note"), ("exit 3", 3, "error")]
)
def test_how_the_script_ended_is_told(outcome: str, code: int, level: str | None) -> None:
    (invocation,) = _run(audit(outcome=outcome, exit_code=code))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (code == 0, code)
    told = invocation.get("toolExecutionNotifications", [])
    assert [(each["level"], each["message"]["text"]) for each in told] == ([(level, outcome)] if level else [])
