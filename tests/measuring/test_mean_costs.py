"""What an answer costs on average."""

import numpy as np

from heldout.measuring.mean_costs import mean_cost
from heldout.measuring.predictions import Predictions

COSTS = np.array([[0.0, 1.0], [8.0, 0.0]])


def predictions_of(labels: np.ndarray, answers: np.ndarray) -> Predictions:
    logits = np.where(np.arange(2) == answers[:, None], 1.0, 0.0)
    return Predictions(tuple(map(str, range(len(labels)))), labels, logits, ("well", "sick"))


def test_the_interval_covers_the_true_cost() -> None:
    generator = np.random.default_rng(0)
    n_covered = 0
    for _ in range(300):
        labels = (generator.random(400) < 0.1).astype(np.int64)
        answers = np.where(generator.random(400) < 0.12, 1 - labels, labels)
        score = mean_cost(predictions_of(labels, answers), COSTS)
        n_covered += score.low <= 0.12 * (0.9 * 1 + 0.1 * 8) <= score.high
    assert 0.92 <= n_covered / 300 <= 0.99


def test_groups_widen_it() -> None:
    generator = np.random.default_rng(1)
    groups = np.repeat(np.arange(50), 10)
    labels = np.repeat(np.arange(50) % 2, 10)
    answers = np.where(generator.random(50)[groups] < 0.2, 1 - labels, labels)
    alone, together = (mean_cost(predictions_of(labels, answers), COSTS, groups=kin) for kin in (None, groups))
    assert together.value == alone.value
    assert together.high - together.low > 1.8 * (alone.high - alone.low)
