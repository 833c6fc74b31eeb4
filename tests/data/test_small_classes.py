from pathlib import Path

import numpy as np
import pytest

from heldout.data.examples import Examples, Row, gather
from heldout.data.pictures.survey import Survey
from heldout.data.problems import find_problems
from heldout.data.small_classes import find_small_classes
from heldout.data.splits import make_split
from heldout.data.storage.sources import FolderSource

TRAIN, VALIDATION, TEST = range(3)


def examples_of(counts: list[int], part: int = -1, more: tuple[Row, ...] = ()) -> Examples:
    rows: list[Row] = [(f"{c:02d}/{i:04d}.jpg", f"{c:02d}", part) for c, n in enumerate(counts) for i in range(n)]
    return gather(FolderSource(Path("/d")), [*rows, *more], layout="class folders")


def test_enough_examples_give_no_finding() -> None:
    examples = examples_of([3, 10, 10])
    assert find_small_classes(examples, make_split(examples, seed=0)) == []
    assert find_small_classes(examples, None) == []


@pytest.mark.parametrize("is_split", [True, False])
def test_classes_counts_and_parts_are_named_before_and_after_the_split(is_split: bool) -> None:
    examples = examples_of([1, 2, 10, 10])
    (found,) = find_small_classes(examples, make_split(examples, seed=0) if is_split else None)
    assert (found.code, found.severity) == ("class-too-small-for-split", "error")
    assert found.what == (
        "2 of 4 classes have too few examples for train, validation and test: "
        "'00 (1: none in validation and test)', '01 (2: none in validation)'"
    )
    assert found.where == ("00", "01")
    assert "at least 3 examples" in found.fix


def test_only_parts_that_are_made_count() -> None:
    more: tuple[Row, ...] = (("00/t.jpg", "00", TEST), ("01/t.jpg", "01", TEST), ("02/t.jpg", "02", TEST))
    examples = examples_of([1, 2, 10], TRAIN, more)
    for split in (None, make_split(examples, seed=0)):
        (found,) = find_small_classes(examples, split)
        assert "1 of 3 classes have too few examples for train and validation: '00 (1: none in valid" in found.what
    everything = examples_of([1, 2], TRAIN, (*more, ("00/v.jpg", "00", VALIDATION)))
    assert find_small_classes(everything, None) == []
    assert find_small_classes(everything, make_split(everything, seed=0)) == []


def test_copies_and_groups_count_once() -> None:
    examples = examples_of([8, 10, 10])
    clusters = np.arange(28)
    clusters[:7] = 0
    for split in (None, make_split(examples, seed=0, clusters=clusters)):
        (found,) = find_small_classes(examples, split, clusters)
        assert "'00 (8 in 2 clusters: none in validation)'" in found.what


def test_what_is_foretold_is_what_the_split_does() -> None:
    random = np.random.default_rng(0)
    for seed in range(30):
        examples = examples_of([*random.integers(1, 5, 4).tolist(), 9, 9])
        assert find_small_classes(examples, None) == find_small_classes(examples, make_split(examples, seed=seed))


def test_one_class_is_not_told_of_twice() -> None:
    examples = examples_of([1, 10, 10])
    survey = Survey((None,) * len(examples), ())
    codes = {finding.code for finding in find_problems(examples, survey, make_split(examples, seed=0))}
    assert "class-missing-from-part" not in codes
