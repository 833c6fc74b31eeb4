"""`heldout explain graph` of a formula: text, JSON, LaTeX, drawing; from the command line and from Python."""

import json
import re
from pathlib import Path

import pytest
from matplotlib.mathtext import MathTextParser

import heldout.explain
from heldout.cli.main import run
from heldout.errors import UsageError
from heldout.explaining.document import Explanation, Formula, Table
from heldout.explaining.graphs.explained import explain_graph

WRITE_UP = "(w2*sigmoid(w1*x) - y)**2"
POINT = "w1=0.5,w2=-1,x=2,y=0.3"
LONG = (
    "z1 = w11*x1 + w12*x2 + b1; h1 = sigmoid(z1); z2 = w21*x1 + w22*x2 + b2; h2 = sigmoid(z2); "
    "z3 = v1*h1 + v2*h2 + c; p = sigmoid(z3); "
    "L = -(y*log(p) + (1 - y)*log(1 - p)) + lam*(w11**2 + w12**2 + w21**2 + w22**2)"
)
_MATHTEXT = MathTextParser("path")


def _formulas(explanation: Explanation[object]) -> list[Formula]:
    found: list[Formula] = []
    for section in explanation.sections:
        for part in section.parts:
            if isinstance(part, Formula):
                found.append(part)
            elif isinstance(part, Table):
                found += [cell for row in part.rows for cell in row if isinstance(cell, Formula)]
    return found


def test_the_answer_stands_first() -> None:
    words = str(explain_graph(WRITE_UP, at=POINT))
    first = words.split("Forward pass", maxsplit=1)[0]
    assert "At w1 = 0.5, w2 = -1, x = 2, y = 0.3: L = 1.06308." in first
    assert re.search(r"dL/dw1 +2\(phi - y\) w2 u\(1 - u\) x +0.810874 +0.810874", first)
    assert re.search(r"dL/dw2 +2\(phi - y\) u +-1.50753 +-1.50753", first)
    for line in ("z = w1 x", "u = sigmoid(z)", "phi = w2 u", "L = (phi - y)^2"):
        assert f"\n  {line}\n" in first
    assert "The value takes 5 operations; reverse mode adds 7 for both derivatives: 12 together, 2.4 times" in first
    assert "the same takes 27: reverse mode saves 15 of them\n(56 %)." in first


def test_both_passes_are_told_step_by_step() -> None:
    words = str(explain_graph(WRITE_UP, at=POINT))
    assert re.search(r"  u +sigmoid +sigmoid\(z\) +0.731059\n", words)
    assert re.search(r"  L +square +v1\^2 +1.06308\n", words)
    assert re.search(r"  z +dz/dw1 = x +2\(phi - y\) w2 u\(1 - u\) +0.405437\n", words)
    assert re.search(r"  phi +dphi/dw2 = u, dphi/du = w2 +2\(phi - y\) +-2.06212\n", words)
    steps = re.findall(r"^  \d  \w+ +(\S+ = .*?)  +-?[\d.]+$", words, re.MULTILINE)
    assert steps == [
        "dL/dphi = 2 v1",
        "dL/dw2 = dL/dphi u",
        "dL/du = dL/dphi w2",
        "t1 = 1 - u",
        "t2 = u t1",
        "dL/dz = dL/du t2",
        "dL/dw1 = dL/dz x",
    ]
    assert "and dL/dv1 = dL/dphi costs nothing" in re.sub(r"\s+", " ", words)


def test_every_way_has_its_row() -> None:
    words = str(explain_graph(WRITE_UP, at=POINT))
    table = words.split("What it costs")[1].split("A gradient is cheap", maxsplit=1)[0]
    rows = re.findall(r"^  ([(\w].*?)  +([\d ]+) +([\d.]+)$", table, re.MULTILINE)
    assert {name: (int(numbers.split()[-1]), float(ratio)) for name, numbers, ratio in rows} == {
        "(the value alone)": (5, 1.0),
        "reverse mode": (12, 2.4),
        "forward mode, all at once": (12, 2.4),
        "forward mode, values once": (13, 2.6),
        "forward mode, one by one": (18, 3.6),
        "formulas, nothing shared": (27, 5.4),
        "formulas after sympy.cse": (11, 2.2),
    }
    assert "Here m = 1 and n = 2: 4 and 4, neither" in re.sub(r"\s+", " ", words)
    assert re.search(r"sigmoid\(w1 x\) +6 times +2\n", words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(w*x)**2", "n = 1: 2.5 and 4, forward mode is expected to win"),
        ("a*b*c", "n = 3: 5.5 and 4, reverse mode is expected to win"),
        ("x", "The value takes no operation"),
        ("a**b", "a power with a computed exponent counts as one operation"),
        ("x^2 + y", "^ is read as a power."),
        ("a + b", "Nothing is written twice."),
        (" + ".join(f"a{number}*x" for number in range(20)), "all 21 derivatives"),
    ],
)
def test_what_is_particular_to_a_formula_is_said(text: str, words: str) -> None:
    assert words in re.sub(r"\s+", " ", str(explain_graph(text)))


def test_a_kink_is_said() -> None:
    words = re.sub(r"\s+", " ", str(explain_graph("relu(w*x)", at="w=0,x=1")))
    assert "has its kink here: it has no derivative at 0. The slope 0 is used, a subgradient" in words


def test_a_point_that_was_chosen_is_said() -> None:
    assert "a point chosen for you" in str(explain_graph(WRITE_UP))
    assert "called like weights" in str(explain_graph(WRITE_UP))
    told = str(explain_graph(WRITE_UP, at=POINT, wrt="w1"))
    assert "chosen" not in told
    assert "called like" not in told


def test_the_record_has_stable_keys_and_the_numbers() -> None:
    record = json.loads(explain_graph(WRITE_UP, at=POINT).as_json())
    assert record["expression"] == WRITE_UP
    assert record["point"] == {"w1": 0.5, "w2": -1.0, "x": 2.0, "y": 0.3}
    assert record["gradient"] == pytest.approx({"w1": 0.8108737, "w2": -1.5075284}, rel=1e-7)
    assert record["formulas"]["w1"]["plain"] == "2(phi - y) w2 u(1 - u) x"
    assert record["operations"]["reverse_mode"] == {
        "total": 12,
        "nonscalar": 9,
        "by_kind": {"subtractions": 2, "multiplications": 9, "sigmoid": 1},
    }
    assert record["operations"]["ratio"] == 2.4
    nodes = {node["name"]: node for node in record["nodes"]}
    assert nodes["phi"]["operands"] == ["w2", "u"]
    assert nodes["phi"]["slopes"] == pytest.approx({"w2": 0.731059, "u": -1.0}, rel=1e-5)
    assert nodes["z"]["derivative_formula"] == "2(phi - y) w2 u(1 - u)"
    assert "derivative" not in nodes["y"]
    assert record["program"].startswith("def function(w1, w2, x, y):\n")
    assert [each["reverse_mode"] for each in record["growth"]][:2] == [5, 12]
    assert record.keys() >= {"title", "kind", "value", "central_difference", "written_out", "kinks", "sources"}


def test_a_ratio_that_is_no_number_is_null() -> None:
    assert json.loads(explain_graph("x").as_json())["operations"]["ratio"] is None


@pytest.mark.parametrize(
    "text", [WRITE_UP, pytest.param(LONG, marks=pytest.mark.slow), "a**b/(a + b)*abs(sqrt(a))*softplus(phi_1)", "x"]
)
def test_every_formula_can_be_read_by_latex(text: str) -> None:
    explanation = explain_graph(text)
    formulas = {formula.latex for formula in _formulas(explanation)}
    assert formulas
    for formula in formulas:
        assert formula.count("{") == formula.count("}")
        # To read one takes as long as to draw it: the longest have nothing that the shorter ones lack.
        if len(formula) < 40:
            _MATHTEXT.parse(f"${formula}$")
    assert r"\end{document}" in explanation.as_latex()


def test_a_drawing_shows_every_node_with_its_numbers(tmp_path: Path) -> None:
    svg = explain_graph(WRITE_UP, at=POINT).plot(tmp_path / "graph.svg").read_text()
    words = re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)
    for word in ("w₁", "z", "= σ(z)", "= φ − y", "u(1 − u)", "2(φ − y)", "0.7311", "0.8109", "−1.508"):
        assert word in words
    assert any("5 operations forward, 7 more backward" in word for word in words)
    explain_graph("w*x").plot(tmp_path / "graph.png")
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_forty_nodes_can_be_drawn(tmp_path: Path) -> None:
    svg = explain_graph(LONG).plot(tmp_path / "long.svg").read_text()
    words = re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)
    assert {"λ", "w₁₁", "h₂", "= σ(z₂)", "2 w₂₂", "v₂₇"} <= set(words)


def test_too_many_nodes_are_not_drawn_but_told(tmp_path: Path) -> None:
    explanation = explain_graph(" + ".join(f"a{number}*x" for number in range(40)))
    with pytest.raises(UsageError, match="the graph has 120 nodes, too many to be drawn"):
        explanation.plot(tmp_path / "graph.svg")
    assert not list(tmp_path.iterdir())
    assert "a39" in str(explanation)


def test_long_formulas_are_counted_and_not_written() -> None:
    words = re.sub(r"\s+", " ", str(explain_graph(LONG)))
    assert "All are too long for a line; they are counted all the same." in words
    assert "dL/dw11 2 lam w11 + dL/dz1 x1" in words
    assert "and 5 more cost nothing" in words


def test_it_is_one_of_the_subjects_of_python() -> None:
    assert heldout.explain.graph("(w*x - y)**2", at={"w": 1, "x": 2, "y": 5}).record["gradient"] == {"w": -12.0}


def test_the_command_line_prints_text_json_and_latex(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "graph.svg"
    assert run(["explain", "graph", WRITE_UP, "--at", POINT, "--plot", str(target)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("The computation graph of (w2*sigmoid(w1*x) - y)**2\n===")
    assert captured.err == f"drawn into {target}\n"
    assert target.stat().st_size > 1000
    assert run(["explain", "graph", WRITE_UP, "--at", POINT, "--wrt", "w1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == ["w1"]
    assert run(["explain", "graph", WRITE_UP, "--latex"]) == 0
    assert r"2(\phi - y) \, w_{2} \, u(1 - u) \, x" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["2x"], "write 2*x"),
        ([""], "the expression is ''"),
        (["sigmod(x)"], "sigmoid"),
        (["__import__('os')"], "there is no function '__import__'"),
        (["x*y", "--at", "x=1"], "--at has no value for y"),
        (["x*y", "--at", "x=nan,y=1"], "finite number"),
        (["x*y", "--wrt", "z"], "--wrt names 'z'"),
        (["x*y", "--input", "3x4"], "--input was given, but 'x*y' is a formula"),
        (["log(x)", "--at", "x=-1"], "L = log(x) cannot be computed at this point"),
        (["9**9**9*x"], "too large for a double"),
        (["x+" * 5000 + "x"], "10,001 characters"),
        (["x*y", "--plot", "graph.pdf"], ".svg or .png"),
    ],
)
def test_bad_input_is_told_with_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", "graph", *arguments]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


def test_help_is_quick_to_import_and_names_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "graph", "--help"]) == 0
    out = capsys.readouterr().out
    assert all(flag in out for flag in ("--at", "--wrt", "--input", "--json", "--latex", "--plot"))
