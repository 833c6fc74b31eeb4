"""What stands in a column, class by class."""

from typing import Any

import numpy as np
import pytest

from heldout.data.tabular.column_looks import (
    MAX_CHARACTERS,
    MAX_CLASSES,
    N_BARS,
    N_WORDS,
    ColumnLook,
    class_groups,
    column_look,
)
from heldout.data.tabular.encoding import fit_encoder
from heldout.data.tabular.table_problems import judged_of
from heldout.data.tabular.tables import TableSource, find_table


def look(column: Any, labels: list[str], *, test: Any = None) -> ColumnLook:
    """The look at one column beside a harmless one."""
    beside = {"other": [float(i % 7) for i in range(len(labels))]}
    table = {"x": column, **beside, "kind": labels}
    held = None if test is None else {"x": test, "other": [1.0] * len(test), "kind": labels[: len(test)]}
    examples = find_table(table, "kind", test=held)
    assert isinstance(examples.source, TableSource)
    judged = judged_of(examples, None, fit_encoder(examples.source.table))
    return column_look(judged, "x", class_groups(examples, judged.train))


def test_every_row_is_in_one_bar_of_its_class_or_missing() -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=500)
    values[::50] = np.nan
    labels = ["ab"[i % 3 == 0] for i in range(500)]
    found = look(values, labels)
    assert [len(bars) for bars in found.counts] == [N_BARS, N_BARS]
    for i, name in enumerate("ab"):
        assert sum(found.counts[i]) + found.n_missing[i] == labels.count(name)
    assert sum(found.n_missing) == 10
    there = values[np.isfinite(values)]
    assert float(found.quartiles[0]) == pytest.approx(there.min(), rel=1e-4)
    assert float(found.quartiles[2]) == pytest.approx(np.median(there), abs=0.02)
    edges = np.linspace(there.min(), there.max(), N_BARS + 1)
    both = np.sum(found.counts, axis=0)
    assert np.abs(both - np.histogram(there, edges)[0]).max() <= 1  # rounding of an edge moves a row at most


def test_few_numbers_have_one_bar_each() -> None:
    found = look([3, 1, 3, 2] * 5, ["a", "b", "a", "b"] * 5)
    assert found.values == ("1", "2", "3")
    assert found.counts == ((0, 0, 10), (5, 5, 0))
    assert found.middle == (("3", "3", "3"), ("1", "1", "2"))


@pytest.mark.parametrize("far", [1e6, 1e308, np.inf])
def test_far_values_do_not_squeeze_all_others_into_one_bar(far: float) -> None:
    values = np.concatenate([np.linspace(-1, 1, 998), [far, -far]])
    found = look(values, list("ab") * 500)
    assert found.is_clipped is bool(np.isfinite(far))
    assert max(np.sum(found.counts, axis=0)) < 100
    assert np.sum(found.counts) + sum(found.n_missing) == 1000


def test_a_long_tail_is_drawn_on_a_logarithmic_scale() -> None:
    found = look(np.exp(np.linspace(-8, 8, 1000)), list("ab") * 500)
    assert found.is_logarithmic
    assert max(np.sum(found.counts, axis=0)) < 80
    assert not look(np.linspace(1, 5, 100), list("ab") * 50).is_logarithmic


def test_words_are_the_commonest_and_the_first_by_name_among_equals() -> None:
    words = [f"w{i:02d}" for i in range(40)] * 2 + ["often"] * 20
    found = look(words, list("ab") * 50)
    assert found.values == ("often", *(f"w{i:02d}" for i in range(N_WORDS - 1)))
    assert found.n_distinct == 41
    assert found.counts[0][0] + found.counts[1][0] == 20
    assert found.quartiles == ()


def test_no_cell_of_the_test_part_is_looked_at() -> None:
    found = look(["red", "blue"] * 15, list("ab") * 15, test=["secret"] * 4)
    assert found.n_distinct == 2
    assert np.sum(found.counts) == 30


def test_a_cell_that_is_a_book_is_cut() -> None:
    found = look(["x" * 100_000, "y"] * 10, list("ab") * 10)
    assert max(map(len, (*found.values, *found.first))) <= MAX_CHARACTERS


def test_a_column_without_a_value_has_no_bars() -> None:
    found = look([None] * 20, list("ab") * 10)
    assert (found.n_distinct, found.counts, found.not_used) == (0, ((), ()), "constant")


def test_dates_are_told_as_dates() -> None:
    found = look([f"2020-01-{1 + i % 28:02d}" for i in range(60)], list("ab") * 30)
    assert (found.kind, found.quartiles[0], found.quartiles[-1]) == ("date", "2020-01-01", "2020-01-28")


def test_beyond_six_classes_the_commonest_stand_alone() -> None:
    labels = [f"c{i:02d}" for i in range(20) for _ in range(i + 2)]
    examples = find_table({"x": list(range(len(labels))), "kind": labels}, "kind")
    groups = class_groups(examples, np.arange(len(labels)))
    assert groups.names == ("c15", "c16", "c17", "c18", "c19", "15 other classes")
    assert np.bincount(groups.of_row).tolist() == [17, 18, 19, 20, 21, sum(range(2, 17))]
    assert len(groups.names) == MAX_CLASSES
