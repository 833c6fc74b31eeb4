import subprocess
import sys
from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from heldout.errors import UsageError
from heldout.models.backbones import BACKBONES, DEFAULT, find_backbone, network_of
from heldout.models.build import random_network
from heldout.models.weights import fingerprint

WITHOUT_TORCH = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "timm", "torchvision"):
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Blocked())
from pathlib import Path
from heldout.errors import UsageError, WeightsError
from heldout.models import backbones, fetching, regimes, state_files, weights

backbone = backbones.find_backbone(backbones.DEFAULT)
file = weights.find_weights("imagenet", backbone, cache=Path("absent"))
assert file.sha256 == backbone.imagenet.sha256
for wrong, error in (("resnet19", UsageError), ("resnet18", WeightsError)):
    try:
        weights.find_weights("imagenet", backbones.find_backbone(wrong), cache=Path("absent"))
    except error:
        continue
    raise SystemExit(f"{wrong} was accepted")
assert "torch" not in sys.modules
print("fine")
"""


def test_names_pixels_and_weights_are_found_without_torch() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


def test_the_six_backbones_have_the_published_pixel_numbers() -> None:
    numbers = {
        name: (b.n_features, b.resize, b.crop, b.interpolation, b.mean[0], b.std[0]) for name, b in BACKBONES.items()
    }
    assert numbers == {
        "efficientnet-lite0": (1280, 256, 224, "bicubic", 0.5, 0.5),
        "efficientnet-lite1": (1280, 272, 240, "bicubic", 0.5, 0.5),
        "efficientnet-lite2": (1280, 292, 260, "bicubic", 0.5, 0.5),
        "resnet18": (512, 256, 224, "bilinear", 0.485, 0.229),
        "resnet34": (512, 256, 224, "bilinear", 0.485, 0.229),
        "resnet50": (2048, 232, 224, "bilinear", 0.485, 0.229),
    }


def test_the_default_is_a_known_backbone() -> None:
    assert find_backbone(DEFAULT).name == DEFAULT


@pytest.mark.parametrize(
    ("wrong", "suggested"),
    [
        ("efficientnet_lite0", "efficientnet-lite0"),
        ("resnet-34", "resnet34"),
        ("ResNet50", "resnet50"),
    ],
)
def test_a_misspelt_backbone_gets_the_nearest_name(wrong: str, suggested: str) -> None:
    with pytest.raises(UsageError, match=f'{wrong}.*did you mean "{suggested}"'):
        find_backbone(wrong)


def test_an_unknown_backbone_gets_the_whole_list_and_how_to_open_timm() -> None:
    with pytest.raises(UsageError, match="resnet50, or timm:NAME"):
        find_backbone("")


def test_a_backbone_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError, match="crop"):
        BACKBONES[DEFAULT].crop = 8  # type: ignore[misc]


def test_a_side_after_the_name_changes_the_pixels_and_nothing_else() -> None:
    own, small = find_backbone("resnet18"), find_backbone("resnet18@64")
    assert (small.name, small.resize, small.crop) == ("resnet18@64", 73, 64)
    assert replace(small, name=own.name, resize=own.resize, crop=own.crop) == own
    assert network_of("resnet18@64") == "resnet18"


@pytest.mark.parametrize("side", ["", "0", "31", "1025", "64.0", "-64", "6 4", "²", "9" * 5000])
def test_a_side_that_cannot_be_meant_is_refused(side: str) -> None:
    with pytest.raises(UsageError, match="backbone is 'resnet18@"):
        find_backbone(f"resnet18@{side}")


def test_a_network_for_smaller_squares_is_the_same_network() -> None:
    nets = [random_network(name, 3, generator=torch.Generator().manual_seed(0)) for name in ("resnet18", "resnet18@64")]
    assert fingerprint(nets[0].state_dict()) == fingerprint(nets[1].state_dict())
