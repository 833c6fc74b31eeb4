"""Groups: told apart by a column or by the path, kept whole by every split that is made, reported where parted."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.data.examples import PARTS, Examples, gather
from heldout.data.groups import group_numbers, group_problems, is_column, joined, names_by_pattern, with_groups
from heldout.data.layouts.photos import find_photos
from heldout.data.splits import make_split
from heldout.data.storage.sources import FolderSource
from heldout.errors import DataError, UsageError

HEADER = "path,label,patient,split"


def patients(n_a_class: int = 12, n_pictures: int = 4) -> Examples:
    """Two classes; each patient has pictures of one of them."""
    rows = [
        (f"{kind}/{kind}{patient:02d}_{number}.jpg", kind, -1)
        for kind in ("ill", "well")
        for patient in range(n_a_class)
        for number in range(n_pictures)
    ]
    return gather(FolderSource(Path()), rows, layout="class folders")


def listing(folder: Path, rows: Sequence[str], header: str = HEADER) -> Path:
    for row in rows:
        (folder / row.split(",")[0]).touch()
    path = folder / "list.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


ROWS = ["a.jpg,x,p1,", "b.jpg,y,p1,", "c.jpg,x,p2,", "d.jpg,y,,"]


@pytest.mark.parametrize("group_by", ["patient", r"(ill|well)\d+", r"[a-z]+(\d+)_"])
def test_a_plain_word_is_a_column_and_anything_else_an_expression(group_by: str) -> None:
    assert is_column(group_by) == (group_by == "patient")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (r"p\d", ("p1", "p2", "")),
        (r"(p)\d", ("p", "p", "")),
        (r"(?P<who>p\d)_(\d)", ("p1", "p2", "")),
        (r"z|(p2)", ("", "p2", "")),  # an alternative without the group names nothing
        (r"^", ("", "", "")),
    ],
)
def test_the_first_group_or_the_whole_match_is_the_name(pattern: str, names: tuple[str, ...]) -> None:
    assert names_by_pattern(["a/p1_1.jpg", "b/p2_2.jpg", "b/q.jpg"], re.compile(pattern)) == names


def test_the_column_of_a_listing_names_the_groups(tmp_path: Path) -> None:
    examples = find_photos(listing(tmp_path, ROWS), "patient")
    assert examples.groups == ("p1", "p1", "p2", "")
    assert group_numbers(examples.groups).tolist() == [0, 0, 1, 2]
    assert examples.take(np.array([3, 0])).groups == ("p1", "")


def test_the_column_of_a_parquet_listing_may_stand_anywhere_and_hold_numbers(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).touch()
    columns = {"who": [7, 8, None], "label": ["x", "y", "x"], "path": ["a.jpg", "b.jpg", "c.jpg"]}
    pq.write_table(pa.table(columns), tmp_path / "list.parquet")
    assert find_photos(tmp_path / "list.parquet", "who").groups == ("7", "8", "")
    assert find_photos(tmp_path / "list.parquet", r"([ab])\.jpg").groups == ("a", "b", "")


def test_an_expression_works_on_a_listing_too_and_the_label_may_be_the_group(tmp_path: Path) -> None:
    path = listing(tmp_path, ROWS)
    assert find_photos(path, "([ab]).jpg").groups == ("a", "b", "", "")
    assert find_photos(path, "label").groups == ("x", "y", "x", "y")
    assert find_photos(path).groups == ()


@pytest.mark.parametrize(
    ("group_by", "kind", "told"),
    [
        ("(", UsageError, "no regular expression: missing"),
        ("p{99999999999}", UsageError, "no regular expression"),
        ("zebra[0-9]+", DataError, "names no group for any of 96 examples"),
        ("patient", DataError, r"can only be the name of a column, and the data \(class folders\) has no columns"),
        (r"\.jpg", DataError, "puts all 96 examples into one group, '.jpg'"),
    ],
)
def test_what_names_no_groups_is_refused(group_by: str, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        with_groups(patients(), group_by)


def test_a_column_that_is_not_there_is_refused_and_the_nearest_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no column 'pateint' to group by; did you mean \"patient\"\?"):
        find_photos(listing(tmp_path, ROWS), "pateint")


def test_an_empty_column_and_a_text_listing_are_refused(tmp_path: Path) -> None:
    path = listing(tmp_path, ["a.jpg,x,,", "b.jpg,y,,"])
    with pytest.raises(DataError, match="'patient' names no group for any of 2 examples") as caught:
        find_photos(path, "patient")
    assert caught.value.fix == "fill the column"
    (tmp_path / "lines.txt").write_text("a.jpg x\nb.jpg y\n")
    with pytest.raises(DataError, match=r"the data \(listing\) has no columns"):
        find_photos(tmp_path / "lines.txt", "patient")


def test_one_picture_in_two_groups_is_refused(tmp_path: Path) -> None:
    path = listing(tmp_path, ["a.jpg,x,p1,", "a.jpg,x,p2,", "b.jpg,y,p1,"])
    with pytest.raises(DataError, match="'x' of group 'p1' and 'x' of group 'p2'"):
        find_photos(path, "patient")


@pytest.mark.parametrize("seed", range(5))
def test_no_made_part_parts_a_group(seed: int) -> None:
    examples = with_groups(patients(), r"([a-z]+\d+)_")
    split = make_split(examples, seed=seed, clusters=group_numbers(examples.groups))
    part_of: dict[str, set[int]] = {}
    for name, part in zip(examples.groups, split.parts.tolist(), strict=True):
        part_of.setdefault(name, set()).add(part)
    assert {len(parts) for parts in part_of.values()} == {1}
    assert all(len(split.indices(part)) >= 8 for part in PARTS)
    (few,) = group_problems(examples.groups, split.parts, group_by="x")
    assert (few.code, few.severity) == ("few-groups", "warning")
    n_groups = len({examples.groups[index] for index in split.indices("test")})
    assert f"are of {n_groups} groups" in few.what


def test_ten_groups_in_test_are_not_called_few() -> None:
    names = [f"p{number}" for number in range(30)]
    assert group_problems(names, np.arange(30) % 3, group_by="x") == []


def test_classes_of_one_group_each_cannot_be_split_and_the_error_speaks_of_groups() -> None:
    examples = with_groups(patients(n_a_class=1, n_pictures=20), r"([a-z]+\d+)_")
    with pytest.raises(DataError, match=r"20 in 1 clusters?") as caught:
        make_split(examples, seed=0, clusters=group_numbers(examples.groups))
    assert "of one group" in caught.value.expected


def test_given_parts_that_part_a_group_are_an_error_with_counts(tmp_path: Path) -> None:
    rows = ["a.jpg,x,p1,train", "b.jpg,y,p1,test", "c.jpg,x,p2,train", "d.jpg,y,,test", "e.jpg,y,p2,val"]
    examples = find_photos(listing(tmp_path, rows), "patient")
    parted, unnamed, _ = group_problems(examples.groups, examples.given, group_by="patient")
    assert (parted.code, parted.severity, parted.where) == ("group-across-splits", "error", ("p1", "p2"))
    assert parted.what.startswith("2 of 3 groups by 'patient' are parted")
    assert "1 of 2 test examples are of groups that are also in train" in parted.what
    assert "1 of 1 validation examples are of groups that are also in train" in parted.what
    assert (unnamed.code, unnamed.severity) == ("examples-without-group", "warning")
    assert "no group for 1 of 5 examples" in unnamed.what


def test_parts_that_the_data_leaves_open_part_nothing() -> None:
    (few,) = group_problems(["p", "p"], np.array([-1, 2], dtype=np.int8), group_by="x")
    assert few.what == "the 1 test examples are of 1 group by 'x'"
    assert group_problems(["p", "p"], np.array([-1, 1], dtype=np.int8), group_by="x") == []


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(-3, 3)), max_size=30))
def test_joined_clusters_are_the_components_of_both(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    found = joined(first, second)
    together = (first[:, None] == first) | (second[:, None] == second)
    for _ in pairs:  # the transitive closure, the slow way
        together = together @ together
    assert (np.equal.outer(found, found) == together).all()
    assert found.tolist() == group_numbers([str(number) for number in found]).tolist()


def test_joining_a_chain_of_a_hundred_thousand_takes_no_deep_way() -> None:
    numbers = np.arange(100_000)
    assert not joined(numbers // 2, (numbers + 1) // 2).any()
