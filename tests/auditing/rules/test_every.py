"""What holds for every rule."""

import pytest

from heldout.auditing.rule import Rule
from heldout.auditing.rules.every import RULES
from heldout.findings import SEVERITIES


def test_codes_and_names_are_unique_and_codes_in_order() -> None:
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_words_of_a_rule(rule: Rule) -> None:
    assert len(rule.code) == 4
    assert rule.code[:2] in ("H1", "H2", "H3", "H4")
    assert rule.code[1:].isdigit()
    assert rule.severity in SEVERITIES
    assert rule.name == rule.name.lower()
    assert " " not in rule.name
    assert rule.believed.endswith(".")
    assert rule.effect.endswith(".")
    for words in (rule.believed, rule.effect, rule.fix):
        assert words
        assert words == words.strip()
        assert "\n" not in words
        assert "  " not in words
