"""A table -> what a page shows of it: some of its columns class by class, its equal rows, words that train has not."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from heldout.data.examples import PARTS
from heldout.data.tabular.column_leaks import Judged
from heldout.data.tabular.column_looks import ColumnLook, class_groups, column_look, cut
from heldout.data.tabular.column_values import words_of
from heldout.data.tabular.row_copies import Copies, copies_of
from heldout.data.tabular.table_problems import equal_examples
from heldout.findings import Finding

# A page that shows more columns than these is no longer read (assumed; as many as on the page of a run).
MAX_COLUMNS = 200
MAX_UNSEEN = 200
_TRAIN = PARTS.index("train")


@dataclass(frozen=True, slots=True)
class UnseenWord:
    """A word that train has not: its column, and in how many rows of validation and test it stands."""

    column: str
    word: str
    n_validation: int
    n_test: int


@dataclass(frozen=True, slots=True)
class TableLook:
    """What a page shows of a table.

    Attributes:
        classes: What columns are told by: the classes, or the commonest and the others together.
        n_of_class: The rows of each, without those of a given test or validation part.
        columns: Some of the columns in the order of the table; those that a Finding names come first into the choice.
        n_columns: How many columns there are.
        copies: The equal rows.
        unseen: Words that train has not, those in most rows first.
        n_unseen: How many such words there are.
    """

    classes: tuple[str, ...]
    n_of_class: tuple[int, ...]
    columns: tuple[ColumnLook, ...]
    n_columns: int
    copies: Copies
    unseen: tuple[UnseenWord, ...]
    n_unseen: int

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return asdict(self)


def look_at_table(judged: Judged, findings: Sequence[Finding]) -> TableLook:
    """What a page shows of a table, bounded however many columns and rows there are.

    Args:
        judged: The table, its labels and parts, and its encoder.
        findings: What was found.
    """
    classes = class_groups(judged.examples, judged.train)
    unseen = sorted(_unseen(judged), key=lambda each: -(each.n_validation + each.n_test))
    return TableLook(
        classes=tuple(cut(name) for name in classes.names),
        n_of_class=tuple(np.bincount(classes.of_row, minlength=len(classes.names)).tolist()),
        columns=tuple(column_look(judged, name, classes) for name in _chosen(judged, findings)),
        n_columns=judged.table.num_columns,
        copies=copies_of(judged, equal_examples(judged.examples)),
        unseen=tuple(unseen[:MAX_UNSEEN]),
        n_unseen=len(unseen),
    )


def _chosen(judged: Judged, findings: Sequence[Finding]) -> list[str]:
    names = judged.table.schema.names
    there = set(names)
    named = [place for finding in findings for place in finding.where if place in there]
    chosen = set(list(dict.fromkeys([*named, *names]))[:MAX_COLUMNS])
    return [name for name in names if name in chosen]


def _unseen(judged: Judged) -> Iterator[UnseenWord]:
    later = np.flatnonzero(judged.parts > _TRAIN)
    is_test = judged.parts[later] == PARTS.index("test")
    for column in judged.encoder.columns if len(later) else ():
        if column.kind != "category":
            continue
        known = set(words_of(judged.column(column.name, judged.train)).words)
        codes, words = words_of(judged.column(column.name, later))
        counts = [np.bincount(codes[chosen & (codes >= 0)], minlength=len(words)) for chosen in (~is_test, is_test)]
        for word, n_validation, n_test in zip(words, *(each.tolist() for each in counts), strict=True):
            if word not in known:
                yield UnseenWord(cut(column.name), cut(word), n_validation, n_test)
