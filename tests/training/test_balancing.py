"""What helps rare classes in training, and that answers are those of the true prior all the same."""

import math

import numpy as np
import pytest
import torch

from heldout.training.balancing import EVEN, balance_of
from heldout.training.losses import cross_entropy

CPU = torch.device("cpu")
LABELS = np.array([0] * 6 + [1] * 3 + [2])


def test_without_a_remedy_the_loss_is_cross_entropy_bit_for_bit() -> None:
    logits, labels = torch.randn(8, 3, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 3
    assert torch.equal(
        EVEN.loss(logits, labels, label_smoothing=0.1), cross_entropy(logits, labels, label_smoothing=0.1)
    )
    assert EVEN.answers(logits) is logits


def test_weights_count_every_class_the_same_over_all_examples() -> None:
    balance = balance_of("weights", LABELS, 3, gamma=2.0, device=CPU)
    assert balance.weights is not None
    sums = [float(balance.weights[label]) * np.bincount(LABELS)[label] for label in range(3)]
    assert sums == pytest.approx([10 / 3] * 3)
    logits, labels = torch.zeros(1, 3), torch.tensor([2])
    assert float(balance.loss(logits, labels)) == pytest.approx(10 / 3 * math.log(3))


def test_pieces_of_a_batch_add_up_to_its_loss() -> None:
    logits, labels = torch.randn(10, 3, generator=torch.Generator().manual_seed(1)), torch.from_numpy(LABELS)
    for imbalance in ("weights", "focal"):
        balance = balance_of(imbalance, LABELS, 3, gamma=2.0, device=CPU)
        pieces = [balance.loss(logits[:4], labels[:4]) * 0.4, balance.loss(logits[4:], labels[4:]) * 0.6]
        assert float(sum(pieces)) == pytest.approx(float(balance.loss(logits, labels)))


def test_focal_loss_is_that_of_its_paper_and_has_a_slope_at_certainty() -> None:
    balance = balance_of("focal", LABELS, 3, gamma=2.0, device=CPU)
    logits = torch.tensor([[0.0, 1.0, -1.0], [60.0, 0.0, 0.0]], requires_grad=True)
    p = torch.softmax(logits.detach(), dim=1)[0, 1]
    loss = balance.loss(logits, torch.tensor([1, 0]))
    assert float(loss.detach()) == pytest.approx(float(-((1 - p) ** 2) * torch.log(p)) / 2)
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("imbalance", ["weights", "balanced-batch"])
def test_answers_are_moved_by_the_prior(imbalance: str) -> None:
    balance = balance_of(imbalance, LABELS, 3, gamma=2.0, device=CPU)
    moved = torch.softmax(balance.answers(torch.zeros(1, 3)), dim=1)
    assert moved[0].tolist() == pytest.approx([0.6, 0.3, 0.1])


def test_answers_after_the_focal_loss_keep_their_order_and_become_surer() -> None:
    balance = balance_of("focal", LABELS, 3, gamma=2.0, device=CPU)
    logits = torch.tensor([[1.0, 0.5, -1.0]])
    before, after = (torch.softmax(each, dim=1)[0] for each in (logits, balance.answers(logits)))
    assert after.argsort().tolist() == before.argsort().tolist()
    assert float(after.max()) > float(before.max())
