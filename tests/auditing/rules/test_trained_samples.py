"""H101 and H102: samples that a model was evaluated on, and had learned from."""

import pytest

from auditing.make_logs import LogMaker
from auditing.rules.judged import found, grave_codes, keeps, plain


def _evaluated(items: range | list[int], *, name: str = "val_loader") -> LogMaker:
    """A model that learned from samples 0 to 999, and was evaluated on these."""
    made = plain("train_loader", name)
    for number, trained in ((0, True), (1, False)):
        made.loop(number, [8], [10], trained=trained).n_outputs = 2
    keeps(made, 0, range(1000), trained=True)
    keeps(made, 1, items, trained=False)
    return made


@pytest.mark.parametrize("name", ["val_loader", "others"])
def test_all_samples_had_been_trained_on(name: str) -> None:
    made = _evaluated(range(816), name=name)
    (finding,) = found(made, "H101")
    assert (finding.severity, finding.place.line) == ("error", 45)
    assert finding.observed == f"100 % of the 816 samples evaluated here ({name}) had been trained on."
    assert found(made, "H102") == []


def test_other_samples_are_silent() -> None:
    assert grave_codes(_evaluated(range(1000, 1500))) == []


def test_the_same_evaluation_in_every_epoch_is_told_once() -> None:
    made = _evaluated(range(816))
    for _ in range(3):
        made.loop(1, [8], [10])
    assert len(found(made, "H101")) == 1


def test_training_accuracy_beside_a_held_out_one_is_silent() -> None:
    made = _evaluated(range(1000, 1500))
    made.loop(0, [9], [10]).n_outputs = 2
    keeps(made, 0, range(1000), trained=False)
    assert grave_codes(made) == []


def test_training_samples_that_are_called_test_are_told_all_the_same() -> None:
    made = _evaluated(range(1000, 1500))
    number = made.data_set("test_loader")
    made.loop(number, [9], [10])
    keeps(made, number, range(500), trained=False)
    (finding,) = found(made, "H101")
    assert "(test_loader)" in finding.observed


def test_another_model_had_learned_from_them() -> None:
    made = plain("train_loader", "val_loader")
    second = made.model("student")
    made.loop(0, [8], [10], trained=True)
    made.loop(1, [8], [10], trained=True, model=second)
    made.loop(1, [8], [10])
    keeps(made, 0, range(100), trained=True)
    keeps(made, 1, range(200, 300), trained=True, model=second)
    keeps(made, 1, range(200, 300), trained=False)
    assert found(made, "H101") == found(made, "H102") == []


def test_tensors_made_by_hand() -> None:
    made = plain("train_loader")
    made.loop(0, [8], [10], trained=True)
    made.shows(None, [40], [50], line=51)
    keeps(made, 0, range(100), trained=True)
    keeps(made, -1, range(50), trained=False)
    (finding,) = found(made, "H101")
    assert finding.place.line == 51
    assert "(the tensors of line 51)" in finding.observed


@pytest.mark.parametrize("n_at_a_time", [1, 8])
def test_an_agent_that_acts_and_then_learns_from_it_is_silent(n_at_a_time: int) -> None:
    made = plain()
    for _ in range(3):
        made.shows(None, [-1] * 4, [n_at_a_time] * 4, line=51)
        made.shows(None, [-1], [4 * n_at_a_time], trained=True, line=55)
    keeps(made, -1, range(12 * n_at_a_time), trained=False)
    keeps(made, -1, range(12 * n_at_a_time), trained=True)
    assert grave_codes(made) == []


def test_both_parts_as_tensors_made_by_hand_are_a_note() -> None:
    made = plain()
    made.shows(None, [-1], [400], trained=True, line=51)
    made.shows(None, [-1], [400], line=55)
    made.shows(None, [-1], [100], line=56)
    keeps(made, -1, range(400), trained=True)
    keeps(made, -1, range(500), trained=False)
    assert {each.severity for each in found(made, "H102")} == {"note"}
    assert grave_codes(made) == []


def test_a_part_had_been_trained_on() -> None:
    made = _evaluated(range(900, 1400))
    (finding,) = found(made, "H102")
    assert (finding.severity, finding.place.line) == ("error", 45)
    assert finding.observed == "100 of the 500 samples evaluated here (val_loader), 20 %, had been trained on."
    assert found(made, "H101") == []


def test_a_few_equal_samples_are_a_note() -> None:
    made = _evaluated(range(998, 1498))
    (finding,) = found(made, "H102")
    assert finding.severity == "note"
    assert finding.observed.startswith("2 of the 500 samples evaluated here (val_loader), 0.4 %")


def test_rows_that_are_mostly_alike_tell_nothing() -> None:
    for items in ([1, 2, 3, 4] * 100, [1, 2, 3, 2000] * 100):
        made = _evaluated(items)
        assert found(made, "H101") == found(made, "H102") == []


def test_a_part_of_a_data_set_is_looked_up_in_the_whole() -> None:
    made = plain("data")
    part = made.data_set("val_part", root=0)
    made.loop(0, [8], [10], trained=True)
    made.loop(part, [8], [10])
    keeps(made, 0, range(100), trained=True)
    keeps(made, 0, range(50), trained=False)
    (finding,) = found(made, "H101")
    assert "(val_part)" in finding.observed
