"""Multiply-adds: those of the papers, part by part, and the rule for a whole training."""

import pytest
import torch

from heldout.models.build import random_network
from heldout.models.multiply_adds import MultiplyAdds, count_multiply_adds, of_training

# Of 1,000 classes at 224 pixels. He et al. 2016, table 1, has 1.8, 3.6 and (with the stride elsewhere) 3.8 thousand
# millions; torchvision's documentation 1.81, 3.66 and 4.09; timm's table 0.39 for EfficientNet-Lite0.
PUBLISHED = {"resnet18": 1.814e9, "resnet34": 3.664e9, "resnet50": 4.089e9, "efficientnet-lite0": 0.385e9}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_networks_take_what_is_published(name: str) -> None:
    net = random_network(name, 1000, generator=torch.Generator())
    found = count_multiply_adds(net, 224)
    assert found.features + found.head == pytest.approx(PUBLISHED[name], rel=1e-3)
    assert found.head == net.n_features * 1000
    assert found.trunk > found.rest > 0
    assert not net.training


def test_half_the_side_takes_a_quarter() -> None:
    net = random_network("resnet18", 2, generator=torch.Generator())
    assert count_multiply_adds(net, 256).features == 4 * count_multiply_adds(net, 128).features


@pytest.mark.parametrize(
    ("regime", "n_epochs", "wanted"),
    [
        ("frozen", 0, 10 * 15),
        ("frozen", 2, 10 * 15 + 2 * (3 * 8 + 2) * 1),
        ("partial", 2, 10 * 15 + 2 * (3 * 8 + 2) * 6),
        ("full", 2, 10 * 15 + 2 * (3 * 8 + 2) * 16),
        ("scratch", 2, 2 * (3 * 8 + 2) * 16),
    ],
)
def test_a_training_takes_three_passes_of_what_learns(regime: str, n_epochs: int, wanted: int) -> None:
    once = MultiplyAdds(trunk=10, rest=5, head=1)
    assert of_training(regime, once, n_train=8, n_validation=2, n_epochs=n_epochs) == wanted
