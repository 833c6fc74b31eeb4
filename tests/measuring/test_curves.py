import json
from statistics import NormalDist

import numpy as np
import pytest

from heldout.measuring.curves import curves_of
from heldout.measuring.intervals import wilson

NORMAL = NormalDist()


def two_kinds(generator: np.random.Generator, n: tuple[int, int], distance: float) -> tuple[np.ndarray, np.ndarray]:
    is_positive = np.repeat([True, False], n)
    return generator.normal(size=sum(n)) + distance * is_positive, is_positive


def test_bands_cover() -> None:
    generator, (m, n), distance = np.random.default_rng(1), (30, 300), 1.5
    held = np.zeros(2)
    rate, recall = 0.2, 0.5
    true_tpr = 1 - NORMAL.cdf(NORMAL.inv_cdf(1 - rate) - distance)
    named = n * (1 - NORMAL.cdf(NORMAL.inv_cdf(1 - recall) + distance))
    true_precision = m * recall / (m * recall + named)
    for _ in range(60):
        both = curves_of(*two_kinds(generator, (m, n), distance), generator=generator)
        assert both is not None
        at = np.flatnonzero(np.array(both[1].fpr) <= rate + 1e-9)[-1]
        held[1] += both[1].low[at] <= true_tpr <= both[1].high[at]
        at = np.searchsorted(np.array(both[0].recall), recall - 1e-9)
        held[0] += both[0].low[at] <= true_precision <= both[0].high[at]
    assert (held / 60 >= 0.85).all(), held


@pytest.mark.parametrize("groups", [None, np.arange(3000) // 3], ids=["alone", "in groups"])
def test_curves_are_exact_at_their_ends_and_thinned_between(groups: np.ndarray | None) -> None:
    values, is_positive = two_kinds(np.random.default_rng(2), (600, 2400), 1.0)
    both = curves_of(values, is_positive, generator=np.random.default_rng(0), groups=groups)
    assert both is not None
    precision_recall, roc = both
    assert (roc.fpr[0], roc.tpr[0], roc.low[0], roc.high[0]) == (0, 0, 0, 0)
    assert (roc.fpr[-1], roc.tpr[-1], roc.low[-1], roc.high[-1]) == (1, 1, 1, 1)
    assert (precision_recall.recall[-1], precision_recall.precision[-1]) == (1, 0.2)
    assert precision_recall.low[-1] == precision_recall.high[-1] == 0.2
    assert 150 < len(precision_recall.recall) <= 202
    assert 150 < len(roc.fpr) <= 202
    for x, y, low, high in (
        (precision_recall.recall, precision_recall.precision, precision_recall.low, precision_recall.high),
        (roc.fpr, roc.tpr, roc.low, roc.high),
    ):
        assert (np.diff(x) >= 0).all()
        assert (np.array(low) <= y).all()
        assert (np.array(high) >= y).all()
    read = json.loads(json.dumps([precision_recall.as_dict(), roc.as_dict()], allow_nan=False))
    assert list(read[0]) == ["recall", "precision", "low", "high"]
    assert list(read[1]) == ["fpr", "tpr", "low", "high"]


def test_copies_of_every_example_do_not_narrow_the_band_of_groups() -> None:
    values, is_positive = two_kinds(np.random.default_rng(3), (40, 160), 1.0)
    alone = curves_of(values, is_positive, generator=np.random.default_rng(0))
    copied = [np.repeat(each, 5) for each in (values, is_positive)]
    together = curves_of(*copied, generator=np.random.default_rng(0), groups=np.repeat(np.arange(200), 5))
    naive = curves_of(*copied, generator=np.random.default_rng(0))
    assert alone is not None
    assert together is not None
    assert naive is not None
    widths = [np.mean(np.array(roc.high) - roc.low) for _, roc in (alone, together, naive)]
    assert widths[1] == pytest.approx(widths[0], rel=0.15)
    assert widths[2] < 0.7 * widths[0]


def test_a_perfect_order_keeps_wilsons_width() -> None:
    both = curves_of(np.arange(40.0), np.arange(40) >= 30, generator=np.random.default_rng(0))
    assert both is not None
    assert both[0].recall[:-1] == pytest.approx(np.arange(1, 11) / 10)
    assert set(both[0].precision[:-1]) == {1.0}
    assert both[0].low[9] == pytest.approx(wilson(10, 10).low)


def test_where_one_kind_is_absent_or_in_one_group_alone() -> None:
    generator = np.random.default_rng(0)
    assert curves_of(np.arange(3.0), np.zeros(3, bool), generator=generator) is None
    assert curves_of(np.arange(3.0), np.ones(3, bool), generator=generator) is None
    is_positive = np.arange(40) < 20
    one = curves_of(np.arange(40.0), is_positive, generator=generator, groups=np.zeros(40, int))
    assert one is not None
    middle = len(one[1].fpr) // 2
    assert one[1].high[middle] - one[1].low[middle] > 0.4
    parted = curves_of(np.arange(40.0), is_positive, generator=generator, groups=np.arange(40) // 20)
    assert parted is not None
    assert parted[1].fpr == one[1].fpr
