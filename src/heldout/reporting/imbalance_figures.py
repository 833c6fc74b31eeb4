"""Precision against recall, the ROC curve, a score against the threshold, accuracy against coverage."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from heldout.reporting.results import Drawable
from heldout.reporting.style import (
    ACCENT,
    BAND,
    CLASS_COLOURS,
    INK,
    KEY_ROW,
    MUTED,
    PAPER,
    WIDTH_INCHES,
    Ticks,
    draw_scales,
    frame,
    key_in_rows,
    key_rows,
    label_text,
    new_figure,
    numbers,
    whole_percents,
)
from heldout.reporting.wording import bracket, decimal, percent, words_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Record = Mapping[str, Any]
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_LEFT, _RIGHT, _BOTTOM, _PLOT_HEIGHT = 0.72, 0.2, 0.5, 2.75


def precision_recall_figure(results: Drawable) -> "Figure":
    """Precision against recall, of one class with its band and its prevalence, of several without."""
    curves = _curves(results)
    points = [(recall, precision) for recall, precision, _ in operating_points(results)]
    entries = _entries(curves, "guessing: the prevalence" if len(curves) == 1 else "")
    figure, axes = _started([*entries, *_point_entries(results, points)])
    for curve, colour in zip(curves, _colours(len(curves)), strict=True):
        shown = curve["pr"]
        if len(curves) == 1:
            axes.fill_between(shown["recall"], _or_nan(shown["low"]), _or_nan(shown["high"]), color=BAND, linewidth=0)
            axes.axhline(curve["prevalence"], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        axes.plot(shown["recall"], _or_nan(shown["precision"]), color=colour)
    _finish(axes, points, "recall: share of the class found", "precision")
    return figure


def roc_figure(results: Drawable) -> "Figure":
    """Share of a class found against share of the others taken for it."""
    curves = _curves(results)
    points = [(false_alarms, recall) for recall, _, false_alarms in operating_points(results)]
    figure, axes = _started([*_entries(curves, "guessing"), *_point_entries(results, points)])
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for curve, colour in zip(curves, _colours(len(curves)), strict=True):
        shown = curve["roc"]
        if len(curves) == 1:
            axes.fill_between(shown["fpr"], _or_nan(shown["low"]), _or_nan(shown["high"]), color=BAND, linewidth=0)
        axes.plot(shown["fpr"], _or_nan(shown["tpr"]), color=colour)
    _finish(axes, points, "share of the others taken for it", "recall")
    return figure


def threshold_figure(decision: Record) -> "Figure":
    """A score against the threshold, on validation, with the threshold of the run and 0.5 marked."""
    from matplotlib.lines import Line2D

    curve = decision["curve"]
    title = words_of(curve["metric"]).title
    entries: list[Artist] = [Line2D([], [], color=ACCENT, label="validation")]
    low, high = _or_nan(curve.get("low") or []), _or_nan(curve.get("high") or [])
    if low:
        entries.append(_patch(BAND, "95 % interval"))
    figure, axes = _started(entries, n_rows=1)
    thresholds, values = curve["thresholds"], _or_nan(curve["values"])
    if low:
        axes.fill_between(thresholds, low, high, color=BAND, linewidth=0)
    axes.plot(thresholds, values, color=ACCENT)
    known = [value for value in [*values, *low, *high] if isfinite(value)]
    least, most = min(known, default=0.0), max(known, default=1.0)
    air = 0.08 * (most - least) or 0.05
    axes.set_xlim(0, 1.005)
    axes.set_ylim(least - air, most + 2 * air)
    word = "chosen" if decision["metric"] else "stated"
    for at, told, colour in ((0.5, "0.5", MUTED), (curve["chosen"], word, ACCENT)):
        _mark_at(axes, at, _nearest(thresholds, values, at), told, colour)
    places = numbers(*axes.get_ylim())
    as_percent = words_of(curve["metric"]).as_percent
    words = whole_percents(places) if as_percent else [f"{place:g}".replace("-", "−") for place in places]
    _scaled(axes, f"threshold on the probability of {label_text(str(decision['positive']), 24)}", title, places, words)
    return figure


def coverage_figure(coverage: Record) -> "Figure":
    """Accuracy among those answered against the share that is answered, the surest first."""
    from matplotlib.lines import Line2D

    points = coverage["points"]
    entries: list[Artist] = [Line2D([], [], color=ACCENT, label="accuracy of those answered")]
    entries.append(_patch(BAND, "95 % interval"))
    figure, axes = _started(entries, n_rows=1)
    share = [each["coverage"] for each in points]
    accuracy = _or_nan([each["accuracy"] for each in points])
    low, high = (_or_nan([each[name] for each in points]) for name in ("low", "high"))
    axes.fill_between(share, low, high, color=BAND, linewidth=0)
    axes.plot(share, accuracy, color=ACCENT)
    known = [value for value in [*low, *accuracy] if isfinite(value)]
    # From few answered the interval reaches far down: the scale shows what the middle half of it needs.
    least = min(
        [value for value, at in zip(low, share, strict=True) if at >= 0.1 and isfinite(value)] or known or [0.0]
    )
    axes.set_ylim(max(0.0, least - 0.03), 1.005)
    axes.set_xlim(0, 1.005)
    chosen = coverage.get("chosen")
    if chosen:
        _mark_at(axes, chosen["coverage"], _or_nan([chosen["accuracy"]])[0], "chosen", ACCENT, is_low=True)
    places = [place for place in numbers(*axes.get_ylim()) if place <= 1]
    _scaled(axes, "share answered, the surest first", "accuracy", places, whole_percents(places), percent_x=True)
    return figure


def operating_points(results: Drawable) -> list[tuple[float, float, float]]:
    """Recall, precision and false alarms of the positive class: as decided, then as the likeliest class would have it.

    Only where there are two classes; the second only where it is another.
    """
    imbalance = results.imbalance or {}
    decision = imbalance.get("decision") or {}
    if len(results.classes) != 2 or decision.get("positive") not in results.classes:
        return []
    positive = results.classes.index(decision["positive"])
    at_likeliest = imbalance.get("at_likeliest")
    matrices = [results.leading["confusion"], *([at_likeliest["confusion"]] if at_likeliest else [])]
    points = []
    for matrix in matrices:
        hits, misses = matrix[positive][positive], matrix[positive][1 - positive]
        alarms, others = matrix[1 - positive][positive], sum(matrix[1 - positive])
        n_said = hits + alarms
        points.append((hits / max(hits + misses, 1), hits / n_said if n_said else nan, alarms / max(others, 1)))
    return points


def told_curves(results: Drawable) -> tuple[str, str]:
    """What the two curves show, in words for those who do not see them."""
    curves = _curves(results)
    precision = [
        f"{each['name']}: average precision {percent(each['average_precision']['value'])} "
        f"{bracket(each['average_precision']['low'], each['average_precision']['high'])}, "
        f"guessing {percent(each['prevalence'])}"
        for each in curves
    ]
    area = [
        f"{each['name']}: area {decimal(each['roc_auc']['value'])} "
        f"{bracket(each['roc_auc']['low'], each['roc_auc']['high'], as_percent=False)}"
        for each in curves
    ]
    return f"Precision against recall. {'; '.join(precision)}.", f"ROC curve; guessing has 0.5. {'; '.join(area)}."


def told_threshold(decision: Record) -> str:
    """What the threshold curve shows, in words."""
    curve = decision["curve"]
    told = [
        f"{decimal(_nearest(curve['thresholds'], _or_nan(curve['values']), at))} at {at:.3g}"
        for at in (curve["chosen"], 0.5)
    ]
    verb = "chosen" if decision["metric"] else "stated"
    title = words_of(curve["metric"]).title
    return f"{title} on validation against the threshold: {told[0]}, which was {verb}, and {told[1]}."


def told_coverage(coverage: Record) -> str:
    """What the coverage curve shows, in words."""
    told = [
        f"{percent(each['accuracy'])} {bracket(each['low'], each['high'])} of the surest {percent(each['coverage'])}"
        for each in _spread(coverage["points"], 4)
    ]
    return f"Accuracy against the share that is answered: {', '.join(told)}."


def _spread(points: Sequence[Record], n: int) -> list[Record]:
    """The last and others, evenly apart."""
    step = max(len(points) // n, 1)
    return list(points[::-1][::step][:n])


def _curves(results: Drawable) -> list[Record]:
    imbalance = results.imbalance or {}
    return list((imbalance.get("curves") or {}).get("classes") or [])


def _colours(n: int) -> list[str]:
    return [ACCENT] if n == 1 else [*CLASS_COLOURS, *[MUTED] * n][:n]


def _entries(curves: Sequence[Record], guessing: str) -> "list[Artist]":
    from matplotlib.lines import Line2D

    n_named = len(CLASS_COLOURS)
    entries: list[Artist] = [
        Line2D([], [], color=colour, label=label_text(str(curve["name"]), 18))
        for curve, colour in zip(curves[:n_named], _colours(len(curves)), strict=False)
    ]
    if len(curves) > n_named:
        entries.append(Line2D([], [], color=MUTED, label=f"{len(curves) - n_named} more"))
    if len(curves) == 1:
        entries.append(_patch(BAND, "95 % band"))
    if guessing:
        entries.append(Line2D([], [], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label=guessing))
    return entries


def _point_entries(results: Drawable, points: Sequence[tuple[float, float]]) -> "list[Artist]":
    from matplotlib.lines import Line2D

    at_half = "at 0.5" if len(points) == 2 else ""
    names = ["as decided" if at_half else "as answered", at_half][: len(points)]
    looks: list[dict[str, Any]] = [{"color": INK}, {"color": PAPER, "markeredgecolor": INK}]
    return [
        Line2D([], [], marker="o", linestyle="none", markersize=6, label=name, **look)
        for name, look in zip(names, looks, strict=False)
    ]


def _patch(colour: str, label: str) -> "Artist":
    from matplotlib.patches import Patch

    return Patch(color=colour, label=label)


def _started(entries: "Sequence[Artist]", n_rows: int = 0) -> "tuple[Figure, Axes]":
    """An empty figure under its key, with its margins set."""
    n_rows = n_rows or key_rows(entries, WIDTH_INCHES)
    top = 0.12 + KEY_ROW * n_rows
    figure, (axes,) = new_figure(WIDTH_INCHES, _PLOT_HEIGHT + top + _BOTTOM)
    key_in_rows(figure, entries, n_rows)
    frame(figure, left=_LEFT, right=_RIGHT, bottom=_BOTTOM, top=top)
    return figure, axes


def _finish(axes: "Axes", points: Sequence[tuple[float, float]], x_title: str, y_title: str) -> None:
    """The points of the decisions and the scales of two shares."""
    looks: list[dict[str, Any]] = [{"color": INK}, {"color": PAPER, "markeredgecolor": INK}]
    for (x, y), look in zip(points, looks, strict=False):
        axes.plot([x], [y], marker="o", markersize=6.5, linestyle="none", zorder=4, clip_on=False, **look)
    axes.set_xlim(0, 1.005)
    axes.set_ylim(0, 1.02)
    _scaled(axes, x_title, y_title, list(QUARTERS), whole_percents(QUARTERS), percent_x=True)


def _scaled(
    axes: "Axes", x_title: str, y_title: str, places: Sequence[float], words: Sequence[str], *, percent_x: bool = False
) -> None:
    x_words = whole_percents(QUARTERS) if percent_x else [f"{place:g}" for place in QUARTERS]
    draw_scales(axes, x=Ticks(QUARTERS, x_words, x_title, lines=True), y=Ticks(places, words, lines=True))
    axes.text(
        -(_LEFT - 0.1) / (WIDTH_INCHES - _LEFT - _RIGHT),
        0.5,
        y_title,
        transform=axes.transAxes,
        rotation=90,
        ha="center",
        va="center",
        color=MUTED,
    )


def _mark_at(axes: "Axes", x: float, y: float, word: str, colour: str, *, is_low: bool = False) -> None:
    """A line, a dot on the curve, and a word at the top or the bottom, on the side that has room."""
    axes.axvline(x, color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)), zorder=0.5)
    axes.plot([x], [y], marker="o", markersize=6, color=colour, linestyle="none", zorder=4)
    is_right = x > 0.5
    axes.annotate(
        word,
        (x, 0 if is_low else 1),
        (-4 if is_right else 4, 4 if is_low else -3),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="right" if is_right else "left",
        va="bottom" if is_low else "top",
        color=MUTED,
        fontsize=8.5,
    )


def _nearest(thresholds: Sequence[float], values: Sequence[float], at: float) -> float:
    """The value at the threshold of the curve that is nearest."""
    return values[min(range(len(thresholds)), key=lambda row: abs(thresholds[row] - at))]


def _or_nan(values: Sequence[float | None]) -> list[float]:
    return [nan if value is None else float(value) for value in values]
