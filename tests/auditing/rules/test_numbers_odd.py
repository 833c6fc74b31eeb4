"""H307 where it can be told what the number is instead, and H405."""

import numpy as np
import pytest

from auditing.make_logs import LogMaker
from auditing.rules.judged import found


def _begun(name: str = "test_loader") -> LogMaker:
    made = LogMaker()
    made.data_set("train_loader", 200)
    made.data_set(name, 130)
    made.model()
    return made


def _looks(made: LogMaker, rights: list[int], *, data_set: int = 1) -> None:
    """Epochs of training, each with an evaluation."""
    for number, right in enumerate(rights):
        made.loop(0, [80, 90], [100, 100], trained=True)
        made.loop(data_set, [right, 20], [100, 30]).fingerprint = number + 1


def test_the_last_batch_alone() -> None:
    made = _begun()
    made.loop(0, [80, 90], [100, 100], trained=True)
    made.loop(1, [90, 22], [100, 30])
    made.says("test accuracy: 0.7333")
    (finding,) = found(made, "H307")
    assert finding.severity == "warning"
    assert "that of the last batch alone, 22 of 30" in finding.observed
    assert "112 of 130 (0.8615)" in finding.observed


@pytest.mark.parametrize("text", ["test accuracy: 0.8615", "train accuracy: 0.9000"])
def test_the_whole_and_a_batch_of_training_are_silent(text: str) -> None:
    made = _begun()
    made.loop(0, [80, 90], [100, 100], trained=True)
    made.loop(1, [90, 22], [100, 30])
    made.says(text)
    assert found(made, "H307") == []


def test_a_hundredth_with_a_percent_sign() -> None:
    made = _begun()
    made.loop(0, [80, 90], [100, 100], trained=True)
    made.loop(1, [93, 21], [100, 30])
    made.says("test accuracy: 0.8769%")
    (finding,) = found(made, "H307")
    assert "is a hundredth of what was counted: 114 of 130" in finding.observed


def test_answers_that_are_compared_with_every_label() -> None:
    made = _begun("val_loader")
    made.loop(0, [80, 90], [100, 100], trained=True)
    stretch = made.loop(1, [93, 21], [100, 30])
    answers, truths = (np.arange(130) % 3 == 0).astype(np.uint8), (np.arange(130) % 5 == 0).astype(np.uint8)
    stretch.answers, stretch.truths = bytearray(answers.tobytes()), bytearray(truths.tobytes())
    pairs = [(answers[:100], truths[:100]), (answers[100:], truths[100:])]
    right = sum((answer[:, None] == truth).mean() * len(answer) for answer, truth in pairs)
    made.says(f"val accuracy: {right / 130:.6f}")
    (finding,) = found(made, "H307")
    assert "each answer is compared with every label" in finding.observed


def _folds(text: str) -> LogMaker:
    made = _begun("val_loader")
    for fold, right in enumerate((70, 80, 90)):
        if fold:
            made.data_set("val_loader", 130)
        made.loop(0, [80, 90], [100, 100], trained=True)
        made.loop(1 + fold, [right, 20], [100, 30])
    made.says(text)
    return made


def test_a_mean_over_folds_that_is_the_last() -> None:
    (finding,) = found(_folds("mean val accuracy over 3 folds: 0.8462"), "H307")
    assert "is the last of 3: their mean is 0.7692" in finding.observed


@pytest.mark.parametrize("text", ["mean val accuracy over 3 folds: 0.7692", "mean val accuracy: 0.8462"])
def test_the_mean_and_one_number_are_silent(text: str) -> None:
    assert found(_folds(text), "H307") == []


def test_the_highest_of_many_looks_at_the_test_part() -> None:
    made = _begun()
    _looks(made, [60, 75, 70])
    made.says("final test accuracy: 0.7308")
    (finding,) = found(made, "H405")
    assert finding.severity == "warning"
    assert "is the highest of 3 evaluations on test_loader (the last came to 0.6923)" in finding.observed


@pytest.mark.parametrize(("rights", "text"), [([60, 75, 70], "0.6923"), ([60, 70, 75], "0.7308"), ([75, 70], "0.7308")])
def test_the_last_look_and_two_of_them_are_silent(rights: list[int], text: str) -> None:
    made = _begun()
    _looks(made, rights)
    made.says(f"final test accuracy: {text}")
    assert found(made, "H405") == []


def test_where_another_part_was_evaluated_it_may_have_chosen() -> None:
    made = _begun()
    _looks(made, [60, 75, 70])
    made.loop(made.data_set("val_loader"), [5], [10])
    made.says("final test accuracy: 0.7308")
    assert found(made, "H405") == []


def _put_back(fingerprint: int) -> LogMaker:
    made = _begun()
    _looks(made, [60, 75, 70, 65])
    made.happens("load_state", families=[0], fingerprint=fingerprint, n_keys=4, n_unexpected=0)
    made.loop(1, [75, 20], [100, 30]).fingerprint = fingerprint
    return made


def test_weights_that_did_best_on_the_test_part_are_put_back() -> None:
    (finding,) = found(_put_back(2), "H405")
    assert "did best of 4 that were tried on test_loader" in finding.observed


def test_weights_that_did_not_are_silent() -> None:
    assert found(_put_back(1), "H405") == []
