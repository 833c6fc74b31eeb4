"""`explain neuron`: what is said, as text, JSON and LaTeX, from Python and from the command line."""

import json
import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from matplotlib.mathtext import MathTextParser

from heldout.cli.main import run
from heldout.errors import RunFolderError, UsageError
from heldout.explaining.document import Explanation, Formula, Table
from heldout.explaining.neurons.explained import explain_neuron

FAMILY = "exp(-(w1*x1^2 + w2*x2^2)) + b"
QUESTIONS: dict[str, dict[str, Any]] = {
    "circle by b": {"expression": "exp(-(x1^2 + x2^2)) + b"},
    "family": {"expression": FAMILY},
    "ellipse": {"expression": FAMILY, "at": "w1=1,w2=2,b=-0.5", "point": [(1, 1), ("0.2", 0.3)], "change_b": -0.25},
    "plane": {"expression": FAMILY, "at": {"w1": 0, "w2": 0, "b": -1}},
    "nothing": {"expression": FAMILY, "at": "w1=1,w2=2,b=0.5"},
    "hyperbola": {"expression": "exp(-(x1^2 - 2*x2^2)) - 2", "through": "0, 1"},
    "turned": {"expression": "3*exp(-(x1^2 + x1*x2 + x2^2)) - 0.5"},
    "turned by names": {"expression": "exp(-(p*x1^2 + 2*q*x1*x2 + r*x2^2)) + b"},
    "shifted by names": {"expression": "exp(-((x1-c1)^2 + (x2-c2)^2)/(2*s^2)) + b"},
    "amplitude": {"expression": "a*exp(-(w1*x1^2 + x2^2 + 1)) + b"},
    "bias given": {"expression": "exp(-(w1*x1^2 + w2*x2^2)) - 0.5"},
    "near": {"expression": "exp(-(x1^2 + x2^2)) - 1 + 1e-12"},
    "rounded": {"expression": "exp(-(x1^2 + x2^2 + 1)) - exp(-1)"},
    "parabola": {"expression": "x2 = x1^2 + x1", "point": (0, 1)},
    "parabola by b": {"expression": "exp(-(x1^2 + x2)) + b"},
    "parallel": {"expression": "exp(-(x1^2 + 1)) - 0.2"},
    "crossing": {"expression": "x1*x2"},
    "line of a bell": {"expression": "exp(-(x1 + 2*x2)) - 2"},
    "radius": {"expression": "x1^2 + x2^2 - r^2"},
    "line": {"expression": "2*x1 - 3*x2 + 6", "point": "1,1", "through": (0, 0), "change_b": "1/2"},
    "line by names": {"expression": "0.3*step(w1*x1 + w2*x2 + b) + 0.2"},
    "line by b": {"expression": "x1 + 2*x2 + b", "through": "1,1"},
    "upright": {"expression": "relu(x1 - 1) - 2"},
    "sigmoid": {"expression": "sigmoid(2*x1 - x2 + 1) - 0.25"},
    "no line": {"expression": "0*x1 + 3"},
    "no weights": {"expression": "0*x1 + b"},
    "step of a bell": {"expression": "step(exp(-(x^2 + y^2)) - 0.5)"},
}


@pytest.fixture(scope="module")
def explained() -> dict[str, Explanation[Any]]:
    return {name: explain_neuron(**question) for name, question in QUESTIONS.items()}


def formulas(explanation: Explanation[Any]) -> list[Formula]:
    cells = [
        cell
        for section in explanation.sections
        for part in section.parts
        if isinstance(part, Table)
        for row in part.rows
        for cell in row
    ]
    parts = [part for section in explanation.sections for part in section.parts]
    return [each for each in [*cells, *parts] if isinstance(each, Formula)]


def test_every_formula_can_be_set(explained: dict[str, Explanation[Any]]) -> None:
    parser = MathTextParser("path")
    every = {formula.latex for explanation in explained.values() for formula in formulas(explanation)} - {""}
    assert all(latex.count("{") == latex.count("}") for latex in every)
    # Of those made of the same commands the longest.
    kinds = {frozenset(re.findall(r"\\\w+|\\.|[\^_]", latex)): latex for latex in sorted(every, key=len)}
    assert len(kinds) > 25
    for latex in kinds.values():
        parser.parse(f"${latex}$")


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_form_is_whole(name: str, explained: dict[str, Explanation[Any]]) -> None:
    explanation = explained[name]
    text, latex, record = str(explanation), explanation.as_latex(), json.loads(explanation.as_json())
    assert text.index("Answer") < text.index("How it was read")
    assert not any(word in text for word in ("None", "nan", "Formula(", "Fraction(", "- -", "+ -", "--0"))
    assert latex.startswith(r"\documentclass")
    assert latex.rstrip().endswith(r"\end{document}")
    assert record["expression"] == QUESTIONS[name]["expression"]
    assert record["kind"] in {"rbf", "linear", "polynomial"}


def words(explanation: Explanation[Any]) -> str:
    """The text with its lines put together again."""
    return " ".join(str(explanation).split())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("circle by b", "-1 < b < 0 L > 0 circle radius sqrt(-ln(-b))"),
        ("circle by b", "b = -1 L = 0 point (0, 0)"),
        ("family", "w1 > 0, w2 < 0 hyperbola on x1 crossing lines hyperbola on x2 empty"),
        ("family", "w1 = 0, w2 = 0 empty plane empty empty"),
        ("family", "An ellipse is a circle where w1 = w2"),
        ("ellipse", "An ellipse around (0, 0), with semi-axes 0.832555 along x1 and 0.588705 along x2"),
        ("ellipse", "y is above 0 inside, and below 0 outside"),
        ("ellipse", "With b = -0.75: an ellipse around (0, 0)"),
        ("ellipse", "^ was read as a power"),
        ("plane", "The whole plane"),
        ("nothing", "No point at all. y is above 0 everywhere"),
        ("nothing", "An exponential is above 0 everywhere"),
        ("near", "A circle around (0, 0) with radius 1e-06"),
        ("near", "because 1 - 1e-12 < 1"),
        ("rounded", "without the rounding it might be 0"),
        ("shifted by names", "radius sqrt(-2 s^2 ln(-b))"),
        ("turned by names", "l1, l2 = (p + r)/2 ± sqrt(((p - r)/2)^2 + (q)^2)"),
        ("amplitude", "0 < -b/a < exp(-1)"),
        ("parallel", "Two parallel lines: x1 = 0.780665 and x1 = -0.780665"),
        ("parabola", "A parabola with its vertex at (-0.5, -0.25), open towards (0, 1)"),
        ("radius", "r^2 > 0 L > 0 circle"),
        ("line", "The line x2 = 0.666667 x1 + 2. z is above 0 below it"),
        ("line", "to shift it upwards, increase b"),
        ("line", "It goes through (0, 0) with b = 0: take away 6"),
        ("line by names", "w2 > 0 above the line down decrease b"),
        ("line by names", "w2 < 0 below the line up increase b"),
        ("line by names", "z = 0 0.2 or 0.5, by convention"),
        ("line by b", "It goes through (1, 1) with b = -3"),
        ("upright", "It never moves up or down"),
        ("sigmoid", "y itself is 0 where z = -1.09861"),
        ("no line", "There is no line: both weights are 0, so z = b = 3 everywhere, above 0"),
        ("step of a bell", "z is above 0 inside"),
    ],
)
def test_what_is_said(name: str, told: str, explained: dict[str, Explanation[Any]]) -> None:
    assert told in words(explained[name])


def test_the_usual_short_answers_leave_cases_out(explained: dict[str, Explanation[Any]]) -> None:
    circle = explained["circle by b"].record["short_answer"]
    assert circle["says"] == "A circle: radius sqrt(-ln(-b))"
    assert circle["holds_when"] == "-1 < b < 0"
    assert {(each["kind"], each["when"]) for each in circle["leaves_out"]} == {
        ("point", "b = -1"),
        ("empty", "b < -1"),
        ("empty", "b ≥ 0"),
    }
    ellipse = explained["family"].record["short_answer"]
    assert ellipse["holds_when"] == "w1 > 0, w2 > 0 and -1 < b < 0"
    assert len(ellipse["leaves_out"]) == 35
    assert {each["kind"] for each in ellipse["leaves_out"]} == {
        "ellipse", "point", "empty", "hyperbola", "crossing lines", "parallel lines", "line", "plane",
    }  # fmt: skip
    assert explained["ellipse"].record["short_answer"] is None
    assert explained["line by names"].record["short_answer"] is None


def test_the_record_has_the_numbers(explained: dict[str, Explanation[Any]]) -> None:
    record = json.loads(explained["ellipse"].as_json())
    assert record["numbers"] == {"b": -0.5, "w1": 1.0, "w2": 2.0}
    assert record["zero_set"]["semi_axes"] == pytest.approx([0.8325546, 0.5887050])
    assert record["zero_set"]["level"] == pytest.approx(math.log(2))
    assert [each["side"] for each in record["points"]] == [-1, 1]
    assert record["points"][0]["value"] == pytest.approx(math.exp(-3) - 0.5)
    assert record["changed"]["bias"] == -0.75
    line = json.loads(explained["line"].as_json())
    assert line["line"]["when_bias_grows"] == {"vertically": "up", "horizontally": "left"}
    assert line["points"][0]["distance"] == pytest.approx(5 / math.sqrt(13))
    assert line["through"]["change"] == -6
    tenths = json.loads(explained["line by names"].as_json())["activation"]
    assert (tenths["below"], tenths["above"]) == (0.2, 0.5)


def test_the_facts_are_those_of_anatomy(explained: dict[str, Explanation[Any]]) -> None:
    assert explained["ellipse"].facts.zero_set.kind == "ellipse"
    assert explained["family"].facts.cases.at((0, 0), 0).kind == "plane"
    assert explained["line"].facts.line.slope == pytest.approx(2 / 3)


@pytest.mark.parametrize("at", ["w1=1, w2=2, b=-1/2", {"w1": 1, "w2": 2.0, "b": Fraction(-1, 2)}])
def test_numbers_are_given_as_text_or_as_a_mapping(at: Any) -> None:
    assert explain_neuron(FAMILY, at=at).facts.zero_set.kind == "ellipse"


def test_a_float_is_the_decimal_that_it_is_shown_as() -> None:
    assert explain_neuron("w*x1 - 0.3", at={"w": 0.1}).facts.line.intercepts[0] == 3.0
    import numpy as np

    points: Any = np.array([[2.0, 0.0]])
    assert explain_neuron("w*x1 - 1", at={"w": np.float64(0.5)}, point=points).facts.points[0].side == 0


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"at": "b"}, "that is no name with a number"),
        ({"at": ""}, "that is no name with a number"),
        ({"at": "b=1,b=2"}, "it is given twice"),
        ({"at": "b=x1"}, "b is 'x1': there is a name in it"),
        ({"at": {"b": float("nan")}}, "b is nan"),
        ({"at": {"b": True}}, "b is True"),
        ({"at": {"b": None}}, "b is None"),
        ({"at": {"b": 1e300}}, r"b is 1e\+300"),
        ({"at": {"b": []}}, r"b is \[\]"),
        ({"at": {"c": 1}}, "'c' is given a number"),
        ({"point": "1"}, "point is '1'"),
        ({"point": "1,2,3"}, "point is '1,2,3'"),
        ({"point": 3}, "point is '3'"),
        ({"point": []}, r"point is '\[\]'"),
        ({"point": [(1, 2)] * 101}, "101 points are given"),
        ({"point": (1, float("inf"))}, "point is inf"),
        ({"through": "a,b"}, "through is 'a'"),
        ({"through": 7}, "through is '7'"),
        ({"change_b": "much"}, "change_b is 'much'"),
        ({"change_b": float("nan")}, "change_b is nan"),
    ],
)
def test_bad_questions_are_refused(asked: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        explain_neuron("exp(-(x1^2 + x2^2)) + b", **asked)


def test_a_folder_is_a_run_or_none(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="is no finished run"):
        explain_neuron(str(tmp_path))
    with pytest.raises(RunFolderError, match="is no finished run"):
        explain_neuron(tmp_path / "absent")
    with pytest.raises(UsageError, match="is a run, and numbers are given"):
        explain_neuron(tmp_path, at="b=1")


@pytest.mark.parametrize("text", ["x1" * 3000, "a\0b", "."])
def test_odd_text_is_no_folder(text: str) -> None:
    with pytest.raises((UsageError, RunFolderError)):
        explain_neuron(text)


def test_the_command_line_prints_text_json_latex_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "zero.svg"
    assert run(["explain", "neuron", FAMILY, "--at", "w1=1,w2=2,b=-0.5", "--plot", str(plot)]) == 0
    captured = capsys.readouterr()
    assert "An ellipse around (0, 0)" in captured.out
    assert plot.read_bytes().startswith(b"<?xml")
    asked = ["--point", "-1,2", "--point", "0,0", "--through", "1,1", "--change-b", "-1", "--json"]
    assert run(["explain", "neuron", "0.3*step(x1 - 2*x2 + 1) + 0.2", *asked]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [each["side"] for each in record["points"]] == [-1, 1]
    assert record["through"]["bias"] == 1
    assert record["changed"]["upwards"] == -0.5
    assert run(["explain", "neuron", FAMILY, "--latex"]) == 0
    assert capsys.readouterr().out.startswith(r"\documentclass")
    assert run(["explain", "neuron", "--", "-x1 + 2"]) == 0
    assert "The line x1 = 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["sin(x1)"],
        [""],
        ["x1", "--at", "b=1"],
        ["x1", "--point", "1"],
        ["x1 + b", "--change-b", "1"],
        ["x1", "--json", "--latex"],
    ],
)
def test_the_command_line_refuses_with_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "neuron", *arguments]) == 2
    captured = capsys.readouterr()
    assert "error: " in captured.err
    assert "\n  expected: " in captured.err
    assert "\n  fix: " in captured.err
