import copy
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.data.balance.balanced_batches import (
    BalancedBatchSampler,
    balanced_order,
    checked_size,
    sizes_near,
)
from heldout.data.balance.dealing import BLOCK_DRAWS, MOST_PILED, PILED_DRAWS, Dealing, in_piles
from heldout.data.balance.decks import decks_of
from heldout.data.balance.pile_shuffle import PILE
from heldout.errors import UsageError

law = settings(max_examples=50, deadline=None)
# How many examples each class has, how many of each stand in a batch, and which epoch of which seed.
counts_of_classes = st.lists(st.integers(1, 60), min_size=1, max_size=6)
n_of_each = st.integers(1, 9)
epochs = st.integers(0, 10**6)
both_ways = pytest.mark.parametrize("piled", [False, True], ids=["keyed", "piled"])
seeds = st.integers(-(2**63), 2**63)


def labels_of(counts: list[int], seed: int = 0) -> np.ndarray:
    """So many labels of each class, in disorder."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


def epoch_of(labels: np.ndarray, n_each: int, *, seed: int = 0, epoch: int = 0, piled: bool = False) -> np.ndarray:
    """All batches of an epoch, a row each; the keyed ones as training has them."""
    n_classes = len(np.unique(labels))
    if piled:
        decks = decks_of(labels)
        dealing = Dealing(decks, n_each * n_classes, seed, epoch, piles=in_piles(decks, seed))
        return np.concatenate(list(dealing.blocks()))
    return np.stack(balanced_order(labels, np.arange(len(labels)), n_each * n_classes, seed=seed, epoch=epoch))


@both_ways
@given(counts=counts_of_classes, n_each=n_of_each, epoch=epochs, seed=seeds)
@law
def test_every_batch_and_every_run_of_it_holds_each_class_equally_often(
    counts: list[int], n_each: int, epoch: int, seed: int, piled: bool
) -> None:
    labels = labels_of(counts)
    batches = labels[epoch_of(labels, n_each, seed=seed, epoch=epoch, piled=piled)]
    for batch in batches:
        assert np.bincount(batch).tolist() == [n_each] * len(counts)
    runs = batches.reshape(-1, len(counts))
    assert (np.sort(runs, axis=1) == np.arange(len(counts))).all()


@both_ways
@given(counts=counts_of_classes, n_each=n_of_each, epoch=epochs)
@law
def test_no_example_comes_again_before_all_of_its_class_came_and_none_is_left_out(
    counts: list[int], n_each: int, epoch: int, piled: bool
) -> None:
    labels = labels_of(counts)
    drawn = epoch_of(labels, n_each, epoch=epoch, piled=piled).ravel()
    for label, count in enumerate(counts):
        of_class = drawn[labels[drawn] == label]
        rounds = [of_class[start : start + count] for start in range(0, len(of_class), count)]
        assert all(len(np.unique(each)) == len(each) for each in rounds)
        assert len(rounds[0]) == count
        assert set(rounds[0]) == set(np.flatnonzero(labels == label))


@both_ways
@given(counts=counts_of_classes, n_each=n_of_each, epoch=st.integers(0, 100), n_epochs=st.integers(1, 6))
@law
def test_over_any_number_of_epochs_two_examples_of_a_class_come_equally_often_or_once_more(
    counts: list[int], n_each: int, epoch: int, n_epochs: int, piled: bool
) -> None:
    labels = labels_of(counts)
    drawn = [epoch_of(labels, n_each, epoch=each, piled=piled) for each in range(epoch, epoch + n_epochs)]
    tally = np.bincount(np.concatenate(drawn).ravel(), minlength=len(labels))
    for label in range(len(counts)):
        assert np.ptp(tally[labels == label]) <= 1


@given(counts=counts_of_classes, n_each=n_of_each)
@law
def test_an_epoch_has_no_batch_more_than_the_commonest_class_needs(counts: list[int], n_each: int) -> None:
    sampler = BalancedBatchSampler(labels_of(counts), n_each * len(counts))
    assert len(sampler) == len(list(sampler)) == -(-max(counts) // n_each)


@given(counts=counts_of_classes, n_each=n_of_each, epoch=st.integers(0, 100), data=st.data())
@law
def test_an_epoch_that_is_taken_up_again_gives_what_was_still_to_come(
    counts: list[int], n_each: int, epoch: int, data: st.DataObject
) -> None:
    labels = labels_of(counts)
    whole = BalancedBatchSampler(labels, n_each * len(counts), seed=5)
    whole.set_epoch(epoch)
    uninterrupted = list(whole) + list(whole)
    stopped = BalancedBatchSampler(labels, n_each * len(counts), seed=5)
    stopped.set_epoch(epoch)
    n_done = data.draw(st.integers(0, len(stopped)))
    done = list(islice(stopped, n_done))
    state = stopped.state_dict()
    assert all(type(value) is int for value in state.values())
    again = BalancedBatchSampler(labels, n_each * len(counts), seed=5)
    again.load_state_dict(state)
    rest = list(again) + (list(again) if n_done < len(again) else [])
    assert done + rest == uninterrupted


@both_ways
@given(counts=counts_of_classes, n_each=n_of_each, world=st.integers(1, 5), epoch=epochs)
@law
def test_the_batches_of_all_ranks_side_by_side_are_the_batch_of_one(
    counts: list[int], n_each: int, world: int, epoch: int, piled: bool
) -> None:
    decks = decks_of(labels_of(counts))
    size, piles = n_each * len(counts), in_piles(decks, 0) if piled else ()
    alone = Dealing(decks, size * world, 0, epoch, piles=piles)
    ranks = [Dealing(decks, size, 0, epoch, rank, world, piles) for rank in range(world)]
    assert {each.n_batches for each in ranks} == {alone.n_batches}
    together = np.concatenate([each.batches(0, each.n_batches) for each in ranks], axis=1)
    assert np.array_equal(together, alone.batches(0, alone.n_batches))


def test_ranks_of_a_step_share_no_example_while_a_deck_lasts() -> None:
    labels = labels_of([400, 100])
    ranks = [list(BalancedBatchSampler(labels, 10, rank=rank, world=4)) for rank in range(4)]
    assert {len(batches) for batches in ranks} == {20}
    for step in range(5):  # 100 of each class are 5 steps of 4 x 5
        assert len({row for batches in ranks for row in batches[step]}) == 40


@both_ways
def test_any_batch_can_be_had_without_those_before_it(piled: bool) -> None:
    decks = decks_of(labels_of([5000, 30, 7]))
    dealing = Dealing(decks, 9, seed=1, epoch=2, piles=in_piles(decks, 1) if piled else ())
    whole = dealing.batches(0, dealing.n_batches)
    for step in (0, 1, 17, dealing.n_batches - 1):
        assert np.array_equal(dealing.batches(step, step + 1)[0], whole[step])
    assert np.array_equal(np.concatenate(list(dealing.blocks(3))), whole[3:])


@both_ways
def test_an_epoch_of_many_blocks_and_piles_is_dealt_without_a_seam(piled: bool) -> None:
    counts = [max(BLOCK_DRAWS, PILED_DRAWS) + 1000, 2 * PILE + 5, 10]
    labels = labels_of(counts)
    drawn = epoch_of(labels, 32, epoch=3, piled=piled)
    assert drawn.shape == (-(-counts[0] // 32), 96)
    for label, count in enumerate(counts[:2]):
        of_class = drawn[:, label::3].ravel()
        rounds = [of_class[start : start + count] for start in range(0, len(of_class), count)]
        assert len(rounds) > 1
        assert all(len(np.unique(each)) == len(each) for each in rounds)
        assert set(rounds[0]) == set(np.flatnonzero(labels == label))


@pytest.mark.parametrize("n_classes", [MOST_PILED, MOST_PILED + 1])
def test_however_many_classes_there_are_a_sampler_gives_each_its_share(n_classes: int) -> None:
    labels = labels_of([7] * (n_classes - 1) + [20])
    sampler = BalancedBatchSampler(labels, 2 * n_classes)
    drawn = list(sampler)
    assert len(drawn) == len(sampler) == 10
    assert all(np.bincount(labels[batch]).tolist() == [2] * n_classes for batch in drawn)


def test_a_state_of_before_piles_is_refused_where_the_order_was_another() -> None:
    for n_classes, is_other in ((2, True), (MOST_PILED + 1, False)):
        sampler = BalancedBatchSampler(np.repeat(np.arange(n_classes), 3), n_classes)
        state = sampler.state_dict(batch=1)
        del state["order"]
        if is_other:
            with pytest.raises(UsageError, match="a sampler with order 1, this one has 2"):
                sampler.load_state_dict(state)
        else:
            sampler.load_state_dict(state)
            assert len(list(sampler)) == 2


@both_ways
def test_seeds_and_epochs_have_their_own_orders_with_nothing_in_common(piled: bool) -> None:
    labels = np.repeat([0, 1], [4000, 1000])
    positions = [(seed, epoch) for seed in (0, 1) for epoch in (0, 1, 2)]
    orders = [epoch_of(labels, 8, seed=at[0], epoch=at[1], piled=piled)[:, 0::2].ravel() for at in positions]
    again = epoch_of(labels, 8, seed=1, epoch=2, piled=piled)[:, 0::2].ravel()
    assert np.array_equal(again, orders[-1])
    # The standard deviation of a correlation of 4,000 is 0.016; so it is against the order of the rows themselves.
    between = np.corrcoef(np.stack([np.arange(4000), *orders]))
    assert np.abs(between[~np.eye(7, dtype=bool)]).max() < 0.07
    assert max(np.count_nonzero(one == other) for one, other in pairwise(orders)) < 10


@both_ways
def test_rounds_of_a_rare_class_and_classes_of_one_size_have_their_own_orders(piled: bool) -> None:
    drawn = epoch_of(np.repeat([0, 1, 2], [2000, 500, 500]), 4, piled=piled)
    rounds = np.concatenate([drawn[:, 1::3].reshape(4, 500) - 2000, drawn[:, 2::3].reshape(4, 500) - 2500])
    between = np.corrcoef(np.vstack([np.arange(500), rounds]))
    assert np.abs(between[~np.eye(9, dtype=bool)]).max() < 0.2  # 4.5 standard deviations


def test_every_iteration_is_the_next_epoch_even_where_one_was_broken_off() -> None:
    labels = labels_of([40, 10])
    sampler = BalancedBatchSampler(labels, 4, seed=3)
    first = next(iter(sampler))
    assert first == epoch_of(labels, 2, seed=3, epoch=0, piled=True)[0].tolist()
    assert list(sampler) == epoch_of(labels, 2, seed=3, epoch=1, piled=True).tolist()
    assert next(iter(sampler)) == epoch_of(labels, 2, seed=3, epoch=2, piled=True)[0].tolist()
    sampler.set_epoch(1)
    assert list(sampler) == epoch_of(labels, 2, seed=3, epoch=1, piled=True).tolist()


def test_the_state_can_be_told_by_who_learned_from_fewer_than_were_drawn() -> None:
    labels = labels_of([40, 10])
    sampler = BalancedBatchSampler(labels, 4)
    drawn = list(sampler)
    assert sampler.state_dict() == sampler.state_dict(batch=len(sampler))
    assert (sampler.state_dict()["epoch"], sampler.state_dict()["batch"]) == (1, 0)
    sampler.load_state_dict(sampler.state_dict(batch=12))
    assert list(sampler) == drawn[12:]


@pytest.mark.parametrize("change", [{"seed": 1}, {"batch_size": 8}, {"world": 2}, {"labels": [0, 1, 1, 0, 0]}])
def test_the_state_of_another_sampler_is_refused(change: dict[str, Any]) -> None:
    one: dict[str, Any] = {"labels": [0, 1, 1, 0], "batch_size": 4, "seed": 0, "world": 1}
    state = BalancedBatchSampler(**one).state_dict()
    with pytest.raises(UsageError, match="the state is of a sampler with"):
        BalancedBatchSampler(**(one | change)).load_state_dict(state)


@pytest.mark.parametrize("change", [{"epoch": -1}, {"batch": -1}, {"batch": 2}])
def test_a_position_that_does_not_exist_is_refused(change: dict[str, int]) -> None:
    sampler = BalancedBatchSampler([0, 1, 1, 0], 2)
    state = sampler.state_dict()
    with pytest.raises(UsageError, match="there is no batch"):
        sampler.load_state_dict(state | change)
    with pytest.raises(UsageError, match="there is no batch 0 of epoch -1"):
        sampler.set_epoch(-1)


def test_a_size_that_cannot_be_balanced_names_those_that_can() -> None:
    with pytest.raises(UsageError, match=r"batches of 32 cannot hold 5 classes in equal numbers[^$]*30 or 35"):
        BalancedBatchSampler([0, 1, 2, 3, 4], 32)
    with pytest.raises(UsageError, match="choose a batch size of 5"):
        checked_size(0, 5)
    assert sizes_near(35, 5) == (35,)
    assert sizes_near(4, 5) == (5,)


@pytest.mark.parametrize(("rank", "world"), [(1, 1), (-1, 2), (0, 0)])
def test_a_rank_outside_the_world_is_refused(rank: int, world: int) -> None:
    with pytest.raises(UsageError, match=f"rank is {rank} of a world of {world}"):
        BalancedBatchSampler([0, 1], 2, rank=rank, world=world)


def test_the_rows_of_a_part_are_rows_of_the_whole() -> None:
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 0, 0])
    indices = np.array([0, 1, 3, 4, 6, 8])
    order = balanced_order(labels, indices, 4, seed=0, epoch=1)
    assert set(np.concatenate(order).tolist()) == set(indices.tolist())
    assert all(sorted(labels[rows].tolist()) == [0, 0, 1, 1] for rows in order)
    assert balanced_order(labels, indices[:0], 4, seed=0, epoch=1) == []


def test_a_torch_loader_takes_it_as_its_batch_sampler() -> None:
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    labels = torch.tensor([0] * 30 + [1] * 6, dtype=torch.int8)
    data = TensorDataset(torch.arange(36), labels)
    sampler = BalancedBatchSampler(labels, 8, seed=2)
    loader: Any = DataLoader(data, batch_sampler=copy.deepcopy(sampler), num_workers=0)
    assert len(loader) == len(sampler) == 8
    for _ in range(2):
        found = [(rows.tolist(), classes.sum().item()) for rows, classes in loader]
        assert found == [(rows, 4) for rows in sampler]
    half: Any = DataLoader(data, batch_sampler=sampler, num_workers=0)
    expected = [rows.tolist() for rows, _ in loader]
    seen = [rows.tolist() for rows, _ in islice(half, 3)]
    sampler.load_state_dict(sampler.state_dict())
    assert seen + [rows.tolist() for rows, _ in half] == expected
