"""The drawing: boxes within the figure, words within their boxes."""

from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from heldout.errors import UsageError
from heldout.explaining.graphs.explained import explain_graph
from heldout.explaining.graphs.figure import MOST_BOXES, Box, Direction, Edge, graph_figure
from heldout.reporting.style import figure_style


def _checked(figure: Figure) -> None:
    """Nothing is cut off, and no two words run into each other."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    page = figure.bbox
    (axes,) = figure.axes
    boxes = [patch.get_window_extent() for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    words = [each for each in axes.texts if isinstance(each, Text) and each.get_text()]
    places = [each.get_window_extent() for each in words]
    for place in [*boxes, *places]:
        assert page.x0 <= place.x0 <= place.x1 <= page.x1
        assert page.y0 <= place.y0 <= place.y1 <= page.y1
    for one, other in combinations(range(len(places)), 2):
        # The boxes that matplotlib gives reach a pixel or two beyond the letters.
        width = min(places[one].x1, places[other].x1) - max(places[one].x0, places[other].x0)
        height = min(places[one].y1, places[other].y1) - max(places[one].y0, places[other].y0)
        assert width <= 2 or height <= 3, (words[one].get_text(), words[other].get_text())


@pytest.mark.parametrize(
    "text",
    [
        "(w2*sigmoid(w1*x) - y)**2",
        "z1 = w1*x1 + w2*x2 + b; p = sigmoid(z1); -(y*log(p) + (1 - y)*log(1 - p))",
        "x",
    ],
)
def test_a_formula_is_drawn_without_overlaps(text: str) -> None:
    with figure_style():
        explanation = explain_graph(text)
        assert explanation.draw is not None
        _checked(explanation.draw())


@pytest.mark.parametrize("direction", ["right", "down"])
def test_both_directions_are_drawn_without_overlaps(direction: Direction) -> None:
    boxes = [Box(f"node {number}", f"operation {number}", "2x3x4", "backward") for number in range(7)]
    edges = [Edge(0, 1), Edge(1, 2, "slope"), Edge(0, 3), Edge(2, 4, "2 x"), Edge(3, 4), Edge(4, 6), Edge(0, 6, "1")]
    with figure_style():
        figure = graph_figure(
            boxes,
            edges,
            title="a long title of a figure " * 9,
            notes="notes",
            key=("below", "beside"),
            direction=direction,
        )
        _checked(figure)


def test_a_graph_that_nobody_could_read_is_not_drawn() -> None:
    boxes = [Box(str(number), "", "", "") for number in range(MOST_BOXES + 1)]
    with pytest.raises(UsageError, match="too many to be drawn"):
        graph_figure(boxes, [], title="", notes="", key=())
