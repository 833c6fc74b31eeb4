"""Loss and accuracy against epoch, against the L2 strength of a head, or against a rising learning rate."""

from collections.abc import Sequence
from math import isfinite, nan
from typing import TYPE_CHECKING

import numpy as np

from heldout.reporting.style import (
    ACCENT,
    BAND,
    MUTED,
    Ticks,
    draw_scales,
    frame,
    key_above,
    new_figure,
    numbers,
    whole_percents,
)
from heldout.reporting.wording import bracket, decimal, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Columns = dict[str, list[float]]


def loss_curve(history: Columns) -> "Figure":
    """Training and validation loss against epoch, the kept epoch marked."""
    figure, (axes,) = new_figure()
    epochs = history["epoch"]
    axes.plot(epochs, history["train_loss"], color=MUTED, label="train", linewidth=1.4)
    axes.plot(epochs, history["validation_loss"], color=ACCENT, label="validation")
    _losses(axes, [*history["train_loss"], *history["validation_loss"]], _epochs(epochs))
    _mark(axes, epochs, history["validation_loss"], _flagged(history["best"]), "kept")
    return _finished(figure, axes)


def accuracy_curve(history: Columns) -> "Figure":
    """Validation accuracy against epoch with its 95 % interval, the kept epoch marked."""
    figure, (axes,) = new_figure()
    epochs, accuracy = history["epoch"], history["validation_accuracy"]
    low, high = history["validation_accuracy_low"], history["validation_accuracy_high"]
    axes.fill_between(epochs, low, high, color=BAND, linewidth=0, label="95 % interval")
    axes.plot(epochs, accuracy, color=ACCENT, label="validation")
    _shares(axes, [*low, *high], _epochs(epochs))
    _mark(axes, epochs, accuracy, _flagged(history["best"]), "kept")
    return _finished(figure, axes)


def path_loss_curve(path: Columns, what: str = "head") -> "Figure":
    """Training and validation loss of the head against its L2 strength, the chosen strength marked."""
    figure, (axes,) = new_figure()
    path = _positive(path)
    powers = np.log10(path["l2"]).tolist()
    axes.plot(powers, path["train_loss"], color=MUTED, label="train", linewidth=1.4)
    axes.plot(powers, path["validation_loss"], color=ACCENT, label="validation", marker="o", markersize=3)
    _losses(axes, [*path["train_loss"], *path["validation_loss"]], _strengths(powers, f"L2 strength of the {what}"))
    _mark(axes, powers, path["validation_loss"], _flagged(path["chosen"]), "chosen")
    return _finished(figure, axes)


def path_accuracy_curve(path: Columns, what: str = "head") -> "Figure":
    """Validation accuracy of the head against its L2 strength, the chosen strength marked."""
    figure, (axes,) = new_figure()
    path = _positive(path)
    powers = np.log10(path["l2"]).tolist()
    axes.plot(powers, path["validation_accuracy"], color=ACCENT, label="validation", marker="o", markersize=3)
    _shares(axes, path["validation_accuracy"], _strengths(powers, f"L2 strength of the {what}"))
    _mark(axes, powers, path["validation_accuracy"], _flagged(path["chosen"]), "chosen")
    return _finished(figure, axes)


def rate_curve(test: Columns) -> "Figure":
    """Loss against a learning rate that rises from step to step, the rate that was taken marked."""
    figure, (axes,) = new_figure()
    powers = np.log10(test["rate"]).tolist()
    axes.plot(powers, _finite(test["loss"]), color=MUTED, label="each batch", linewidth=1.0)
    axes.plot(powers, _finite(test["smoothed"]), color=ACCENT, label="smoothed")
    _losses(axes, test["smoothed"], _strengths(powers, "learning rate"))
    if any(test["chosen"]):
        _mark(axes, powers, test["smoothed"], _flagged(test["chosen"]), "taken")
    return _finished(figure, axes)


def told_history(history: Columns) -> tuple[str, str]:
    """What the two curves over epochs show, in words for those who do not see them."""
    kept = _flagged(history["best"])
    # The row before the first epoch has no training loss.
    train = [loss for loss in history["train_loss"] if isfinite(loss)] or [nan]
    validation, accuracy = history["validation_loss"], history["validation_accuracy"]
    interval = bracket(history["validation_accuracy_low"][kept], history["validation_accuracy_high"][kept])
    return (
        f"Loss against epoch, {history['epoch'][-1]:.0f} epochs. Training loss goes from {decimal(train[0])} to "
        f"{decimal(train[-1])}, validation loss from {decimal(validation[0])} to {decimal(validation[-1])}; "
        f"epoch {history['epoch'][kept]:.0f} was kept, with validation loss {decimal(validation[kept])}.",
        f"Validation accuracy against epoch. It goes from {percent(accuracy[0])} to {percent(accuracy[-1])}; "
        f"at the kept epoch it is {percent(accuracy[kept])} {interval}.",
    )


def told_path(path: Columns, what: str = "head") -> tuple[str, str]:
    """What the two curves over the L2 strength show, in words for those who do not see them."""
    chosen = _flagged(path["chosen"])
    strength = f"{path['l2'][chosen]:.3g}"
    return (
        f"Loss of the {what} against its L2 strength, {len(path['l2'])} strengths. The strength {strength} was "
        f"chosen: training loss {decimal(path['train_loss'][chosen])}, "
        f"validation loss {decimal(path['validation_loss'][chosen])}.",
        f"Validation accuracy of the {what} against its L2 strength. It lies between "
        f"{percent(min(path['validation_accuracy']))} and {percent(max(path['validation_accuracy']))}, "
        f"and is {percent(path['validation_accuracy'][chosen])} at the chosen strength {strength}.",
    )


def told_rates(test: Columns) -> str:
    """What the curve over learning rates shows, in words for those who do not see it."""
    lowest = test["smoothed"].index(min(test["smoothed"]))
    taken = f"{test['rate'][_flagged(test['chosen'])]:g} was taken" if any(test["chosen"]) else "none of them was taken"
    return (
        f"Loss against a learning rate that rises from {test['rate'][0]:g} to {test['rate'][-1]:g}. Smoothed, it is "
        f"{decimal(test['smoothed'][0])} at first and lowest, {decimal(test['smoothed'][lowest])}, at the rate "
        f"{test['rate'][lowest]:g}; {taken}."
    )


def _finite(values: Sequence[float]) -> list[float]:
    """The values; a gap where one is infinite."""
    return [value if isfinite(value) else nan for value in values]


def _flagged(flags: Sequence[float]) -> int:
    """The row that carries the mark; the last marked one, or the last of all where none is."""
    marked = [row for row, flag in enumerate(flags) if flag == 1]
    return marked[-1] if marked else len(flags) - 1


def _positive(path: Columns) -> Columns:
    """The rows that a logarithmic axis can show."""
    rows = [row for row, strength in enumerate(path["l2"]) if strength > 0]
    return {name: [column[row] for row in rows] for name, column in path.items()}


def _epochs(epochs: Sequence[float]) -> Ticks:
    places = numbers(epochs[0], epochs[-1], n_most=8, whole=True)
    return Ticks(places, [f"{place:g}" for place in places], "epoch")


def _strengths(powers: Sequence[float], title: str) -> Ticks:
    """Ticks at whole powers of ten, thinned so that they do not touch."""
    places = numbers(min(powers), max(powers), n_most=8, whole=True)
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    return Ticks(places, ["10" + f"{place:g}".translate(raised) for place in places], title)


def _mark(axes: "Axes", x: Sequence[float], y: Sequence[float], row: int, word: str) -> None:
    """A line and a word at one row; the word on the side that has room."""
    axes.axvline(x[row], color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)), zorder=0.5)
    axes.plot([x[row]], [y[row]], marker="o", markersize=6, color=ACCENT, linestyle="none", zorder=4)
    low, high = axes.get_xlim()
    beyond_middle = x[row] > (low + high) / 2
    shift = -0.012 if beyond_middle else 0.012
    axes.text(
        (x[row] - low) / (high - low) + shift,
        0.985,
        word,
        transform=axes.transAxes,
        ha="right" if beyond_middle else "left",
        va="top",
        color=MUTED,
        fontsize=8.5,
    )


def _losses(axes: "Axes", losses: Sequence[float], x: Ticks) -> None:
    """A loss scale from zero, so that a small difference looks small; a wild first epoch is cut off."""
    known = [loss for loss in losses if isfinite(loss)] or [1.0]
    usual = float(np.quantile(known, 0.9))
    top = max(min(max(known), 4 * usual), 1e-6) * 1.08
    axes.set_ylim(0, top)
    places = numbers(0, top)
    draw_scales(axes, x=x, y=Ticks(places, [f"{place:g}" for place in places], lines=True))


def _shares(axes: "Axes", shares: Sequence[float], x: Ticks) -> None:
    """A percent scale that holds the values with a little air, and never leaves 0 to 100 %."""
    known = [share for share in shares if isfinite(share)] or [0.0, 1.0]
    low, high = min(known), max(known)
    air = max(0.03, 0.08 * (high - low))
    axes.set_ylim(max(0.0, low - air), min(1.0, high + air) + 0.004)
    places = [place for place in numbers(*axes.get_ylim()) if place <= 1]
    draw_scales(axes, x=x, y=Ticks(places, whole_percents(places), lines=True))


def _finished(figure: "Figure", axes: "Axes") -> "Figure":
    key_above(axes, 2)
    frame(figure, left=0.55, right=0.14, bottom=0.5, top=0.3)
    return figure
