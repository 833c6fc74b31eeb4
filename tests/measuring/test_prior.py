from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from heldout.data.balance.balanced_batches import balanced_order
from heldout.measuring.predictions import log_softmax
from heldout.measuring.prior import from_focal, prior_of, prior_shift

GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)
logit_rows = arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(2, 5)), elements=st.floats(-50, 50, width=32))


@given(st.lists(st.integers(0, 10**8), min_size=2, max_size=10).filter(any))
def test_a_prior_is_above_0_everywhere_and_sums_to_1(counts: list[int]) -> None:
    prior = prior_of(np.array(counts))
    assert prior.min() > 0
    assert prior.sum() == pytest.approx(1)


@given(st.lists(st.integers(0, 10**8), min_size=2, max_size=10).filter(any))
def test_the_shift_of_an_absent_class_is_0_and_those_of_the_others_are_log_ratios(counts: list[int]) -> None:
    n = np.array(counts)
    shift = prior_shift(n)
    assert np.isfinite(shift).all()
    assert shift[n == 0] == pytest.approx(np.zeros(np.count_nonzero(n == 0)), abs=1e-9)
    present = n[n > 0]
    assert shift[n > 0] == pytest.approx(np.log(present / present.sum() * len(present)))


def test_a_prior_that_was_not_changed_shifts_nothing() -> None:
    counts = np.array([90, 10, 400])
    assert prior_shift(counts, prior_of(counts)) == pytest.approx(np.zeros(3))


def test_what_cannot_be_divided_by_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"effective prior of 0\.0"):
        prior_shift(np.array([1, 2]), np.array([1.0, 0.0]))
    with pytest.raises(AssertionError, match="no example to take the shares from"):
        prior_of(np.array([0, 0]))


def test_a_posterior_under_one_prior_becomes_that_under_another() -> None:
    generator = np.random.default_rng(0)
    likelihood = generator.random((50, 3))  # of each example, under each class
    counts, effective = np.array([700, 250, 50]), np.array([0.2, 0.3, 0.5])
    learned = np.log(likelihood * effective)
    true = likelihood * prior_of(counts)
    moved = np.exp(log_softmax(learned + prior_shift(counts, effective)))
    assert moved == pytest.approx(true / true.sum(axis=1, keepdims=True))


# Two Gaussians in the plane with a shared covariance: the logit of the posterior is linear, and known.
MEANS = np.array([[0.0, 0.0], [1.5, 1.0]])
COUNTS = np.array([190_000, 10_000])


def true_logit(points: np.ndarray) -> np.ndarray:
    """Log odds of class 1 at each point, under the true prior."""
    distance = [((points - mean) ** 2).sum(axis=1) for mean in MEANS]
    return np.asarray((distance[0] - distance[1]) / 2 + np.log(COUNTS[1] / COUNTS[0]))


def fitted(points: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A logistic regression at the optimum of the weighted log loss: points to two logits."""
    inputs = np.column_stack([points, np.ones(len(points))])
    slope = np.zeros(3)
    for _ in range(12):  # Newton's method has long stood still
        p = 1 / (1 + np.exp(-inputs @ slope))
        curvature = (inputs * (weights * p * (1 - p))[:, None]).T @ inputs
        slope += np.linalg.solve(curvature, inputs.T @ (weights * (labels - p)))

    def logits(points: np.ndarray) -> np.ndarray:
        return np.column_stack([np.zeros(len(points)), points @ slope[:2] + slope[2]])

    return logits


def test_weights_and_balanced_batches_moved_back_meet_the_known_posterior() -> None:
    generator = np.random.default_rng(3)
    labels = np.repeat([0, 1], COUNTS)
    points = MEANS[labels] + generator.normal(size=(len(labels), 2))
    class_weight = COUNTS.sum() / (2 * COUNTS)
    batches = np.concatenate(balanced_order(labels, np.arange(len(labels)), 1000, seed=0, epoch=1))
    ways = {
        "plain": (np.arange(len(labels)), np.ones(len(labels)), np.zeros(2)),
        "weights": (np.arange(len(labels)), class_weight[labels], prior_shift(COUNTS)),
        "balanced batches": (batches, np.ones(len(batches)), prior_shift(COUNTS)),
    }
    grid = np.stack(np.meshgrid(np.linspace(-1.5, 3, 10), np.linspace(-1.5, 2.5, 10)), axis=-1).reshape(-1, 2)
    truth = 1 / (1 + np.exp(-true_logit(grid)))
    for name, (rows, weights, shift) in ways.items():
        answer = fitted(points[rows], labels[rows], weights)(grid)
        moved = np.exp(log_softmax(answer + shift))[:, 1]
        assert np.abs(moved - truth).max() < 0.03, name
        if name != "plain":  # without the shift it is far off
            assert np.abs(np.exp(log_softmax(answer))[:, 1] - truth).max() > 0.4, name


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("posterior", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.5, 0.3), (0.98, 0.01, 0.01)])
def test_the_minimiser_of_the_focal_loss_becomes_the_posterior(posterior: tuple[float, ...], gamma: float) -> None:
    from scipy.optimize import minimize

    truth = np.array(posterior)

    def expected_loss(free: np.ndarray) -> float:
        log_share = log_softmax(np.append(free, 0.0)[None])[0]
        return float(-(truth * (1 - np.exp(log_share)) ** gamma * log_share).sum())

    found = minimize(
        expected_loss, np.zeros(len(truth) - 1), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-15}
    )
    learned = np.append(found.x, 0.0)[None]
    assert np.exp(log_softmax(from_focal(learned, gamma)))[0] == pytest.approx(truth, abs=1e-4)
    if max(posterior) > 0.6:  # what the net says itself is another thing
        assert np.abs(np.exp(log_softmax(learned))[0] - truth).max() > 0.02


@given(logits=logit_rows, gamma=st.sampled_from(GAMMAS))
def test_the_largest_logit_stays_the_largest(logits: np.ndarray, gamma: float) -> None:
    moved = from_focal(logits, gamma)
    assert np.isfinite(moved).all()
    assert np.array_equal(moved.argmax(axis=1), logits.argmax(axis=1))


@given(gap=st.floats(0, 1e-15), gamma=st.sampled_from(GAMMAS))
def test_rounding_between_nearly_equal_logits_changes_no_class(gap: float, gamma: float) -> None:
    logits = np.array([[0.3, 0.3 + gap, -1.0], [0.3 + gap, 0.3, 0.3]])
    assert np.array_equal(from_focal(logits, gamma).argmax(axis=1), logits.argmax(axis=1))


@given(logits=logit_rows)
def test_without_an_exponent_the_probabilities_stay(logits: np.ndarray) -> None:
    assert log_softmax(from_focal(logits, 0.0)) == pytest.approx(log_softmax(logits), abs=1e-9)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_near_certainty_the_gap_grows_by_gamma_and_nothing_is_lost(gamma: float) -> None:
    # v / phi(v) goes to 1 / ((1 + gamma) (1 - v)^gamma) as v goes to 1, and to v as v goes to 0.
    for gap in (40.0, 700.0, 1e4, 1e30):
        moved = from_focal(np.array([[gap, 0.0]]), gamma)
        assert moved[0, 0] - moved[0, 1] == pytest.approx((1 + gamma) * gap - np.log(1 + gamma))


def test_the_transform_is_the_papers_in_the_open() -> None:
    share = np.array([[0.7, 0.2, 0.1], [0.55, 0.44, 0.01]])
    gamma = 2.0
    phi = (1 - share) ** gamma - gamma * (1 - share) ** (gamma - 1) * share * np.log(share)
    wanted = share / phi / (share / phi).sum(axis=1, keepdims=True)
    assert np.exp(log_softmax(from_focal(np.log(share), gamma))) == pytest.approx(wanted)


def test_single_precision_is_taken_and_the_input_is_left_alone() -> None:
    logits = np.array([[1.0, 0.0]], np.float32)
    moved = from_focal(logits, 2.0)
    assert moved.dtype == np.float64
    assert logits.tolist() == [[1.0, 0.0]]
