"""H111: classes that have one number in training and another where the model is used."""

from collections import Counter

import pytest

from auditing.make_logs import FILE, LogMaker
from auditing.rules.judged import found, plain
from heldout.auditing.rules.class_order import renumbering
from heldout.auditing.seen.data import Labelling
from heldout.auditing.seen.place import Place


def _named(there: tuple[str, ...], here: tuple[str, ...], *, right: int = 10) -> LogMaker:
    made = plain("train_set", "test_set")
    made.log.data_sets[0].classes, made.log.data_sets[1].classes = there, here
    made.loop(0, [90], [100], trained=True)
    made.loop(1, [right], [100])
    return made


def test_data_sets_that_number_the_same_names_differently() -> None:
    (finding,) = found(_named(("cat", "dog"), ("dog", "cat")), "H111")
    assert (finding.severity, finding.place.line) == ("error", 45)
    assert finding.observed == (
        "The class 'dog' has number 1 in training (train_set: cat, dog) and 0 where it is evaluated "
        "(test_set: dog, cat)."
    )


@pytest.mark.parametrize("here", [("cat", "dog"), ("cat", "dog", "frog"), ("oak", "elm"), ()])
def test_the_same_numbers_or_other_names_are_silent(here: tuple[str, ...]) -> None:
    assert found(_named(("cat", "dog"), here), "H111") == []


def test_labels_that_are_translated_are_named_rightly_all_the_same() -> None:
    assert found(_named(("cat", "dog"), ("dog", "cat"), right=90), "H111") == []


@pytest.mark.parametrize(
    ("later", "n_found"), [({0: 1, 1: 2, 2: 0}, 1), ({0: 0, 1: 1, 2: 2}, 0), ({0: 0, 1: 0, 2: 1}, 0)]
)
def test_samples_that_come_to_evaluation_with_other_labels(later: dict[int, int], n_found: int) -> None:
    made = plain("train_set")
    pairs = Counter(dict.fromkeys(later.items(), 20))
    made.log.labellings.append(Labelling(0, "evaluated", Place(FILE, 40), Place(FILE, 20), 60, pairs))
    assert len(found(made, "H111")) == n_found


def _answered(truths: list[int], answers: list[int], *, clean: bool = False) -> LogMaker:
    made = plain("train_set", "test_set")
    made.loop(0, [95], [100], trained=True).labels.update({2: 1})
    rights = [one == other for one, other in zip(truths, answers, strict=True)]
    stretch = made.loop(1, [sum(rights)], [len(truths)])
    stretch.truths, stretch.answers = bytearray(truths), bytearray(answers)
    if clean:
        fine = made.shows(made.begins(1, line=50), [len(truths)], [len(truths)], line=55)
        fine.truths = fine.answers = bytearray(truths)
    return made


def test_answers_that_are_right_once_they_are_renumbered() -> None:
    (finding,) = found(_answered([0, 1, 2] * 30, [1, 0, 2] * 30), "H111")
    assert finding.observed == (
        "model names 33.3 % of 90 samples rightly (test_set), and 100.0 % once the classes are renumbered: 0 for 1, "
        "1 for 0."
    )


def test_a_part_that_is_answered_rightly_elsewhere_was_changed_on_purpose() -> None:
    assert found(_answered([0, 1, 2] * 30, [1, 0, 2] * 30, clean=True), "H111") == []


def test_answers_that_no_renumbering_makes_right_are_silent() -> None:
    assert found(_answered([0, 1, 2] * 30, [0, 1, 2, 1, 2, 0] * 15), "H111") == []
    assert found(_answered([0, 1, 2] * 30, [0, 0, 0] * 30), "H111") == []
    assert found(_answered([0, 1, 2] * 30, [0, 1, 2] * 30), "H111") == []


def test_a_renumbering_is_one_to_one() -> None:
    assert renumbering(Counter({(0, 1): 9, (1, 0): 9}), least=0.9) == {0: 1, 1: 0}
    assert renumbering(Counter({(0, 1): 9, (1, 1): 9}), least=0.9) == {}
    assert renumbering(Counter({(0, 1): 9, (0, 0): 9, (1, 0): 9}), least=0.9) == {}
