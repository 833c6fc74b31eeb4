from pathlib import Path

import pytest
import torch

from heldout.models.backbones import BACKBONES
from heldout.models.build import build_network, count_parameters, random_network
from heldout.models.network import Network
from heldout.models.weights import find_weights, fingerprint

LITE0 = "efficientnet-lite0"


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def without_head(net: Network) -> str:
    return fingerprint({name: value for name, value in net.state_dict().items() if not name.startswith("classifier.")})


def test_without_weights_everything_is_drawn() -> None:
    built = build_network(BACKBONES["resnet18"], None, 4, generator=seeded(3))
    wanted = random_network("resnet18", 4, generator=seeded(3))
    assert fingerprint(built.state_dict()) == fingerprint(wanted.state_dict())


def test_imagenet_weights_go_everywhere_but_into_the_head(tmp_path: Path) -> None:
    file = find_weights("imagenet", BACKBONES[LITE0], cache=tmp_path)
    nets = [
        build_network(BACKBONES[LITE0], file, n_classes, generator=seeded(seed))
        for n_classes, seed in ((5, 0), (5, 1), (1000, 0))
    ]
    trunks = {without_head(net) for net in nets}
    assert len(trunks) == 1
    assert without_head(random_network(LITE0, 5, generator=seeded(0))) not in trunks
    assert not torch.equal(nets[0].head.weight, nets[1].head.weight)
    assert nets[2].head.weight.abs().max() <= 1280**-0.5  # drawn, not ImageNet's


def test_the_head_depends_on_the_seed_not_on_the_weights(tmp_path: Path) -> None:
    file = find_weights("imagenet", BACKBONES[LITE0], cache=tmp_path)
    heads = [build_network(BACKBONES[LITE0], each, 5, generator=seeded(0)).head.weight for each in (file, None)]
    assert torch.equal(heads[0], heads[1])


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        # With 1000 classes timm and torchvision publish 4.65, 5.42, 6.09, 11.69, 21.80 and 25.56 million.
        ("efficientnet-lite0", (4_652_008, 1_281_000)),
        ("efficientnet-lite1", (5_416_680, 1_281_000)),
        ("efficientnet-lite2", (6_092_072, 1_281_000)),
        ("resnet18", (11_689_512, 513_000)),
        ("resnet34", (21_797_672, 513_000)),
        ("resnet50", (25_557_032, 2_049_000)),
    ],
)
def test_the_networks_have_the_published_number_of_parameters(name: str, counts: tuple[int, int]) -> None:
    net = random_network(name, 1000, generator=seeded(0))
    assert count_parameters(net, "frozen") == counts
    assert count_parameters(net, "full") == (counts[0], counts[0])
    assert counts[1] < count_parameters(net, "partial").n_trained < counts[0]
