import pytest
import torch
from torch import Tensor, nn

from heldout.models.build import random_network
from heldout.models.folding import folded
from heldout.models.network import Network, drawn
from training.small import random_statistics


def noise(side: int, seed: int = 0) -> Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", ["efficientnet-lite0", "resnet18", "resnet50"])
def test_a_folded_network_is_the_same_function(name: str) -> None:
    net = random_network(name, 4, generator=torch.Generator().manual_seed(0))
    random_statistics(net)
    net.eval()
    with torch.no_grad():
        wanted = [(output(noise(64, 7)), output) for output in (net.features, net.trunk)]
        names = [output.__name__ for _, output in wanted]
        got = [getattr(folded(net, noise(64)), name)(noise(64, 7)) for name in names]
    for one, (other, _) in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * float(other.abs().max()))
    assert not [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert not net.training


class Shared(Network):
    """A convolution whose output is used twice, so that its normalisation cannot be folded."""

    head_name = "fc"
    late_names = ()
    n_features = 4

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 2)

    def trunk(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        out: Tensor = x + self.norm(x).relu()
        return out

    def rest(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))


class WithActivation(nn.BatchNorm2d):
    """As in timm: a normalisation that goes on."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu()


class Active(Shared):
    def __init__(self) -> None:
        super().__init__()
        self.norm = WithActivation(4)

    def trunk(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.conv(x))
        return out


@pytest.mark.parametrize("kind", [Shared, Active])
def test_what_cannot_be_folded_stays_the_same_function(kind: type[Shared]) -> None:
    net = drawn(kind, torch.Generator().manual_seed(0))
    random_statistics(net)
    net.eval()
    with torch.no_grad():
        wanted = net.features(noise(16, 7))
        got = folded(net, noise(16)).features(noise(16, 7))
    torch.testing.assert_close(got, wanted)
