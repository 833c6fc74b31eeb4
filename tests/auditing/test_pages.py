"""The pages of the rules say what the rules say."""

import ast
import re
from pathlib import Path

import pytest

from heldout.auditing.reading import scripts as reading
from heldout.auditing.reading.scripts import read
from heldout.auditing.rule import Rule
from heldout.auditing.rules.every import RULES
from heldout.auditing.rules.static_only import find_nothing

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "audit"
CASEBOOK = ROOT / "docs" / "casebook.md"
READ = {code for subject in reading._SUBJECTS for code, _ in subject.CHECKS}
_TEXTS = {path: path.read_text() for path in (*sorted(PAGES.glob("*.md")), CASEBOOK)}
_RULES = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


def _text(rule: Rule) -> str:
    return _TEXTS[PAGES / f"{rule.code}.md"]


def _examples(rule: Rule) -> list[str]:
    """The bad one and the good one."""
    return re.findall(r"```python\n(.*?)```", _text(rule), re.DOTALL)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _found_by(rule: Rule) -> str:
    ways = ["watching"] * (rule.find is not find_nothing) + ["reading"] * (rule.code in READ)
    return " and ".join(ways)


def test_every_rule_has_its_page_and_every_page_its_rule() -> None:
    assert {path.stem for path in PAGES.glob("H*.md")} == {rule.code for rule in RULES}


@_RULES
def test_a_page_has_the_words_of_its_rule(rule: Rule) -> None:
    text = _text(rule)
    assert text.startswith(f"# {rule.code} {rule.name}\n")
    assert f"- Fix: {rule.fix}\n" in text
    assert f"Severity: {rule.severity}." in text
    assert rule.believed in _in_one_line(text)
    assert rule.effect in _in_one_line(text)


@_RULES
def test_reading_tells_the_bad_example_from_the_good_one(rule: Rule, tmp_path: Path) -> None:
    found = []
    for number, example in enumerate(_examples(rule)):
        ast.parse(example)
        script = tmp_path / f"example_{number}.py"
        script.write_text(example)
        found.append({each.code for each in read(script) if each.severity != "note" or each.code == rule.code})
    bad, good = found
    assert rule.code in bad if rule.code in READ else not bad - READ
    assert not good


def test_the_index_lists_every_rule_as_it_is() -> None:
    rows = [line for line in _TEXTS[PAGES / "README.md"].splitlines() if line.startswith("| [H")]
    expected = [
        f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity} | {_found_by(rule)} |" for rule in RULES
    ]
    assert rows == expected


@pytest.mark.parametrize("path", _TEXTS, ids=lambda path: path.stem)
def test_what_a_page_names_is_there(path: Path) -> None:
    text = _TEXTS[path]
    links = {path.parent / link.partition("#")[0] for link in re.findall(r"\]\(([^)#:]+)\)", text)}
    named = {ROOT / name for name in re.findall(r"`((?:src|docs|tests|examples)/[\w/.]+)`", text)}
    assert [str(each) for each in sorted(links | named) if not each.exists()] == []


@pytest.mark.parametrize("path", _TEXTS, ids=lambda path: path.stem)
def test_lines_are_short_but_for_tables(path: Path) -> None:
    assert [line for line in _TEXTS[path].splitlines() if len(line) > 120 and not line.startswith("|")] == []
