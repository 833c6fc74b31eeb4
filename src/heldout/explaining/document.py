"""An explanation: a title, sections of text, formulas and tables, the facts behind them, and a drawing.

A subject is told once, as a document; text, LaTeX and JSON are made of that one telling.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from heldout.errors import UsageError
from heldout.records import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula, twice.

    Attributes:
        plain: As a terminal shows it, such as `w <- (1 - 2 A L) w`.
        latex: Without dollar signs; what matplotlib's mathtext can read too.
    """

    plain: str
    latex: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph of plain words; it is wrapped where it is shown."""

    words: str


Cell = str | Formula


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under titles.

    Attributes:
        columns: The titles.
        rows: One cell a column. Numbers come as words already: `1,234`.
        numeric: The columns that are set flush right, by position.
        total: Whether the last row sums up the others.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()
    total: bool = False

    def __post_init__(self) -> None:
        wrong = [row for row in self.rows if len(row) != len(self.columns)]
        assert not wrong, f"a row has not {len(self.columns)} cells: {wrong[0]}"


Part = Text | Formula | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A title and what stands below it."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Explanation(Generic[Facts]):
    """What `heldout explain` found, ready to be read, kept or drawn; `print` shows it.

    Attributes:
        title: What is explained.
        facts: The numbers, as `heldout.anatomy` gave them.
        sections: What is said about them.
        record: The numbers once more, as what JSON can hold.
        sources: Where the formulas come from.
        draw: Makes the figure; is called inside `figure_style`.
    """

    title: str
    facts: Facts
    sections: tuple[Section, ...]
    record: dict[str, Any]
    sources: tuple[str, ...] = ()
    draw: "Callable[[], Figure] | None" = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        from heldout.explaining.as_text import text_of

        return text_of(self)

    def as_latex(self) -> str:
        """A whole LaTeX document."""
        from heldout.explaining.as_latex import latex_of

        return latex_of(self)

    def as_record(self) -> dict[str, Any]:
        """The record as JSON can hold it, with the title; numbers that are not finite are null."""
        return {"title": self.title, **finite(self.record), "sources": list(self.sources)}

    def as_json(self) -> str:
        """The record as one JSON object."""
        return json.dumps(self.as_record(), indent=1, ensure_ascii=False, allow_nan=False)

    def plot(self, path: str | Path) -> Path:
        """The file the figure was drawn into.

        Args:
            path: Ends in .svg or .png.

        Raises:
            UsageError: The file has another ending, its folder is not there, or there is nothing to draw.
            StorageError: The disk refused.
        """
        target = plot_file(path)
        if self.draw is None:
            raise UsageError(
                f"there is nothing to draw for {self.title!r}",
                expected="an explanation with a figure",
                fix="leave the plot out",
            )
        from heldout.reporting.style import figure_style, saved

        with figure_style():
            return write_atomic(target, saved(self.draw(), "svg" if target.suffix.lower() == ".svg" else "png"))


def plot_file(path: str | Path) -> Path:
    """The path of a figure that can be written there, which is asked before the work is done.

    Args:
        path: Ends in .svg or .png.

    Raises:
        UsageError: The file has another ending, is a folder, or its folder is not there.
    """
    target = Path(path)
    if target.suffix.lower() not in {".svg", ".png"}:
        raise UsageError(
            f"the plot is to be {str(path)!r}", expected="a file that ends in .svg or .png", fix="rename it"
        )
    if target.is_dir() or not target.parent.is_dir():
        raise UsageError(
            f"the plot {str(path)!r} cannot be written there",
            expected="a file in a folder that exists",
            fix="make the folder, or choose another",
        )
    return target


def finite(value: Any) -> Any:
    """A record as JSON can hold it: what is not finite is None, tuples are lists, numpy's numbers are Python's.

    Example:
        >>> finite({"a": (1.0, float("inf"))})
        {'a': [1.0, None]}
    """
    if isinstance(value, dict):
        return {str(key): finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [finite(each) for each in value]
    if hasattr(value, "tolist"):
        return finite(value.tolist())
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value
