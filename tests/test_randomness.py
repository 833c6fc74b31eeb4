import numpy as np
import pytest

from heldout.randomness import PURPOSES, key_of, stream, torch_seed


def test_the_same_place_draws_the_same_numbers() -> None:
    for purpose in PURPOSES:
        assert (stream(3, purpose, 1, 2).random(5) == stream(3, purpose, 1, 2).random(5)).all()


def test_every_seed_purpose_and_position_draws_other_numbers() -> None:
    places = [
        (seed, purpose, *where)
        for seed in (0, 1, -1, 10**30)
        for purpose in PURPOSES
        for where in ((), (0,), (1,), (0, 1), (1, 0), (11,), (1, 1))
    ]
    assert len({key_of(*place) for place in places}) == len(places)
    assert len({stream(*place).random() for place in places}) == len(places)
    assert len({torch_seed(*place) for place in places}) == len(places)


def test_a_position_may_come_from_numpy() -> None:
    assert key_of(0, "batches", int(np.int64(7))) == key_of(0, "batches", np.int64(7))  # type: ignore[arg-type]


def test_what_is_drawn_stays_the_same_from_version_to_version() -> None:
    assert key_of(0, "split") == 246364544552401972351646788390836801921
    assert stream(0, "split").integers(1000, size=4).tolist() == [696, 87, 661, 608]
    assert torch_seed(7, "init") == 6390858955880806328


def test_torch_seeds_fit_in_63_bits() -> None:
    assert all(0 <= torch_seed(seed, "init") < 2**63 for seed in range(50))


def test_an_unknown_purpose_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown purpose 'spilt'"):
        stream(0, "spilt")
