import pytest

from auditing.make_logs import LogMaker
from heldout.auditing.counted import Counts, balanced, share_named
from heldout.auditing.facts import Facts


def _counts(made: LogMaker) -> Counts:
    return Facts(made.log).counts


@pytest.fixture
def made() -> LogMaker:
    maker = LogMaker()
    maker.data_set("train_loader")
    maker.data_set("val_loader")
    maker.model()
    return maker


def test_a_loop_is_counted_up_to_a_moment_and_since_one(made: LogMaker) -> None:
    stretch = made.loop(0, [3, 4, 1], [4, 4, 2], trained=True)
    (tally,) = _counts(made).tallies
    first, second, third = stretch.moments
    count = tally.whole
    assert count is not None
    assert (count.n_right, count.n, count.n_batches, count.share) == (8, 10, 3, 0.8)
    assert count.mean_of_shares == pytest.approx((0.75 + 1 + 0.5) / 3)
    assert count.loss == pytest.approx(0.2)
    assert count.mean_of_losses == pytest.approx(0.25)
    until = tally.count(third)
    assert until is not None
    assert (until.n_right, until.n) == (7, 8)
    since = tally.count(third + 1, first)
    assert since is not None
    assert (since.n_right, since.n) == (5, 6)
    last = tally.last(second + 1)
    assert last is not None
    assert (last.n_right, last.n) == (4, 4)
    assert tally.count(first) is None
    assert tally.last(first) is None
    assert tally.last(third + 1, back=3) is None


def test_without_labels_nothing_is_counted(made: LogMaker) -> None:
    made.loop(1, [-1, -1], [4, 4])
    (tally,) = _counts(made).tallies
    assert not tally.is_counted
    assert (tally.whole, tally.count(99), tally.last(99), balanced(tally)) == (None, None, None, None)
    assert share_named(tally, 0) is None


def test_batches_that_were_learned_from_and_others_of_the_same_loop_are_two_tallies(made: LogMaker) -> None:
    passed = made.begins(0)
    made.shows(passed, [3], [4], trained=True)
    made.shows(passed, [1], [4])
    assert [tally.trained for tally in _counts(made).tallies] == [True, False]


def test_a_chain_is_the_passes_of_one_loop(made: LogMaker) -> None:
    for right in (1, 2, 3):
        made.loop(0, [right], [4], trained=True)
        made.loop(1, [right], [4])
    counts = _counts(made)
    learned = [tally for tally in counts.tallies if tally.trained]
    assert counts.chain(learned[1]) == learned[:2]
    assert counts.before(0) == ()


def test_fresh_are_the_latest_passes_since_a_moment_or_of_all_where_none_ran(made: LogMaker) -> None:
    made.loop(0, [1], [4], trained=True)
    made.loop(1, [1], [4])
    middle = made.tick()
    made.loop(1, [3], [4])
    end = made.tick()
    counts = _counts(made)
    first, _, third = counts.tallies
    assert counts.fresh(end, middle) == [third]
    assert counts.fresh(end, -1) == [third, first]
    assert counts.fresh(end, end - 1) == [third, first]
    assert counts.between(end, middle) == [third]


def test_labels_are_counted(made: LogMaker) -> None:
    stretch = made.loop(1, [3], [4])
    stretch.labels[-1] = 2
    (tally,) = _counts(made).tallies
    assert tally.n_to_name == 4
    assert share_named(tally, 0) == pytest.approx(2 / 6)
    assert balanced(tally) == pytest.approx((1 + 0.5 + 0) / 3)


def test_losses_against_labels_are_known_of_whole_loops(made: LogMaker) -> None:
    made.loop(0, [1], [4], trained=True)
    made.loop(1, [1], [4])
    assert [tally.has_label_losses for tally in _counts(made).tallies] == [True, False]
