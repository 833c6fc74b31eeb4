"""The looks at the columns and rows of a table -> what each section of its page says, ready for the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heldout.data.tabular.column_looks import ColumnLook
from heldout.data.tabular.row_copies import KINDS, Copies, EqualRows
from heldout.data.tabular.table_looks import TableLook
from heldout.reporting.pairs import allotted
from heldout.reporting.wording import count, percent

# In the units of the drawing; the style sheet stretches it.
WIDTH, HEIGHT = 240, 30
# Of the equal rows (assumed: more are not looked at).
MAX_SHOWN_COPIES = 30
MAX_EVIDENCE = 40
_MAX_VALUES = 12
_LEAKS = {
    "target-leak": "says the label in other words",
    "column-predicts-alone": "tells the classes apart alone",
    "unique-numbers": "has another whole number in each row",
    "row-number-column": "counts the rows",
    "id-column": "has another word in nearly each row",
}
_BY_FIRST_CELLS = ("unique-numbers", "row-number-column", "id-column")
_KIND_WORDS = {
    "across-parts": (
        "In two parts",
        "One of them was there to learn from: a score on the other comes out too high.",
    ),
    "two-labels": (
        "Under two labels",
        "No model can tell them apart. If they are one observation, at most one of the labels is right.",
    ),
    "within-part": (
        "Under one label, not in two parts",
        "They count more than once and tell nothing new. A split that is made here keeps them together.",
    ),
}


@dataclass(frozen=True, slots=True)
class ClassBars:
    """One class of a column of numbers: the outline of its bars, and where its values lie."""

    name: str
    path: str
    words: str


@dataclass(frozen=True, slots=True)
class ValueBars:
    """One word of a column: in how many rows it stands, the length of each class's bar, and the same in words."""

    value: str
    n: int
    widths: tuple[float, ...]
    words: str


@dataclass(frozen=True, slots=True)
class ColumnCard:
    """A column as it is shown."""

    name: str
    kind: str
    not_used: str
    facts: tuple[str, ...]
    classes: tuple[ClassBars, ...]
    values: tuple[ValueBars, ...]
    beneath: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A column that may give the label away: what it does, and a table that shows it."""

    name: str
    title: str
    severity: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    beneath: str


@dataclass(frozen=True, slots=True)
class CopiesOfKind:
    """What is shown of one kind of equal rows: what they do to a score, how many groups there are, some of them."""

    title: str
    meaning: str
    n: int
    shown: tuple[EqualRows, ...]


def column_cards(content: Mapping[str, Any], look: TableLook) -> list[ColumnCard]:
    """The columns of a look.

    Args:
        content: What is written to check.json.
        look: What is written to columns.json.
    """
    told = {column["name"]: column["words"] for column in content["columns"]}
    return [_card(column, look, told.get(column.name, "")) for column in look.columns]


def _card(column: ColumnLook, look: TableLook, told: str) -> ColumnCard:
    n_rows, n_missing = sum(look.n_of_class), sum(column.n_missing)
    facts = [f"{n_missing:,} missing ({percent(n_missing / n_rows)})" if n_missing else "none missing"]
    facts.append(count(column.n_distinct, "different value"))
    if column.quartiles:
        least, *quartiles, greatest = column.quartiles
        facts.append(f"from {least} to {greatest}, quartiles {', '.join(quartiles)}")
    if n_missing:
        shares = zip(look.classes, column.n_missing, look.n_of_class, strict=True)
        facts.append("missing by class: " + ", ".join(f"{name} {percent(n / max(1, of))}" for name, n, of in shares))
    if column.not_used:
        facts.append("first cells: " + ", ".join(cell or "(empty)" for cell in column.first))
    is_words = column.kind == "category"
    has_bars = column.n_distinct > 0 and column.not_used not in ("names", "constant")
    return ColumnCard(
        name=column.name,
        kind=column.kind,
        not_used="" if not column.not_used else told,
        facts=tuple(facts),
        classes=() if is_words or not has_bars else _class_bars(column, look),
        values=_value_bars(column, look) if is_words and has_bars else (),
        beneath=_beneath(column) if has_bars else "",
    )


def _beneath(column: ColumnLook) -> str:
    """What the bars stand for."""
    if column.kind == "category":
        n_more = column.n_distinct - len(column.values)
        return f"{count(n_more, 'more value')} of {column.n_distinct:,}, each in fewer rows" if n_more else ""
    if column.values:
        return f"one bar a value: {column.values[0]} … {column.values[-1]}"
    low, high = column.bounds
    scale = ", on a logarithmic scale" if column.is_logarithmic else ""
    return f"bars from {low} to {high}{scale}" + ("; the outermost hold what lies beyond" if column.is_clipped else "")


def _shares(column: ColumnLook, look: TableLook) -> list[list[float]]:
    """The share of each class's rows that is in each bar."""
    return [[n / max(1, of) for n in bars] for bars, of in zip(column.counts, look.n_of_class, strict=True)]


def _class_bars(column: ColumnLook, look: TableLook) -> tuple[ClassBars, ...]:
    shares = _shares(column, look)
    highest = max((share for bars in shares for share in bars), default=0.0) or 1.0
    return tuple(
        ClassBars(name, _outline([share / highest for share in bars]), _middle_words(middle))
        for name, bars, middle in zip(look.classes, shares, column.middle, strict=True)
    )


def _outline(heights: Sequence[float]) -> str:
    """The path of upright bars, each 0 to 1 high; a bar that is not empty can be seen.

    Example:
        >>> _outline([0.5, 0.0])
        'M0 30v-15h116v15z'
    """
    step = WIDTH / len(heights)
    gap = min(4.0, step / 5)
    tall = [max(1.0, HEIGHT * height) if height else 0.0 for height in heights]
    return "".join(
        f"M{round(i * step, 1):g} {HEIGHT}v-{round(high, 1):g}h{round(step - gap, 1):g}v{round(high, 1):g}z"
        for i, high in enumerate(tall)
        if high
    )


def _middle_words(middle: Sequence[str]) -> str:
    if not middle:
        return "no value"
    low, median, high = middle
    return f"median {median}, 90\u202f% from {low} to {high}"


def _value_bars(column: ColumnLook, look: TableLook) -> tuple[ValueBars, ...]:
    shares = _shares(column, look)
    longest = max((share for bars in shares for share in bars), default=0.0) or 1.0
    return tuple(
        ValueBars(
            value=value,
            n=sum(bars[i] for bars in column.counts),
            widths=tuple(round(WIDTH * bars[i] / longest, 1) for bars in shares),
            words=", ".join(f"{name} {percent(bars[i])}" for name, bars in zip(look.classes, shares, strict=True)),
        )
        for i, value in enumerate(column.values)
    )


def evidence_of(findings: Sequence[Mapping[str, Any]], look: TableLook) -> list[Evidence]:
    """For each column that may give the label away, what shows it; at most 40 of them, the gravest first."""
    columns = {column.name: column for column in look.columns}
    return [
        _evidence(columns[name], finding, look)
        for code in _LEAKS
        for finding in findings
        if finding["code"] == code
        for name in finding["where"]
        if name in columns
    ][:MAX_EVIDENCE]


def _evidence(column: ColumnLook, finding: Mapping[str, Any], look: TableLook) -> Evidence:
    code, beneath = finding["code"], ""
    if code in _BY_FIRST_CELLS:
        heads: tuple[str, ...] = ("Row", "Cell")
        rows: tuple[tuple[str, ...], ...] = tuple((str(i), cell or "(empty)") for i, cell in enumerate(column.first, 1))
        beneath = f"{column.n_distinct:,} different values in {sum(look.n_of_class):,} rows"
    elif column.values:
        heads = ("Value", *look.classes)
        rows = tuple(
            (value, *(f"{bars[i]:,}" for bars in column.counts)) for i, value in enumerate(column.values[:_MAX_VALUES])
        )
        n_more = column.n_distinct - len(rows)
        beneath = "Rows of each class" + (f"; {count(n_more, 'more value')}" if n_more else "")
    else:
        heads = ("Class", "5\u202f%", "Median", "95\u202f%")
        rows = tuple(
            (name, *(middle or ("–", "–", "–"))) for name, middle in zip(look.classes, column.middle, strict=True)
        )
        beneath = "Where the values of each class lie"
    return Evidence(column.name, _LEAKS[code], finding["severity"], heads, rows, beneath)


def copies_shown(copies: Copies) -> list[CopiesOfKind]:
    """At most 30 groups of equal rows, by kind, the gravest first; a kind of which there are none is left out."""
    numbers = [copies.n_of_kind[kind] for kind in KINDS]
    told = []
    for kind, n, room in zip(KINDS, numbers, allotted(numbers, MAX_SHOWN_COPIES), strict=True):
        if n:
            of_kind = [group for group in copies.shown if group.kind == kind][:room]
            told.append(CopiesOfKind(*_KIND_WORDS[kind], n, tuple(of_kind)))
    return told
