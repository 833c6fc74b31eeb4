"""The optimum over all rows, from a sample and passes: how near one pass comes, and what makes for more of them."""

from itertools import pairwise

import numpy as np
import pytest

from heldout.models.heads import fit_heads
from heldout.training.stream_optimum import Point, Sample, Slope, optimum, rounded, slope_of, wanted_distance


def problem(n: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    features = generator.normal(size=(n, 6)) @ generator.normal(size=(6, 6))
    logits = features @ generator.normal(size=(6, n_classes)) * 0.4
    return features, (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)


def distance(a: Point, b: Point, features: np.ndarray) -> float:
    """Root of the mean squared difference of log-odds against the mean class, weighed as a loss near the optimum is."""
    moved = features @ (a.weight - b.weight).T + a.bias - b.bias
    logits = features @ a.weight.T + a.bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return float(np.sqrt(np.mean((p * moved**2).sum(axis=1) - (p * moved).sum(axis=1) ** 2)))


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("is_far", [False, True])
def test_passes_lead_to_the_optimum_of_all_rows(n_classes: int, is_far: bool) -> None:
    n, m, l2 = 100_000, 4_000, 1e-3
    features, labels = problem(n, n_classes)
    scale = float(np.mean(np.var(features, axis=0)))
    head = next(fit_heads(features, labels, n_classes, l2_grid=[l2 / scale]))
    best = Point(head.weight.astype(float), head.bias.astype(float))
    sample = Sample(features[:m], labels[:m], np.full(m, 1 / m), l2)
    start = rounded(Point(np.zeros_like(best.weight), np.zeros(n_classes)))
    if not is_far:
        start, _ = sample.next_point(start, sample.slope(start))

    def slope_at(point: Point) -> Slope:
        return slope_of(features, labels, np.full(n, 1 / n), point)

    found, passes = optimum(start, sample, slope_at, n_rows=n)
    wanted = wanted_distance((n_classes - 1) * 7, n)
    assert distance(best, found, features) < 1.5 * wanted < distance(best, start, features)
    assert passes[-1].left <= wanted
    assert len(passes) >= 2 if is_far else len(passes) <= 3
    assert all(later.loss <= earlier.loss + 1e-6 for earlier, later in pairwise(passes))


def test_a_slope_is_the_one_of_small_differences() -> None:
    features, labels = problem(200, 3)
    generator = np.random.default_rng(0)
    weights = generator.random(200)
    labels[:20], weights[:20] = -1, 0.0
    point = Point(generator.normal(size=(3, 6)), generator.normal(size=3))
    slope = slope_of(features, labels, weights, point)
    step = 1e-6
    for index in np.ndindex(3, 6):
        moved = point.weight.copy()
        moved[index] += step
        there = slope_of(features, labels, weights, Point(moved, point.bias))
        assert (there.loss - slope.loss) / step == pytest.approx(slope.weight[index], abs=1e-3)
    for row in range(3):
        bias = point.bias.copy()
        bias[row] += step
        there = slope_of(features, labels, weights, Point(point.weight, bias))
        assert (there.loss - slope.loss) / step == pytest.approx(slope.bias[row], abs=1e-3)


def test_a_sample_that_misleads_is_stepped_back_from_and_the_best_point_is_given() -> None:
    features, labels = problem(20_000, 2)
    few = 30
    sample = Sample(features[:few], labels[:few], np.full(few, 1 / few), 1e-4)
    start = Point(np.zeros((2, 6)), np.zeros(2))
    start, _ = sample.next_point(start, sample.slope(start))

    def slope_at(point: Point) -> Slope:
        return slope_of(features, labels, np.full(len(labels), 1 / len(labels)), point)

    found, passes = optimum(start, sample, slope_at, n_rows=len(labels))
    losses = [one.loss for one in passes]
    assert any(later > earlier for earlier, later in pairwise(losses))
    assert slope_at(found).loss <= min(losses) + 1e-6
    assert min(losses) < 0.8 * losses[0]
    assert passes[-1].left > wanted_distance(7, len(labels))
