"""Equal rows, by what they do to a score."""

from typing import Any

from heldout.data.tabular.encoding import fit_encoder
from heldout.data.tabular.row_bytes import equal_rows
from heldout.data.tabular.row_copies import MAX_CELLS, MAX_GROUPS, Copies, copies_of
from heldout.data.tabular.table_problems import judged_of
from heldout.data.tabular.tables import TableSource, find_table


def copies(train: dict[str, Any], test: dict[str, Any] | None = None) -> Copies:
    examples = find_table(train, "kind", test=test)
    assert isinstance(examples.source, TableSource)
    judged = judged_of(examples, None, fit_encoder(examples.source.table))
    return copies_of(judged, equal_rows(judged.table))


def test_each_group_is_of_the_gravest_kind_and_shows_two_rows_that_differ() -> None:
    #          within    torn      across and torn, with rows that differ less before the one that differs most
    train = {"x": [1, 1, 2, 2, 3, 3, *range(10, 20)], "kind": ["a", "a", "a", "a", "b", "b", *("ab" * 5)]}
    train["kind"][3] = "b"
    found = copies(train, {"x": [3, 4], "kind": ["a", "b"]})
    assert found.are_copies
    assert found.n_of_kind == {"across-parts": 1, "two-labels": 1, "within-part": 1}
    assert found.n_rows == 7
    across, torn, within = found.shown
    assert (across.kind, across.n) == ("across-parts", 3)
    assert {(row.label, row.part) for row in (across.first, across.second)} == {("a", "test"), ("b", "train")}
    assert {torn.first.label, torn.second.label} == {"a", "b"}
    assert {torn.first.id[-2:], torn.second.id[-2:]} == {"03", "04"}
    assert (within.first.label, within.second.label, within.cells) == ("a", "a", (("x", "1"),))


def test_a_row_in_no_part_is_not_in_two_parts() -> None:
    found = copies({"x": [1, 1, 2, 3, 4, 5], "kind": list("ababab")})
    assert found.n_of_kind == {"across-parts": 0, "two-labels": 1, "within-part": 0}
    assert found.shown[0].first.part == ""


def test_a_table_without_equal_rows_shows_none() -> None:
    found = copies({"x": [1, 2, 3, 4], "kind": list("abab")})
    assert (found.n_rows, found.shown) == (0, ())


def test_what_is_kept_is_bounded() -> None:
    wide = {f"c{i}": list(range(100)) * 2 for i in range(50)}
    found = copies({**wide, "kind": list("ab") * 100})
    assert found.n_of_kind["within-part"] == 100
    assert len(found.shown) == MAX_GROUPS
    assert {len(group.cells) for group in found.shown} == {MAX_CELLS}


def test_where_few_rows_are_possible_equal_ones_are_no_copies() -> None:
    assert not copies({"x": [0, 1] * 20, "kind": list("ab") * 20}).are_copies
