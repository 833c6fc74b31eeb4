from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heldout.data.examples import Examples, PassedOver, Row, gather, some_of
from heldout.data.storage.sources import FolderSource
from heldout.errors import DataError

ROWS: list[Row] = [("b.jpg", "dog", 0), ("a.jpg", "cat", 2), ("c.jpg", "dog", -1)]

# A busy machine is no fault of the code.
unhurried = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


def test_gather_sorts_ids_and_makes_one_class_map() -> None:
    examples = gather(
        FolderSource(Path("/data")), ROWS, layout="listing", passed_over=[PassedOver("z", "x"), PassedOver("a", "y")]
    )
    assert examples.ids == ("a.jpg", "b.jpg", "c.jpg")
    assert examples.classes == ("cat", "dog")
    assert examples.labels.tolist() == [0, 1, 1]
    assert examples.labels.dtype == np.int64
    assert examples.given.tolist() == [2, 0, -1]
    assert examples.given.dtype == np.int8
    assert [thing.name for thing in examples.passed_over] == ["a", "z"]
    assert len(examples) == 3
    assert examples.source.path_of(examples.ids[1]) == "/data/b.jpg"


@unhurried
@given(st.permutations(ROWS))
def test_gather_does_not_depend_on_the_order_of_the_rows(rows: list[Row]) -> None:
    examples, expected = (gather(FolderSource(Path("/d")), given_rows, layout="listing") for given_rows in (rows, ROWS))
    assert examples.ids == expected.ids
    assert examples.labels.tolist() == expected.labels.tolist()


def test_numbers_are_sorted_as_strings() -> None:
    rows: list[Row] = [(f"{i}.jpg", str(i), -1) for i in (1, 2, 10)]
    assert gather(FolderSource(Path("/d")), rows, layout="listing").classes == ("1", "10", "2")


def test_take_keeps_the_class_map_and_the_order_of_ids() -> None:
    examples = gather(FolderSource(Path("/d")), ROWS, layout="listing", passed_over=[PassedOver("x", "y")])
    taken = examples.take(np.array([2, 1]))
    assert taken.ids == ("b.jpg", "c.jpg")
    assert taken.labels.tolist() == [1, 1]
    assert taken.given.tolist() == [0, -1]
    assert taken.classes == examples.classes
    assert taken.passed_over == examples.passed_over


def test_take_of_nothing_is_empty() -> None:
    taken = gather(FolderSource(Path("/d")), ROWS, layout="listing").take(np.array([], np.int64))
    assert len(taken) == 0
    assert taken.classes == ("cat", "dog")


def test_unsorted_ids_are_a_bug_of_ours() -> None:
    with pytest.raises(AssertionError, match="not unique and sorted"):
        Examples(FolderSource(Path("/d")), ("b", "a"), np.array([0, 1]), ("x", "y"), np.array([0, 0]), "listing")


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        ("Cat", "cat", "'Cat' and 'cat'"),
        ("caf\u00e9", "cafe\u0301", r"'cafe\\u0301' and 'caf\\xe9'"),
        ("stra\u00dfe", "STRASSE", "'STRASSE' and 'straße'"),
        ("cat", "cat ", "'cat' and 'cat '"),
    ],
)
def test_classes_that_differ_only_in_form_are_refused_and_both_named(first: str, second: str, shown: str) -> None:
    rows: list[Row] = [("a.jpg", first, -1), ("b.jpg", second, -1), ("c.jpg", "other", -1)]
    with pytest.raises(DataError, match=f"the classes {shown} .* differ only in case, Unicode form"):
        gather(FolderSource(Path("/d")), rows, layout="listing")


def test_one_class_is_refused() -> None:
    with pytest.raises(DataError, match=r"one class only, 'cat', with 2 pictures"):
        gather(FolderSource(Path("/d")), [("a.jpg", "cat", -1), ("b.jpg", "cat", -1)], layout="listing")


def test_one_class_that_holds_folders_points_one_folder_down() -> None:
    with pytest.raises(DataError, match="one class only") as caught:
        gather(
            FolderSource(Path("/d")),
            [("photos/cat/a.jpg", "photos", -1), ("photos/dog/b.jpg", "photos", -1)],
            layout="x",
        )
    assert "'/d/photos'" in caught.value.fix


def test_no_rows_are_refused() -> None:
    with pytest.raises(DataError, match="no labelled picture"):
        gather(FolderSource(Path("/d")), [], layout="listing")


def test_some_of_escapes_what_could_harm_a_terminal() -> None:
    assert some_of(["a\nb", "\x1b[31m", "\u202e", "\udcff"]) == r"'a\nb', '\x1b[31m', '\u202e', '\udcff'"
