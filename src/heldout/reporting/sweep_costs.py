"""Score against what a trial costs, in time or in multiply-adds: one mark a setting, named where there is room."""

from collections.abc import Sequence
from math import log10
from typing import TYPE_CHECKING

import numpy as np

from heldout.reporting.style import (
    MUTED,
    WARM,
    WIDTH_INCHES,
    Ticks,
    draw_scales,
    frame,
    label_text,
    new_figure,
)
from heldout.reporting.sweep_measure import SHARES, ToldMeasure
from heldout.reporting.sweep_results import SettingRecord, regimes_of, varied
from heldout.reporting.sweep_scales import decades, is_of, key_over, look_of, score_limits, score_ticks, two_between
from heldout.reporting.wording import duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Beyond so many marks only the best of each regime and backbone is named, and at most eight of these (assumed).
MAX_LABELLED = 20
_MAX_NAMED = 8
_HEIGHT = 3.4
# The inner width of the figure and the mean width of a letter, in points.
_WIDTH, _LETTER = (WIDTH_INCHES - 0.69) * 72, 4.4
# Seconds at which a time axis has ticks: the coarse ones where two of them fall inside, otherwise the fine ones.
_COARSE = (0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36000, 360000)
_FINE = tuple(step * power for power in (0.001, 0.01, 0.1, 1) for step in (1, 2, 5))
_FINE += (10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000, 72000, 180000, 360000)


def _times(low: float, high: float) -> Ticks:
    """Ticks on an axis of powers of ten of a second, in the unit that reads best."""
    coarse, fine = ([each for each in of if low <= log10(each) <= high] for of in (_COARSE, _FINE))
    inside = coarse if len(coarse) > 1 else fine
    inside = inside[:: -(-len(inside) // 6) or 1] if len(inside) > 1 else [10**each for each in two_between(low, high)]
    words = [duration(each).replace(" 0 s", "").replace(" 0 min", "").replace(".0 s", " s") for each in inside]
    return Ticks([log10(each) for each in inside], words, "time of a trial, mean over its seeds")


def cost_figure(settings: Sequence[SettingRecord], cost: str, measure: ToldMeasure = SHARES) -> "Figure":
    """The mean score of each setting against what one of its trials costs: `cost` is "time" or "multiply_adds"."""
    figure, (axes,) = new_figure(height=_HEIGHT)
    known = [(power, each) for each in settings if (power := _power_of(each, cost)) is not None]
    scored = [(power, each) for power, each in known if each["mean"] is not None]
    powers = [power for power, _ in known] or [0.0]
    span = max(0.12 * (max(powers) - min(powers)), 0.2)
    # Room at the right for names: the dearest settings, which are many, stand there.
    longest = max((len(short_name(each, *varied(settings))) for _, each in _named(scored, measure)), default=0)
    share = min(_LETTER * longest + 12, 0.45 * _WIDTH) / _WIDTH
    low, high = min(powers) - span, max(powers)
    axes.set_xlim(low, high + (high - low) * share / (1 - share))
    score_limits(axes, [each for _, each in scored], measure)
    for regime in regimes_of(settings):
        colour, mark, _ = look_of(regime)
        of_regime = [(power, each) for power, each in scored if is_of(each, regime)]
        sure = [(power, each) for power, each in of_regime if each["low"] is not None and each["high"] is not None]
        lows, highs = [each["low"] or 0.0 for _, each in sure], [each["high"] or 0.0 for _, each in sure]
        axes.vlines([power for power, _ in sure], lows, highs, color=colour, linewidth=2.2, alpha=0.22, zorder=2)
        axes.plot(
            [power for power, _ in of_regime], [each["mean"] or 0.0 for _, each in of_regime], mark, color=colour,
            markersize=5 if len(scored) <= 40 else 3.5, label=label_text(regime), zorder=3,
        )  # fmt: skip
    bottom = axes.get_ylim()[0]
    lost = [power for power, each in known if each["mean"] is None]
    axes.plot(lost, [bottom] * len(lost), "x", color=WARM, markersize=5, markeredgewidth=1.6, clip_on=False, zorder=4)
    more, (low, high) = 0.0, axes.get_xlim()
    x = _times(low, high) if cost == "time" else decades(low, high, "multiply-adds of a trial, mean over its seeds")
    draw_scales(axes, x=x, y=score_ticks(axes, measure))
    if scored:
        more = key_over(axes, WIDTH_INCHES - 0.69)
        _label(axes, scored, _named(scored, measure), varied(settings))
    else:
        axes.text(0.5, 0.5, "no setting has a score", transform=axes.transAxes, ha="center", color=MUTED)
    frame(figure, left=0.55, right=0.14, bottom=0.5, top=0.3 + more)
    return figure


def _power_of(setting: SettingRecord, cost: str) -> float | None:
    """What a trial costs as a power of ten; None where it is not known or nothing."""
    value = setting["seconds"] if cost == "time" else setting["multiply_adds"]
    return log10(value) if value is not None and value > 0 else None


def short_name(setting: SettingRecord, by_backbone: bool, by_size: bool) -> str:
    """A setting in a few letters, such as "full 0.01"; with what else varies in the sweep.

    Example:
        >>> place = {"regime": "full", "backbone": "resnet18", "learning_rate": 0.01, "batch_size": 32}
        >>> short_name({"setting": place}, False, True)
        'full 0.01 /32'
    """
    place = setting["setting"]
    rate, size = place["learning_rate"], place["batch_size"]
    # Where remedies for rare classes vary the key alone says which is which: names would cover the marks.
    parts = [] if ", " in place["regime"] else [label_text(place["regime"], 12)]
    parts.append("fitted" if rate is None else f"{rate:.3g}")
    parts += [label_text(place["backbone"], 18)] if by_backbone else []
    parts += [f"/{size}"] if by_size and size is not None else []
    return " ".join(parts)


def _label(
    axes: "Axes",
    scored: Sequence[tuple[float, SettingRecord]],
    named: Sequence[tuple[float, SettingRecord]],
    names_by: tuple[bool, bool],
) -> None:
    """A name at each mark, or at the best of each kind; on the side where it covers least."""
    width, height = _WIDTH, (_HEIGHT - 0.8) * 72
    (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()

    def place(power: float, mean: float) -> tuple[float, float]:
        return (power - x_low) / (x_high - x_low) * width, (mean - y_low) / (y_high - y_low) * height

    marks = [place(power, each["mean"] or 0.0) for power, each in scored]
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in marks]
    for power, each in named:
        name = short_name(each, *names_by)
        x, y = place(power, each["mean"] or 0.0)
        across = _LETTER * len(name)
        boxes = [_box(x + dx, y + dy, across, side) for dx, dy, side in _SIDES]
        costs = [_covered(box, taken, (width + 8, height)) + 1.5 * abs(_SIDES[i][1]) for i, box in enumerate(boxes)]
        best = int(np.argmin(costs))
        taken.append(boxes[best])
        dx, dy, side = _SIDES[best]
        leader = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3}
        axes.annotate(
            name, (power, each["mean"] or 0.0), xytext=(dx, dy), textcoords="offset points", ha=side, va="center",
            color=look_of(each["setting"]["regime"])[0], fontsize=7.5, zorder=5,
            arrowprops=leader if abs(dy) > 6 else None,
        )  # fmt: skip


# Where a name may stand: points to the right and up from its mark, and which end of it stands there.
_SIDES = tuple(
    (dx, dy, side) for dy in (0, 5, -5, 10, -10, 15, -15, 22, -22, 30, -30) for dx, side in ((8, "left"), (-8, "right"))
)


def _box(x: float, y: float, across: float, side: str) -> tuple[float, float, float, float]:
    left = x if side == "left" else x - across if side == "right" else x - across / 2
    return left, y - 4.5, left + across, y + 4.5


def _covered(
    box: tuple[float, float, float, float],
    taken: Sequence[tuple[float, float, float, float]],
    room: tuple[float, float],
) -> float:
    """How many square points of a box lie on what is there already, or outside the axes (which weighs more)."""
    left, bottom, right, top = box
    shared = sum(
        max(0.0, min(right, other[2]) - max(left, other[0])) * max(0.0, min(top, other[3]) - max(bottom, other[1]))
        for other in taken
    )
    outside = max(0.0, -left) + max(0.0, right - room[0]) + max(0.0, -bottom) + max(0.0, top - room[1])
    return shared + 100 * outside


def _named(scored: Sequence[tuple[float, SettingRecord]], measure: ToldMeasure) -> list[tuple[float, SettingRecord]]:
    """All of a few; of many the best setting of each regime and backbone, and of many of these the best eight."""
    if len(scored) <= MAX_LABELLED:
        return list(scored)
    best: dict[tuple[str, str], tuple[float, SettingRecord]] = {}
    for power, each in sorted(scored, key=lambda pair: -measure.goodness(pair[1]["mean"])):
        best.setdefault((each["setting"]["regime"], each["setting"]["backbone"]), (power, each))
    return list(best.values())[:_MAX_NAMED]
