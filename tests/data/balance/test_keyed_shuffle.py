from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.data.balance.keyed_shuffle import MOST_CARDS, mixed, shuffled


def order(size: int, key: int) -> np.ndarray:
    """The whole deck in the order of one key."""
    places = np.arange(size, dtype=np.uint32)[None]
    keys = mixed(np.full(places.shape, key, np.uint64))
    return np.asarray(shuffled(places, np.array([[size]], np.uint32), keys)[0], dtype=np.int64)


def orders_of_many_keys(places: list[int], size: int, n_keys: int) -> np.ndarray:
    """Which card lies at each of these places, a row a place and a column a key; the keys are 0, 1, 2, ..."""
    shape = (len(places), n_keys)
    keys = mixed(np.broadcast_to(np.arange(n_keys, dtype=np.uint64), shape))
    wanted = np.broadcast_to(np.array(places, np.uint32)[:, None], shape)
    return shuffled(wanted, np.full((len(places), 1), size, np.uint32), keys).astype(np.int64)


def excess(tally: np.ndarray) -> float:
    """Chi-square of counts that should all be equal, in standard deviations above what chance gives."""
    expected = tally.mean()
    freedom = tally.size - 1
    return float((((tally - expected) ** 2 / expected).sum() - freedom) / np.sqrt(2 * freedom))


@given(size=st.integers(1, 5000), key=st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None)
def test_every_card_lies_at_exactly_one_place(size: int, key: int) -> None:
    assert np.array_equal(np.sort(order(size, key)), np.arange(size))


def test_every_small_deck_is_whole() -> None:
    for size in range(1, 130):
        assert np.array_equal(np.sort(order(size, 3)), np.arange(size)), size


def test_a_place_is_looked_up_alone_and_beside_decks_of_other_sizes() -> None:
    sizes = np.array([[7], [1000], [1]], np.uint32)
    places = np.array([[3, 6], [999, 0], [0, 0]], np.uint32)
    keys = mixed(np.arange(6, dtype=np.uint64).reshape(3, 2))
    together = shuffled(places, sizes, keys)
    for deck in range(3):
        for each in range(2):
            one = np.s_[deck : deck + 1, each : each + 1]
            assert shuffled(places[one], sizes[deck : deck + 1], keys[one]) == together[one]


def test_the_largest_deck_reaches_from_end_to_end() -> None:
    places = np.append(np.arange(4000), MOST_CARDS - 1 - np.arange(4000)).astype(np.uint32)[None]
    cards = shuffled(places, np.array([[MOST_CARDS]], np.uint32), mixed(np.ones(places.shape, np.uint64)))
    assert len(np.unique(cards)) == 8000
    for half in (cards[0, :4000], cards[0, 4000:]):
        assert np.abs(np.quantile(half / MOST_CARDS, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.03


@pytest.mark.parametrize("size", range(2, 8))
def test_all_orders_of_a_small_deck_are_equally_frequent(size: int) -> None:
    cards = orders_of_many_keys(list(range(size)), size, n_keys=60_000)
    codes = (cards * size ** np.arange(size)[:, None]).sum(axis=0)
    tally = np.unique(codes, return_counts=True)[1]
    assert len(tally) == factorial(size)
    assert excess(tally) < 4


@pytest.mark.parametrize("size", [9, 12, 16, 37, 100])
def test_two_neighbours_come_to_lie_anywhere_equally_often(size: int) -> None:
    for places in ([0, 1], [0, size - 1], [size // 2, size // 2 + 1]):
        first, second = orders_of_many_keys(places, size, n_keys=100_000)
        pairs = np.bincount(first * size + second, minlength=size * size).reshape(size, size)
        assert np.trace(pairs) == 0
        assert excess(pairs[~np.eye(size, dtype=bool)]) < 4


def test_orders_of_neighbouring_keys_and_neighbouring_places_have_nothing_in_common() -> None:
    size = 20_000
    orders = np.stack([order(size, key) for key in range(6)]).astype(np.float64)
    places = np.arange(size)
    # A correlation of independent columns of 20,000 has a standard deviation of 0.007.
    between = np.corrcoef(np.vstack([places, orders]))
    along = [np.corrcoef(each[:-step], each[step:])[0, 1] for each in orders for step in (1, 2, 141, 142)]
    assert np.abs(between[~np.eye(7, dtype=bool)]).max() < 0.03
    assert np.abs(along).max() < 0.03


def test_steps_between_neighbours_take_all_sizes() -> None:
    size = 10_000
    cards = order(size, 5)
    steps = (cards[1:] - cards[:-1]) % size
    # As in a random permutation: 1 - 1 / e of all steps occur.
    assert abs(len(np.unique(steps)) / size - (1 - np.exp(-1))) < 0.02
