"""What single columns of a table say against a score -> Findings: no label is looked at here."""

import re
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

from heldout.data.examples import PARTS, some_of
from heldout.data.tabular.column_leaks import Judged, find_column_leaks, n_columns
from heldout.data.tabular.column_values import as_number, dates_of, is_missing_word, is_words, numbers_of, words_of
from heldout.data.tabular.encoding import Column
from heldout.findings import MAX_NAMED, Finding

if TYPE_CHECKING:
    import pyarrow as pa

_TRAIN = PARTS.index("train")
_MANY_MISSING = 0.5
# By how much the share of missing cells may differ between parts: 20 points (assumed).
_MISSING_DIFFERS = 0.2
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}")


def find_column_problems(judged: Judged) -> list[Finding]:
    """What the columns say against a score, in a fixed order."""
    found = (
        _constant(judged),
        _missing(judged),
        _missing_differs(judged),
        _infinite(judged),
        _words_among_numbers(judged),
        _dates_as_words(judged),
        _unseen(judged),
        _rare(judged),
    )
    return find_column_leaks(judged) + [finding for finding in found if finding is not None]


def _constant(judged: Judged) -> Finding | None:
    names = [dropped.name for dropped in judged.encoder.dropped if dropped.reason == "constant"]
    if not names:
        return None
    return Finding(
        code="constant-column",
        severity="note",
        what=f"{n_columns(names, 'has', 'have')} no two different values in train: {some_of(names)}",
        why="What never differs tells nothing apart.",
        fix="Remove them, or look why they are empty.",
        where=tuple(names[:MAX_NAMED]),
    )


def _missing(judged: Judged) -> Finding | None:
    shares = {column.name: column.n_missing / max(1, judged.encoder.n_rows) for column in judged.encoder.columns}
    names = sorted((name for name, share in shares.items() if share), key=lambda name: -shares[name])
    if not names:
        return None
    n_many = sum(shares[name] > _MANY_MISSING for name in names)
    return Finding(
        code="missing-values",
        severity="warning" if n_many else "note",
        what=f"{n_columns(names, 'has', 'have')} cells without a value in train: "
        + ", ".join(f"{name!r} ({shares[name]:.1%})" for name in names[:5])
        + (f"; {n_many:,} of them in most rows" if n_many else ""),
        why="Missing numbers become train's median, and one feature more says that they are missing. Why they are "
        "missing may say more than the rest, and may change.",
        fix="Look whether cells are missing for one class or one time alone.",
        where=tuple(names[:MAX_NAMED]),
    )


def _missing_differs(judged: Judged) -> Finding | None:
    found = []
    for column in judged.encoder.columns:
        cells = judged.table.column(column.name)
        # A column without nulls in Arrow's own count may hold NaN or empty words, which its encoder knows of in train.
        if not column.has_missing and not cells.null_count and not is_words(cells.type):
            continue
        is_missing = _is_missing(column, cells)
        shares = {part: float(is_missing[rows].mean()) for part in PARTS if len(rows := judged.part(part))}
        for part in PARTS[1:]:
            if abs(shares.get(part, 0.0) - shares.get("train", 0.0)) > _MISSING_DIFFERS and part in shares:
                found.append(
                    (column.name, f"{column.name!r} ({shares['train']:.0%} in train, {shares[part]:.0%} in {part})")
                )
    if not found:
        return None
    names = tuple(dict.fromkeys(name for name, _ in found))
    return Finding(
        code="missing-differs",
        severity="warning",
        what=f"{n_columns(names, 'lacks', 'lack')} values far more often in one part than in another: "
        + ", ".join(words for _, words in found[:5]),
        why="The parts were not collected alike, so the score holds for one way of collecting and not for the other.",
        fix="Look how the files were made; do not give the parts if they can be mixed.",
        where=names[:MAX_NAMED],
    )


def _is_missing(column: Column, cells: "pa.ChunkedArray") -> Bool[np.ndarray, " rows"]:
    is_missing: Bool[np.ndarray, " rows"]
    if column.kind == "category":
        is_missing = words_of(cells).codes < 0
    else:
        is_missing = ~np.isfinite(numbers_of(cells) if column.kind == "number" else dates_of(cells))
    return is_missing


def _infinite(judged: Judged) -> Finding | None:
    counts = {}
    for column in judged.encoder.columns:
        cells = judged.table.column(column.name)
        if column.kind == "number" and (cells.type == "double" or is_words(cells.type)):
            counts[column.name] = int(np.isinf(numbers_of(cells)).sum())
    return _counted(
        counts,
        code="infinite-values",
        what="numbers that are infinite or too large for float64",
        why="They count as missing: no model can use them, and one of them would make every mean infinite.",
        fix="Look where they come from, such as a division by zero.",
    )


def _words_among_numbers(judged: Judged) -> Finding | None:
    counts, examples = {}, []
    for column in judged.encoder.columns:
        cells = judged.table.column(column.name)
        if column.kind == "number" and is_words(cells.type):
            words = words_of(cells)
            strange = [np.isnan(as_number(word)) and not is_missing_word(word) for word in words.words]
            counts[column.name] = int(np.array([*strange, False])[words.codes].sum())
            examples += [word for word, is_strange in zip(words.words, strange, strict=True) if is_strange][:2]
    return _counted(
        counts,
        code="words-among-numbers",
        what=f"words among numbers, such as {some_of(examples, 3)}",
        why="They count as missing. If they say something, such as a code for 'below the limit', that is lost.",
        fix="Put a number in their place, or leave the cell empty.",
    )


def _dates_as_words(judged: Judged) -> Finding | None:
    words_columns = [column.name for column in judged.encoder.columns if column.kind == "category"]
    words_columns += [dropped.name for dropped in judged.encoder.dropped if dropped.reason == "names"]
    names = []
    for name in words_columns:
        words = words_of(judged.column(name, judged.train[:1000])).words
        if words and sum(_DATE.match(word) is not None for word in words) >= 0.9 * len(words):
            names.append(name)
    if not names:
        return None
    return Finding(
        code="date-as-text",
        severity="warning",
        what=f"{n_columns(names, 'holds', 'hold')} dates that are read as words: {some_of(names)}",
        why="As words, two dates are as different as any others, and dates that train has not seen say nothing.",
        fix="Write dates as 2020-01-31: then they are read as times.",
        where=tuple(names[:MAX_NAMED]),
    )


def _unseen(judged: Judged) -> Finding | None:
    counts: dict[str, int] = {}
    examples: list[str] = []
    for column in judged.encoder.columns:
        if column.kind != "category":
            continue
        known = set(words_of(judged.column(column.name, judged.train)).words)
        later = words_of(judged.column(column.name, np.flatnonzero(judged.parts > _TRAIN)))
        is_new = np.array([*(word not in known for word in later.words), False])
        counts[column.name] = int(is_new[later.codes].sum())
        examples += [word for word in later.words if word not in known][:2]
    return _counted(
        counts,
        code="unseen-categories",
        what=f"words in validation or test that train has not, such as {some_of(examples, 3)}",
        why="The model learned nothing of them: such a row is judged by its other columns, or by what rare words have "
        "in common.",
        fix="Add rows with these words to train, or check that both files spell them alike.",
    )


def _rare(judged: Judged) -> Finding | None:
    names = [column.name for column in judged.encoder.columns if column.n_others]
    if not names:
        return None
    most = max(judged.encoder.columns, key=lambda column: column.n_others)
    return Finding(
        code="rare-categories",
        severity="note",
        what=f"{n_columns(names, 'has', 'have')} more categories than get a feature of their own: {some_of(names)}; "
        f"{most.name!r} has {most.n_others:,} that share one, beside its {len(most.categories):,} commonest",
        why="What they have in common is all that is learned of them.",
        fix="Put them into fewer categories by what you know of them.",
        where=tuple(names[:MAX_NAMED]),
    )


def _counted(counts: dict[str, int], *, code: str, what: str, why: str, fix: str) -> Finding | None:
    names = sorted((name for name, n in counts.items() if n), key=lambda name: -counts[name])
    if not names:
        return None
    return Finding(
        code=code,
        severity="warning",
        what=f"{n_columns(names, 'holds', 'hold')} {what}: "
        + ", ".join(f"{name!r} ({counts[name]:,} rows)" for name in names[:5]),
        why=why,
        fix=fix,
        where=tuple(names[:MAX_NAMED]),
    )
