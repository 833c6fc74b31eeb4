"""The conditions that a table of cases prints: exactly one holds for any numbers, and its shape is there."""

import math
import random
import re
from fractions import Fraction
from typing import Any

import pytest

from heldout.anatomy.neurons.parsing import parse_neuron
from heldout.anatomy.neurons.zero_sets import zero_set_of
from heldout.explaining.neurons.explained import explain_neuron

TEXTS = {
    "exp(-(x1^2 + x2^2)) + b": ("b",),
    "exp(-(w1*x1^2 + w2*x2^2)) + b": ("w1", "w2", "b"),
    "-2*exp(-(x1^2 - w*x2^2)) + 3*b": ("w", "b"),
    "exp(-(w1*x1^2 + w2*x2^2)) - 0.5": ("w1", "w2"),
    "a*exp(-(w1*x1^2 + x2^2)) + b": ("a", "w1", "b"),
    "exp(-((x1-1)^2 + w*x2^2 + 1)) + b": ("w", "b"),
    "exp(-(x1^2 + x2^2 + k)) - 0.5": ("k",),
    "w1*x1^2 + w2*x2^2 + c": ("w1", "w2", "c"),
    "exp(-(x1^2 + x2)) + b": ("b",),
}


def holds(condition: str, at: dict[str, Fraction]) -> bool:
    """A printed condition as Python would say it."""
    source = condition.replace("≥", ">=").replace("≤", "<=").replace(",", " and ").replace("^", "**")
    source = re.sub(r"(?<![<>])=", "==", source).replace(">==", ">=").replace("<==", "<=")
    source = re.sub(r"\b(\d+) (?=[a-z])(?!and)", r"\1*", source)
    return bool(eval(source, {"exp": math.exp, "ln": math.log, "always": True, **at}))


@pytest.mark.parametrize("text", TEXTS)
def test_exactly_one_condition_holds_and_names_the_shape(text: str) -> None:
    cases: list[dict[str, Any]] = explain_neuron(text).record["cases"]
    generator = random.Random(3)
    seen = set()
    for _ in range(60):
        at = {
            each: Fraction(generator.choice([-3, -2, -1, 0, 1, 2]), generator.choice([1, 1, 3])) for each in TEXTS[text]
        }
        if at.get("a") == 0:
            continue
        when = [each for each in cases if each["level"] is None or len(cases) > 1 or each["when"]]
        true = [
            each
            for each in when
            if all(holds(part, _with_level(text, at)) for part in each["when"].split(" and ") if part)
        ]
        assert len(true) == 1, (at, [each["when"] for each in true])
        kind = zero_set_of(parse_neuron(text, at=at)).kind
        assert kind in {true[0]["kind"], "circle" if true[0]["kind"] == "ellipse" else true[0]["kind"]}
        seen.add(true[0]["when"])
    assert len(seen) > min(len(cases), 12) / 2


def _with_level(text: str, at: dict[str, Fraction]) -> dict[str, Any]:
    """Where the bias is given, the table asks for the sign of L."""
    return {**at, "L": math.log(2)} if "0.5" in text else dict(at)


def test_conditions_and_sizes_are_worked_out_by_hand_for_a_shifted_bell() -> None:
    cases = explain_neuron("2*exp(-((x1-1)^2 + 4*x2^2)) + b").record["cases"]
    assert [(each["when"], each["kind"], each["where"]) for each in cases] == [
        ("-2 < b < 0", "ellipse", "semi-axes sqrt(L) along x1, sqrt(L/4) along x2"),
        ("b = -2", "point", "(1, 0)"),
        ("b < -2", "empty", None),
        ("b ≥ 0", "empty", None),
    ]
