"""The look of every figure: colours, type, SVG and PNG bytes, and the dark twin for the page."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# One ink, one accent, and one warm colour kept for mistakes and warnings. Blue-green and orange stay apart
# for readers who do not tell red from green. The page's base.css names the same colours.
PAPER = "#ffffff"
INK = "#1b2024"
MUTED = "#59636e"
LINE = "#d9dee3"
BAND = "#d3e4e9"
ACCENT = "#0e6377"
WARM = "#b04a12"
# Two more for what comes in four kinds: with the ink and the accent they stay apart for readers who lack a cone, and
# 3 to 1 and more from the paper (simulated after Machado et al., 2009: at least 30 apart in CIELAB; 2026-11-22).
VIOLET = "#9d4edd"
GOLD = "#b98500"
# Two more again, for classes: of six the pairs that come closest for readers who lack a cone are told apart by where
# they stand, and regions are named besides.
GREEN = "#4c8a1f"
ROSE = "#c2256b"
CLASS_COLOURS = (ACCENT, GOLD, VIOLET, ROSE, GREEN, INK)

# What each becomes when the page is read in the dark. A figure's paper becomes the page's own.
_DARK = {
    PAPER: "none",
    INK: "#e7eaed",
    MUTED: "#a2adb8",
    LINE: "#39424b",
    BAND: "#1d4450",
    ACCENT: "#62c3d9",
    WARM: "#f2a36b",
    VIOLET: "#c77dff",
    GOLD: "#f0d264",
    GREEN: "#9ad36a",
    ROSE: "#ff86b3",
}

# At 96 dots an inch a figure is 442 points wide on the page: two beside each other on a desk, one on a phone,
# where its 9 pt type is still readable.
WIDTH_INCHES = 4.6
HEIGHT_INCHES = 3.0
KEY_ROW = 0.21
_PNG_DOTS_PER_INCH = 160
_PNG_SPEED = {"compress_level": 3}  # 40 % less time than the default 6 for files 11 % larger (measured 2026-11-22)
_FONT = "DejaVu Sans"  # shipped with matplotlib, so that a figure is laid out alike everywhere
_PAGE_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

_SETTINGS: Any = {  # matplotlib's stubs know these names one by one
    "font.family": [_FONT],
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a class may be called a$b$
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",  # text stays text: small, searchable, in the reader's own font
    "svg.hashsalt": "heldout",  # the same figure gives the same bytes
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Our look for the figures made and saved inside the block; yours comes back after it."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        # A class name may hold characters that matplotlib's font lacks: the SVG on the page has them all.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcParams.update(_SETTINGS)
        yield


def new_figure(
    width: float = WIDTH_INCHES, height: float = HEIGHT_INCHES, **grid: Any
) -> tuple["Figure", "list[Axes]"]:
    """An empty figure and its axes from top to bottom, by `Figure.subplots` and without pyplot's global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor=PAPER)
    axes = figure.subplots(squeeze=False, **grid)
    return figure, [each for row in axes for each in row]


def frame(figure: "Figure", *, left: float, right: float, bottom: float, top: float) -> None:
    """Set the margins in inches.

    Fixed margins cost nothing, where a layout engine draws the figure once or twice more to find them.
    """
    width, height = figure.get_size_inches()
    figure.subplots_adjust(left=left / width, right=1 - right / width, bottom=bottom / height, top=1 - top / height)


def draw_scales(axes: "Axes", *, x: "Ticks | None" = None, y: "Ticks | None" = None) -> None:
    """Scales of our own at the bottom and the left: a hair line and a word a tick. Set the limits before.

    Matplotlib builds each tick of six artists and lays it out several times over; leaving its axes out halves the
    time of a figure (measured 2026-11-22).
    """
    from matplotlib.transforms import ScaledTranslation

    figure = axes.figure
    axes.set_axis_off()
    (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()
    below = ScaledTranslation(0, -5 / 72, figure.dpi_scale_trans)
    before = ScaledTranslation(-6 / 72, 0, figure.dpi_scale_trans)
    if x is not None:
        place = axes.get_xaxis_transform() + below
        for at, word in zip(x.places, x.words, strict=True):
            axes.text(at, 0, word, transform=place, ha="center", va="top", color=MUTED, fontsize=8.5)
        if x.lines:
            axes.vlines(x.places, y_low, y_high, color=LINE, linewidth=0.7, zorder=0.4)
        title = axes.transAxes + ScaledTranslation(0, -21 / 72, figure.dpi_scale_trans)
        axes.text(0.5, 0, x.title, transform=title, ha="center", va="top", color=MUTED)
    if y is not None:
        place = axes.get_yaxis_transform() + before
        for at, word in zip(y.places, y.words, strict=True):
            axes.text(0, at, word, transform=place, ha="right", va="center", color=MUTED, fontsize=8.5)
        if y.lines:
            axes.hlines(y.places, x_low, x_high, color=LINE, linewidth=0.7, zorder=0.4)


def title_beside(axes: "Axes", words: str, points: float) -> None:
    """The title of the left scale, upright, so many points left of the axes."""
    axes.annotate(
        words,
        (0, 0.5),
        (-points, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        rotation=90,
        ha="right",
        va="center",
        color=MUTED,
    )


@dataclass(frozen=True, slots=True)
class Ticks:
    """Where a scale has ticks and what stands there; `lines` runs a hair line through each."""

    places: Sequence[float]
    words: Sequence[str]
    title: str = ""
    lines: bool = False


def numbers(low: float, high: float, *, n_most: int = 6, whole: bool = False) -> list[float]:
    """Round numbers within a range, at most about `n_most`; whole ones only where asked.

    Example:
        >>> numbers(0.1, 1.6), numbers(1, 20, whole=True)
        ([0.25, 0.5, 0.75, 1.0, 1.25, 1.5], [4.0, 8.0, 12.0, 16.0, 20.0])
    """
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=n_most, integer=whole, steps=[1, 2, 2.5, 4, 5, 10]).tick_values(low, high)
    slack = 1e-9 * (high - low)
    return [round(float(each), 10) for each in found if low - slack <= each <= high + slack]


def whole_percents(shares: Sequence[float]) -> list[str]:
    """Shares as the words of a scale.

    Example:
        >>> whole_percents([0.0, 0.25, 1.0])
        ['0 %', '25 %', '100 %']
    """
    return [f"{100 * share:g} %" for share in shares]


def key_above(axes: "Axes", n_entries: int) -> None:
    """The key of the lines in one row above the axes, where no line can run through it."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.01),
        ncols=n_entries,
        handlelength=1.3,
        columnspacing=1.4,
        borderpad=0,
        borderaxespad=0.2,
    )


def key_rows(entries: "Sequence[Artist]", width: float) -> int:
    """How many rows a key takes within a width in inches, each column as wide as its longest word."""
    for n_rows in range(1, len(entries)):
        n_columns = ceil(len(entries) / n_rows)
        longest = [max(len(str(each.get_label())) for each in entries[at::n_columns]) for at in range(n_columns)]
        # At 8.5 pt a character is about 0.071 inches wide, a mark with its gaps 0.4.
        if sum(0.4 + 0.071 * n for n in longest) <= width - 0.1:
            return n_rows
    return max(len(entries), 1)


def key_in_rows(figure: "Figure", entries: "Sequence[Artist]", n_rows: int) -> None:
    """The key at the top of the figure, where nothing can run through it; each row is read from left to right.

    It takes `KEY_ROW` inches a row.
    """
    n_columns = ceil(len(entries) / n_rows)
    # Matplotlib fills a key column by column.
    by_column = [entry for column in range(n_columns) for entry in entries[column::n_columns]]
    figure.legend(
        handles=by_column,
        loc="upper left",
        bbox_to_anchor=(0.0, 1 - 0.03 / figure.get_size_inches()[1]),
        ncols=n_columns,
        handlelength=1.3,
        handletextpad=0.5,
        columnspacing=1.2,
        borderaxespad=0.1,
        fontsize=8.5,
    )


def saved(figure: "Figure", kind: Literal["svg", "png"]) -> bytes:
    """The figure as a file, without a date or a version in it. Call inside `figure_style`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    target = io.BytesIO()
    if kind == "svg":
        FigureCanvasSVG(figure).print_svg(target, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    else:
        figure.set_dpi(_PNG_DOTS_PER_INCH)
        FigureCanvasAgg(figure).print_png(target, metadata={"Software": None}, pil_kwargs=_PNG_SPEED)  # type: ignore[no-untyped-call]
    return target.getvalue()


def for_page(svg: bytes) -> bytes:
    """The SVG as the page shows it: in the reader's own font, and with dark colours in the dark.

    Example:
        >>> b"prefers-color-scheme: dark" in for_page(b"<svg><defs/></svg>")
        True
    """
    rules = "".join(
        f'[style*="{name}: {light}"]{{{name}:{dark}!important}}'
        for light, dark in _DARK.items()
        for name in ("fill", "stroke")
    )
    # Dots that are stored as a picture keep their hue and turn their lightness round.
    rules += "image{filter:invert(1) hue-rotate(180deg) brightness(1.2)}"
    dark = f"<style>@media screen and (prefers-color-scheme: dark){{{rules}}}</style>".encode()
    text = svg.replace(f"'{_FONT}'".encode(), _PAGE_FONT.encode())
    return text.replace(b"</svg>", dark + b"</svg>")


def label_text(name: str, longest: int = 22) -> str:
    """A class name that fits beside an axis and may stand in an SVG: no control characters, bounded length.

    Example:
        >>> label_text("snap" + chr(7) + "dragon"), label_text("a" * 40)
        ('snap dragon', 'aaaaaaaaaaaaaaaaaaaaa…')
    """
    plain = "".join(character if character.isprintable() else " " for character in name)
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
