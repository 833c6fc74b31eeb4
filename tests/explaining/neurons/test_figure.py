"""The figures: each is drawn, has what it is to have, and goes into both kinds of file."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heldout.errors import UsageError
from heldout.explaining.neurons.explained import explain_neuron
from heldout.reporting.style import figure_style


def lines_of(expression: str, **asked: Any) -> list[np.ndarray]:
    """Every line of the only axes, as points."""
    explanation = explain_neuron(expression, **asked)
    assert explanation.draw is not None
    with figure_style():
        (axes,) = explanation.draw().axes
        return [np.array(line.get_xydata()) for line in axes.lines]


def test_the_drawn_ellipse_is_the_zero_set() -> None:
    curves = [line for line in lines_of("exp(-((x1-1)^2 + 2*x2^2)) - 0.5") if len(line) > 100]
    assert len(curves) == 1
    values = np.exp(-((curves[0][:, 0] - 1) ** 2 + 2 * curves[0][:, 1] ** 2)) - 0.5
    assert np.abs(values).max() < 1e-14


def test_the_drawn_lines_are_those_of_both_biases() -> None:
    drawn = lines_of("x1 + 2*x2 - 2", change_b=1)
    constants = sorted(-(line[0] @ (1, 2)) for line in drawn if len(line) == 2)
    assert constants == pytest.approx([-2, -1])


def test_a_tiny_shape_is_drawn_in_its_own_unit() -> None:
    curves = [line for line in lines_of("exp(-(x1^2 + x2^2)) - 1 + 1e-12") if len(line) > 100]
    assert np.hypot(*curves[0].T) == pytest.approx(1)
    far = [line for line in lines_of("exp(-((x1-1e6)^2 + x2^2)) - 0.5") if len(line) > 100]
    assert np.hypot(*far[0].T) == pytest.approx(0.8325546)


def test_the_whole_table_is_drawn_with_its_conditions(tmp_path: Path) -> None:
    svg = explain_neuron("exp(-(w1*x1^2 + w2*x2^2)) + b").plot(tmp_path / "cases.svg").read_text()
    words = re.findall(r">([^<>]+)</t", svg)
    assert words.count("no point") == 17
    for shape, n in {
        "ellipse": 2,
        "hyperbola": 4,
        "crossing lines": 2,
        "parallel lines": 4,
        "point": 2,
        "line": 4,
    }.items():
        assert words.count(shape) == n, shape
    assert words.count("whole plane") == 1
    assert {"−1 &lt; b &lt; 0", "b = −1", "b &lt; −1", "b ≥ 0"} <= set(words)


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        ("exp(-(x1^2 - 2*x2^2)) - 2", {"point": "1,1", "through": "0,1"}),
        ("exp(-(x1^2 - x2^2)) - 1", {}),
        ("exp(-(x1^2 + x2)) - 2", {"change_b": 1}),
        ("exp(-x1^2) - 0.5", {}),
        ("exp(-x1^2) + 0.5", {}),
        ("exp(-(x1^2 + x2^2)) - 1", {}),
        ("x1 - x1 + 0*x2", {}),
        ("x1 - 3", {"through": "1,1"}),
        ("1e-90*x1 + 1e-90*x2", {}),
        ("exp(-1e90*x1^2 - x2^2) - 0.5", {}),
        ("exp(-(p*x1^2 + 2*q*x1*x2 + r*x2^2)) - 0.5", {}),
        ("a*exp(-(x1^2 + x2^2)) + b", {}),
        ("-exp(-(x1^2 + x2)) + b", {}),
        ("x1^2 + x2^2 + c", {}),
        ("w1*x1 + w2*x2 + b", {}),
        ("x1 - 2*x2 + b", {}),
    ],
)
def test_any_neuron_is_drawn(expression: str, asked: dict[str, Any], tmp_path: Path) -> None:
    explanation = explain_neuron(expression, **asked)
    assert explanation.plot(tmp_path / "a.svg").stat().st_size > 2000


def test_a_picture_is_written_too(tmp_path: Path) -> None:
    png = explain_neuron("exp(-(x1^2 + x2^2)) - 0.5").plot(tmp_path / "a.png")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_what_has_no_shape_has_no_figure(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to draw"):
        explain_neuron("0*x1 + b").plot(tmp_path / "a.svg")
