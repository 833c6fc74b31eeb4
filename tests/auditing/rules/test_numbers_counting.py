"""H302, H303 and H304: right answers divided by the wrong number, or counted over too many passes or batches."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditing.make_logs import LogMaker
from heldout.auditing.facts import Facts
from heldout.auditing.rule import Hit
from heldout.auditing.rules.numbers_batches import find_unequal
from heldout.auditing.rules.numbers_counters import find_accumulated
from heldout.auditing.rules.numbers_divisor import find_fixed_divisor
from heldout.auditing.seen.place import Place

RIGHTS = (500, 611, 640, 702)


@pytest.fixture
def made() -> LogMaker:
    maker = LogMaker()
    maker.data_set("train_loader", 1000)
    maker.data_set("val_loader", 800)
    maker.model()
    return maker


def _hits(made: LogMaker, find: Callable[[Facts], Iterator[Hit]]) -> list[Hit]:
    return list(find(Facts(made.log)))


def _epochs(made: LogMaker, says: Callable[[int], str], rights: tuple[int, ...] = RIGHTS) -> None:
    for right in rights:
        made.loop(1, [right - right // 8, right // 8], [700, 100])
        made.says(says(right))


def test_right_answers_over_the_samples_are_silent(made: LogMaker) -> None:
    _epochs(made, lambda right: f"val_acc {right / 800:.4f} or {right}/800 correct or {right / 8:.1f} % accuracy")
    for find in (find_fixed_divisor, find_accumulated, find_unequal):
        assert _hits(made, find) == []


def test_a_fixed_divisor_is_told_at_its_line(made: LogMaker, tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    file.write_text("BATCH, N = 64, 20\n\n\ndef accuracy(right):\n    return right / (BATCH * N)\n")
    for right in RIGHTS[:2]:
        made.loop(1, [right], [800])
        made.says(f"val_acc {right / 1280:.4f}", file=str(file))
    (hit,) = _hits(made, find_fixed_divisor)
    assert hit.place == Place(str(file), 5)
    assert hit.more == (Place(str(file), 60),)
    assert "2 printed numbers ('val acc') are right answers divided by 1,280 (BATCH * N)" in hit.observed
    assert "the last, 0.4773, is 611 right of 800, which is 0.7638." in hit.observed
    assert hit.severity == "error"


def test_the_length_of_another_data_set_is_named(made: LogMaker) -> None:
    _epochs(made, lambda right: f"val_acc {right / 1000:.4f}")
    (hit,) = _hits(made, find_fixed_divisor)
    assert "divided by 1,000, the length of train_loader" in hit.observed
    assert hit.place.line == 60


def test_a_number_of_batches_reads_like_a_percentage(made: LogMaker) -> None:
    for right in RIGHTS:
        made.loop(1, [right // 16] * 15 + [right - 15 * (right // 16)], [50] * 16)
        made.says(f"val_acc {right / 16:.3f}")
    (hit,) = _hits(made, find_fixed_divisor)
    assert "divided by 16, the number of batches" in hit.observed


def test_a_divisor_that_nothing_names_is_a_warning(made: LogMaker) -> None:
    _epochs(made, lambda right: f"val_acc {right / 937:.4f}")
    (hit,) = _hits(made, find_fixed_divisor)
    assert hit.severity == "warning"
    assert "divided by 937, and not by the samples" in hit.observed


def test_a_small_difference_is_told_mildly(made: LogMaker) -> None:
    made.data_set("all", 804)
    _epochs(made, lambda right: f"val_acc {right / 804:.5f}")
    (hit,) = _hits(made, find_fixed_divisor)
    assert hit.severity == "warning"


def test_one_coarse_number_is_no_evidence(made: LogMaker) -> None:
    made.loop(1, [611], [800])
    made.says("val_acc 0.48")
    assert _hits(made, find_fixed_divisor) == []


def test_the_highest_of_one_output_has_the_zeros_right(made: LogMaker) -> None:
    made.data_set("other", 1280)
    for _ in range(2):
        stretch = made.loop(1, [611], [800])
        stretch.n_outputs = 1
        made.says("val_acc 0.31250000")
        made.says("tested with accuracy 0.50000000", line=70)
    assert _hits(made, find_fixed_divisor) == []
    made.remarks("argmax over one output")
    (hit,) = _hits(made, find_fixed_divisor)
    assert "400 right of 800" in hit.observed


def test_counters_that_are_never_set_back(made: LogMaker) -> None:
    over = 0
    for epoch, right in enumerate(RIGHTS, 1):
        made.loop(1, [right - 80, 80], [700, 100])
        over += right
        made.says(f"val_acc {over / (800 * epoch):.4f}")
    made.says(f"Accuracy of the validation images: {100 * over / 3200:.2f} %", line=90)
    series, alone = _hits(made, find_accumulated)
    assert "3 of the printed numbers ('val acc') go over all passes so far" in series.observed
    assert "is 2,453 of 3,200 over 4 passes; the last pass alone has 702 of 800 (0.8775)" in series.observed
    assert "The printed number ('accuracy of the validation images') goes over all passes" in alone.observed
    assert (series.place.line, alone.place.line) == (60, 90)


def test_one_counter_that_is_never_set_back(made: LogMaker) -> None:
    over = 0
    for epoch, right in enumerate(RIGHTS, 1):
        made.loop(1, [right - 80, 80], [700, 100])
        over += right
        made.says(f"val_acc {over / 800:.4f}")
        made.says(f"val accuracy {right / (800 * epoch):.4f}", line=70)
    right_answers, samples = _hits(made, find_accumulated)
    assert "because the counter of right answers was never set back" in right_answers.observed
    assert "because the counter of samples was never set back" in samples.observed


def test_k_of_n_over_all_passes(made: LogMaker) -> None:
    for epoch in range(1, 4):
        made.loop(0, [20, 15], [32, 28], trained=True)
        made.says(f"{35 * epoch} of {60 * epoch} are correctly predicted")
    (hit,) = _hits(made, find_accumulated)
    assert "the last, 105 of 180, is 105 of 180 over 3 passes" in hit.observed


def test_losses_that_are_never_set_back(made: LogMaker) -> None:
    over = 0.0
    for right in RIGHTS:
        made.loop(1, [right - 80, 80], [700, 100])
        over += (1 - (right - 80) / 700) + 0.2
        made.says(f"val loss {over / 2:.4f}")
    (hit,) = _hits(made, find_accumulated)
    assert "the sum of losses was never set back" in hit.observed


def test_numbers_that_are_called_running_may_run(made: LogMaker) -> None:
    over = 0
    for epoch, right in enumerate(RIGHTS, 1):
        made.loop(1, [right - 80, 80], [700, 100])
        over += right
        made.says(f"running val_acc {over / (800 * epoch):.4f}")
    assert _hits(made, find_accumulated) == []


def test_passes_of_one_batch_are_steps(made: LogMaker) -> None:
    over = 0
    for step, right in enumerate((5, 9, 4, 8), 1):
        made.loop(1, [right], [10])
        over += right
        made.says(f"test accuracy {over / (10 * step):.4f}")
    assert _hits(made, find_accumulated) == []


def test_the_mean_of_unequal_batches(made: LogMaker) -> None:
    for right in RIGHTS:
        made.loop(1, [right - 40, 40], [700, 100])
        made.says(f"val_acc {((right - 40) / 700 + 0.4) / 2:.4f}")
    (hit,) = _hits(made, find_unequal)
    assert "of which the last had 100 samples and the largest 700" in hit.observed
    assert "the last of them, 0.6729, is 702 of 800, which is 0.8775" in hit.observed
    assert hit.severity == "error"


def test_that_of_a_training_pass_is_a_note(made: LogMaker) -> None:
    for right in RIGHTS:
        made.loop(0, [right - 40, 40], [700, 100], trained=True)
        made.says(f"acc {((right - 40) / 700 + 0.4) / 2:.4f}")
    (hit,) = _hits(made, find_unequal)
    assert hit.severity == "note"


def test_a_mean_of_equal_batches_is_right(made: LogMaker) -> None:
    made.loop(1, [30, 20], [40, 40])
    made.says("val_acc 0.6250")
    assert _hits(made, find_unequal) == []
