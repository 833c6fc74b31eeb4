"""A run on a table -> what its page says instead of showing pictures: its columns, its weights, the boundary."""

from dataclasses import dataclass

from heldout.reporting.boundary_figure import equation_of
from heldout.reporting.results import Results
from heldout.reporting.wording import count, percent

# A page that lists more columns than these is no longer read; the rest stands in scores.json (assumed).
N_COLUMNS = 200
N_WEIGHTS = 40


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column of the table, and what became of it."""

    name: str
    kind: str
    missing: str
    n_missing: int
    words: str


@dataclass(frozen=True, slots=True)
class WeightRow:
    """An input of a linear model, and what it adds to the log-odds or the score of each class."""

    name: str
    weights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableView:
    """What the page says of a table.

    Attributes:
        columns: The columns that are inputs, in their order.
        n_more_columns: How many more there are.
        weight_heads: What the columns of `weights` are called.
        weights: The inputs with the largest weights first.
        n_more_weights: How many more there are.
        weight_words: What a weight means.
    """

    columns: tuple[ColumnRow, ...]
    n_more_columns: int
    weight_heads: tuple[str, ...]
    weights: tuple[WeightRow, ...]
    n_more_weights: int
    weight_words: str


def table_of(results: Results) -> TableView:
    """Columns and weights of a run; both are empty where it has none."""
    columns = results.data.get("columns") or []
    rows = tuple(
        ColumnRow(
            name=each["name"],
            kind=each["kind"],
            missing=f"{each['n_missing']:,}" if each["n_missing"] else "none",
            n_missing=int(each["n_missing"]),
            words=each["words"],
        )
        for each in columns[:N_COLUMNS]
    )
    record = results.model.get("coefficients") or {}
    weights = sorted(record.get("weights") or [], key=lambda each: -max(map(abs, each["values"]), default=0.0))
    return TableView(
        columns=rows,
        n_more_columns=max(len(columns) - N_COLUMNS, 0),
        weight_heads=tuple(record.get("heads") or ()),
        weights=tuple(
            WeightRow(each["feature"], tuple(f"{value:+.3g}".replace("-", "−") for value in each["values"]))
            for each in weights[:N_WEIGHTS]
        ),
        n_more_weights=max(len(weights) - N_WEIGHTS, 0),
        weight_words=record.get("words") or "",
    )


def boundary_words(results: Results) -> list[str]:
    """What the figure of the boundary shows, in sentences; none where there is no such figure."""
    boundary = results.boundary
    if boundary is None:
        return []
    told = [boundary.words]
    if equation := equation_of(boundary):
        told.append(f"The line is exact. {equation.strip()}")
    if boundary.n_drawn < boundary.n:
        told.append(
            f"Drawn are {boundary.n_drawn:,} of {count(boundary.n, f'{boundary.part} {results.noun}')}, chosen at "
            f"random with the shares of the classes and of their mistakes kept: {boundary.n_mistakes_drawn:,} of "
            f"{count(boundary.n_mistakes, 'mistake')}."
        )
    else:
        told.append(
            f"All {count(boundary.n, f'{boundary.part} {results.noun}')} are drawn; {boundary.n_mistakes:,} "
            f"({percent(boundary.n_mistakes / boundary.n)}) were answered wrong and are crosses."
        )
    if boundary.kind != "inputs":
        told.append(
            f"Of the drawn, {percent(boundary.agreement)} were answered as the plane shows beneath them; the others "
            "lie beside it."
        )
    return told
