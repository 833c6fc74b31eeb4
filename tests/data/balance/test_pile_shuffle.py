from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.data.balance.keyed_shuffle import mixed
from heldout.data.balance.pile_shuffle import PILE, SMALL_DECK, PileShuffle

KEY = int(mixed(np.array([5], np.uint64))[0])
# On both sides of where decks are dealt otherwise: by rounds, as one pile, in piles with and without cards left over.
EDGES = [1, 2, SMALL_DECK - 1, SMALL_DECK, SMALL_DECK + 1, PILE, 3 * PILE // 2, 2 * PILE, 2 * PILE + 1, 3 * PILE - 1]


def excess(tally: np.ndarray) -> float:
    """Chi-square of counts that should all be equal, in standard deviations above what chance gives."""
    expected = tally.mean()
    freedom = tally.size - 1
    return float((((tally - expected) ** 2 / expected).sum() - freedom) / np.sqrt(2 * freedom))


@pytest.mark.parametrize("size", [*EDGES, 200_003])
def test_every_round_holds_every_card_once_and_any_place_can_be_the_first(size: int) -> None:
    shuffle = PileShuffle(size, key=3)
    whole = shuffle.cards(KEY, 0, 3 * size)
    assert (np.sort(whole.reshape(3, size), axis=1) == np.arange(size)).all()
    same = shuffle.cards(KEY, 0, 2 * size, is_same=True)
    assert np.array_equal(same[:size], same[size:])
    generator = np.random.default_rng(0)
    for first, last in np.sort(generator.integers(0, 3 * size + 1, (20, 2)), axis=1).tolist():
        assert np.array_equal(PileShuffle(size, key=3).cards(KEY, first, last), whole[first:last])
        assert np.array_equal(
            shuffle.cards(KEY, first % size, first % size + 5, is_same=True)[:1], same[first % size :][:1]
        )


@given(size=st.integers(1, 5000), key=st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None)
def test_every_card_lies_at_exactly_one_place(size: int, key: int) -> None:
    assert np.array_equal(np.sort(PileShuffle(size, 1).cards(key, 0, size)), np.arange(size))


def test_the_largest_deck_is_dealt_at_both_ends() -> None:
    size = 2**32 - 1
    shuffle = PileShuffle(size, key=0)
    cards = np.concatenate([shuffle.cards(KEY, 0, 40_000), shuffle.cards(KEY, size - 40_000, size)]).astype(np.int64)
    assert len(np.unique(cards)) == 80_000
    for half in (cards[:40_000], cards[40_000:]):
        assert np.abs(np.quantile(half / size, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.02


@pytest.mark.parametrize("size", range(2, 8))
def test_all_orders_of_a_small_deck_are_equally_frequent(size: int) -> None:
    cards = PileShuffle(size, key=1).cards(KEY, 0, 60_000 * size).reshape(-1, size).astype(np.int64)
    tally = np.unique(cards @ size ** np.arange(size), return_counts=True)[1]
    assert len(tally) == factorial(size)
    assert excess(tally) < 4


@pytest.mark.parametrize("size", [9, 16, 37, 100])
def test_two_neighbours_come_to_lie_anywhere_equally_often(size: int) -> None:
    cards = PileShuffle(size, key=1).cards(KEY, 0, 100_000 * size).reshape(-1, size).astype(np.int64)
    for first, second in ([0, 1], [0, size - 1], [size // 2, size // 2 + 1]):
        pairs = np.bincount(cards[:, first] * size + cards[:, second], minlength=size * size).reshape(size, size)
        assert np.trace(pairs) == 0
        assert excess(pairs[~np.eye(size, dtype=bool)]) < 4


@pytest.mark.parametrize("size", [2 * SMALL_DECK, PILE, 100_003])
def test_rounds_and_neighbouring_places_have_nothing_in_common(size: int) -> None:
    rounds = PileShuffle(size, key=2).cards(KEY, 0, 6 * size).reshape(6, size).astype(np.float64)
    between = np.asarray(np.corrcoef(np.vstack([np.arange(size), rounds])))
    along = [np.corrcoef(each[:-step], each[step:])[0, 1] for each in rounds for step in (1, 2, 16)]
    # In standard deviations of a correlation of so many independent numbers.
    assert np.abs(between[~np.eye(7, dtype=bool)]).max() * np.sqrt(size) < 4.5
    assert np.abs(along).max() * np.sqrt(size) < 4.5


@pytest.mark.parametrize("size", [PILE, 100_003])
def test_steps_between_neighbours_take_all_sizes(size: int) -> None:
    cards = PileShuffle(size, key=4).cards(KEY, 0, size).astype(np.int64)
    steps = (cards[1:] - cards[:-1]) % size
    # As in a random permutation: 1 - 1 / e of all steps occur.
    assert abs(len(np.unique(steps)) / size - (1 - np.exp(-1))) < 0.02


def test_cards_that_lie_side_by_side_come_far_from_each_other_in_every_round() -> None:
    size = 40 * PILE
    shuffle = PileShuffle(size, key=6)
    places = np.empty((2, size))
    for number in range(2):
        places[number, shuffle.cards(KEY, number * size, (number + 1) * size)] = np.arange(size)
    gaps = np.abs(np.diff(places)) / size
    # Two places at random are a third of the deck apart, and one pair in 20 is within 2.5 % of it: 40 piles are coarse.
    assert np.abs(gaps.mean(axis=1) - 1 / 3).max() < 0.03
    assert np.abs((gaps < 0.025).mean(axis=1) - 0.05).max() < 0.03
    assert abs(np.atleast_2d(np.corrcoef(gaps))[0, 1]) < 0.05


def test_the_cards_of_a_pile_are_of_all_strata_and_in_another_order_in_each_pile() -> None:
    n_piles = 50
    size = n_piles * PILE
    piles = PileShuffle(size, key=8).cards(KEY, 0, size).reshape(n_piles, PILE)
    strata = piles // n_piles
    assert (np.sort(strata, axis=1) == np.arange(PILE)).all()
    between = np.asarray(np.corrcoef(strata))
    assert np.abs(between[np.triu_indices(n_piles, 1)]).max() * np.sqrt(PILE) < 5  # standard deviations, of 1,225 pairs
