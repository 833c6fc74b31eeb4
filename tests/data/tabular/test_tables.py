import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from heldout.data.splits import make_split
from heldout.data.tabular.encoding import fit_encoder
from heldout.data.tabular.table_files import read_table
from heldout.data.tabular.tables import TableSource, find_table, table_of
from heldout.errors import DataError

POINTS = Path(__file__).parents[3].parent / "shared" / "data" / "points"  # beside the project, where there is any
SMALL = {"size": [1, 2, 3, 4], "colour": ["red", None, "red", "blue"], "kind": ["a", "b", "a", "b"]}


def source_of(data: object, target: str = "kind") -> TableSource:
    source = find_table(data, target).source
    assert isinstance(source, TableSource)
    return source


def test_rows_become_examples_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("size,kind\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(12)))
    examples = find_table(path, "kind")
    assert examples.layout == "table"
    assert examples.ids[:2] == ("t.csv:01", "t.csv:02")
    assert examples.ids[-1] == "t.csv:12"
    assert examples.classes == ("a", "b")
    assert examples.labels.tolist() == [0, 1] * 6
    assert set(examples.given.tolist()) == {-1}
    assert isinstance(examples.source, TableSource)
    assert examples.source.table.to_pydict() == {"size": list(range(12))}


def test_given_parts_are_files_of_their_own() -> None:
    examples = find_table(SMALL, "kind", test={**SMALL, "size": [5, 6, 7, 8]}, validation=SMALL)
    assert examples.ids[:5] == ("test:1", "test:2", "test:3", "test:4", "train:1")
    assert examples.given.tolist() == [2] * 4 + [0] * 4 + [1] * 4
    assert isinstance(examples.source, TableSource)
    assert examples.source.table.column("size").to_pylist() == [5, 6, 7, 8, 1, 2, 3, 4, 1, 2, 3, 4]
    assert examples.source.rows_of(["validation:1", "test:4"]).tolist() == [8, 3]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "t.csv").write_text("size,kind\n1,a\n2,b\n")
    examples = find_table(tmp_path / "one" / "t.csv", "kind", test=tmp_path / "two" / "t.csv")
    assert examples.ids == ("test/t.csv:1", "test/t.csv:2", "train/t.csv:1", "train/t.csv:2")


def test_columns_may_stand_in_another_order_and_have_another_type() -> None:
    examples = find_table(
        {"a": [1, 2], "b": [1, 2], "kind": ["x", "y"]},
        "kind",
        test={"b": ["3", "z"], "kind": ["y", "x"], "a": [0.5, 1]},
    )
    assert isinstance(examples.source, TableSource)
    assert examples.source.table.to_pydict() == {"a": [0.5, 1.0, 1.0, 2.0], "b": ["3", "z", "1", "2"]}


def test_the_bytes_of_a_row_are_hashed_as_they_are_read() -> None:
    table = {**SMALL, "when": pa.array([1, 2, None, 4], pa.timestamp("s")), "large": [2**60, 2**60 + 1, 0, None]}
    source = source_of(table)
    hashes = source.sha256s(source.ids)
    assert [hashlib.sha256(source.read(name)).hexdigest() for name in source.ids] == hashes
    assert source.sha256s(source.ids[2:]) == hashes[2:]
    with source.open(source.ids[0]) as file:
        assert file.read() == source.read(source.ids[0])


def test_a_hash_says_what_is_in_a_row_and_in_which_column() -> None:
    base = source_of({"x": [1, 2], "y": ["a", None], "kind": ["p", "q"]})
    expected = base.sha256s(base.ids)
    same = source_of({"y": ["a", None], "kind": ["p", "q"], "x": [1.0, 2.0]})
    assert same.sha256s(same.ids) == expected
    for other in (
        {"x": [1, 2], "y": ["a", None], "kind": ["q", "p"]},
        {"x": [1.5, 3], "y": ["a", None], "kind": ["p", "q"]},
        {"x": [2, None], "y": ["b", "a"], "kind": ["p", "q"]},
    ):
        source = source_of(other)
        assert not set(source.sha256s(source.ids)) & set(expected)


def test_a_source_has_rows_and_no_folders() -> None:
    source = source_of(SMALL)
    assert source.why_no_file("table:4") == ""
    assert {source.why_no_file(name) for name in ("table:5", "table:x", "other:1", "")} == {"no such row"}
    assert source.look_into().pictures == []
    assert source.path_of("table:1") == "the table:table:1"


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["NA", "null", "None", "NA"], ("NA", "None", "null")),
        (["007", "7", "7", "007"], ("007", "7")),
        (["1e3", "no", " no", "1e3"], ("1e3", "no")),
        (["0.0", "1.000e+00", "1", "0"], ("0", "1")),
        (["-1", "+1", "-1", "+1"], ("+1", "-1")),
        (["True", "FALSE", "true", "false"], ("false", "true")),
        ([1.0, 0.0, 1.0, 0.0], ("0", "1")),
        ([True, False, True, False], ("false", "true")),
        ([3, 10, 3, 10], ("10", "3")),
        (["inf", "1", "inf", "1"], ("1", "inf")),
    ],
    ids=str,
)
def test_labels_are_classes_as_they_are_written(labels: list[object], classes: tuple[str, ...]) -> None:
    assert find_table({"x": [1.5, 2.5, 3.5, 4.5], "kind": labels}, "kind").classes == classes


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a"] * 4, "'kind' of the table is 'a' in all 4 rows"),
        (["a", "b", "c", "d"], "4 different labels in 4 rows"),
        ([0.5, 1.5, 0.5, 1.5], "2 different numbers that are not all whole"),
        (["", None, " ", ""], "no label"),
        (["a", "b", "", None], "2 of 4 rows have no label in 'kind': 'table:3', 'table:4'"),
        ([1.0, 0.0, float("nan"), 1.0], "1 of 4 rows have no label"),
    ],
    ids=str,
)
def test_labels_that_are_no_classes_are_refused(labels: list[object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        find_table({"x": [1.5, 2.5, 3.5, 4.5], "kind": labels}, "kind")


def test_more_classes_than_ten_thousand_are_refused() -> None:
    with pytest.raises(DataError, match="10,001 different labels"):
        find_table({"x": np.zeros(40_004), "kind": np.arange(40_004) % 10_001}, "kind")


def test_rows_without_a_label_may_be_left_out() -> None:
    examples = find_table({"x": [1, 2, 3], "kind": ["a", None, "b"]}, "kind", skip_bad=True)
    assert examples.ids == ("table:1", "table:3")
    assert [thing.name for thing in examples.passed_over] == ["table:2"]
    assert isinstance(examples.source, TableSource)
    assert examples.source.rows_of(examples.ids).tolist() == [0, 2]


@pytest.mark.parametrize("copy", [["a", "b", "a", "b"], [" a", "b ", "a", "b"]], ids=str)
def test_a_column_that_is_the_target_again_is_refused_by_name(copy: list[str]) -> None:
    with pytest.raises(DataError, match="the column 'again' of the table says the label"):
        find_table({**SMALL, "again": copy}, "kind")


def test_numbers_that_are_the_target_again_are_refused() -> None:
    with pytest.raises(DataError, match="the column 'x' of the table says the label"):
        find_table({"x": [0.0, 1.0, 0.0, 1.0], "kind": [0, 1, 0, 1]}, "kind")


@pytest.mark.parametrize("target", ["3", "last", "column_3"])
def test_a_column_without_a_name_is_meant_by_its_place(tmp_path: Path, target: str) -> None:
    path = tmp_path / "t.txt"
    path.write_text("1.5 2 0.0\n2.5 3 1.0\n")
    examples = find_table(path, target)
    assert examples.classes == ("0", "1")
    assert isinstance(examples.source, TableSource)
    assert examples.source.target == "column_3"


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='no column of that name; did you mean "kind"'):
        find_table(SMALL, "kinds")
    path = tmp_path / "t.txt"
    path.write_text("1 2\n3 4\n")
    with pytest.raises(DataError, match="2 columns without names"):
        find_table(path, "0")


def test_files_whose_columns_differ_are_refused_by_the_difference() -> None:
    with pytest.raises(DataError, match="lacks 'colour' and has 'color' more"):
        find_table(SMALL, "kind", test={"size": [1], "color": ["x"], "kind": ["a"]})
    with pytest.raises(DataError, match=r"have names and those of .* have none"):
        find_table(SMALL, "kind", test={"column_1": [1], "column_2": ["x"], "column_3": ["a"]})


def test_a_table_of_the_target_alone_is_refused() -> None:
    with pytest.raises(DataError, match="no column but the target 'kind'"):
        find_table({"kind": ["a", "b"]}, "kind")


def test_the_column_of_groups_is_no_feature_and_is_never_parted() -> None:
    n = 60
    data = {"x": np.arange(n) * 0.5, "who": [f"p{i // 6}" for i in range(n)], "kind": ["ab"[i % 2] for i in range(n)]}
    examples = find_table(data, "kind", group_by="who")
    assert examples.groups[:7] == ("p0",) * 6 + ("p1",)
    assert isinstance(examples.source, TableSource)
    assert examples.source.table.schema.names == ["x"]
    with pytest.raises(DataError, match="all 60 examples into one group"):
        find_table({**data, "who": ["p"] * n}, "kind", group_by="who")
    with pytest.raises(DataError, match="target and group_by at once"):
        find_table(data, "kind", group_by="kind")


def test_rows_to_be_predicted_need_the_columns_alone() -> None:
    encoder = fit_encoder(source_of({**SMALL, "same": [1, 1, 1, 1]}).table)
    rows = table_of({"more": [1], "colour": [7], "same": [2], "size": ["5"], "kind": ["a"]}, encoder, target="kind")
    assert rows.ignored == ("more",)
    assert rows.ids == ("table:1",)
    assert encoder.encode(rows.table).shape == (1, len(encoder.feature_names))
    with pytest.raises(DataError, match="lacks 1 of 2 columns: 'colour'"):
        table_of({"size": [1]}, encoder)
    with pytest.raises(
        DataError, match="'size' of the table was learned as numbers, and 2 of its 2 cells are none: 'x'"
    ):
        table_of({"size": ["x", "x"], "colour": ["red", "red"]}, encoder)


def test_the_words_of_a_category_are_read_as_they_are_written(tmp_path: Path) -> None:
    encoder = fit_encoder(read_table({"code": ["007", "A", "007"]}))
    path = tmp_path / "t.csv"
    path.write_text("code\n007\n")
    assert encoder.encode(table_of(path, encoder).table).tolist() == [[1.0, 0.0]]


@pytest.mark.skipif(not POINTS.exists(), reason="the real points are not on this machine")
def test_the_real_points_are_read() -> None:
    examples = find_table(POINTS / "samplestr.txt", "last", test=POINTS / "sampleste.txt")
    assert examples.classes == ("0", "1")
    assert np.bincount(examples.labels).tolist() == [16_000, 4_000]
    split = make_split(examples, seed=0)
    assert [len(split.indices(part)) for part in ("train", "validation", "test")] == [8_000, 2_000, 10_000]
    assert split.made == ("validation",)


def test_rows_know_where_they_stand_and_are_found_by_their_words_alike() -> None:
    train = {"x": [1.0, 2.0, 3.0, 4.0] * 3, "kind": list("abab") * 3}
    examples = find_table(train, "kind", test={"x": [5.0, 6.0], "kind": ["a", "b"]})
    source = examples.source
    assert isinstance(source, TableSource)
    some = examples.take(np.array([9, 2, 13])).take(np.array([0, 2]))
    for each in (examples, some):
        plain = tuple(str(name) for name in each.ids)
        assert plain == tuple(each.ids)
        np.testing.assert_array_equal(source.rows_of(each.ids), source.rows_of(plain))
        np.testing.assert_array_equal(source.rows_of(list(plain)), source.rows_of(plain))
    assert [source.ids[row] for row in source.rows_of(some.ids)] == list(some.ids)


def test_ids_of_another_source_are_noticed() -> None:
    one, other = (find_table({"x": list(range(n)), "kind": ["a", "b"] * (n // 2)}, "kind") for n in (4, 20))
    assert isinstance(one.source, TableSource)
    with pytest.raises((AssertionError, KeyError)):
        one.source.rows_of(other.ids)


@pytest.mark.parametrize("name", ["100%.csv", "%d %s.csv", "a b.csv"])
def test_a_file_may_be_called_what_it_likes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x,kind\n1,a\n2,b\n3,a\n")
    assert find_table(tmp_path / name, "kind").ids == tuple(f"{name}:{row}" for row in (1, 2, 3))
