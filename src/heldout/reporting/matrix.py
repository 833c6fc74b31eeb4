"""The confusion matrix as a table to click in, and the pairs of classes that are confused most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from heldout.reporting.rules import StyleRules
from heldout.reporting.style import ACCENT, PAPER, WARM
from heldout.reporting.wording import count, percent

# Up to here a cell has room for its number; up to there a browser lays the table out in a blink (14,400 cells
# in 0.2 s, measured here 2026-11-22). Beyond, the page shows the figure and the list of pairs.
MAX_CLASSES_WITH_NUMBERS = 25
MAX_CLASSES_IN_TABLE = 120
N_PAIRS = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: `shade` is a style class; a cell without pictures has no `told` and is not clickable."""

    true: int
    predicted: int
    n: int
    kind: str
    shade: str
    light_text: bool
    told: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two classes, one taken for the other `n` times."""

    true: int
    predicted: int
    true_name: str
    predicted_name: str
    n: int
    share: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the page shows of a confusion matrix.

    Attributes:
        rows: The cells, row by true class; empty with more than 120 classes.
        classes: The class names.
        with_numbers: Whether the cells show their counts.
        pairs: The most confused pairs, most confused first.
        first: The cell that is open at first: the fullest one with mistakes, else the first right one.
        n_mistakes: How many pictures lie off the diagonal.
    """

    rows: tuple[tuple[Cell, ...], ...]
    classes: tuple[str, ...]
    with_numbers: bool
    pairs: tuple[Pair, ...]
    first: tuple[int, int]
    n_mistakes: int


def matrix_of(
    confusion: Sequence[Sequence[int]], classes: tuple[str, ...], rules: StyleRules, noun: str = "picture"
) -> Matrix:
    """The confusion matrix as cells with shade, text and tooltip.

    Args:
        confusion: Counts, a row a true class, a column a predicted class.
        classes: The class names in index order.
        rules: Where the shades are noted down.
        noun: What an example is called.
    """
    counts = np.asarray(confusion, np.int64)
    n_of_class = counts.sum(axis=1)
    rows: tuple[tuple[Cell, ...], ...] = ()
    if len(classes) <= MAX_CLASSES_IN_TABLE:
        rows = tuple(
            tuple(
                _cell(counts, n_of_class, classes, (true, predicted), rules, noun) for predicted in range(len(classes))
            )
            for true in range(len(classes))
        )
    pairs = _pairs(counts, n_of_class, classes)
    fullest = int(np.argmax(np.diagonal(counts)))
    return Matrix(
        rows=rows,
        classes=classes,
        with_numbers=len(classes) <= MAX_CLASSES_WITH_NUMBERS,
        pairs=pairs,
        first=(pairs[0].true, pairs[0].predicted) if pairs else (fullest, fullest),
        n_mistakes=int(counts.sum() - np.trace(counts)),
    )


def _cell(
    counts: Int[np.ndarray, "classes classes"],
    n_of_class: Int[np.ndarray, " classes"],
    classes: tuple[str, ...],
    place: tuple[int, int],
    rules: StyleRules,
    noun: str,
) -> Cell:
    true, predicted = place
    n = int(counts[place])
    kind = "right" if true == predicted else "wrong"
    if n == 0:
        return Cell(true, predicted, 0, kind, "", light_text=False, told="")
    share = n / int(n_of_class[true])
    depth = shade_depth(share)
    verb = "named right" if kind == "right" else f"taken for {classes[predicted]}"
    told = f"{classes[true]} {verb}: {count(n, noun)}, {percent(share)} of {classes[true]}"
    return Cell(true, predicted, n, kind, rules.depth(depth), needs_light_text(depth, kind), told)


def _pairs(
    counts: Int[np.ndarray, "classes classes"], n_of_class: Int[np.ndarray, " classes"], classes: tuple[str, ...]
) -> tuple[Pair, ...]:
    mistakes = counts.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:N_PAIRS]
    pairs = []
    for true, predicted in zip(*np.unravel_index(order, counts.shape), strict=True):
        if n := int(mistakes[true, predicted]):
            share = percent(n / int(n_of_class[true]))
            pairs.append(Pair(int(true), int(predicted), classes[true], classes[predicted], n, share))
    return tuple(pairs)


def shade_depth(share: float) -> float:
    """How deep a cell is shaded, 0 to 1: a lone mistake among many pictures must still be seen.

    Example:
        >>> shade_depth(0.0), round(shade_depth(0.01), 3), shade_depth(1.0)
        (0.0, 0.109, 1.0)
    """
    return 0.1 + 0.9 * share if share > 0 else 0.0


def needs_light_text(depth: float, kind: str) -> bool:
    """Whether white reads better than black on a cell of this shade, on a light page.

    Source: relative luminance and contrast ratio of WCAG 2.2.
    """
    luminance = _luminance(_mixed(PAPER, ACCENT if kind == "right" else WARM, depth))
    return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05


def _mixed(start: str, end: str, depth: float) -> tuple[float, float, float]:
    channels = [
        (1 - depth) * int(start[at : at + 2], 16) / 255 + depth * int(end[at : at + 2], 16) / 255 for at in (1, 3, 5)
    ]
    return (channels[0], channels[1], channels[2])


def _luminance(colour: tuple[float, float, float]) -> float:
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
