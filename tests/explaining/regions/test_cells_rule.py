"""The rule of a run as numbers added to its logits, against the rule itself."""

import numpy as np
import pytest

from explaining.cell_runs import classifier, layers
from heldout.explaining.regions.cells_rule import rule_of
from heldout.measuring.decisions import Decision, at_threshold, balanced, least_cost, likeliest
from heldout.measuring.predictions import log_softmax
from heldout.measuring.prior import from_focal

DECISIONS = [
    None,
    likeliest(2),
    at_threshold(0.2, 1),
    at_threshold(0.2, 0),
    at_threshold(0.999, 1),
    at_threshold(0.0, 1),
    at_threshold(1.0, 1),
    balanced(np.array([0.9, 0.1])),
    least_cost(np.array([[0.0, 1.0], [7.0, 2.0]])),
    least_cost(np.array([[0.0, 0.0], [3.0, 0.0]])),
]
MANY = [
    (balanced(np.array([0.7, 0.2, 0.1])), 0.0),
    (balanced(np.array([1, 1, 1]) / 3), 2.0),
    (likeliest(3), 2.0),
    (least_cost(np.array([[1.0, 3.0, 3.0], [5.0, 0.0, 5.0], [1.0, 1.0, 0.0]])), 0.0),
    (least_cost(np.array([[0.0, 3.0, 3.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]])), 0.0),
]


def agree(n_classes: int, decision: Decision | None, *, temperature: float, gamma: float) -> bool:
    """Whether the largest of logits and shift is the answer of the run, but where it is about to change."""
    model = classifier(layers(n_classes), decision=decision, temperature=temperature, gamma=gamma)
    rule = rule_of(model)
    assert rule.is_exact
    features = np.random.default_rng(0).normal(size=(500, 2)) * 2
    told = log_softmax(model.logits(features), temperature)
    wanted = (decision or likeliest(n_classes)).decide(told)
    scores = model.scorer.logits(features) + rule.shift
    ordered = np.sort(scores, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 1e-7
    assert clear.mean() > 0.99
    return bool((scores.argmax(axis=1) == wanted)[clear].all())


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize(("temperature", "gamma"), [(1.0, 0.0), (2.5, 0.0), (0.7, 2.0)])
def test_the_shift_of_two_classes_answers_as_the_run(
    decision: Decision | None, temperature: float, gamma: float
) -> None:
    assert agree(2, decision, temperature=temperature, gamma=gamma)


@pytest.mark.parametrize(("decision", "gamma"), MANY)
def test_the_shift_of_more_classes_answers_as_the_run(decision: Decision, gamma: float) -> None:
    assert agree(3, decision, temperature=1.7, gamma=gamma)


def test_a_threshold_is_a_lead_in_the_logits() -> None:
    rule = rule_of(classifier(layers(2), decision=at_threshold(0.2, 1), temperature=2.0))
    assert rule.shift.tolist() == pytest.approx([0, 2 * np.log(4)])
    assert rule.words == "bee where its probability is at least 0.2, else ant"


@pytest.mark.parametrize(
    ("decision", "gamma"),
    [
        (least_cost(np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])), 0.0),
        (balanced(np.array([0.7, 0.2, 0.1])), 2.0),
    ],
)
def test_what_bends_the_boundary_is_said_to(decision: Decision, gamma: float) -> None:
    rule = rule_of(classifier(layers(3), decision=decision, gamma=gamma))
    assert not rule.is_exact
    assert not rule.shift.any()


def test_what_undoes_the_focal_loss_is_undone() -> None:
    decision = at_threshold(0.9, 0)
    model = classifier(layers(2), decision=decision, gamma=2.0)
    lead = -rule_of(model).shift[0]
    moved = from_focal(np.array([[lead, 0.0]]), 2.0)[0]
    assert moved[0] - moved[1] == pytest.approx(np.log(9), rel=1e-12)
