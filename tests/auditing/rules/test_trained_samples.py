"""H101 and H102: samples that a model was evaluated on, and had learned from."""

import pytest

from auditing.make_logs import FILE, LogMaker
from auditing.rules.judged import found, grave_codes, keeps, plain
from heldout.auditing.seen.data import Asking
from heldout.auditing.seen.place import Place


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


def test_training_accuracy_beside_a_held_out_one_with_a_copy_or_two_is_silent() -> None:
    made = _evaluated(range(999, 1045))
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


def _asked(
    made: LogMaker, *, n: int = 50, n_learned: int, names: tuple[str, ...] = (), line: int = 51, n_calls: int = 1
) -> Asking:
    """So many samples of each call with tensors made by hand had been learned from."""
    asking = Asking(0, Place(FILE, line), names, n_calls)
    asking.n_whole, asking.n_part = n_calls * (n_learned == n), n_calls * (0 < n_learned < n)
    asking.n_samples, asking.n_learned, asking.most_shared = n_calls * n, n_calls * n_learned, n_learned
    asking.n_distinct = asking.most_at_once = n
    made.log.askings.append(asking)
    return asking


@pytest.mark.parametrize(("is_kin", "n_told"), [(True, 0), (False, 1)])
def test_the_names_of_classes_beside_unseen_pictures_are_silent(is_kin: bool, n_told: int) -> None:
    made = plain("train_loader", "val_loader")
    pictures = made.model("image_encoder")
    made.steps().models = {0, pictures} if is_kin else {0}
    made.loop(0, [8], [10], trained=True, model=pictures)
    made.loop(1, [8], [10], model=pictures)
    keeps(made, 0, range(100), trained=True, model=pictures)
    keeps(made, 1, range(100, 200), trained=False, model=pictures)
    _asked(made, n=10, n_learned=10, names=("tokens",))
    made.says("val accuracy: 0.8000")
    assert len(found(made, "H101")) == n_told


@pytest.mark.parametrize(("n_learned", "code"), [(50, "H101"), (20, "H102")])
def test_tensors_made_by_hand(n_learned: int, code: str) -> None:
    made = plain()
    _asked(made, n_learned=n_learned, names=("x", "X_test"))
    (finding,) = found(made, code)
    assert (finding.severity, finding.place.line) == ("error", 51)
    assert "(X_test" in finding.observed
    assert grave_codes(made) == [code]


@pytest.mark.parametrize("others", [0, 30])
def test_tensors_whose_name_says_nothing_stand_for_a_printed_number(others: int) -> None:
    made = plain()
    made.says("test accuracy 0.91")
    _asked(made, n_learned=20, names=("X_te",))
    assert grave_codes(made) == ["H102"]
    _asked(made, n=30, n_learned=others, names=("X_new",), line=60)  # learned from itself, or what is meant by test
    assert ("H102" in grave_codes(made)) == (others > 0)


def test_all_samples_at_once_beside_unseen_ones_are_a_note() -> None:
    made = plain()
    made.says("test accuracy 0.91")
    _asked(made, n=150, n_learned=100, names=("X",))
    _asked(made, n_learned=0, names=("X_test",), line=60)
    assert [each.severity for each in found(made, "H102")] == ["note"]


def test_both_parts_in_turn_by_one_line_are_a_note() -> None:
    made = plain()
    asking = _asked(made, n_learned=2, names=("X_val",), n_calls=10)
    asking.n_whole, asking.n_part, asking.n_learned = 4, 1, 204
    assert [each.severity for each in found(made, "H102")] == ["note"]


def test_rows_made_by_hand_that_are_mostly_alike_tell_nothing() -> None:
    made = plain()
    _asked(made, n_learned=50, names=("X_test",)).n_distinct = 8
    assert found(made, "H101") == []


@pytest.mark.parametrize("n_at_a_time", [1, 8])
def test_an_agent_that_acts_and_then_learns_from_it_is_silent(n_at_a_time: int) -> None:
    made = plain()
    for _ in range(3):
        made.shows(None, [-1] * 4, [n_at_a_time] * 4, line=51)
        made.shows(None, [-1], [4 * n_at_a_time], trained=True, line=55)
    keeps(made, -1, range(12 * n_at_a_time), trained=False)
    keeps(made, -1, range(12 * n_at_a_time), trained=True)
    assert grave_codes(made) == []


@pytest.mark.parametrize(
    ("is_first", "name", "n_told"), [(True, "rollout", 0), (False, "rollout", 1), (True, "val", 1)]
)
def test_a_rollout_learned_from_in_batches_is_the_own_experience(is_first: bool, name: str, n_told: int) -> None:
    made = plain(name)
    if is_first:
        made.shows(None, [-1] * 4, [25] * 4, line=51)
    made.loop(0, [8] * 10, [10] * 10, trained=True)
    made.loop(0, [8] * 10, [10] * 10)
    if not is_first:
        made.shows(None, [-1] * 4, [25] * 4, line=51)
    keeps(made, -1, range(100), trained=False)
    for trained in (True, False):
        keeps(made, 0, range(100), trained=trained)
    assert len(found(made, "H101")) == n_told


def test_a_part_had_been_trained_on() -> None:
    made = _evaluated(range(900, 1400))
    (finding,) = found(made, "H102")
    assert (finding.severity, finding.place.line) == ("error", 45)
    assert finding.observed == "100 of the 500 samples evaluated here (val_loader), 20 %, had been trained on."
    assert found(made, "H101") == []


@pytest.mark.parametrize(
    ("name", "right", "severity"), [("unlabelled", -1, "note"), ("pool", 5, "error"), ("val", -1, "error")]
)
def test_samples_that_are_answered_to_label_them_are_a_note(name: str, right: int, severity: str) -> None:
    made = plain("train_loader", "test_loader", name)
    made.loop(0, [8], [10], trained=True)
    made.loop(1, [8], [10])
    made.loop(2, [right], [10])
    keeps(made, 0, range(500), trained=True)
    keeps(made, 1, range(1000, 1100), trained=False)
    keeps(made, 2, range(400, 900), trained=False)
    assert [each.severity for each in found(made, "H102")] == [severity]


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


def test_a_framework_has_its_loader_from_a_hook() -> None:
    made = _evaluated(range(816), name="others")
    number = made.data_set("more")
    made.loop(number, [8], [10]).n_outputs = 2
    keeps(made, number, range(1000, 1200), trained=False)
    assert found(made, "H101") == []  # beside others that it has not learned from, the gap may be meant
    for passed in made.log.passes:
        passed.made, passed.made_by = Place(FILE, 15), "train_dataloader" if passed.data_set == 0 else "val_dataloader"
    (finding,) = found(made, "H101")
    assert (finding.place.line, [each.line for each in finding.more]) == (15, [45])
