"""The figures of the decay of a run: each layer's norm beside what decay alone would have left; a fitted penalty."""

from typing import TYPE_CHECKING

import numpy as np

from heldout.anatomy.decay.measured import MeasuredDecay
from heldout.reporting.style import (
    ACCENT,
    INK,
    KEY_ROW,
    LINE,
    MUTED,
    PAPER,
    Ticks,
    draw_scales,
    frame,
    key_in_rows,
    label_text,
    new_figure,
    numbers,
    title_beside,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# All in inches.
_WIDTH, _RIGHT, _BOTTOM, _TOP = 5.6, 0.2, 0.56, 0.12 + KEY_ROW
_ROW = 0.19
# More rows than these no page can hold; the tensors with the largest norms are then drawn.
_MOST_ROWS = 60
_LONGEST_NAME = 34


def norms_figure(facts: MeasuredDecay) -> "Figure":
    """One row a tensor: what is left of its norm as a dot, and a line to what decay alone would have left."""
    from matplotlib.lines import Line2D

    every = facts.decayed or facts.tensors
    drawn = [tensor for tensor in every if tensor.ratio(facts.row) is not None]
    largest = sorted(drawn, key=lambda tensor: -tensor.norms[0])[:_MOST_ROWS]
    drawn = [tensor for tensor in drawn if tensor in largest]
    left_out = len(every) - len(drawn)
    names = [label_text(tensor.name, _LONGEST_NAME) for tensor in drawn]
    measured = [100 * ((tensor.ratio(facts.row) or 0.0) - 1) for tensor in drawn]
    alone = [100 * (tensor.alone[facts.row] - 1) for tensor in drawn]
    bottom = _BOTTOM + (0.2 if left_out else 0.0)
    figure, (axes,) = new_figure(_WIDTH, _TOP + bottom + _ROW * (len(drawn) + 0.6))
    places = -np.arange(len(drawn))
    low, high = min(*measured, *alone, 0.0), max(*measured, *alone, 0.0)
    room = 0.06 * (high - low or 1.0)
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(-len(drawn) + 0.2, 0.8)
    axes.axvline(0.0, color=LINE, linewidth=1.0, zorder=0.5)
    axes.hlines(places, alone, measured, color=ACCENT, linewidth=1.2, alpha=0.55, zorder=2)
    axes.scatter(alone, places, marker="|", s=60, color=INK, linewidths=1.6, zorder=3)
    axes.scatter(measured, places, marker="o", s=22, color=ACCENT, zorder=4)
    ticks = numbers(*axes.get_xlim())
    title = f"change of the norm until epoch {facts.epochs[facts.row]}, percent"
    draw_scales(
        axes,
        x=Ticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks], title),
        y=Ticks(places.tolist(), names),
    )
    entries = [
        Line2D([], [], color=ACCENT, marker="o", linestyle="none", markersize=5, label="measured"),
        Line2D([], [], color=INK, marker="|", linestyle="none", markersize=8, markeredgewidth=1.6, label="decay alone"),
        Line2D([], [], color=ACCENT, alpha=0.55, linewidth=1.2, label="what the gradient did"),
    ]
    key_in_rows(figure, entries, 1)
    if left_out:
        note = f"{left_out:,} more with smaller norms, or none, at first are not drawn."
        figure.text(0.06 / _WIDTH, 0.02, note, color=MUTED, fontsize=8, ha="left", va="bottom")
    frame(figure, left=0.2 + 0.078 * max(map(len, names), default=0), right=_RIGHT, bottom=bottom, top=_TOP)
    return figure


def penalty_figure(l2: float) -> "Figure":
    """What a fitted penalty leaves along each direction, by the curvature of the loss."""
    figure, (axes,) = new_figure(4.6, 2.7)
    powers = np.linspace(-3, 3, 200)
    axes.set_xlim(-3, 3)
    axes.set_ylim(0, 1.02)
    axes.axvline(0, color=LINE, linewidth=1.0, zorder=0.5)
    axes.plot(powers, 1 / (1 + 10.0**-powers), color=ACCENT)
    axes.plot([0], [0.5], marker="o", color=INK, markersize=6)
    axes.annotate(
        f"half at h = l2 = {l2:.4g}",
        (0, 0.5),
        (8, -4),
        textcoords="offset points",
        va="top",
        fontsize=8.5,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.8},
    )
    draw_scales(
        axes,
        x=Ticks([-2, 0, 2], ["l2 / 100", "l2", "100 l2"], "curvature of the loss along a direction, h"),
        y=Ticks([0, 0.5, 1], ["0", "0.5", "1"], lines=True),
    )
    title_beside(axes, "left of the weight, h / (h + l2)", 32)
    frame(figure, left=0.72, right=0.15, bottom=0.56, top=0.12)
    return figure
