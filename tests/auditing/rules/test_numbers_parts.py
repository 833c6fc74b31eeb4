"""H305, H306 and H307: numbers of another part of the data, and of nothing that was counted."""

from collections.abc import Callable, Iterator

import pytest

from auditing.make_logs import LogMaker
from heldout.auditing.facts import Facts
from heldout.auditing.rule import Hit
from heldout.auditing.rules.numbers_splits import find_other_split
from heldout.auditing.rules.numbers_training import find_training_number
from heldout.auditing.rules.numbers_unexplained import find_unexplained

TRAIN, VAL, TEST = 0, 1, 2
SIZES = [400, 403]


@pytest.fixture
def made() -> LogMaker:
    maker = LogMaker()
    for name in ("train_loader", "val_loader", "test_loader"):
        maker.data_set(name, 803)
    maker.model()
    return maker


def _hits(made: LogMaker, find: Callable[[Facts], Iterator[Hit]]) -> list[Hit]:
    return list(find(Facts(made.log)))


def _epoch(made: LogMaker, epoch: int, *, test: bool = False) -> tuple[float, float, float]:
    """A pass of each part, and the accuracies of them."""
    learned, held, last = 500 + 31 * epoch, 420 + 23 * epoch, 390 + 17 * epoch
    made.loop(TRAIN, [learned - 200, 200], SIZES, trained=True)
    made.loop(VAL, [held - 200, 200], SIZES)
    if test:
        made.loop(TEST, [last - 200, 200], SIZES)
    return learned / 803, held / 803, last / 803


def test_numbers_of_their_own_part_are_silent(made: LogMaker) -> None:
    best = 0.0
    for epoch in range(5):
        learned, held, last = _epoch(made, epoch, test=True)
        best = max(best, held)
        made.says(
            f"epoch {epoch} train_acc {learned:.4f} val_acc {held:.4f} test_acc {last:.4f} best val_acc {best:.4f}"
        )
    for find in (find_training_number, find_other_split, find_unexplained):
        assert _hits(made, find) == []


def test_training_numbers_that_are_called_validation(made: LogMaker) -> None:
    for epoch in range(3):
        learned, _, _ = _epoch(made, epoch)
        made.says(f"val_acc {learned:.4f}")
    (hit,) = _hits(made, find_training_number)
    assert (
        "3 numbers printed as 'val acc' are measured on train_loader: the last, 0.6999, is 562 of 803" in hit.observed
    )
    assert hit.severity == "error"


def test_one_training_number_at_the_end_that_is_called_test(made: LogMaker) -> None:
    learned, _, _ = _epoch(made, 0)
    made.says(f"Test accuracy: {100 * learned:.2f} %")
    (hit,) = _hits(made, find_training_number)
    assert "The number printed as 'test accuracy' is measured on train_loader" in hit.observed


def test_the_best_of_training_that_is_called_validation(made: LogMaker) -> None:
    best = max(_epoch(made, epoch)[0] for epoch in (2, 1, 0))
    made.says(f"best val_acc {best:.4f}")
    (hit,) = _hits(made, find_training_number)
    assert "is 562 of 803 samples that the model had learned from" in hit.observed


def test_a_coarse_number_may_be_equal_by_chance(made: LogMaker) -> None:
    made.loop(TRAIN, [7], [10], trained=True)
    made.loop(VAL, [9], [10])
    made.says("test accuracy 0.7")
    assert _hits(made, find_training_number) == []


def test_what_was_evaluated_without_labels_may_explain_a_number(made: LogMaker) -> None:
    learned, _, _ = _epoch(made, 0)
    made.shows(None, [-1], [50])
    made.says(f"val_acc {learned:.4f}")
    assert _hits(made, find_training_number) == []
    for epoch in (1, 2, 3):
        learned, _, _ = _epoch(made, epoch)
        made.shows(None, [-1], [50])
        made.says(f"val_acc {learned:.4f}")
    assert len(_hits(made, find_training_number)) == 1  # four numbers are no chance


def test_a_statement_that_prints_every_part_is_loose_in_its_words(made: LogMaker) -> None:
    for right in (500, 530):
        made.loop(TRAIN, [right - 200, 200], SIZES)
        made.says(f"Test Accuracy: {right / 803:.4f}")
        made.loop(TEST, [right - 220, 200], SIZES)
        made.says(f"Test Accuracy: {(right - 20) / 803:.4f}")
    made.loop(TRAIN, [300], [803], trained=True)
    assert [hit.severity for hit in _hits(made, find_training_number)] == ["note"]


def test_words_for_no_certain_part_are_a_warning(made: LogMaker) -> None:
    learned, _, _ = _epoch(made, 0)
    made.says(f"eval_acc {learned:.4f}")
    assert [hit.severity for hit in _hits(made, find_training_number)] == ["warning"]


def test_the_test_number_that_is_called_validation(made: LogMaker) -> None:
    for epoch in range(2):
        _, _, last = _epoch(made, epoch, test=True)
        made.says(f"val_acc {last:.4f}")
    (hit,) = _hits(made, find_other_split)
    assert "2 numbers printed as 'val acc' are measured on test_loader" in hit.observed
    assert "where val_loader came to 443 of 803 (0.5517)" in hit.observed


def test_the_best_of_validation_that_is_called_test(made: LogMaker) -> None:
    best = max(_epoch(made, epoch)[1] for epoch in range(3))
    made.loop(TEST, [200, 200], SIZES)
    made.says(f"test accuracy {best:.4f}")
    (hit,) = _hits(made, find_other_split)
    assert "where test_loader came to 400 of 803" in hit.observed


def test_one_data_set_under_two_names(made: LogMaker) -> None:
    _, held, _ = _epoch(made, 0)
    made.says(f"val_acc {held:.4f}")
    _, held, _ = _epoch(made, 1)
    made.says(f"test_acc {held:.4f}", line=70)
    (hit,) = _hits(made, find_other_split)
    assert "The number is called 'test acc' and measured on val_loader" in hit.observed
    assert (hit.severity, hit.place.line, hit.more[0].line) == ("warning", 70, 60)


def test_a_function_that_prints_both_under_one_name_is_silent(made: LogMaker) -> None:
    for data_set in (VAL, VAL, TEST):
        right = made.log.moments * 3 + 400
        made.loop(data_set, [right - 200, 200], SIZES)
        made.says(f"val acc {right / 803:.4f}")
    assert _hits(made, find_other_split) == []


def test_answers_held_against_the_labels_of_another_part(made: LogMaker) -> None:
    answers, truths = [0, 1, 1, 0, 1] * 160, [[0, 1, 0, 0, 1] * 160, [1, 1, 1, 0, 0, 0, 1, 0] * 100]
    for data_set, labels in ((VAL, truths[0]), (TEST, truths[1])):
        n_right = sum(a == b for a, b in zip(answers, labels, strict=True))
        stretch = made.loop(data_set, [n_right], [800])
        stretch.answers, stretch.truths = bytearray(answers), bytearray(labels)
        if data_set == VAL:
            stretch.answers = bytearray(each ^ (number % 7 == 0) for number, each in enumerate(answers))
            stretch.rights[0] = sum(a == b for a, b in zip(stretch.answers, labels, strict=True))
    mixed = sum(a == b for a, b in zip(made.log.stretches[0].answers, truths[1], strict=True))
    made.says(f"test accuracy {mixed / 800:.4f}")
    (hit,) = _hits(made, find_other_split)
    assert f"is {mixed} of 800: the answers to val_loader held against the labels of test_loader" in hit.observed


def _unexplained(made: LogMaker, *values: float) -> list[Hit]:
    for epoch, value in enumerate(values):
        _epoch(made, epoch)
        made.says(f"val_acc {value:.4f}")
    return _hits(made, find_unexplained)


def test_numbers_that_nothing_explains(made: LogMaker) -> None:
    (hit,) = _unexplained(made, 0.1111, 0.1234, 0.1357)
    assert "3 numbers printed as 'val acc' are not what was counted: the last is 0.1357" in hit.observed
    assert "466 of 803 (0.5803, val_loader)" in hit.observed
    assert hit.severity == "warning"


def test_fewer_of_them_are_a_note(made: LogMaker) -> None:
    assert [hit.severity for hit in _unexplained(made, 0.1111, 0.1234)] == ["note"]


def test_more_than_all_cannot_be_right(made: LogMaker) -> None:
    _epoch(made, 0)
    made.says("val accuracy 112.50 %")
    (hit,) = _hits(made, find_unexplained)
    assert "112.50 % is printed as 'val accuracy': more than all were right." in hit.observed


@pytest.mark.parametrize("text", ["sure val_acc 0.1234", "running acc 0.1234", "cat accuracy 0.1234"])
def test_names_that_say_more_are_never_accused(made: LogMaker, text: str) -> None:
    for epoch in range(4):
        _epoch(made, epoch)
        made.says(text.replace("34", f"3{epoch}"))
    assert _hits(made, find_unexplained) == []


def test_samples_that_are_shown_twice_may_be_averaged(made: LogMaker) -> None:
    for epoch in range(4):
        _epoch(made, epoch)
        made.loop(VAL, [300, 100], SIZES)
        made.says(f"val_acc 0.123{epoch}")
    assert _hits(made, find_unexplained) == []


def test_other_labels_than_those_learned_say_nothing(made: LogMaker) -> None:
    for epoch in range(4):
        _epoch(made, epoch)
        made.says(f"val_acc 0.123{epoch}")
    for stretch in made.log.stretches:
        stretch.n_label_losses = 0
    assert _hits(made, find_unexplained) == []


def test_where_the_highest_of_one_output_is_taken_that_is_what_is_told(made: LogMaker) -> None:
    made.remarks("argmax over one output")
    assert _unexplained(made, 0.1111, 0.1234, 0.1357) == []
