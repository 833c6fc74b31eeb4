"""The losses of all trials in small multiples: one panel a setting, every seed in it, one scale for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import TYPE_CHECKING

import numpy as np

from heldout.reporting.style import ACCENT, INK, LINE, MUTED, WARM, WIDTH_INCHES, frame, label_text, new_figure
from heldout.reporting.sweep_results import SettingRecord, Sweep, Trial, varied
from heldout.reporting.wording import count, decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More panels are no longer looked at one by one (assumed); they make a page of about 1 MB.
MAX_PANELS = 36
# A loss above so many times the usual one runs out of its panel, so that it does not flatten the others (assumed).
_WILD = 2.5
# In inches: a column and a row with its titles and its gap, and the margins around them.
_COLUMN, _ROW, _TITLES, _GAP = 2.2, 1.5, 0.42, 0.16
_LEFT, _TOP, _BOTTOM = 0.5, 0.25, 0.4


@dataclass(frozen=True, slots=True)
class Panel:
    """The trials of one setting that have epochs, under two lines of title."""

    title: str
    subtitle: str
    name: str
    trials: tuple[Trial, ...]


def panels_of(sweep: Sweep) -> list[Panel]:
    """A panel for each setting that was trained by epochs, the best first."""
    by_backbone, by_size = varied(sweep.settings)
    panels = []
    for setting in sweep.settings:
        trials = tuple(each for each in sweep.trials_of(setting) if each.epochs or each.outcome == "diverged")
        if any(each.epochs for each in trials):
            panels.append(Panel(*_titles(setting, by_backbone, by_size), setting["name"], trials))
    return panels


def _titles(setting: SettingRecord, by_backbone: bool, by_size: bool) -> tuple[str, str]:
    place = setting["setting"]
    rate, size = place["learning_rate"], place["batch_size"]
    first = [label_text(place["regime"], 24), label_text(place["backbone"], 18) if by_backbone else ""]
    second = ["fitted" if rate is None else f"rate {rate:.3g}", f"batch {size}" if by_size and size else ""]
    if n := setting["n_diverged"]:
        second.append(f"{n} of {len(setting['scores'])} diverged")
    return " ".join(filter(None, first)), ", ".join(filter(None, second))


def losses_figure(panels: Sequence[Panel], *, n_columns: int) -> "Figure":
    """The panels in rows; validation is drawn solid, training thin, a cross marks where a loss left the numbers.

    All panels stand in one pair of axes whose unit is the inch: as many axes as panels take several times as long.
    """
    n_columns = max(2, min(n_columns, len(panels)))
    n_rows = -(-len(panels) // n_columns)
    width = WIDTH_INCHES if n_columns == 2 else _LEFT + n_columns * _COLUMN
    height = _TOP + n_rows * _ROW + _BOTTOM
    figure, (axes,) = new_figure(width, height)
    frame(figure, left=0, right=0, bottom=0, top=0)
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    column = (width - _LEFT) / n_columns
    scale = _Scale.of(panels)
    for place, panel in enumerate(panels):
        row, in_row = divmod(place, n_columns)
        box = _Box(_LEFT + in_row * column, _TOP + row * _ROW + _TITLES, column - _GAP, _ROW - _TITLES - _GAP)
        _draw_panel(axes, panel, box, scale)
        _draw_scale(axes, box, scale, with_losses=in_row == 0, with_epochs=place + n_columns >= len(panels))
    _key(figure, width, height)
    return figure


@dataclass(frozen=True, slots=True)
class _Box:
    """Where a panel stands: its upper left corner and its size, in inches."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Scale:
    """The one scale of all panels: first and last epoch, lowest and highest loss as powers of ten."""

    first: float
    last: float
    low: float
    high: float

    @classmethod
    def of(cls, panels: Sequence[Panel]) -> "_Scale":
        """The scale that holds what is drawn."""
        epochs = [epoch for panel in panels for trial in panel.trials for epoch in trial.epochs]
        low, high = loss_range(panels)
        return cls(min(epochs), max(epochs), log10(low), log10(high))

    def x(self, epoch: float, box: _Box) -> float:
        """Where an epoch stands; in the middle where there is only one."""
        share = (epoch - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return box.left + share * box.width

    def y(self, loss: float, box: _Box) -> float:
        """Where a loss above 0 stands, inside the box or not."""
        return box.top + (self.high - log10(loss)) / (self.high - self.low) * box.height


def loss_range(panels: Sequence[Panel]) -> tuple[float, float]:
    """The lowest and highest loss that is drawn: what is wild is cut off."""
    losses = [
        loss
        for panel in panels
        for trial in panel.trials
        for loss in (*trial.train_loss, *trial.validation_loss)
        if isfinite(loss) and loss > 0
    ]
    if not losses:
        return 0.1, 10.0
    finished = [
        loss
        for panel in panels
        for trial in panel.trials
        if trial.outcome == "finished"
        for loss in trial.validation_loss
        if isfinite(loss) and loss > 0
    ]
    usual = float(np.quantile(finished or losses, 0.9))
    # A head that learns its training part by heart has losses near nothing, which say little: they are cut off too.
    low = max(min(losses), usual / 1000)
    high = max(min(max(losses), _WILD * usual), 2 * low)
    return low / 1.15, high * 1.15


def told_losses(panels: Sequence[Panel]) -> str:
    """What the panels show, in words for those who do not see them."""
    trials = [trial for panel in panels for trial in panel.trials]
    lowest = min(
        (
            (loss, panel.name)
            for panel in panels
            for trial in panel.trials
            for loss in trial.validation_loss
            if isfinite(loss)
        ),
        default=None,
    )
    text = (
        f"Loss against epoch of {count(len(trials), 'trial')} in {count(len(panels), 'setting')}, on one logarithmic "
        "scale."
    )
    if lowest is not None:
        text += f" The lowest validation loss of all, {decimal(lowest[0])}, is seen with {lowest[1]}."
    diverged = sum(trial.outcome == "diverged" for trial in trials)
    if diverged:
        text += f" {count(diverged, 'trial')} diverged: {'its' if diverged == 1 else 'their'} lines end at a cross."
    else:
        text += " No trial diverged."
    return text


def _draw_panel(axes: "Axes", panel: Panel, box: _Box, scale: _Scale) -> None:
    """The lines of one panel under its two lines of title; what runs out of the box is cut off."""
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Rectangle

    for name, colour, width in (("train_loss", MUTED, 0.6), ("validation_loss", ACCENT, 1.3)):
        lines = [_points(trial.epochs, getattr(trial, name), box, scale) for trial in panel.trials]
        drawn = LineCollection([line for line in lines if len(line) > 1], colors=colour, linewidths=width)
        axes.add_collection(drawn, autolim=False)
        outline = Rectangle((box.left, box.top), box.width, box.height, transform=axes.transData)
        drawn.set_clip_path(outline)
        alone = [line[0] for line in lines if len(line) == 1 and box.top <= line[0][1] <= box.top + box.height]
        axes.plot([x for x, _ in alone], [y for _, y in alone], ".", color=colour, markersize=5 * width**0.5)
    ends = [_end_of(trial, box, scale) for trial in panel.trials if trial.outcome == "diverged"]
    axes.plot([x for x, _ in ends], [y for _, y in ends], "x", color=WARM, markersize=5, markeredgewidth=1.6, zorder=4)
    axes.text(box.left, box.top - 0.21, panel.title, color=INK, fontsize=8.5, fontweight="bold", va="bottom")
    axes.text(box.left, box.top - 0.06, panel.subtitle, color=MUTED, fontsize=8, va="bottom")


def _points(epochs: Sequence[float], losses: Sequence[float], box: _Box, scale: _Scale) -> list[tuple[float, float]]:
    return [
        (scale.x(epoch, box), scale.y(loss, box))
        for epoch, loss in zip(epochs, losses, strict=True)
        if isfinite(loss) and loss > 0
    ]


def _end_of(trial: Trial, box: _Box, scale: _Scale) -> tuple[float, float]:
    """Where the last loss that is a number stands; at the top of the panel where that is above it or there is none."""
    points = _points(trial.epochs, trial.validation_loss, box, scale)
    if not points:
        return scale.x((trial.epochs or (scale.first,))[0], box), box.top
    x, y = points[-1]
    return x, min(max(y, box.top), box.top + box.height)


def _draw_scale(axes: "Axes", box: _Box, scale: _Scale, *, with_losses: bool, with_epochs: bool) -> None:
    """Hair lines at round losses, with words at the left of a row and under the last panel of a column."""
    losses = _round_losses(10**scale.low, 10**scale.high)
    heights = [scale.y(loss, box) for loss in losses]
    axes.hlines(heights, box.left, box.left + box.width, color=LINE, linewidth=0.7, zorder=0.4)
    if with_losses:
        for loss, y in zip(losses, heights, strict=True):
            axes.text(box.left - 0.08, y, f"{loss:g}", ha="right", va="center", color=MUTED, fontsize=8.5)
    if with_epochs:
        beneath = box.top + box.height + 0.07
        ends = {scale.first: "left", scale.last: "right"} if scale.first < scale.last else {scale.first: "center"}
        for epoch, side in ends.items():
            axes.text(scale.x(epoch, box), beneath, f"{epoch:g}", ha=side, va="top", color=MUTED, fontsize=8.5)
        axes.text(box.left + box.width / 2, beneath + 0.15, "epoch", ha="center", va="top", color=MUTED)


def _round_losses(low: float, high: float) -> list[float]:
    """At most four losses at 1, 2 and 5 times powers of ten."""
    places = [
        step * 10.0**power
        for power in range(int(np.floor(log10(low))), int(np.ceil(log10(high))) + 1)
        for step in (1, 2, 5)
        if low <= step * 10.0**power <= high
    ]
    if len(places) > 4:
        whole = [place for place in places if abs(log10(place) - round(log10(place))) < 1e-9]
        places = whole if len(whole) >= 2 else places[:: -(-len(places) // 4)]
    return places


def _key(figure: "Figure", width: float, height: float) -> None:
    """The key above all panels, drawn as what it names."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=ACCENT, linewidth=1.6, label="validation"),
        Line2D([], [], color=MUTED, linewidth=0.8, label="train"),
        Line2D([], [], color=WARM, marker="x", linestyle="none", markeredgewidth=1.6, markersize=5, label="diverged"),
    ]
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=((_LEFT - 0.08) / width, 1 - 0.02 / height),
        ncols=3,
        handlelength=1.3,
        columnspacing=1.4,
        borderpad=0,
    )
