"""The boundary as a figure: honest about what it leaves out, bounded in size, and readable for any classes."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heldout.errors import StorageError
from heldout.measuring.boundary import Boundary, Line
from heldout.measuring.boundary_files import read_boundary
from heldout.reporting.boundary_figure import (
    Panel,
    boundaries_figure,
    boundary_figure,
    equation_of,
    told_boundary,
    write_boundaries,
)
from heldout.reporting.style import _DARK, figure_style, saved

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def two(run_folders: dict[str, Path]) -> Boundary:
    """Two inputs and a line."""
    found = read_boundary(run_folders["table"])
    assert found is not None
    return found


@pytest.fixture
def many(run_folders: dict[str, Path]) -> Boundary:
    """Twelve classes on a plane of components."""
    found = read_boundary(run_folders["rare"])
    assert found is not None
    return found


def svg_of(boundary: Boundary) -> bytes:
    with figure_style():
        return saved(boundary_figure(boundary), "svg")


def text_of(svg: bytes) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_the_figure_says_how_many_are_drawn_and_what_a_cross_is(two: Boundary) -> None:
    texts = text_of(svg_of(two))
    assert {"healthy", "sick", "answered wrong", "where the answer changes", "age", "dose <b>"} <= set(texts)
    assert f"All 700 test examples are drawn, {two.n_mistakes} of them answered wrong." in texts
    assert "Shades deepen where the probability passes 75 % and 95 %." in texts


def test_what_is_thinned_and_what_lies_outside_is_stated(two: Boundary) -> None:
    thinned = replace(two, n=90_000, n_mistakes=20_443, n_outside=31)
    told = " ".join(text_of(svg_of(thinned)))
    assert f"Drawn are 700 of 90,000 test examples, at random; {two.n_mistakes} of 20,443 mistakes. 31 lie" in told


def test_a_plane_of_components_names_its_share_and_its_agreement(many: Boundary) -> None:
    told = " ".join(text_of(svg_of(many)))
    assert "of the variance)" in told
    assert "were answered as the plane shows beneath them" in told
    assert "6 more" in told
    assert "12 classes" not in told


def test_every_mistake_is_a_cross_and_every_other_a_dot(two: Boundary) -> None:
    from matplotlib.collections import PathCollection

    with figure_style():
        (axes,) = boundary_figure(two).axes
    drawn: dict[bool, int] = {True: 0, False: 0}
    for collection in axes.collections:
        if isinstance(collection, PathCollection) and collection.get_zorder() in (2, 4.1):
            drawn[collection.get_zorder() == 4.1] += len(collection.get_offsets())  # type: ignore[arg-type]
    assert drawn == {True: two.n_mistakes_drawn, False: two.n_drawn - two.n_mistakes_drawn}


def test_the_line_is_drawn_where_it_is(two: Boundary) -> None:
    with figure_style():
        (axes,) = boundary_figure(two).axes
    (line,) = axes.lines
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert two.line is not None
    assert two.line.x_weight * x + two.line.y_weight * y + two.line.constant == pytest.approx([0, 0], abs=1e-6)


def test_very_many_dots_are_stored_as_a_picture(two: Boundary) -> None:
    points = np.tile(two.points, (25, 1))
    crowded = replace(two, points=points, labels=np.tile(two.labels, 25), predicted=np.tile(two.predicted, 25))
    svg = svg_of(crowded)
    assert b"<image" in svg
    assert len(svg) < 400_000
    assert b"<image" not in svg_of(two)


def test_every_colour_has_a_dark_twin(two: Boundary, many: Boundary) -> None:
    for boundary in (two, many):
        colours = set(re.findall(rb"(?:fill|stroke): (#[0-9a-f]{6})", svg_of(boundary)))
        assert colours <= {colour.encode() for colour in _DARK}


def test_the_same_boundary_gives_the_same_bytes(many: Boundary) -> None:
    assert svg_of(many) == svg_of(many)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (Line(1.0, 0.0, -2.5), "The answer changes where age = 2.5. "),
        (Line(0.6, -0.8, 0.4), "The answer changes where dose = 0.5 + 0.75 × age. "),
        (Line(-0.8, -0.6, -1.6), "The answer changes where age = −2 − 0.75 × dose. "),
        (None, ""),
    ],
)
def test_the_line_is_told_as_an_equation(two: Boundary, line: Line | None, told: str) -> None:
    assert equation_of(replace(two, titles=("age", "dose"), line=line)) == told


def test_it_is_told_in_words(two: Boundary, many: Boundary) -> None:
    assert "The answer changes where dose <b> = " in told_boundary(two)
    assert "healthy on" in told_boundary(two)
    assert "of its variance" in told_boundary(many)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_several_runs_stand_on_the_same_axes(two: Boundary, n: int) -> None:
    wider = replace(two, x=np.linspace(0, 200, len(two.x)))
    panels = [Panel(f"run {number}", wider if number else two, "recall 76 %\nn = 143") for number in range(n)]
    with figure_style():
        figure = boundaries_figure(panels)
        assert {axes.get_xlim() for axes in figure.axes[:n]} == {
            (min(two.x[0], 0), 200) if n > 1 else (two.x[0], two.x[-1])
        }
        texts = text_of(saved(figure, "svg"))
    assert [text for text in texts if text.startswith("run ")] == [panel.title for panel in panels]
    assert texts.count("n = 143") == n


def test_panels_are_written_as_two_files(two: Boundary, tmp_path: Path) -> None:
    svg, png = write_boundaries([Panel("none", two), Panel("weights", two)], tmp_path / "boundaries")
    assert (svg.name, png.name) == ("boundaries.svg", "boundaries.png")
    assert png.read_bytes().startswith(b"\x89PNG")
    png.unlink()
    png.mkdir()
    with pytest.raises(StorageError, match=r"cannot write .*boundaries\.png"):
        write_boundaries([Panel("none", two)], tmp_path / "boundaries")


def test_one_answer_everywhere_is_drawn(two: Boundary) -> None:
    alike = replace(two, line=None, decided=np.zeros_like(two.decided), margin=np.ones_like(two.margin))
    assert "where the answer changes" not in text_of(svg_of(alike))


def test_hostile_names_stay_text(two: Boundary) -> None:
    nasty = replace(two, classes=("<script>", "$x$\x07"), titles=("{{ a }}", "b" * 200))
    texts = text_of(svg_of(nasty))
    assert "<script>" in texts
    assert any(text.startswith("$x$") for text in texts)
