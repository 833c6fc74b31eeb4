"""The figures of weight decay: where the weight goes, and the map of what happens at which learning rates."""

import math
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from heldout.anatomy.decay.quadratic import Decay, Descent, path_of
from heldout.explaining.decay.numbers import shown
from heldout.explaining.decay.words import without_penalty
from heldout.reporting.style import (
    ACCENT,
    BAND,
    INK,
    LINE,
    MUTED,
    WARM,
    Ticks,
    draw_scales,
    frame,
    key_in_rows,
    new_figure,
    numbers,
    title_beside,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# All in inches.
_WIDTH, _HEIGHT = 8.0, 3.2
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.5, 0.2, 0.56, 0.42
# Up to so many steps each is a dot of its own.
_MOST_DOTS = 60
# A path that runs away is drawn this many times as far out as it began.
_FAR = 3.0
# What two names of two lines each need between their middles, points.
_NAME_ROOM = 25.0
# A point farther out than this many times the map is drawn at its edge.
_MOST_MAP = 1.6


def decay_figure(found: Decay, n_steps: int) -> "Figure":
    """The path with and without the penalty, and the map of the stable settings with this one in it.

    Args:
        found: The facts.
        n_steps: That the paths go.
    """
    from matplotlib.lines import Line2D

    figure, (left, right) = new_figure(_WIDTH, _HEIGHT, ncols=2, gridspec_kw={"wspace": 0.46})
    _draw_paths(left, found, n_steps)
    _draw_map(right, found)
    entries = [
        Line2D([], [], color=ACCENT, linewidth=1.8, label="the weight"),
        Line2D([], [], color=MUTED, linewidth=1.2, label="without the penalty"),
        Line2D([], [], color=INK, marker="o", linestyle="none", markersize=5, label="this setting"),
        Line2D([], [], color=INK, linewidth=1.0, linestyle=(0, (4, 3)), label="other learning rates, up to the limit"),
    ]
    key_in_rows(figure, entries, 1)
    frame(figure, left=_LEFT, right=_RIGHT, bottom=_BOTTOM, top=_TOP)
    return figure


def _draw_paths(axes: "Axes", found: Decay, n_steps: int) -> None:
    rule = found.rule
    path, bare = path_of(rule, n_steps), path_of(without_penalty(rule), n_steps)
    ends = [rule.start, rule.minimum, *([] if found.optimum is None else [found.optimum])]
    reach = _FAR * (max(ends) - min(ends) or 1.0)
    low, high = max(min(*path, *bare, *ends), min(ends) - reach), min(max(*path, *bare, *ends), max(ends) + reach)
    room = 0.1 * (high - low or 1.0)
    n_shown = max(len(path), len(bare)) - 1
    axes.set_xlim(0, n_shown)
    axes.set_ylim(low - room, high + room)
    _draw_ends(axes, found)
    dots = {"marker": "o", "markersize": 3.0} if n_shown <= _MOST_DOTS else {}
    axes.plot(range(len(bare)), bare, color=MUTED, linewidth=1.2, zorder=2, clip_on=True)
    axes.plot(range(len(path)), path, color=ACCENT, linewidth=1.6, zorder=3, clip_on=True, **dots)  # type: ignore[arg-type]
    places, steps = numbers(*axes.get_ylim()), numbers(0, n_shown, whole=True)
    draw_scales(
        axes,
        x=Ticks(steps, [f"{step:,.0f}" for step in steps], "step"),
        y=Ticks(places, [f"{place:g}".replace("-", "−") for place in places], lines=True),
    )


def _draw_ends(axes: "Axes", found: Decay) -> None:
    """Where the loss alone and the loss with its penalty are lowest: dotted, and named at the right of the axes."""
    rule, end = found.rule, found.optimum
    lines = [(rule.minimum, "minimum", MUTED)] if rule.curvature else []
    if end is not None and rule.l2:
        lines.append((end, "optimum", ACCENT))
    lines.sort(key=lambda line: -line[0])
    low, high = axes.get_ylim()
    points = 72 * (_HEIGHT - _BOTTOM - _TOP) / (high - low)
    push = max(0.0, _NAME_ROOM - (lines[0][0] - lines[-1][0]) * points) / 2 if len(lines) > 1 else 0.0
    for (height, name, colour), up in zip(lines, (push, -push), strict=False):
        axes.axhline(height, color=colour, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
        axes.annotate(
            f"{name}\n{shown(height, 4)}".replace("-", "−"),
            (1, height),
            (5, up),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=8.5,
            linespacing=1.05,
        )


def _draw_map(axes: "Axes", found: Decay) -> None:
    """Across the curvature, up the decay, both times the learning rate: what happens depends on nothing else."""
    rule = found.rule
    b = rule.momentum
    widest = 2 * (1 + b)
    tallest = 2.0 if rule.is_decoupled else widest
    across, up = rule.learning_rate * rule.curvature, rule.learning_rate * rule.weight_decay
    axes.set_xlim(0, max(1.18 * widest, min(1.1 * across, _MOST_MAP * widest)))
    axes.set_ylim(0, max(1.18 * tallest, min(1.1 * up, _MOST_MAP * tallest)))
    heights = np.linspace(0, axes.get_ylim()[1], 400)
    low, high, stable = _borders(rule, heights)
    for start, end, strength in ((np.zeros_like(low), low, 1.0), (low, high, 0.62), (high, stable, 0.3)):
        axes.fill_betweenx(heights, start, np.maximum(start, end), color=BAND, alpha=strength, linewidth=0, zorder=0.5)
    axes.plot(stable[stable >= 0], heights[stable >= 0], color=WARM, linewidth=1.4, zorder=2)
    _name_regions(axes, found, (across, up))
    _draw_setting(axes, found, across, up)
    x_places, y_places = (numbers(*limits(), n_most=5) for limits in (axes.get_xlim, axes.get_ylim))
    draw_scales(
        axes,
        x=Ticks(x_places, [f"{place:g}" for place in x_places], "learning rate × curvature of the loss, A h"),
        y=Ticks(y_places, [f"{place:g}" for place in y_places]),
    )
    title_beside(axes, "learning rate × weight decay, 2 A L", 26)


def _borders(
    rule: Descent, heights: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Where the swinging begins, where it ends, and where it is no longer stable, across, at each 2 A L."""
    b = rule.momentum
    if rule.is_decoupled:
        half = 2 * np.sqrt(b * np.maximum(0, 1 - heights))
        low, high, stable = 1 + b - heights - half, 1 + b - heights + half, (1 + b) * (2 - heights)
    else:
        low, high, stable = (
            (1 - math.sqrt(b)) ** 2 - heights,
            (1 + math.sqrt(b)) ** 2 - heights,
            2 * (1 + b) - heights,
        )
    return np.maximum(low, 0), np.maximum(high, 0), stable


def _name_regions(axes: "Axes", found: Decay, ray: tuple[float, float]) -> None:
    """A word in each region, where it has most room: away from the borders, the ray and the edge of the map."""
    from scipy.ndimage import distance_transform_edt

    (_, width), (_, height) = axes.get_xlim(), axes.get_ylim()
    x, y = np.linspace(0, width, 121), np.linspace(0, height, 81)
    low, high, stable = (border[:, None] for border in _borders(found.rule, y))
    across, up = x[None, :] / width, y[:, None] / height
    length = math.hypot(ray[0] / width, ray[1] / height)
    off_ray = np.abs(across * ray[1] / height - up * ray[0] / width) >= 0.012 * length
    regions = (
        (x < low, "no swing" if found.rule.momentum else "no overshoot", INK),
        ((x > low) & (x < high), "swings", INK),
        ((x > high) & (x < stable), "overshoots", INK),
        (x > stable, "unstable", WARM),
    )
    for region, words, colour in regions:
        # In units of the room that the word needs, to each side of its middle.
        steps = (1 / 80 / 0.045, 1 / 120 / (0.0115 * len(words)))
        room = distance_transform_edt(np.pad(region & off_ray, 1), sampling=steps)[1:-1, 1:-1]
        row, column = np.unravel_index(int(room.argmax()), room.shape)
        if room[row, column] >= 0.9:
            axes.text(x[column], y[row], words, color=colour, fontsize=8.5, ha="center", va="center", zorder=4)


def _draw_setting(axes: "Axes", found: Decay, across: float, up: float) -> None:
    """The setting as a dot, and the ray on which it moves with the learning rate, as far as the limit."""
    (_, width), (_, height) = axes.get_xlim(), axes.get_ylim()
    if found.behaviour == "still":
        axes.plot([0], [0], marker="o", color=INK, markersize=6, clip_on=False, zorder=6)
        return
    limit = found.limits.stable / found.rule.learning_rate
    far = min(limit, 1e9)
    axes.plot([0, far * across], [0, far * up], color=INK, linewidth=1.0, linestyle=(0, (4, 3)), zorder=3)
    axes.annotate(
        f"A = {shown(found.limits.stable, 4)}",
        (far * across, far * up),
        (5, 5),
        textcoords="offset points",
        color=WARM,
        fontsize=8.5,
        zorder=5,
    )
    inside = min(1.0, width / across if across else 1.0, height / up if up else 1.0)
    axes.plot(
        [inside * across],
        [inside * up],
        marker="o" if inside == 1 else (3, 0, -90 if across / width > up / height else 0),
        color=INK,
        markersize=6,
        clip_on=False,
        zorder=6,
    )
    if inside < 1:
        axes.annotate(
            "far outside",
            (inside * across, inside * up),
            (-2, 24),
            textcoords="offset points",
            ha="right",
            fontsize=8.5,
        )
    axes.axhline(0, color=LINE, linewidth=0.7)
