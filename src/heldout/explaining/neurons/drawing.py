"""One zero set drawn: what is above 0 shaded, the curve itself from its parametrisation, and what helps to read it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from heldout.anatomy.neurons.forms import Point
from heldout.anatomy.neurons.zero_set_curves import curves_of, sides_of
from heldout.anatomy.neurons.zero_sets import ZeroSet
from heldout.reporting.style import ACCENT, BAND, INK, MUTED, PAPER, Ticks, draw_scales, numbers, title_beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of the field that the shade is made of; the edge is drawn over it exactly.
_N_CELLS = 240
# A scale is told in powers of ten beyond these, and from the centre where that lies so many widths away (assumed).
_SMALL, _LARGE, _FAR = 1e-2, 1e4, 200.0


@dataclass(frozen=True, slots=True)
class View:
    """What part of the plane is drawn, and in which unit.

    Attributes:
        origin: What the scales count from.
        unit: What they count in.
        x: From where to where, in these units.
        y: From where to where, in these units.
    """

    origin: Point
    unit: float
    x: tuple[float, float]
    y: tuple[float, float]

    def drawn(self, points: Float[np.ndarray, "points two"]) -> Float[np.ndarray, "points two"]:
        """Where points of the plane are drawn."""
        return np.asarray((points - np.array(self.origin)) / self.unit)

    @property
    def middle(self) -> Point:
        """The middle of what is drawn, as a point of the plane."""
        return (
            self.origin[0] + self.unit * sum(self.x) / 2,
            self.origin[1] + self.unit * sum(self.y) / 2,
        )

    @property
    def reach(self) -> float:
        """From the middle to a corner, in the plane."""
        return self.unit * math.hypot(self.x[1] - self.x[0], self.y[1] - self.y[0])

    def title(self, name: str, axis: int) -> str:
        """What a scale is called: the input, less what it counts from, by its unit."""
        place = self.origin[axis]
        words = f"{name} {'+' if place < 0 else '−'} {abs(place):.6g}" if place else name
        unit = "" if self.unit == 1 else f" in {self.unit:g}".replace("-", "−")
        return words + unit


def view_of(middle: Point, reach: float) -> View:
    """A square about a point, in a unit that reads well.

    Args:
        middle: A point of the plane.
        reach: From the middle to each edge.
    """
    unit = 1.0 if _SMALL <= reach <= _LARGE else 10.0 ** math.floor(math.log10(reach))
    origin = middle if math.hypot(*middle) > _FAR * reach else (0.0, 0.0)
    low_high = [
        ((place - start - reach) / unit, (place - start + reach) / unit)
        for place, start in zip(middle, origin, strict=True)
    ]
    return View(origin, unit, low_high[0], low_high[1])


def set_view(axes: "Axes", view: View) -> None:
    """The limits of the axes."""
    axes.set_xlim(*view.x)
    axes.set_ylim(*view.y)


def shade(axes: "Axes", view: View, zero_set: ZeroSet, *, n_cells: int = _N_CELLS) -> None:
    """A tint where the neuron is above 0; a stronger one where it is 0 all over."""
    x, y = np.meshgrid(np.linspace(*view.x, n_cells), np.linspace(*view.y, n_cells))
    if zero_set.centre is None:
        colour = ACCENT if zero_set.kind == "plane" else BAND if zero_set.positive == "everywhere" else PAPER
        axes.axvspan(*view.x, color=colour, alpha=0.45 if zero_set.kind == "plane" else 0.8, linewidth=0, zorder=0.3)
        return
    start = [(place - from_) / view.unit for place, from_ in zip(zero_set.centre, view.origin, strict=True)]
    field = sides_of(zero_set, view.unit * (x - start[0]), view.unit * (y - start[1]))
    largest = float(np.abs(field).max()) or 1.0
    if (field > 0).any():
        axes.contourf(x, y, field / largest, [0.0, 2.0], colors=[BAND], alpha=0.8, zorder=0.3)


def draw_zero_set(axes: "Axes", view: View, zero_set: ZeroSet, **look: Any) -> None:
    """The curve, the lines or the point."""
    chosen: dict[str, Any] = {"color": ACCENT, "linewidth": 2.0, "zorder": 3.0} | look
    for curve in curves_of(zero_set, view.middle, view.reach):
        drawn = view.drawn(curve)
        if len(drawn) == 1:
            axes.plot(
                drawn[:, 0], drawn[:, 1], marker="o", markersize=6, linestyle="none", color=chosen["color"], zorder=3
            )
        else:
            axes.plot(drawn[:, 0], drawn[:, 1], **chosen)


def draw_asymptotes(axes: "Axes", view: View, zero_set: ZeroSet) -> None:
    """Of a hyperbola."""
    if zero_set.kind != "hyperbola" or zero_set.centre is None:
        return
    for dx, dy in zero_set.directions:
        step = np.array([dx, dy]) * 2 * view.reach
        ends = view.drawn(np.array([np.array(zero_set.centre) - step, np.array(zero_set.centre) + step]))
        axes.plot(ends[:, 0], ends[:, 1], color=MUTED, linewidth=0.9, linestyle=(0, (5, 3)), zorder=2)


def scales(axes: "Axes", view: View, names: tuple[str, str]) -> None:
    """The scales below and beside the drawing."""
    x_places, y_places = numbers(*view.x, n_most=5), numbers(*view.y, n_most=5)
    draw_scales(
        axes,
        x=Ticks(x_places, [_worded(each) for each in x_places], view.title(names[0], 0), lines=True),
        y=Ticks(y_places, [_worded(each) for each in y_places], lines=True),
    )
    longest = max((len(_worded(each)) for each in y_places), default=0)
    title_beside(axes, view.title(names[1], 1), 14 + 5.2 * longest)


def label(axes: "Axes", words: str, at: Point, offset: Point = (0.0, 0.0), **look: Any) -> None:
    """Words beside a point, on a little paper so that lines do not run through them."""
    chosen: dict[str, Any] = {"ha": "center", "va": "center", "color": INK, "fontsize": 8.5} | look
    axes.annotate(
        words,
        at,
        offset,
        textcoords="offset points",
        zorder=6,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.8},
        annotation_clip=True,
        **chosen,
    )


def _worded(value: float) -> str:
    return f"{value:g}".replace("-", "−")
