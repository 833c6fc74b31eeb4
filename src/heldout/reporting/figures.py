"""The figures of a run: confusion matrix, recall of each class, reliability; all of them as files."""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from heldout.reporting.boundary_figure import boundary_figure, told_boundary
from heldout.reporting.curves import (
    accuracy_curve,
    loss_curve,
    path_accuracy_curve,
    path_loss_curve,
    rate_curve,
    told_history,
    told_path,
    told_rates,
)
from heldout.reporting.imbalance_figures import (
    coverage_figure,
    precision_recall_figure,
    roc_figure,
    threshold_figure,
    told_coverage,
    told_curves,
    told_threshold,
)
from heldout.reporting.results import BinRecord, ClassRecord, Drawable, SummaryRecord
from heldout.reporting.style import (
    ACCENT,
    BAND,
    INK,
    LINE,
    MUTED,
    PAPER,
    WARM,
    WIDTH_INCHES,
    Ticks,
    draw_scales,
    figure_style,
    frame,
    key_above,
    label_text,
    new_figure,
    saved,
    whole_percents,
)
from heldout.reporting.wording import bracket, count, is_number, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Beyond these a figure no longer reads: cells lose their numbers and axes their names, and the forest plot
# keeps the classes that need looking at.
MAX_CLASSES_WITH_NAMES = 25
MAX_CLASSES_IN_FOREST = 60
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


def draw_figures(results: Drawable) -> dict[str, tuple[bytes, bytes, str]]:
    """Every figure of a run by name: its SVG, its PNG, and what it shows in words.

    The names are `loss` and `accuracy` (trained by epochs), `learning_rate` (searched for), `head_path_loss` and
    `head_path_accuracy` (only a head was fitted), and always `confusion`, `recall` and `reliability`; `threshold`,
    `precision_recall`, `roc` and `coverage` where the run has such curves, and `boundary`.
    """
    leading = results.leading
    drawn: dict[str, tuple[Callable[[], Figure], str]] = {}
    if results.history is not None:
        history = results.history
        told = told_history(history)
        drawn["loss"] = (lambda: loss_curve(history), told[0])
        drawn["accuracy"] = (lambda: accuracy_curve(history), told[1])
    if results.rate_test is not None:
        rates = results.rate_test
        drawn["learning_rate"] = (lambda: rate_curve(rates), told_rates(rates))
    if results.head_path is not None:
        path = results.head_path
        what = "head" if results.noun == "picture" else "model"
        told = told_path(path, what)
        drawn["head_path_loss"] = (lambda: path_loss_curve(path, what), told[0])
        drawn["head_path_accuracy"] = (lambda: path_accuracy_curve(path, what), told[1])
    drawn["confusion"] = (lambda: confusion_figure(leading["confusion"], results.classes), "Confusion matrix.")
    drawn["recall"] = (
        lambda: recall_figure(leading["per_class"], results.noun),
        "Recall of each class with its interval.",
    )
    drawn["reliability"] = (lambda: reliability_figure(leading), told_reliability(leading, results.noun))
    drawn |= _imbalance_figures(results)
    if results.boundary is not None:
        boundary = results.boundary
        drawn["boundary"] = (lambda: boundary_figure(boundary), told_boundary(boundary))
    with figure_style():
        files = {}
        for name, (draw, words) in drawn.items():
            figure = draw()
            files[name] = (saved(figure, "svg"), saved(figure, "png"), words)
    return files


def _imbalance_figures(results: Drawable) -> "dict[str, tuple[Callable[[], Figure], str]]":
    """The figures of decision, ranking and coverage, of those that the run has."""
    imbalance = results.imbalance or {}
    drawn: dict[str, tuple[Callable[[], Figure], str]] = {}
    decision, coverage = imbalance.get("decision") or {}, imbalance.get("coverage") or {}
    if decision.get("curve"):
        drawn["threshold"] = (lambda: threshold_figure(decision), told_threshold(decision))
    if (imbalance.get("curves") or {}).get("classes"):
        told = told_curves(results)
        drawn["precision_recall"] = (lambda: precision_recall_figure(results), told[0])
        drawn["roc"] = (lambda: roc_figure(results), told[1])
    if coverage.get("points"):
        drawn["coverage"] = (lambda: coverage_figure(coverage), told_coverage(coverage))
    return drawn


def warm_up() -> None:
    """Import what drawing will need."""
    with figure_style():
        figure, _ = new_figure()
        saved(figure, "svg")
        saved(figure, "png")


def confusion_figure(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> "Figure":
    """The confusion matrix, rows true and columns predicted, shaded by the share of the row.

    Right answers are shaded in the accent colour, mistakes in the warm one.
    """
    counts = np.asarray(confusion, np.int64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    named = len(classes) <= MAX_CLASSES_WITH_NAMES
    side = 1.0 + 0.36 * max(len(classes), 6) if named else WIDTH_INCHES
    figure, (axes,) = new_figure(side + 0.6, side)
    axes.imshow(_shaded(shares), interpolation="nearest", aspect="equal")
    margin = 1.35 if named else 0.4
    if named:
        names = [label_text(name, 16) for name in classes]
        for place, name in enumerate(names):
            axes.text(place, len(names) - 0.4, name, rotation=45, ha="right", va="top", rotation_mode="anchor")
        draw_scales(axes, y=Ticks(range(len(names)), names))
        for row, column in np.argwhere(counts > 0):
            colour = PAPER if shares[row, column] > 0.5 else INK
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=8)
    else:
        draw_scales(axes)
    figure.text(0.5 + margin / side / 3, 0.02, "predicted class", ha="center", va="bottom", color=MUTED)
    figure.text(0.02, 0.5 + margin / side / 3, "true class", rotation=90, ha="left", va="center", color=MUTED)
    frame(figure, left=margin, right=0.12, bottom=margin - 0.15, top=0.12)
    return figure


def recall_figure(per_class: Sequence[ClassRecord], noun: str = "picture") -> "Figure":
    """Recall of each class with its interval, as a forest plot; of very many classes the 60 lowest."""
    shown = [record for record in per_class if is_number(record["recall"]["value"])]
    if len(shown) > MAX_CLASSES_IN_FOREST:
        lowest = sorted(range(len(shown)), key=lambda row: (_or_one(shown[row]["recall"]["value"]), row))
        shown = [shown[row] for row in sorted(lowest[:MAX_CLASSES_IN_FOREST])]
    value = [_or_one(record["recall"]["value"]) for record in shown]
    low = [_or_one(record["recall"]["low"]) for record in shown]
    high = [_or_one(record["recall"]["high"]) for record in shown]
    rows = np.arange(len(shown))
    figure, (axes,) = new_figure(WIDTH_INCHES, 0.75 + 0.22 * max(len(shown), 2))
    axes.hlines(rows, low, high, color=ACCENT, linewidth=3, alpha=0.35)
    axes.plot(value, rows, "o", color=ACCENT, markersize=4.5)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(0, 1.01)
    names = [f"{label_text(record['name'], 20)}  ({record['n']})" for record in shown]
    title = f"recall with 95 % interval (number of {noun}s)"
    draw_scales(axes, x=Ticks(QUARTERS, whole_percents(QUARTERS), title, lines=True), y=Ticks(rows.tolist(), names))
    frame(figure, left=1.75, right=0.25, bottom=0.5, top=0.08)
    return figure


def reliability_figure(summary: SummaryRecord) -> "Figure":
    """Accuracy against confidence in bins, above the number of examples in each bin."""
    figure, (axes, counts) = new_figure(
        height=3.7, nrows=2, sharex=True, gridspec_kw={"height_ratios": (3, 1), "hspace": 0.12}
    )
    bins = [each for each in summary["reliability"] if each["n"] and is_number(each["accuracy"])]
    confidence = [_or_one(each["mean_confidence"]) for each in bins]
    accuracy = [_or_one(each["accuracy"]) for each in bins]
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="perfectly calibrated")
    low = [_or_one(each["accuracy_low"]) for each in bins]
    high = [_or_one(each["accuracy_high"]) for each in bins]
    axes.vlines(confidence, low, high, color=ACCENT, linewidth=3, alpha=0.35)
    axes.plot(confidence, accuracy, "o", color=ACCENT, markersize=4.5, label="this model, 95 % interval")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlim(0, 1.01)
    key_above(axes, 2)
    draw_scales(axes, y=Ticks(QUARTERS, whole_percents(QUARTERS), lines=True))
    edges = [each["low"] for each in bins]
    widths = [each["high"] - each["low"] for each in bins]
    counts.bar(edges, [each["n"] for each in bins], widths, align="edge", color=BAND, edgecolor=PAPER)
    highest = max((each["n"] for each in bins), default=1)
    counts.set_ylim(0, 1.05 * highest)
    examples = Ticks([0, highest], ["0", f"{highest:,}"], lines=True)
    draw_scales(counts, x=Ticks(QUARTERS, whole_percents(QUARTERS), "confidence"), y=examples)
    frame(figure, left=0.62, right=0.25, bottom=0.5, top=0.3)
    return figure


def told_reliability(summary: SummaryRecord, noun: str = "picture") -> str:
    """What the reliability diagram shows, in words for those who do not see it."""
    bins = [each for each in summary["reliability"] if each["n"]]
    fullest: BinRecord | None = max(bins, key=lambda each: each["n"], default=None)
    text = (
        f"Accuracy against confidence in {len(bins)} bins. Expected calibration error "
        f"{percent(summary['ece'])}; a perfectly calibrated model would score within "
        f"{bracket(*summary['ece_null'])}."
    )
    if fullest is None:
        return text
    return (
        f"{text} The fullest bin holds {count(fullest['n'], noun)}: mean confidence "
        f"{percent(fullest['mean_confidence'])}, accuracy {percent(fullest['accuracy'])}."
    )


def _shaded(shares: Float[np.ndarray, "classes classes"]) -> Float[np.ndarray, "classes classes 3"]:
    """The colour of each cell, RGB in 0 to 1: from paper to accent on the diagonal, to warm elsewhere."""
    from matplotlib.colors import to_rgb

    paper, line = np.array(to_rgb(PAPER)), np.array(to_rgb(LINE))
    full = np.broadcast_to(np.array(to_rgb(WARM)), (*shares.shape, 3)).copy()
    np.einsum("iij->ij", full)[:] = to_rgb(ACCENT)
    # A single mistake among many must still be seen: shades begin at one tenth.
    depth = np.where(shares > 0, 0.1 + 0.9 * shares, 0)[..., None]
    shaded = (1 - depth) * paper + depth * full
    empty = np.where(shares.sum(axis=1) == 0)[0]
    shaded[empty] = line
    return np.asarray(shaded)


def _or_one(value: float | None) -> float:
    """A share to draw; what is not defined is drawn at the right end, without effect on the rest."""
    return value if value is not None and isfinite(value) else 1.0
