import threading
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.data.batches import Batch, Batches, epoch_order, evaluation_batches, training_batches


class CountedRows:
    """Rows in memory that note what is asked of them."""

    def __init__(self, n: int) -> None:
        self.values = np.arange(n * 6, dtype=np.uint8).reshape(n, 2, 3)
        self.asked: list[list[int]] = []

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Iterable[int]) -> np.ndarray:
        self.asked.append(list(indices))
        return self.values[self.asked[-1]]


def part(n: int = 20, *, batch_size: int = 6, indices: np.ndarray | None = None) -> Batches:
    chosen = np.arange(n) if indices is None else indices
    return Batches(CountedRows(n), np.arange(n) % 3, chosen, batch_size)


def same(first: Batch, second: Batch) -> bool:
    return (
        (first.epoch, first.step) == (second.epoch, second.step)
        and np.array_equal(first.indices, second.indices)
        and np.array_equal(first.inputs, second.inputs)
        and np.array_equal(first.labels, second.labels)
    )


@given(n=st.integers(1, 200), batch_size=st.integers(1, 40), epoch=st.integers(1, 1000))
def test_an_epoch_holds_every_example_once_in_batches_as_equal_as_can_be(n: int, batch_size: int, epoch: int) -> None:
    order = epoch_order(part(n, batch_size=batch_size), seed=0, epoch=epoch)
    sizes = [len(chosen) for chosen in order]
    assert sorted(np.concatenate(order)) == list(range(n))
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    assert len(order) == part(n, batch_size=batch_size).n_batches


@given(n=st.integers(2, 200), batch_size=st.integers(3, 40))
def test_no_batch_of_one_example_in_training(n: int, batch_size: int) -> None:
    assert min(len(chosen) for chosen in epoch_order(part(n, batch_size=batch_size), seed=1, epoch=1)) > 1


def test_a_batch_holds_the_inputs_and_labels_of_its_indices() -> None:
    batches = part(indices=np.array([3, 5, 8, 13, 19]), batch_size=2)
    found = list(training_batches(batches, seed=0, epoch=4))
    assert sorted(np.concatenate([batch.indices for batch in found])) == [3, 5, 8, 13, 19]
    for step, batch in enumerate(found):
        assert (batch.epoch, batch.step) == (4, step)
        assert np.array_equal(batch.inputs, batches.rows.take(batch.indices.tolist()))
        assert np.array_equal(batch.labels, batch.indices % 3)
        assert batch.labels.dtype == np.int64


def test_any_position_can_be_taken_up_again_alone() -> None:
    whole = list(training_batches(part(), seed=7, epoch=2))
    for first_step in range(len(whole)):
        again = list(training_batches(part(), seed=7, epoch=2, first_step=first_step))
        assert all(map(same, whole[first_step:], again))
        assert len(again) == len(whole) - first_step
    assert list(training_batches(part(), seed=7, epoch=2, first_step=len(whole))) == []


def test_epochs_and_seeds_have_their_own_orders() -> None:
    orders = {
        tuple(np.concatenate(epoch_order(part(), seed=seed, epoch=epoch))) for seed in range(3) for epoch in range(1, 4)
    }
    assert len(orders) == 9


def test_evaluation_keeps_the_order_and_the_rest() -> None:
    found = list(evaluation_batches(part(20, batch_size=6)))
    assert [len(batch.labels) for batch in found] == [6, 6, 6, 2]
    assert np.array_equal(np.concatenate([batch.indices for batch in found]), np.arange(20))
    assert {batch.epoch for batch in found} == {0}


def test_an_empty_part_has_no_batches() -> None:
    empty = part(indices=np.array([], dtype=np.int64))
    assert list(evaluation_batches(empty)) == []
    assert list(training_batches(empty, seed=0, epoch=1)) == []
    assert empty.n_batches == 0


def test_at_most_one_batch_is_read_ahead() -> None:
    batches = part()
    rows = batches.rows
    assert isinstance(rows, CountedRows)
    next(training_batches(batches, seed=0, epoch=1))
    assert len(rows.asked) <= 2


def test_the_reading_thread_ends_with_the_batches() -> None:
    before = threading.active_count()
    list(evaluation_batches(part()))
    next(evaluation_batches(part()))  # what is left is never asked for
    assert threading.active_count() == before


def test_an_error_in_reading_is_raised_where_the_batch_is_taken() -> None:
    class Broken(CountedRows):
        def take(self, indices: Iterable[int]) -> np.ndarray:
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(evaluation_batches(Batches(Broken(4), np.zeros(4, np.int64), np.arange(4), 2)))


def test_labels_must_fit_the_rows() -> None:
    with pytest.raises(AssertionError, match="4 rows, 3 labels"):
        Batches(CountedRows(4), np.zeros(3, np.int64), np.arange(3), 2)
