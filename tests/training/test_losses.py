import math

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from heldout.training.losses import StepSums, Tally, count_correct, cross_entropy


def test_the_loss_is_the_mean_negative_log_likelihood() -> None:
    logits = np.random.default_rng(0).normal(size=(7, 4))
    labels = np.array([0, 1, 2, 3, 0, 1, 2])
    wanted = -log_softmax(logits, axis=1)[np.arange(7), labels].mean()
    assert float(cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels))) == pytest.approx(wanted, rel=1e-6)


def test_smoothing_spreads_its_share_over_all_classes() -> None:
    logits = np.random.default_rng(1).normal(size=(5, 3))
    labels = np.array([2, 1, 0, 1, 2])
    targets = np.full((5, 3), 0.2 / 3)
    targets[np.arange(5), labels] += 0.8
    wanted = -(targets * log_softmax(logits, axis=1)).sum(axis=1).mean()
    found = cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels), label_smoothing=0.2)
    assert float(found) == pytest.approx(wanted, rel=1e-6)


def test_half_precision_logits_are_added_up_in_32_bits() -> None:
    logits = torch.tensor([[100.0, 0.0]], dtype=torch.float16)
    assert cross_entropy(logits, torch.tensor([1])).dtype == torch.float32


def test_a_tally_gives_the_mean_over_examples_and_not_over_batches() -> None:
    logits = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(10) % 3
    tally = Tally()
    for rows in (slice(0, 4), slice(4, 8), slice(8, 10)):
        sums = StepSums(
            cross_entropy(logits[rows], labels[rows]), count_correct(logits[rows], labels[rows]), len(labels[rows])
        )
        tally = tally.plus(sums)
    assert tally.loss == pytest.approx(float(cross_entropy(logits, labels)), rel=1e-6)
    assert tally.n == 10
    assert tally.accuracy == int(count_correct(logits, labels)) / 10


def test_an_empty_tally_has_no_means() -> None:
    assert math.isnan(Tally().loss)
    assert math.isnan(Tally().accuracy)
