"""H212 and H213: models that do not learn, and models with outputs for which there are no labels."""

import pytest

from auditing.make_logs import LogMaker
from auditing.rules.judged import found, plain


def _trained(rights: list[int], *, n_outputs: int = 2) -> LogMaker:
    """Epochs of 200 samples, half of class 0, of which so many were named rightly."""
    made = plain("train_loader")
    for right in rights:
        made.loop(0, [right - right // 2, right // 2], [100, 100], trained=True).n_outputs = n_outputs
    return made


def test_a_model_at_chance() -> None:
    (finding,) = found(_trained([90, 100, 104]), "H212")
    assert (finding.severity, finding.place.line) == ("warning", 25)
    assert finding.observed == (
        "After 3 passes model names 52.0 % of its own 200 training samples rightly; "
        "always the commonest label would name 50.0 %."
    )


@pytest.mark.parametrize("rights", [[100, 100, 150], [100, 100], [100, 100, 120]])
def test_a_model_that_learns_or_has_just_begun_is_silent(rights: list[int]) -> None:
    assert found(_trained(rights), "H212") == []


def test_labels_that_are_not_the_target_of_the_loss_are_silent() -> None:
    made = _trained([100, 100, 100])
    for stretch in made.log.stretches:
        stretch.n_label_losses = 0  # an autoencoder of labelled pictures
    assert found(made, "H212") == []


def test_few_samples_and_no_labels_are_silent() -> None:
    few, unlabelled = plain("train_loader"), plain("train_loader")
    for _ in range(3):
        few.loop(0, [40], [80], trained=True)
        unlabelled.loop(0, [-1, -1], [100, 100], trained=True)
    assert found(few, "H212") == found(unlabelled, "H212") == []


def test_a_head_for_another_task() -> None:
    (finding,) = found(_trained([150], n_outputs=10), "H213")
    assert (finding.severity, finding.place.line) == ("warning", 25)
    assert finding.observed == "model has 10 outputs; the 200 labels it learned from are all between 0 and 1."


@pytest.mark.parametrize("n_outputs", [0, 1, 2, 1000])
def test_a_head_that_fits_or_of_which_too_little_was_seen_is_silent(n_outputs: int) -> None:
    assert found(_trained([150], n_outputs=n_outputs), "H213") == []


def test_a_label_that_is_left_out_on_purpose_is_silent() -> None:
    made = _trained([150], n_outputs=10)
    made.log.stretches[0].labels[-100] = 5
    assert found(made, "H213") == []


def test_features_and_pictures_are_no_head() -> None:
    made = _trained([150], n_outputs=10)
    made.log.stretches[0].n_label_losses = 0  # the loss was taken against something else
    assert found(made, "H213") == []
