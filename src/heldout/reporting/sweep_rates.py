"""Score against learning rate: a curve for each regime with its spread, and what diverged beneath."""

from collections.abc import Sequence
from math import log10
from typing import TYPE_CHECKING

import numpy as np

from heldout.reporting.style import LINE, MUTED, Ticks, draw_scales, frame, label_text, new_figure
from heldout.reporting.sweep_measure import SHARES, ToldMeasure
from heldout.reporting.sweep_results import SettingRecord, regimes_of, varied
from heldout.reporting.sweep_scales import decades, is_of, key_over, look_of, score_limits, score_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_INCHES = 0.17


def groups_of(settings: Sequence[SettingRecord]) -> list[tuple[str, list[SettingRecord]]]:
    """The settings of each backbone and batch size with a title, the best first; fitted heads stand in each.

    A fitted head has no batch size, so it is drawn beside every batch size of its backbone.
    """
    by_backbone, by_size = varied(settings)
    groups: dict[tuple[str, int | None], list[SettingRecord]] = {}
    for setting in settings:
        place = setting["setting"]
        if place["batch_size"] is not None:
            groups.setdefault((place["backbone"], place["batch_size"]), [])
    for setting in settings:
        place = setting["setting"]
        if not any(backbone == place["backbone"] for backbone, _ in groups):
            groups[(place["backbone"], None)] = []
    for (backbone, size), group in groups.items():
        group += [
            each
            for each in settings
            if each["setting"]["backbone"] == backbone and each["setting"]["batch_size"] in (size, None)
        ]
    titled = []
    for (backbone, size), group in groups.items():
        parts = [label_text(backbone, 30) if by_backbone else "", f"batch size {size}" if by_size and size else ""]
        titled.append((", ".join(filter(None, parts)), group))
    return titled


def rates_figure(settings: Sequence[SettingRecord], measure: ToldMeasure = SHARES) -> "Figure":
    """The score of each regime against the learning rate: seeds as dots, mean and interval, a band for a fitted head.

    Trials without a score are marked in a strip beneath: a cross where the loss left the numbers, a plus where the
    trial failed.
    """
    regimes = regimes_of(settings)
    lost = [regime for regime in regimes if any(_n_lost(each) for each in settings if is_of(each, regime))]
    strip = 0.12 + _ROW_INCHES * len(lost)
    figure, axes = _with_strip(3.1, strip) if lost else new_figure(height=3.1)
    rates = sorted({rate for each in settings if (rate := each["setting"]["learning_rate"]) is not None})
    powers = [log10(rate) for rate in rates if rate > 0]
    curves = [
        regime
        for regime in regimes
        if any(is_of(each, regime) and each["setting"]["learning_rate"] for each in settings)
    ]
    low, high, step = _room(powers, len(curves))
    for each in axes:
        each.set_xlim(low, high)
    for regime in regimes:
        of_regime = [each for each in settings if is_of(each, regime)]
        shift = step * (curves.index(regime) - (len(curves) - 1) / 2) if regime in curves else 0.0
        _draw_regime(axes[0], of_regime, regime, (shift, shift - 0.5 * step))
        if regime in lost:
            _draw_lost(axes[1], of_regime, regime, (shift, float(lost.index(regime))))
    score_limits(axes[0], settings, measure)
    x = _rate_ticks(rates, powers)
    y = score_ticks(axes[0], measure)
    if lost:
        axes[1].set_ylim(len(lost) - 0.4, -0.6)
        draw_scales(axes[0], y=y)
        word = "no score" if any(each["n_failed"] for each in settings) else "diverged"
        draw_scales(axes[1], x=x, y=Ticks([(len(lost) - 1) / 2], [word]))
        axes[1].axhline(-0.6, color=LINE, linewidth=0.7)
    else:
        draw_scales(axes[0], x=x, y=y)
    if not any(each["mean"] is not None for each in settings):
        axes[0].text(0.5, 0.5, "no trial has a score", transform=axes[0].transAxes, ha="center", color=MUTED)
        more = 0.0
    else:
        more = key_over(axes[0], float(figure.get_figwidth()) - 0.84)
    frame(figure, left=0.7, right=0.14, bottom=0.5, top=0.3 + more)
    return figure


def _with_strip(height: float, strip: float) -> tuple["Figure", "list[Axes]"]:
    body = height - 0.8
    return new_figure(
        height=height + strip, nrows=2, gridspec_kw={"height_ratios": (body, strip), "hspace": 0.12 / (body + strip)}
    )


def _n_lost(setting: SettingRecord) -> int:
    return setting["n_diverged"] + setting["n_failed"]


def _room(powers: Sequence[float], n_regimes: int) -> tuple[float, float, float]:
    """The limits of the axis in powers of ten, and how far the marks of two regimes stand apart."""
    if not powers:
        return -0.5, 0.5, 0.12
    span = max(powers) - min(powers)
    gap = min(np.diff(powers)) if len(powers) > 1 else 1.0
    step = min(0.034 * max(span, 1.0), 0.7 * gap / max(n_regimes, 1))
    air = max(0.06 * span, 0.5 if span == 0 else 0.12) + step * max(n_regimes - 1, 0) / 2
    return min(powers) - air, max(powers) + air, float(step)


def _draw_regime(axes: "Axes", settings: Sequence[SettingRecord], regime: str, shifts: tuple[float, float]) -> None:
    """The curve of one regime, or the band of its fitted head.

    `shifts` say how far from its learning rate a mean stands, and how far the seeds.
    """
    colour, mark, line = look_of(regime)
    for each in settings:
        if each["setting"]["learning_rate"] is None and each["mean"] is not None:
            _draw_fitted(axes, each, regime)
    curve = sorted(
        (rate, index)
        for index, each in enumerate(settings)
        if (rate := each["setting"]["learning_rate"]) is not None and rate > 0 and each["mean"] is not None
    )
    if not curve:
        return
    x = [log10(rate) + shifts[0] for rate, _ in curve]
    means = [settings[index]["mean"] or 0.0 for _, index in curve]
    is_dense = len(curve) > 15
    axes.plot(
        x, means, color=colour, linestyle=line, linewidth=1.4, marker=mark, markersize=3 if is_dense else 4.2,
        label=label_text(regime), zorder=3,
    )  # fmt: skip
    drawn = [(at, settings[index]) for at, (_, index) in zip(x, curve, strict=True)]
    ends = [
        (at, each["low"], each["high"]) for at, each in drawn if each["low"] is not None and each["high"] is not None
    ]
    places, lows, highs = _columns(ends, 3)
    axes.vlines(places, lows, highs, color=colour, linewidth=2.6, alpha=0.3, zorder=2)
    seen = [(at - shifts[0] + shifts[1], score) for at, each in drawn for score in each["scores"] if score is not None]
    axes.plot(*_columns(seen, 2), ".", color=colour, markersize=3.2, markeredgewidth=0, zorder=2.5)


def _columns(rows: Sequence[tuple[float, ...]], n: int) -> list[list[float]]:
    return [[row[place] for row in rows] for place in range(n)]


def _draw_fitted(axes: "Axes", setting: SettingRecord, regime: str) -> None:
    """A fitted head: a line at its mean with its interval as a band, its seeds at the left and right edge."""
    colour, _, _ = look_of(regime)
    low, high = axes.get_xlim()
    mean = setting["mean"] or 0.0
    if setting["low"] is not None and setting["high"] is not None:
        axes.axhspan(setting["low"], setting["high"], color=colour, alpha=0.16, linewidth=0, zorder=0.6)
    axes.hlines(
        mean, low, high, color=colour, linewidth=1.4, linestyle=(0, (4, 1.4)), zorder=1, label=f"{regime}, fitted"
    )
    seen = [score for score in setting["scores"] if score is not None]
    axes.plot(
        [high - 0.012 * (high - low)] * len(seen),
        seen,
        ".",
        color=colour,
        markersize=3.6,
        markeredgewidth=0,
        zorder=2.5,
    )


def _draw_lost(axes: "Axes", settings: Sequence[SettingRecord], regime: str, at: tuple[float, float]) -> None:
    """The trials of one regime that have no score, in its own row; a number stands where there are several."""
    shift, row = at
    colour = look_of(regime)[0]
    lost = [each for each in settings if _n_lost(each)]
    middle = float(np.mean(axes.get_xlim()))
    powers = [log10(rate) if (rate := each["setting"]["learning_rate"]) else middle for each in lost]
    # Numbers beside crosses that stand close would hide the next cross; the words under the figure have them.
    gaps = np.diff(sorted(powers)) / float(np.ptp(axes.get_xlim()))
    with_numbers = bool(np.all(gaps > 0.05))
    for power, each in zip(powers, lost, strict=True):
        for n, mark in ((each["n_diverged"], "x"), (each["n_failed"], "+")):
            if not n:
                continue
            axes.plot([power + shift], [row], mark, color=colour, markersize=5, markeredgewidth=1.6)
            if n > 1 and with_numbers:
                axes.annotate(
                    str(n), (power + shift, row), xytext=(5, 0), textcoords="offset points", va="center",
                    color=colour, fontsize=8, annotation_clip=False,
                )  # fmt: skip


def _rate_ticks(rates: Sequence[float], powers: Sequence[float]) -> Ticks:
    """The rates themselves where there are few and they stand apart; otherwise the powers of ten between."""
    if not powers:
        return Ticks([], [], "no learning rate: fitted to the optimum")
    span = max(powers) - min(powers)
    if len(powers) == 1 or (len(powers) <= 8 and min(np.diff(powers)) >= 0.09 * span):
        return Ticks(powers, [f"{rate:g}" for rate in rates if rate > 0], "learning rate")
    return decades(min(powers), max(powers), "learning rate")
