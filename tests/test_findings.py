import json

from heldout.findings import Finding, by_severity


def finding(code: str, severity: str) -> Finding:
    return Finding(code=code, severity=severity, what="w", why="y", fix="f", where=("a",))  # type: ignore[arg-type]


def test_the_gravest_comes_first_and_equals_keep_their_order() -> None:
    found = [finding("a", "note"), finding("b", "error"), finding("c", "warning"), finding("d", "error")]
    assert [one.code for one in by_severity(found)] == ["b", "d", "c", "a"]


def test_a_finding_is_plain_json() -> None:
    assert json.loads(json.dumps(finding("a", "note").as_dict())) == {
        "code": "a",
        "severity": "note",
        "what": "w",
        "why": "y",
        "fix": "f",
        "where": ["a"],
        "source": "",
    }
