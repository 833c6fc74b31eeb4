"""The other backbones, as an extra: `timm:NAME` opens any network that timm makes with a linear head."""

import contextlib
import importlib
import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heldout.errors import MissingExtra, UsageError, WeightsError, nearest
from heldout.models.backbones import TIMM, Backbone, HubWeights
from heldout.models.network import Network, draw_head

# Schemas live as long as the object that declared them.
_declared: list[torch.library.Library] = []


def import_torchvision() -> ModuleType:
    """The package torchvision, also where it does not import by itself.

    The wheel on the package registry is built for torch with CUDA. Beside a CPU torch its compiled part
    does not load, and its Python part then stops at "operator torchvision::nms does not exist": it adds
    to two operators that the compiled part should have declared. Declaring their schemas is enough, as
    long as nobody calls them (they suppress overlapping boxes; no classifier does).

    Raises:
        MissingExtra: torchvision, or a part of it, is not installed.
        RuntimeError: It does not import for another reason.
    """
    try:
        return importlib.import_module("torchvision")
    except ModuleNotFoundError as error:
        raise MissingExtra(f"torchvision cannot be imported: {error}", extra="timm") from error
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
    _declared.append(library)
    return importlib.import_module("torchvision")


def import_timm() -> ModuleType:
    """The package timm.

    Raises:
        MissingExtra: timm or torchvision is not installed.
    """
    import_torchvision()  # timm imports it
    try:
        return importlib.import_module("timm")
    except ModuleNotFoundError as error:
        raise MissingExtra(f"backbones called timm:NAME need timm: {error}", extra="timm") from error


def timm_backbone(name: str) -> Backbone:
    """The backbone `timm:NAME`, with the pixels that timm's configuration asks for.

    Args:
        name: Such as `timm:convnext_atto` or, with the tag of its weights, `timm:resnet18.a1_in1k`.

    Raises:
        UsageError: timm has no such network, or one that needs other pixels or another head than ours.
        MissingExtra: timm is not installed.
    """
    timm = import_timm()
    architecture, _, tag = name.removeprefix(TIMM).partition(".")
    if not timm.is_model(architecture):
        known = timm.list_models()
        raise UsageError(
            f"timm has no network called {architecture!r}{nearest(architecture, known)}",
            expected=f"one of its {len(known)} networks",
            fix='list them with python -c "import timm; print(timm.list_models())"',
        )
    tags = timm.list_pretrained(f"{architecture}.*")
    if tag and f"{architecture}.{tag}" not in tags:
        raise UsageError(
            f"timm has no weights {tag!r} for {architecture}{nearest(f'{architecture}.{tag}', tags)}",
            expected=f"one of {', '.join(tags) or 'none: it has no published weights'}",
            fix="choose one of them, or leave the tag away",
        )
    with torch.device("meta"):
        net = TimmNetwork(name, 2)
    return _described(name, net.n_features, timm.get_pretrained_cfg(name.removeprefix(TIMM)))


def _described(name: str, n_features: int, config: Any) -> Backbone:
    """The configuration of timm in our words, or an error where our pixel path cannot say it."""
    odd = [] if config is not None else ["no pixel configuration"]
    if config is not None:
        channels, height, width = config.input_size
        odd += [f"{channels} colour channels"] if channels != 3 else []
        odd += [f"pictures of {width}x{height}"] if height != width else []
        odd += [f"crop mode {config.crop_mode!r}"] if config.crop_mode != "center" else []
        wanted = config.interpolation
        odd += [f"interpolation {wanted!r}"] if wanted not in ("bilinear", "bicubic") else []
    if odd:
        raise UsageError(
            f"backbone {name!r} has {', '.join(odd)}, which heldout's pixel path does not offer",
            expected="3 colours, a central square, bilinear or bicubic",
            fix="choose another backbone",
        )
    return Backbone(
        name=name,
        n_features=n_features,
        resize=math.floor(height / config.crop_pct),
        crop=height,
        interpolation=config.interpolation,
        mean=tuple(config.mean),
        std=tuple(config.std),
        imagenet=HubWeights(
            # "hf" marks a file of another make; plain True is about timm's older addresses only.
            repository="" if config.custom_load == "hf" else config.hf_hub_id or "",
            file=config.hf_hub_filename or "model.safetensors",
        ),
    )


def timm_network(name: str, n_classes: int, *, generator: torch.Generator) -> "TimmNetwork":
    """A network of timm on the CPU with random weights drawn from `generator`.

    timm draws from torch's global generator. It is seeded here from `generator`, and put back as it was.
    """
    with _global_generator_from(generator):
        net = TimmNetwork(name, n_classes)
    draw_head(net.head, generator)
    return net


@final
class TimmNetwork(Network):
    """A network of timm in our words: all before the pooling is trunk, so `partial` does not exist."""

    key_prefix = "model."
    late_names = ()

    def __init__(self, name: str, n_classes: int) -> None:
        super().__init__()
        self.model: Any = import_timm().create_model(name.removeprefix(TIMM), num_classes=n_classes)
        head = self.model.get_classifier() if hasattr(self.model, "get_classifier") else None
        names = [key for key, module in self.named_modules() if module is head]
        if not isinstance(head, nn.Linear) or head.bias is None:
            raise UsageError(
                f"the head of {name!r} is a {type(head).__name__}, not one linear layer with biases",
                expected="a network of features and one linear layer",
                fix="choose another backbone",
            )
        self.head_name = names[0]
        self.n_features = head.in_features

    def trunk(self, x: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch ..."]:
        """All that timm counts as features before the pooling."""
        features: Tensor = self.model.forward_features(x)
        return features

    def rest(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch n_features"]:
        """The pooling of timm, and its layers between the pooling and the head."""
        pooled: Tensor = self.model.forward_head(x, pre_logits=True)
        return pooled


def as_timm_loads(name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file that timm published, under the names of the network that timm makes today.

    Raises:
        WeightsError: timm cannot load them either.
    """
    architecture = name.removeprefix(TIMM)
    try:
        with _global_generator_from(torch.Generator()):
            model = import_timm().create_model(
                architecture, pretrained=True, pretrained_cfg_overlay={"state_dict": dict(state)}
            )
    except (RuntimeError, KeyError, ValueError) as error:
        raise WeightsError(
            f"the published weights do not load into timm's {architecture}: {error}",
            expected="weights that this version of timm reads",
            fix="pip install --upgrade timm, or pass --weights FILE",
        ) from error
    return {f"{TimmNetwork.key_prefix}{key}": value for key, value in model.state_dict().items()}


@contextlib.contextmanager
def _global_generator_from(generator: torch.Generator) -> Iterator[None]:
    """Seeds torch's global CPU generator from `generator` for a while, then puts it back as it was."""
    before = torch.get_rng_state()
    seed = int(torch.randint(2**63 - 1, (), generator=generator))
    torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every GPU as well
    try:
        yield
    finally:
        torch.set_rng_state(before)
