import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.data.balance.decks import BLOCK_LABELS, MOST_SPANNED, decks_of
from heldout.errors import UsageError

whole_numbers = st.one_of(st.integers(-3, 3), st.integers(-(2**62), 2**62), st.integers(0, MOST_SPANNED))


@given(labels=st.lists(whole_numbers, min_size=1, max_size=50))
@settings(max_examples=80, deadline=None)
def test_examples_stand_by_class_and_in_order(labels: list[int]) -> None:
    given = np.array(labels)
    decks = decks_of(labels)
    classes, counts = np.unique(given, return_counts=True)
    assert np.array_equal(decks.classes, classes)
    assert np.array_equal(decks.counts, counts)
    assert np.array_equal(decks.rows, np.argsort(given, kind="stable"))


@pytest.mark.parametrize("n_classes", [2, 300, MOST_SPANNED, 10 * MOST_SPANNED])
def test_labels_of_many_blocks_are_joined_without_a_seam(n_classes: int) -> None:
    labels = np.random.default_rng(0).integers(0, n_classes, 2 * BLOCK_LABELS + 1234)
    decks = decks_of(labels)
    assert np.array_equal(decks.rows, np.argsort(labels, kind="stable"))
    assert np.array_equal(decks.counts, np.unique(labels, return_counts=True)[1])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_any_whole_number_will_do(dtype: str) -> None:
    labels = np.array([1, 0, 1, 1, 0], dtype)
    decks = decks_of(labels)
    assert decks.classes.dtype == labels.dtype
    assert decks.classes.tolist() == [0, 1]
    assert decks.rows.tolist() == [1, 4, 0, 2, 3]


@pytest.mark.parametrize(
    "labels",
    [
        [-128, 127],
        np.array([-128, 127], np.int8),
        np.array([2**64 - 1, 2**64 - 2, 2**64 - 1], np.uint64),
        np.array([-(2**63), 2**63 - 1]),
        ["well", "sick", "well"],
        np.array(["well", "sick"], object),
        np.array(["well", "sick"], np.dtypes.StringDType()),
        np.array([b"well", b"sick"]),
        np.arange(10)[::-2],
        range(3),
    ],
)
def test_labels_at_the_ends_of_their_range_words_and_views(labels: Any) -> None:
    given = np.asarray(labels)
    decks = decks_of(labels)
    assert decks.classes.tolist() == sorted(set(given.tolist()))
    assert given[decks.rows].tolist() == sorted(given.tolist())


def test_a_tensor_and_a_table_column_will_do() -> None:
    import pyarrow as pa
    import torch

    assert decks_of(torch.tensor([3, 1, 3])).rows.tolist() == [1, 0, 2]
    assert decks_of(pa.array([3, 1, 3])).rows.tolist() == [1, 0, 2]


@pytest.mark.parametrize("labels", [[], [[0, 1]], [0.0, 1.0], [0, None], [1, "a", None], 3, [True, 1j]])
def test_what_cannot_be_counted_is_refused(labels: Any) -> None:
    with pytest.raises(UsageError, match="cannot be balanced"):
        decks_of(labels)


def test_little_memory_is_needed_besides_the_result() -> None:
    labels = np.random.default_rng(0).integers(0, 2, 4 * 10**6).astype(np.int8)
    tracemalloc.start()
    try:
        decks = decks_of(labels)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert decks.rows.nbytes == 4 * len(labels)
    assert kept <= 4.1 * len(labels)
    assert peak <= 4 * len(labels) + 16e6
