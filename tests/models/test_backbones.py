import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from heldout.errors import UsageError
from heldout.models.backbones import BACKBONES, DEFAULT, find_backbone

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
