"""A graph of boxes, drawn from left to right or from top to bottom.

Everything is laid out along the direction of the graph and across it, in inches, and turned into place when it is
drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from heldout.errors import UsageError
from heldout.explaining.graphs.layout import Layout, layout
from heldout.reporting.style import ACCENT, BAND, INK, LINE, MUTED, PAPER, frame, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BOXES = 60
# All in inches.
_PADDING = 0.11
_HIGH, _LOW = 0.56, 0.5  # boxes with words behind the name, and without
_GAP = 0.2
# Between two layers the edges bend first and then run level, with their slopes on them, into the boxes.
_BEND, _HEAD = 0.34, 0.14
_MARGIN, _TOP, _BOTTOM = 0.18, 0.74, 0.42
_NARROWEST = 6.3
_NAME, _WORDS, _NUMBER, _SLOPE = 11.0, 9.5, 9.0, 8.5
_LONGEST_TITLE = 110
# In pixels letters are set a little wider than in outlines (measured 2026-11-22: 1 to 3 %).
_SLACK = 1.03

Direction = Literal["right", "down"]


@dataclass(frozen=True, slots=True)
class Box:
    """What stands in one box.

    Attributes:
        name: In bold.
        words: Behind the name.
        value: Below, at the left.
        derivative: Below, at the right, in the accent.
        is_parameter: Whether it is filled.
        is_operation: Whether its frame is dark.
        is_output: Whether its frame is thick.
    """

    name: str
    words: str
    value: str
    derivative: str
    is_parameter: bool = False
    is_operation: bool = True
    is_output: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """From one box to another, with words on it; a muted one carries no derivative."""

    start: int
    end: int
    slope: str = ""
    is_muted: bool = False


def graph_figure(
    boxes: Sequence[Box],
    edges: Sequence[Edge],
    *,
    title: str,
    notes: str,
    key: Sequence[str],
    direction: Direction = "right",
) -> "Figure":
    """A graph with a key above it and a line of notes below.

    Args:
        boxes: Each after those from which edges lead to it.
        edges: Between them.
        title: Above; cut where it is long.
        notes: Below.
        key: What stands in a box below at the left, what at the right, and what on the edges.
        direction: In which the edges lead.

    Raises:
        UsageError: There are too many boxes to be read.
    """
    if len(boxes) > MOST_BOXES:
        raise UsageError(
            f"the graph has {len(boxes):,} nodes, too many to be drawn",
            expected=f"at most {MOST_BOXES}",
            fix="leave the plot out, or draw a part",
        )
    plan = _planned(boxes, edges, direction)
    title = title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…"
    left, right, low, high = plan.extent
    key_width = sum(_text_width(words, 8.5) + 0.28 for words in key)
    widest = max(right - left, _text_width(title, 10, bold=True), _text_width(notes, 8.5), key_width)
    width = max(widest + 2 * _MARGIN, _NARROWEST)
    figure, (axes,) = new_figure(width, high - low + _TOP + _BOTTOM)
    frame(figure, left=0, right=0, bottom=0, top=0)
    axes.set_axis_off()
    start = (left + right - width) / 2
    axes.set_xlim(start, start + width)
    axes.set_ylim(low - _BOTTOM, high + _TOP)
    for edge, port in zip(edges, _ports(edges, plan), strict=True):
        _draw_edge(axes, edge, port, plan)
    for place, box in enumerate(boxes):
        _draw_box(axes, box, plan.middle(place))
    axes.text(start + _MARGIN, high + _TOP - 0.17, title, fontsize=10, fontweight="bold", va="center")
    _draw_key(axes, start + _MARGIN, high + _TOP - 0.41, key)
    axes.text(start + _MARGIN, low - _BOTTOM + 0.15, notes, fontsize=8.5, color=MUTED, va="center")
    return figure


@dataclass(frozen=True, slots=True)
class _Layer:
    """Where a layer is: from `bent` on its edges are level; `start` and `end` are those of its longest box."""

    bent: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where everything is, along the graph and across it."""

    direction: Direction
    places: Layout
    layers: tuple[_Layer, ...]
    sizes: tuple[tuple[float, float], ...]  # of each box, along and across

    def at(self, along: float, across: float) -> tuple[float, float]:
        """A place of the drawing."""
        return (along, across) if self.direction == "right" else (across, -along)

    def ends(self, place: int) -> tuple[float, float]:
        """Where a box begins and ends along the graph: in the middle of its layer."""
        layer = self.layers[self.places.layers[place]]
        middle, half = (layer.start + layer.end) / 2, self.sizes[place][0] / 2
        return middle - half, middle + half

    def middle(self, place: int) -> tuple[float, float]:
        """Of a box, in the drawing."""
        return self.at(sum(self.ends(place)) / 2, self.places.heights[place])

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, low and high."""
        end = self.layers[-1].end
        if self.direction == "right":
            return 0.0, end, self.places.low, self.places.high
        return self.places.low, self.places.high, -end, 0.0


def _planned(boxes: Sequence[Box], edges: Sequence[Edge], direction: Direction) -> _Plan:
    is_right = direction == "right"
    sizes = tuple((_wide(box), _tall(box)) if is_right else (_tall(box), _wide(box)) for box in boxes)
    places = layout(len(boxes), [(edge.start, edge.end) for edge in edges], [across for _, across in sizes], gap=_GAP)
    n = max(places.layers) + 1
    longest, labels, n_bends = [0.0] * n, [0.0] * n, [0] * n
    for (along, _), layer in zip(sizes, places.layers, strict=True):
        longest[layer] = max(longest[layer], along)
    for edge in edges:
        end = places.layers[edge.end]
        labels[end] = max(labels[end], _text_width(edge.slope, _SLOPE) if is_right else 0.2 * bool(edge.slope))
        for layer in range(places.layers[edge.start] + 1, end + 1):
            n_bends[layer] += 1
    layers: list[_Layer] = []
    for length, label, n_here in zip(longest, labels, n_bends, strict=True):
        before = layers[-1].end if layers else 0.0
        bend = (_BEND if is_right else 0.2) + min(0.02 * n_here, 0.3)
        bent = before + bend if layers else before
        start = bent + _HEAD + label if layers else bent
        layers.append(_Layer(bent, start, start + length))
    return _Plan(direction, places, tuple(layers), sizes)


def _tall(box: Box) -> float:
    return _HIGH if box.words else _LOW


def _wide(box: Box) -> float:
    first = _text_width(box.name, _NAME, bold=True) + (_text_width(box.words, _WORDS) + 0.08 if box.words else 0)
    second = _text_width(box.value, _NUMBER) + (0.22 + _text_width(box.derivative, _NUMBER) if box.derivative else 0)
    return max(first, second, 0.5) + 2 * _PADDING


@lru_cache(maxsize=4096)
def _text_width(words: str, size: float, *, bold: bool = False) -> float:
    """In inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not words.strip():
        return 0.0
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    # Blanks at the ends have no outline; a bar on both sides makes them count.
    bars = TextPath((0, 0), "||", size=size, prop=font).get_extents().width
    width = TextPath((0, 0), f"|{words}|", size=size, prop=font).get_extents().width - bars
    return float(width) / 72 * _SLACK


def _ports(edges: Sequence[Edge], plan: _Plan) -> list[float]:
    """How far from the middle of its box each edge arrives, so that several do not run into one another."""
    arriving: dict[int, list[tuple[float, int]]] = {}
    for index, edge in enumerate(edges):
        bends = plan.places.bends[edge.start, edge.end]
        arriving.setdefault(edge.end, []).append((bends[-1][1] if bends else plan.places.heights[edge.start], index))
    ports = [0.0] * len(edges)
    for place, each in arriving.items():
        step = min(0.2 if plan.direction == "right" else 0.4, 0.7 * plan.sizes[place][1] / len(each))
        for rank, (_, index) in enumerate(sorted(each)):
            ports[index] = (rank - (len(each) - 1) / 2) * step
    return ports


def _draw_edge(axes: "Axes", edge: Edge, port: float, plan: _Plan) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    leaves, arrives = plan.places.heights[edge.start], plan.places.heights[edge.end] + port
    first, last = (plan.layers[plan.places.layers[place]] for place in (edge.start, edge.end))
    points = [(plan.ends(edge.start)[1], leaves), (first.end, leaves)]
    for layer, across in plan.places.bends[edge.start, edge.end]:
        points += [(plan.layers[layer].bent, across), (plan.layers[layer].end, across)]
    tip = plan.ends(edge.end)[0]
    points += [(last.bent, arrives), (tip, arrives)]
    vertices, codes = _smooth(points)
    axes.add_patch(
        FancyArrowPatch(
            path=Path([plan.at(*vertex) for vertex in vertices], codes),
            arrowstyle="-|>,head_length=4.5,head_width=2.2",
            color=LINE if edge.is_muted else MUTED,
            linewidth=1.0,
            shrinkA=0,
            shrinkB=0,
            zorder=1,
        )
    )
    if edge.slope:
        axes.text(
            *plan.at((last.bent + tip - 0.09) / 2, arrives),
            edge.slope,
            fontsize=_SLOPE,
            color=ACCENT,
            ha="center",
            va="center",
            zorder=1.5,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6},
        )


def _smooth(points: Sequence[tuple[float, float]]) -> tuple[list[tuple[float, float]], list[int]]:
    """A curve through the points that runs along the graph at each of them."""
    from matplotlib.path import Path

    vertices, codes = [points[0]], [int(Path.MOVETO)]
    for (along, across), (next_along, next_across) in pairwise(points):
        middle = (along + next_along) / 2
        vertices += [(middle, across), (middle, next_across), (next_along, next_across)]
        codes += [int(Path.CURVE4)] * 3
    return vertices, codes


def _draw_box(axes: "Axes", box: Box, middle: tuple[float, float]) -> None:
    from matplotlib.patches import FancyBboxPatch

    wide, tall = _wide(box), _tall(box)
    left, y = middle[0] - wide / 2, middle[1]
    axes.add_patch(
        FancyBboxPatch(
            (left, y - tall / 2),
            wide,
            tall,
            boxstyle="round,pad=0,rounding_size=0.07",
            facecolor=BAND if box.is_parameter else PAPER,
            edgecolor=INK if box.is_output or box.is_operation else MUTED,
            linewidth=1.8 if box.is_output else 0.9,
            zorder=2,
        )
    )
    upper, lower = y + tall * 0.21, y - tall * 0.23
    axes.text(left + _PADDING, upper, box.name, fontsize=_NAME, fontweight="bold", va="center", zorder=3)
    beside = left + _PADDING + _text_width(box.name, _NAME, bold=True) + 0.08
    axes.text(beside, upper, box.words, fontsize=_WORDS, va="center", zorder=3)
    axes.text(left + _PADDING, lower, box.value, fontsize=_NUMBER, va="center", zorder=3)
    right = left + wide - _PADDING
    axes.text(right, lower, box.derivative, fontsize=_NUMBER, color=ACCENT, va="center", ha="right", zorder=3)


def _draw_key(axes: "Axes", left: float, y: float, key: Sequence[str]) -> None:
    for words, colour in zip(key, (INK, ACCENT, ACCENT), strict=False):
        axes.text(left, y, words, fontsize=8.5, color=colour, va="center")
        left += _text_width(words, 8.5) + 0.28
