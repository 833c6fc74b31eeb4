"""What the figures of a sweep share: how a regime looks, the scale of the scores, ticks at powers of ten."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from heldout.reporting.style import (
    ACCENT,
    GOLD,
    INK,
    KEY_ROW,
    MUTED,
    VIOLET,
    Ticks,
    key_above,
    key_rows,
)
from heldout.reporting.sweep_measure import ToldMeasure
from heldout.reporting.sweep_results import NOT_HELPED, SettingRecord
from heldout.reporting.wording import power_of_ten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Each regime has a colour, a mark and a line, so that a grey print still tells them apart.
_LOOKS: dict[str, tuple[str, str, Any]] = {
    "scratch": (INK, "D", (0, (1, 1.4))),
    "frozen": (GOLD, "o", (0, (4, 1.4))),
    "partial": (VIOLET, "^", (0, (6, 1.4, 1, 1.4))),
    "full": (ACCENT, "s", "solid"),
    "linear": (GOLD, "o", (0, (4, 1.4))),
    "mlp": (ACCENT, "s", "solid"),
    "boosting": (VIOLET, "^", (0, (6, 1.4, 1, 1.4))),
}
_OTHER_LOOK = (MUTED, "o", "solid")
# Where remedies for rare classes vary, the mark and the line are theirs, and the colour the regime's.
_HELPED_LOOKS: dict[str, tuple[str, Any]] = {
    NOT_HELPED: ("o", "solid"),
    "weights": ("^", (0, (4, 1.4))),
    "balanced-batch": ("s", (0, (6, 1.4, 1, 1.4))),
    "focal": ("D", (0, (1, 1.4))),
}


def look_of(regime: str) -> tuple[str, str, Any]:
    """Its colour, mark and line style."""
    name, _, helped = regime.partition(", ")
    colour, mark, line = _LOOKS.get(name, _OTHER_LOOK)
    return (colour, *_HELPED_LOOKS[helped]) if helped in _HELPED_LOOKS else (colour, mark, line)


def key_over(axes: "Axes", width: float) -> float:
    """The key above the axes, in as many rows as a width in inches asks for, and the figure higher by what they take.

    Returns:
        By how many inches it is higher than with one row.
    """
    handles, _ = axes.get_legend_handles_labels()
    n_rows = key_rows(handles, width)
    key_above(axes, -(-len(handles) // n_rows))
    more = KEY_ROW * (n_rows - 1)
    figure = axes.get_figure()
    assert figure is not None, "axes stand in a figure"
    figure.set_size_inches(figure.get_figwidth(), figure.get_figheight() + more)  # type: ignore[union-attr]
    return more


def is_of(setting: SettingRecord, regime: str) -> bool:
    """Whether a setting is of that regime."""
    return setting["setting"]["regime"] == regime


def score_limits(axes: "Axes", settings: Sequence[SettingRecord], measure: ToldMeasure) -> None:
    """Limits that hold seeds and intervals with a little air, and nothing that no score can be."""
    values = [score for each in settings for score in each["scores"] if score is not None]
    values += [end for each in settings for end in (each["low"], each["high"]) if end is not None]
    axes.set_ylim(*measure.limits(values))


def score_ticks(axes: "Axes", measure: ToldMeasure) -> Ticks:
    """Round scores within the limits."""
    return Ticks(*measure.ticks(*axes.get_ylim()), lines=True)


def decades(low: float, high: float, title: str) -> Ticks:
    """Ticks on an axis of powers of ten: whole powers, with 2 and 5 between where there are fewer than two."""
    powers = [float(power) for power in range(int(np.ceil(low)), int(np.floor(high)) + 1)]
    if len(powers) < 2:
        powers = [
            power + np.log10(step)
            for power in range(int(np.floor(low)), int(np.ceil(high)) + 1)
            for step in (1, 2, 5)
            if low <= power + np.log10(step) <= high
        ]
    if len(powers) < 2:
        powers = two_between(low, high)
    powers = powers[:: -(-len(powers) // 6) or 1]
    words = [
        f"{10**power:.3g}" if -4 <= power < 4 else power_of_ten(10**power).replace(".0 ×", " ×") for power in powers
    ]
    return Ticks(powers, words, title)


def two_between(low: float, high: float) -> list[float]:
    """Two places on an axis that holds no two round numbers."""
    return [low + 0.15 * (high - low), high - 0.15 * (high - low)]
