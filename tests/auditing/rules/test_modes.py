"""H207 to H209: layers that behave as in training while a model is evaluated, or the reverse."""

import pytest

from auditing.make_logs import LogMaker
from auditing.rules.judged import found, plain
from heldout.auditing.seen.place import Place


def _trained(live: list[int]) -> LogMaker:
    """Epochs of two training calls each, in so many of which dropout was on, and an evaluation after each."""
    made = plain("train_loader", "val_loader")
    made.log.models[0].has_dropout = True
    for n_live in live:
        made.loop(0, [5, 5], [10, 10], trained=True).n_dropout_live = n_live
        made.loop(1, [5], [10])
    return made


def test_training_that_goes_on_in_evaluation_mode() -> None:
    made = _trained([2, 0, 0, 0])
    (finding,) = found(made, "H207")
    assert (finding.severity, finding.place.line) == ("error", 25)
    assert finding.observed == "model was trained in evaluation mode in 6 calls, after 1 of 4 passes in training mode."


@pytest.mark.parametrize("live", [[2, 2, 2, 2], [0, 0, 0, 0], [2, 2, 2, 0], [0, 2, 2], [2]])
def test_training_in_the_mode_it_began_in_is_silent(live: list[int]) -> None:
    assert found(_trained(live), "H207") == []


def test_a_model_without_dropout_and_normalisation_is_silent() -> None:
    made = _trained([2, 0, 0, 0])
    made.log.models[0].has_dropout = False
    assert found(made, "H207") == []


@pytest.mark.parametrize("name", ["val_loader", "others"])
def test_evaluation_in_training_mode(name: str) -> None:
    made = plain("train_loader", name)
    made.loop(0, [5], [10], trained=True)
    stretch = made.loop(1, [5, 5, 5], [10, 10, 10])
    stretch.training_mode, stretch.n_dropout_live, stretch.n_norm_live = True, 3, 3
    (finding,) = found(made, "H208")
    assert (finding.severity, finding.place.line) == ("error", 45)
    assert finding.observed == (
        f"3 of 3 evaluation calls of model on {name} ran in training mode: dropout was at work and "
        "batch normalisation used and learned batch statistics."
    )


def test_a_model_without_such_layers_is_silent_in_training_mode() -> None:
    made = plain("train_loader", "val_loader")
    made.loop(0, [5], [10], trained=True)
    made.loop(1, [5], [10]).training_mode = True
    assert found(made, "H208") == []


def test_a_generator_in_training_mode_without_labels_is_silent() -> None:
    made = plain("images")
    made.loop(0, [-1], [10], trained=True)
    noise = made.shows(None, [-1, -1], [10, 10], line=50)
    unlabelled = made.loop(0, [-1, -1], [10, 10])
    for stretch in (noise, unlabelled):
        stretch.training_mode, stretch.n_norm_live = True, 2
    assert found(made, "H208") == []


def test_a_second_look_at_what_is_learned_from_is_silent() -> None:
    made = plain("train_loader")
    made.loop(0, [5], [10], trained=True)
    stretch = made.loop(0, [5], [10])
    stretch.training_mode, stretch.n_dropout_live = True, 1
    assert found(made, "H208") == []


def test_dropout_layers_switched_on_in_an_evaluated_model_are_silent() -> None:
    made = plain("train_loader", "val_loader")
    made.loop(0, [5], [10], trained=True)
    made.loop(1, [5], [10]).n_dropout_live = 1
    assert found(made, "H208") == []


def _answered_in_training_mode(n_answers: int, n_passes: int) -> LogMaker:
    """An evaluation with dropout on: so many answers to each of two batches, in so many passes."""
    made = plain("train_loader", "val_loader")
    made.loop(0, [5], [10], trained=True)
    for _ in range(n_passes):
        stretch = made.loop(1, [5] * 2 * n_answers, [10] * 2 * n_answers)
        stretch.training_mode, stretch.n_dropout_live = True, 2 * n_answers
        made.log.passes[-1].fetched = 2
    return made


@pytest.mark.parametrize(("n_answers", "n_passes"), [(20, 1), (1, 5)])
def test_answers_repeated_with_dropout_on_are_a_note(n_answers: int, n_passes: int) -> None:
    made = _answered_in_training_mode(n_answers, n_passes)
    assert {each.severity for each in found(made, "H208")} == {"note"}
    made.log.stretches[-1].n_norm_live = 1  # the statistics of the batches are never meant
    assert "error" in {each.severity for each in found(made, "H208")}


@pytest.mark.parametrize(("n_answers", "n_passes"), [(1, 1), (1, 2)])
def test_answers_once_with_dropout_on_are_told(n_answers: int, n_passes: int) -> None:
    made = _answered_in_training_mode(n_answers, n_passes)
    assert {each.severity for each in found(made, "H208")} == {"error"}


def _dropping(n_evaluations: int, *, training_between: bool = False) -> LogMaker:
    made = plain("train_loader", "val_loader")
    made.loop(0, [5], [10], trained=True)
    for _ in range(n_evaluations):
        made.loop(1, [5], [10])
        if training_between:
            made.loop(0, [5], [10], trained=True)
    made.remarks("dropout while evaluating", n=7, line=18)
    made.log.remarks[-1].facts["p"] = 0.5
    return made


def test_dropout_that_ignores_evaluation() -> None:
    (finding,) = found(_dropping(1), "H209")
    assert (finding.severity, finding.place) == ("error", Place("train.py", 18))
    assert finding.observed.startswith("Dropout with p = 0.5 was at work in 7 calls while")


def test_dropout_repeated_over_the_same_samples_is_a_note() -> None:
    assert [each.severity for each in found(_dropping(3), "H209")] == ["note"]


def test_dropout_in_each_epoch_is_no_repetition() -> None:
    assert [each.severity for each in found(_dropping(4, training_between=True), "H209")] == ["error"]
