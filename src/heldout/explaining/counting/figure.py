"""Where a network spends its multiply-adds, keeps its parameters and holds its activations: a bar a row."""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from heldout.explaining.counting.groups import Row, beginning
from heldout.reporting.style import (
    ACCENT,
    BAND,
    INK,
    KEY_ROW,
    LINE,
    MUTED,
    frame,
    key_in_rows,
    label_text,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

# All in inches. Above so many rows a name stands only where the first part of the names changes.
_MOST_NAMED = 64
_ROW, _LOW_ROW = 0.2, 0.07
_HIGHEST = 28.0  # however many rows there are
_PANEL = 1.85
_LETTER = 0.07
_LONGEST_NAME = 30


def counting_figure(rows: Sequence[Row]) -> "Figure":
    """Three columns of bars that share their rows, from the input down to the output.

    Args:
        rows: At least one.
    """
    is_long = len(rows) > _MOST_NAMED
    row_height = min(_LOW_ROW if is_long else _ROW, _HIGHEST / len(rows))
    names = _names(rows, row_height)
    left = 0.2 + _LETTER * max(len(name) for name in names)
    entries = _key(rows)
    top, bottom = 0.42 + KEY_ROW * bool(entries), 0.12
    plot = row_height * len(rows)
    figure, every = new_figure(
        left + 3 * _PANEL + 0.1, top + plot + bottom, ncols=3, sharey=True, gridspec_kw={"wspace": 0.0}
    )
    columns = (
        ("multiply-adds", [row.forward.multiply_adds for row in rows], [0] * len(rows), ""),
        ("parameters", [row.parameters.trainable for row in rows], [row.parameters.frozen for row in rows], ""),
        ("activations", [row.activation_bytes for row in rows], [0] * len(rows), "B"),
    )
    for axes, (title, values, frozen, unit) in zip(every, columns, strict=True):
        _bars(axes, values, frozen, row_height)
        _values(axes, [value + more for value, more in zip(values, frozen, strict=True)], unit, is_long=is_long)
        axes.text(0, -0.5 - 0.14 * len(rows) / plot, title, va="bottom", color=INK, fontweight="bold", fontsize=8.5)
    for at, name in enumerate(names):
        if name:
            every[0].annotate(
                name, (0, at), (-6, 0), textcoords="offset points", ha="right", va="center", color=MUTED, fontsize=8
            )
    if entries:
        key_in_rows(figure, entries, 1)
    frame(figure, left=left, right=0.1, bottom=bottom, top=top)
    return figure


def compact(number: int, unit: str = "") -> str:
    """A number with three digits and its thousands as a letter.

    Example:
        >>> compact(0), compact(999), compact(11_689_512), compact(1_814_073_344), compact(3_211_264, "B")
        ('0', '999', '11.7 M', '1.81 G', '3.21 MB')
    """
    size, letters = float(number), ("", "k", "M", "G", "T", "P")
    for letter in letters:
        if size < 999.5 or letter == letters[-1]:
            break
        size /= 1000
    digits = f"{size:.0f}" if not letter or size >= 99.95 else f"{size:.1f}" if size >= 9.995 else f"{size:.2f}"
    return f"{digits} {letter}{unit}".rstrip()


def _names(rows: Sequence[Row], row_height: float) -> list[str]:
    if len(rows) <= _MOST_NAMED:
        return [label_text(_name(row), _LONGEST_NAME) for row in rows]
    firsts = [beginning(row.name, 1) for row in rows]
    changes = [at == 0 or firsts[at - 1] != first for at, first in enumerate(firsts)]
    if sum(changes) > _MOST_NAMED or sum(changes) == 1:  # a plain chain: every tenth
        step = 10 * ceil(0.02 / row_height)
        return [label_text(row.name, _LONGEST_NAME) if at % step == 0 else "" for at, row in enumerate(rows)]
    # Two names closer than a line would run into each other.
    named, last = [], -100.0
    for at, first in enumerate(firsts):
        shown = changes[at] and (at - last) * row_height >= 0.13
        last = at if shown else last
        named.append(label_text(first, _LONGEST_NAME) if shown else "")
    return named


def _name(row: Row) -> str:
    """The row's name; of one layer a bare number says nothing without its kind."""
    is_number = row.n_layers == 1 and row.name.rpartition(".")[2].isdecimal()
    return f"{row.name} {row.kind}" if is_number else row.name


def _bars(axes: "Axes", values: Sequence[int], frozen: Sequence[int], row_height: float) -> None:
    axes.set_axis_off()
    longest = max(value + more for value, more in zip(values, frozen, strict=True)) or 1
    # Bars closer than a dot of the screen would only shimmer.
    half = 0.36 if row_height > 0.03 else 0.5
    for begins, lengths, colour in (([0] * len(values), values, ACCENT), (values, frozen, BAND)):
        _rectangles(axes, begins, lengths, half=half, colour=colour)
    # Room for the number behind the longest bar.
    axes.set_xlim(0, longest * _PANEL / (_PANEL - 0.62))
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.axvline(0, color=LINE, linewidth=0.8)


def _rectangles(axes: "Axes", begins: Sequence[int], lengths: Sequence[int], *, half: float, colour: str) -> None:
    """Bars as one artist: a thousand of matplotlib's own take seconds."""
    from matplotlib.collections import PolyCollection

    corners = [
        [(begin, at - half), (begin + length, at - half), (begin + length, at + half), (begin, at + half)]
        for at, (begin, length) in enumerate(zip(begins, lengths, strict=True))
        if length
    ]
    axes.add_collection(PolyCollection(corners, facecolors=colour, linewidths=0), autolim=False)


def _values(axes: "Axes", sums: Sequence[int], unit: str, *, is_long: bool) -> None:
    """The number behind each bar; of many rows only behind the longest."""
    for at, value in enumerate(sums):
        if is_long and value != max(sums):
            continue
        words, colour = compact(value, unit), INK if value else MUTED
        axes.annotate(words, (value, at), (3, 0), textcoords="offset points", va="center", color=colour, fontsize=7.5)
        if is_long:
            break


def _key(rows: Sequence[Row]) -> "list[Patch]":
    """What the two colours of the parameters mean, where there are both."""
    from matplotlib.patches import Patch

    if not any(row.parameters.frozen for row in rows):
        return []
    return [Patch(color=ACCENT, label="parameters that learn"), Patch(color=BAND, label="parameters that are frozen")]
