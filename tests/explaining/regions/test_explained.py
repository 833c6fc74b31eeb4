"""`explain region`: what is said, as text, JSON, LaTeX and drawing, from Python and from the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

from heldout.cli.main import run
from heldout.errors import UsageError
from heldout.explaining.document import Explanation, Formula, Table
from heldout.explaining.regions.explained import explain_region
from make_regions import CORNER, FIVE_LINES, SQUARE

XOR: dict[str, str] = {"shape": "x1 >= 0; x2 >= 0", "formula": "h1 xor h2"}
HAND = "0,0 6,0 6,5 5,5 5,1 1,1 1,5 0,5 0,3 -1,3 -1,2 0,2"
QUESTIONS: dict[str, dict[str, Any]] = {
    "square": {"shape": SQUARE},
    "corner": {"shape": CORNER},
    "hand": {"shape": HAND},
    "write-up": {"shape": FIVE_LINES, "units": "0.2,0.5", "step": ">0"},
    "exclusive or": XOR,
    "strip": {"shape": "x1 >= 0; x1 >= 1", "positive": "10"},
    "at least": {"shape": "x1 >= 0; x2 >= 0; x1 + x2 <= 1/3", "combine": 2, "units": "-1,1"},
    "inside": {"shape": "1,0,0; -1,-2,3", "inside": "0.5,0.5; 5,5"},
    "empty": {"shape": "x1 >= 1; x1 <= 0"},
    "everything": {"shape": "x1 >= 0; x1 <= 1", "combine": "or"},
    "nothing": {"shape": "x1 >= 0", "formula": "h1 and not h1"},
    "thin": {"shape": "x1 >= 0; x1 <= 0; x2 >= 0"},
    "point": {"shape": "x1 >= 0; x2 >= 0; x1 + x2 <= 0", "units": "1,-1"},
    "many": {"shape": "; ".join(f"x1 + {number} x2 >= {number * number}" for number in range(12))},
}


@pytest.fixture(scope="module")
def explained() -> dict[str, Explanation[Any]]:
    return {name: explain_region(**question) for name, question in QUESTIONS.items()}


def test_the_unit_square(explained: dict[str, Explanation[Any]]) -> None:
    text = str(explained["square"])
    for line in (
        "  y = H(h1 + h2 + h3 + h4 + b)",
        "  b in [-4, -3)",
        "The safest is b = -3.5: the sum then stays 0.5 or more away from 0 in every cell.",
        "Checked exactly in all 9 cells, and at 100,000 random points: all right.",
        "  4 + b >= 0,  so  b >= -4",
        "  3 + b < 0,  so  b < -3",
        "  1 + 4 lines + 4 crossings = 9 cells",
        "All of them: without any one of them the region grows.",
    ):
        assert line in text
    assert text.index("b in [-4, -3)") < text.index("The hidden units")  # the answer comes first


def test_the_write_up(explained: dict[str, Explanation[Any]]) -> None:
    text = str(explained["write-up"])
    assert "  b in (-2.5, -2.2]" in text
    assert "A hidden unit gives out 0.2 + 0.3 H(z): 0.2 when off, 0.5 when on." in text
    assert "  2.2 + b <= 0,  so  b <= -2.2" in text
    assert "some lines were given with <= and >=" in text


def test_exclusive_or(explained: dict[str, Explanation[Any]]) -> None:
    text = str(explained["exclusive or"])
    assert "No single neuron over the 2 hidden units has this region" in text
    assert "  01 + 10  =  00 + 11  =  (1, 1)" in text
    assert "Of all 16 Boolean functions of 2 units, 14 are one" in " ".join(text.split())
    assert "  g1 = H(h1 - h2 - 0.5)\n  g2 = H(-h1 + h2 - 0.5)\n  y = H(g1 + g2 - 0.5)" in text


def test_a_concave_polygon(explained: dict[str, Explanation[Any]]) -> None:
    text = " ".join(str(explained["corner"]).split())
    assert "The polygon turns inwards at (1, 1)." in text
    assert "is a piece of area 1, while the polygon has the area 3. One neuron with other weights can do it" in text
    assert "y = H(4 h1 + 2 h2 + 2 h3 + 2 h4 + 2 h5 + 4 h6 + b) b in [-14, -12)" in text
    assert "Both networks checked exactly in all 16 cells" in text
    hand = " ".join(str(explained["hand"]).split())
    assert "No other weights of one neuron can do it either." in hand
    assert "4 AND neurons and an OR have exactly this region" in hand
    assert "12 edges lie on 10 lines and sides: edges of one line share a unit" in hand


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("strip", "y = H(2 h1 - 2 h2 + b) b in [-2, 0) The safest is b = -1"),
        ("at least", "The region is where at least 2 units are on."),
        ("inside", "The cells around (0.5, 0.5) and (5, 5)"),
        ("empty", "The region is empty: h1 and h2 have no common point. The network must never fire"),
        ("empty", "h1 (x1 >= 1) and h2 (x1 <= 0) have no common point."),
        ("everything", "The region is the whole plane. The network must always fire"),
        ("everything", "b in [-1, infinity)"),
        ("nothing", "The answer is the same everywhere: no weight is needed."),
        ("thin", "h1 and h2 look to the two sides of one line"),
        ("thin", "on a line alone"),
        ("point", "With weights of -1, as a unit that is on gives out less, the sum counts them."),
        ("point", "a point alone"),
        ("many", "y = H(h1 + h2 + ... + h12 + b)"),
        ("many", "more cells are in --json."),
    ],
)
def test_what_is_said(explained: dict[str, Explanation[Any]], name: str, said: str) -> None:
    assert said in " ".join(str(explained[name]).split())


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_answer_is_wrong_and_json_holds_it_all(explained: dict[str, Explanation[Any]], name: str) -> None:
    record = json.loads(explained[name].as_json())
    for check in record["checks"]:
        assert (check["n_wrong"], check["n_wrong_cells"], check["n_random"]) == (0, 0, 100_000)
    n_pieces = sum(cell["dimension"] == 2 for cell in record["cells"])
    assert record["n_cells"] == n_pieces
    assert record["is_one_neuron_enough"] is (record["readout"] is not None) is (record["certificate"] is None)
    if record["readout"] is None:
        return
    # The record alone is enough to evaluate the network in every cell.
    values = record["unit_values"]
    for cell in record["cells"]:
        units = [values["on"] if digit == "1" else values["off"] for digit in cell["pattern"]]
        total = sum(w * u for w, u in zip(record["readout"]["weights"], units, strict=True)) + record["readout"]["bias"]
        assert (total > 0) is cell["wanted"]
        for half_plane, digit in zip(record["half_planes"], cell["pattern"], strict=True):
            z = np.dot(half_plane["weights"], cell["point"]) + half_plane["bias"]
            assert (z >= -1e-9) if digit == "1" else (z <= 1e-9)


def test_the_numbers_of_the_record(explained: dict[str, Explanation[Any]]) -> None:
    record = explained["write-up"].as_record()
    assert record["readout"]["interval"] == {
        "text": "(-2.5, -2.2]",
        "low": -2.5,
        "high": -2.2,
        "low_closed": False,
        "high_closed": True,
    }
    assert record["readout"]["exact"] == ["1", "1", "1", "1", "1", "-2.35"]
    exclusive = explained["exclusive or"].as_record()
    assert exclusive["certificate"] == {"wanted": {"01": 1, "10": 1}, "unwanted": {"00": 1, "11": 1}, "total": [1, 1]}
    assert [term["on"] + ["not", *term["off"]] for term in exclusive["layers"]["ands"]] == [
        ["h1", "not", "h2"],
        ["h2", "not", "h1"],
    ]
    assert explained["empty"].as_record()["readout"]["interval"]["low"] is None


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_formula_is_sound_latex(explained: dict[str, Explanation[Any]], name: str) -> None:
    parts = [part for section in explained[name].sections for part in section.parts]
    formulas = [part for part in parts if isinstance(part, Formula)]
    tables = [part for part in parts if isinstance(part, Table)]
    formulas += [cell for table in tables for row in table.rows for cell in row if isinstance(cell, Formula)]
    assert formulas
    parser: MathTextParser[Any] = MathTextParser("path")
    for formula in formulas:
        assert formula.latex.count("{") == formula.latex.count("}")
        parser.parse(f"${formula.latex}$")
    document = explained[name].as_latex()
    assert document.startswith(r"\documentclass")
    assert document.rstrip().endswith(r"\end{document}")


@pytest.mark.parametrize("name", ["square", "hand", "thin", "many"])
def test_the_figure_is_drawn(explained: dict[str, Explanation[Any]], name: str, tmp_path: Path) -> None:
    svg = explained[name].plot(tmp_path / "region.svg").read_text()
    assert "Wanted" in svg
    assert "The network was asked at 301 × 301 points: none wrong." in svg
    assert ">h1<" in svg
    assert (">1111<" in svg) is (name == "square")
    assert (">g1<" in svg) is (name == "hand")


def test_a_png_is_drawn(explained: dict[str, Explanation[Any]], tmp_path: Path) -> None:
    assert explained["point"].plot(tmp_path / "region.png").read_bytes().startswith(b"\x89PNG")


def test_rows_of_numbers_are_shapes_too(explained: dict[str, Explanation[Any]]) -> None:
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    assert explain_region(corners).as_record() == explained["square"].as_record()
    lines = np.array([[1.0, 0.0, 0.0], [-1.0, -2.0, 3.0]])
    found = explain_region(lines.tolist(), inside=[(0.5, 0.5), (5, 5)], units=(0, 1)).as_record()
    same = explained["inside"].as_record()
    assert [found[key] for key in ("readout", "cells")] == [same[key] for key in ("readout", "cells")]


@pytest.mark.parametrize(
    ("question", "what"),
    [
        ({"shape": SQUARE, "combine": "and", "formula": "h1"}, "--combine and --formula were given"),
        ({"shape": SQUARE, "step": "<0"}, "the step is '<0'"),
        ({"shape": SQUARE, "units": "1,1"}, "the values of the units are '1,1'"),
        ({"shape": SQUARE, "positive": "0000"}, "no point of the plane has the pattern 0000"),
        ({"shape": "no/such/folder"}, "the shape is 'no/such/folder'"),
        ({"shape": "a\0b"}, "the shape is"),
        ({"shape": []}, "the shape is empty"),
        ({"shape": [(0, 0), (1, float("nan")), (1, 1)]}, "a number of"),
    ],
)
def test_what_cannot_be_meant_is_refused(question: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        explain_region(**question)


def test_options_of_threshold_units_say_nothing_about_a_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--combine and --units were given for the trained network of"):
        explain_region(tmp_path, combine="and", units="0.2,0.5")


def test_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plot = tmp_path / "square.svg"
    assert run(["explain", "region", FIVE_LINES, "--units", "-1,1", "--step", ">0", "--plot", str(plot)]) == 0
    said = capsys.readouterr()
    assert "b in (-5, -3]" in said.out
    assert said.err.strip() == f"drawn into {plot}"
    assert plot.stat().st_size > 1000
    assert run(["explain", "region", "(-1,-1) (1,-1) (0,1)", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["readout"]["interval"]["text"] == "[-3, -2)"
    assert run(["explain", "region", XOR["shape"], "--formula", XOR["formula"], "--latex"]) == 0
    assert r"g_{1} = H(h_{1} - h_{2} - 0.5)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[""], ["0,0 1,1"], [SQUARE, "--formula", "h9"], [SQUARE, "--plot", "square.gif"]]
)
def test_bad_input_leaves_with_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "region", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "\n  expected: " in said.err
    assert "\n  fix: " in said.err


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "region", "--help"]) == 0
    out = capsys.readouterr().out
    for option in (
        "--units",
        "--combine",
        "--formula",
        "--positive",
        "--inside",
        "--step",
        "--json",
        "--latex",
        "--plot",
    ):
        assert option in out
