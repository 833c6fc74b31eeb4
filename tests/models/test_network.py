import random

import numpy as np
import pytest
import torch
from torch import nn

from heldout.models.build import random_network
from heldout.models.network import Network, draw_weights, drawn
from heldout.models.weights import fingerprint

NAMES = ["resnet18", "efficientnet-lite0", "timm:test_resnet"]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_alone_decides_the_weights(name: str) -> None:
    hashes = [fingerprint(random_network(name, 5, generator=seeded(seed)).state_dict()) for seed in (1, 1, 2)]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize("name", NAMES)
def test_building_leaves_every_global_generator_as_it_was(name: str) -> None:
    random_network(name, 5, generator=seeded(0))  # imports are done now
    before = (torch.get_rng_state(), random.getstate(), np.random.get_state(legacy=False))  # noqa: NPY002
    random_network(name, 5, generator=seeded(0))
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()
    assert repr(before[2]) == repr(np.random.get_state(legacy=False))  # noqa: NPY002


@pytest.mark.parametrize("name", NAMES)
def test_the_global_generator_does_not_decide_the_weights(name: str) -> None:
    hashes = []
    for seed in (3, 4):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            hashes.append(fingerprint(random_network(name, 5, generator=seeded(0)).state_dict()))
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("name", NAMES)
def test_features_are_the_rest_of_the_trunk_and_scores_the_head_of_the_features(name: str) -> None:
    net = random_network(name, 5, generator=seeded(0)).eval()
    pixels = torch.randn(2, 3, 64, 64, generator=seeded(1))
    with torch.no_grad():
        features = net.rest(net.trunk(pixels))
        assert features.shape == (2, net.n_features)
        assert torch.equal(net.features(pixels), features)
        assert torch.equal(net(pixels), net.head(features))
    assert net.head.out_features == 5


class Biased(Network):
    """Convolutions with a bias, which none of the backbones has."""

    n_features = 4
    head_name = "fc"
    late_names = ()

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4, 2)

    def trunk(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def rest(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError


def test_no_memory_is_left_as_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    torch.use_deterministic_algorithms(True)
    try:
        net = drawn(Biased, seeded(0))
    finally:
        torch.use_deterministic_algorithms(False)
    for name, tensor in net.state_dict().items():
        assert tensor.isfinite().all(), name


@pytest.mark.parametrize("name", NAMES[:2])
def test_random_weights_have_the_spread_that_he_et_al_derive(name: str) -> None:
    net = random_network(name, 5, generator=seeded(0))
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 10_000:
            height, width = module.kernel_size
            wanted = (2 / (height * width * module.out_channels / module.groups)) ** 0.5
            # 10,000 draws: the spread's standard error is 0.7 %, and there are some 50 layers.
            assert module.weight.std().item() == pytest.approx(wanted, rel=0.03)
        if isinstance(module, nn.BatchNorm2d):
            assert bool((module.weight == 1).all())
            assert bool((module.bias == 0).all())
            assert module.running_var is not None
            assert module.running_mean is not None
            assert bool((module.running_var == 1).all())
            assert not bool(module.running_mean.any())
    bound = net.n_features**-0.5
    assert 0.9 * bound < net.head.weight.abs().max().item() <= bound
    assert net.head.bias.abs().max().item() <= bound


def test_a_layer_that_no_rule_draws_is_a_fault_of_ours_not_a_layer_of_noise() -> None:
    with pytest.raises(AssertionError, match=r"no rule to draw.*PReLU"):
        draw_weights(nn.Sequential(nn.PReLU()), seeded(0))
