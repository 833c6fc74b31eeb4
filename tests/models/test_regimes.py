import pytest
import torch
from torch import Tensor, nn

from heldout.errors import UsageError
from heldout.models.build import count_parameters, random_network
from heldout.models.network import Network
from heldout.models.regimes import REGIMES, learning_names, learning_parts, set_mode

NAMES = ["resnet18", "efficientnet-lite0"]
# The first parts of the names of all that learns; everything else must stay bit for bit.
LEARNS = {
    ("resnet18", "scratch"): ("",),
    ("resnet18", "full"): ("",),
    ("resnet18", "partial"): ("layer4.", "fc."),
    ("resnet18", "frozen"): ("fc.",),
    ("efficientnet-lite0", "scratch"): ("",),
    ("efficientnet-lite0", "full"): ("",),
    ("efficientnet-lite0", "partial"): ("blocks.6.", "conv_head.", "bn2.", "classifier."),
    ("efficientnet-lite0", "frozen"): ("classifier.",),
}

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def network(name: str) -> Network:
    return random_network(name, 3, generator=torch.Generator().manual_seed(0))


def two_steps(net: Network, regime: str) -> None:
    """Two steps of plain SGD on noise, without weight decay: what moves was moved by a gradient."""
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.SGD(learning_parts(net, regime).values(), lr=0.1)
    set_mode(net, regime, training=True)
    for _ in range(2):
        pixels = torch.randn(4, 3, 64, 64, generator=generator)
        loss = nn.functional.cross_entropy(net(pixels), torch.tensor([0, 1, 2, 0]))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def copied(net: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


@pytest.mark.parametrize(("name", "regime"), list(LEARNS))
def test_exactly_what_the_regime_says_moves_statistics_included(name: str, regime: str) -> None:
    net = network(name)
    before = copied(net)
    two_steps(net, regime)
    moved = {key for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
    learns = {key for key in before if key.startswith(LEARNS[name, regime])}
    # Statistics of batch normalisation are learnt from random weights alone.
    assert moved == (learns if regime == "scratch" else {key for key in learns if not key.endswith(STATISTICS)})


@pytest.mark.parametrize(("name", "regime"), list(LEARNS))
def test_in_evaluation_nothing_is_in_training_mode_and_nothing_moves(name: str, regime: str) -> None:
    net = network(name)
    set_mode(net, regime, training=True)
    set_mode(net, regime, training=False)
    assert not [key for key, module in net.named_modules() if module.training]
    before = copied(net)
    with torch.no_grad():
        net(torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)))
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize("regime", ["frozen", "partial"])
@pytest.mark.parametrize("name", NAMES)
def test_what_can_be_kept_from_the_trunk_is_the_same_after_the_steps(name: str, regime: str) -> None:
    net = network(name)
    pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    keep = net.trunk if regime == "partial" else net.features
    maps = []
    for _ in range(2):
        set_mode(net, regime, training=True)  # the cached map must hold while the others train
        with torch.no_grad():
            maps.append(keep(pixels))
        two_steps(net, regime)
    assert torch.equal(maps[0], maps[1])


@pytest.mark.parametrize(("name", "regime"), list(LEARNS))
def test_the_learning_parts_alone_take_gradients(name: str, regime: str) -> None:
    net = network(name)
    parts = learning_parts(net, regime)
    assert {key for key, value in net.named_parameters() if value.requires_grad} == set(parts)
    assert list(parts) == [key for key, _ in net.named_parameters() if key in parts]
    assert all(value is net.get_parameter(key) for key, value in parts.items())


def test_a_regime_can_follow_another() -> None:
    net = network("efficientnet-lite0")
    learning_parts(net, "frozen")
    assert len(learning_parts(net, "full")) == len(list(net.parameters()))
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_naming_and_counting_change_nothing() -> None:
    net = network("efficientnet-lite0")
    learning_names(net, "frozen")
    count_parameters(net, "frozen")
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_an_unknown_regime_gets_the_nearest_name() -> None:
    net = network("efficientnet-lite0")
    with pytest.raises(UsageError, match=r"regime is 'frosen'.*did you mean \"frozen\""):
        learning_parts(net, "frosen")
    with pytest.raises(UsageError, match="regime is 'linear'"):
        set_mode(net, "linear", training=True)


def test_partial_is_refused_where_the_network_cannot_be_divided() -> None:
    net = random_network("timm:test_resnet", 3, generator=torch.Generator().manual_seed(0))
    with pytest.raises(UsageError, match="cannot be divided"):
        learning_parts(net, "partial")
    for regime in REGIMES:
        if regime != "partial":
            assert learning_parts(net, regime)
