"""H104, H105 and H107 to H109: loaders whose batches, samplers or lengths are not those that the loop is about."""

import pytest

from auditing.make_logs import LogMaker
from auditing.rules.judged import found, plain

TRAIN, VAL = 0, 1


@pytest.fixture
def made() -> LogMaker:
    return plain("train_loader", "val_loader")


def _trains(made: LogMaker) -> None:
    made.loop(TRAIN, [5] * 4, [10] * 4, trained=True)


def _fetches(made: LogMaker, n: int) -> None:
    """A pass of the held-out part whose batches are left aside."""
    passed = made.begins(VAL, line=40)
    passed.fetched, passed.ended = n, True


def test_a_training_batch_that_was_left_over(made: LogMaker) -> None:
    passed = made.begins(TRAIN)
    made.shows(passed, [5] * 4, [10] * 4, trained=True)
    _fetches(made, 3)
    made.shows(passed, [9, 9, 9], [10, 10, 10], line=46)
    (finding,) = found(made, "H104")
    assert (finding.severity, finding.place.line) == ("error", 46)
    assert finding.observed.startswith("30 samples were evaluated here that are the last batch of train_loader")


def test_a_look_at_the_batch_within_its_own_loop_is_silent(made: LogMaker) -> None:
    passed = made.begins(TRAIN)
    made.shows(passed, [5] * 4, [10] * 4, trained=True)
    made.shows(passed, [9], [10], line=27)
    made.loop(VAL, [5], [10])
    assert found(made, "H104") == []


def test_a_look_at_the_last_batch_before_anything_else_is_silent(made: LogMaker) -> None:
    passed = made.begins(TRAIN)
    made.shows(passed, [5] * 4, [10] * 4, trained=True)
    made.begins(TRAIN)  # the next epoch
    made.shows(passed, [9], [10], line=27)
    assert found(made, "H104") == []


def test_batches_that_no_model_was_shown(made: LogMaker) -> None:
    for _ in range(2):
        _trains(made)
        _fetches(made, 3)
    (finding,) = found(made, "H105")
    assert (finding.severity, finding.place.line) == ("error", 40)
    assert finding.observed == "6 batches of val_loader were fetched here in 2 passes, and none reached a model."


def test_what_was_shown_instead_is_named(made: LogMaker) -> None:
    other = made.data_set("extra_loader")
    _trains(made)
    _fetches(made, 3)
    made.loop(other, [5], [10])
    (finding,) = found(made, "H105")
    assert finding.observed.endswith("The model was shown a batch of extra_loader meanwhile.")


def test_batches_for_a_mean_or_a_picture_are_silent(made: LogMaker) -> None:
    passed = made.begins(TRAIN, line=10)  # the mean of the training part, before training
    passed.fetched = 4
    _trains(made)
    made.loop(VAL, [5], [10])
    assert found(made, "H105") == []


def test_a_look_at_a_held_out_batch_before_training_is_silent(made: LogMaker) -> None:
    made.begins(VAL, line=10).fetched = 1  # its shape is printed
    _trains(made)
    assert found(made, "H105") == []


def test_a_look_at_a_held_out_batch_after_training_is_silent(made: LogMaker) -> None:
    _trains(made)
    made.loop(VAL, [5] * 3, [10] * 3)
    made.begins(VAL, line=60).fetched = 1  # its labels are printed
    made.shows(None, [-1], [1], line=62)  # and a picture of one's own is named
    assert found(made, "H105") == []


def test_the_labels_of_a_part_that_is_evaluated_elsewhere_are_silent(made: LogMaker) -> None:
    for _ in range(2):
        _trains(made)
        passed = made.begins(VAL, line=60)
        passed.fetched, passed.ended = 3, True
        made.loop(VAL, [5] * 3, [10] * 3)
    assert found(made, "H105") == []


def test_something_else_that_is_asked_in_each_loop_is_told_where_another_loop_is_right(made: LogMaker) -> None:
    stretch = made.loop(TRAIN, [5] * 4, [10] * 4, trained=True)
    made.loop(VAL, [5] * 3, [10] * 3)
    passed = made.begins(VAL, line=60)
    passed.fetched, passed.ended = 3, True
    made.shows(made.log.passes[stretch.passed or 0], [9] * 3, [10] * 3, line=62)
    (finding,) = found(made, "H105")
    assert finding.place.line == 60


def test_one_batch_a_pass_that_never_reaches_a_model_is_told(made: LogMaker) -> None:
    for _ in range(2):
        _trains(made)
        made.begins(VAL, line=60).fetched = 1
        made.shows(made.log.passes[0], [9], [10], line=62)
    (finding,) = found(made, "H105")
    assert finding.observed.startswith("2 batches of val_loader were fetched here in 2 passes")


def test_labels_that_come_in_a_loader_of_their_own_are_silent(made: LogMaker) -> None:
    _trains(made)
    _fetches(made, 3)
    assert len(found(made, "H105")) == 1
    beside = made.begins(made.data_set("val_pictures"), line=made.log.passes[-1].place.line)
    made.shows(beside, [9, 9, 9], [10, 10, 10])
    assert found(made, "H105") == []


def test_nothing_is_said_where_nothing_was_trained(made: LogMaker) -> None:
    _fetches(made, 3)
    assert found(made, "H105") == []


def test_a_sampler_of_another_data_set(made: LogMaker) -> None:
    for _ in range(3):
        passed = made.begins(VAL, line=40)
        passed.sampler_of = ("train_set",)
    (finding,) = found(made, "H107")
    assert (finding.severity, finding.place.line) == ("error", 40)
    assert finding.observed.startswith("val_loader is drawn from with a sampler that holds train_set")
    assert finding.observed.endswith("(3 passes).")


def test_a_sampler_of_its_own_is_silent(made: LogMaker) -> None:
    _trains(made)
    made.log.passes[0].replaces = True
    assert found(made, "H107") == []


def test_a_loader_of_the_wrong_length(made: LogMaker) -> None:
    for _ in range(2):
        _trains(made)
        made.log.passes[-1].declared = 1000
    (finding,) = found(made, "H108")
    assert (finding.severity, finding.place.line) == ("error", 20)
    assert finding.observed == "The loader of train_loader says it has 1,000 batches and gave 4 (2 passes)."


def test_a_loop_that_was_left_early_or_has_no_length_is_silent(made: LogMaker) -> None:
    _trains(made)
    _trains(made)
    made.log.passes[0].declared, made.log.passes[0].ended = 1000, False
    made.log.passes[1].declared = None
    assert found(made, "H108") == []


def _in_order(made: LogMaker, *, n_changes: int) -> None:
    made.loop(TRAIN, [50], [100], trained=True).n_label_changes = n_changes
    made.log.passes[-1].in_order = True


def test_training_samples_in_the_order_of_their_labels(made: LogMaker) -> None:
    for _ in range(2):
        _in_order(made, n_changes=1)
    (finding,) = found(made, "H109")
    assert (finding.severity, finding.place.line) == ("warning", 25)
    assert [each.line for each in finding.more] == [20]
    assert finding.observed == (
        "The 100 training samples of train_loader come in the order of their labels: "
        "1 of the neighbours in a batch differ, where 50 would in a shuffled order."
    )


def test_an_order_that_is_mixed_already_is_silent(made: LogMaker) -> None:
    _in_order(made, n_changes=45)
    assert found(made, "H109") == []


def test_shuffled_passes_and_sorted_evaluations_are_silent(made: LogMaker) -> None:
    made.loop(TRAIN, [50], [100], trained=True).n_label_changes = 1
    made.loop(VAL, [50], [100]).n_label_changes = 1
    made.log.passes[-1].in_order = True
    assert found(made, "H109") == []
