"""What the user calls a model -> a module that can be counted, and the input that it expects.

    conv 1->96 kernel 8 stride 4     a layer in words
    resnet18, efficientnet-lite0@64  a backbone with its head
    timm:convnext_atto               a network of timm (extra)
    FILE.py:NAME, package.file:NAME  a module, or a class or function that makes one without arguments
    runs/photos-001                  the network of a run, with what its regime freezes

No weights are read or drawn where heldout makes the network itself: a count does not depend on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heldout.errors import RunFolderError, UsageError, nearest, one_of
from heldout.models.backbones import BACKBONES, TIMM, Backbone, find_backbone, network_of

if TYPE_CHECKING:
    from torch import nn

    from heldout.models.network import Network

IMAGENET_CLASSES = 1000
# A head for more is no mistake to guard against, but one for 10^12 would overflow what torch can address.
MOST_CLASSES = 10_000_000
KINDS = 'a layer in words ("conv 3->64 kernel 3"), a backbone (resnet50), timm:NAME, FILE.py:NAME, or a run folder'


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model that was called by a name.

    Attributes:
        name: As a title shows it.
        module: To be counted; its weights may hold no memory.
        input_shape: Its own, without the batch axis; None where only the user can know.
        notes: What was chosen for the user.
    """

    name: str
    module: "nn.Module"
    input_shape: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()


def named_model(text: str, *, n_classes: int | None = None, input_shape: Sequence[int] | None = None) -> NamedModel:
    """The model that a text means.

    Args:
        text: As the user wrote it.
        n_classes: Outputs of the head of a backbone; None takes ImageNet's 1,000.
        input_shape: Of one example, where it is known: a layer in words may leave to it how many axes it has.

    Raises:
        UsageError: It means none, its file fails, or it has no head to choose.
        RunFolderError: The folder is no finished run.
        MissingExtra: `timm:NAME` without timm installed.
    """
    words = text.strip()
    if is_backbone(words):
        return _backbone(words, _checked_classes(n_classes))
    if n_classes is not None:
        raise UsageError(
            f"{n_classes} classes were asked for, but {words!r} is no backbone",
            expected="a number of classes for a backbone alone; other models have the outputs that they have",
            fix="leave the classes out",
        )
    path = Path(words)
    if ":" in words and not words.startswith(TIMM):
        from heldout.explaining.models_of_users import users_model

        return NamedModel(words, users_model(words))
    if words and (path.exists() or _looks_like_a_path(words)):
        return _from_path(path)
    return _layer(words, input_shape)


def is_backbone(words: str) -> bool:
    """Whether the text names a backbone, of heldout or of timm."""
    return words.startswith(TIMM) or network_of(words) in BACKBONES


def _checked_classes(n_classes: int | None) -> int | None:
    if n_classes is not None and not 1 <= n_classes <= MOST_CLASSES:
        raise UsageError(
            f"classes is {n_classes}", expected=f"1 to {MOST_CLASSES:,}", fix="give the number of outputs of the head"
        )
    return n_classes


def _backbone(name: str, n_classes: int | None) -> NamedModel:
    chosen = IMAGENET_CLASSES if n_classes is None else n_classes
    notes = () if n_classes else (f"The head has {chosen:,} outputs, one a class of ImageNet; choose with --classes.",)
    if name.startswith(TIMM):
        return _of_timm(name, chosen, notes)
    backbone = find_backbone(name)
    return NamedModel(name, empty_network(backbone, chosen), (3, backbone.crop, backbone.crop), notes)


def empty_network(backbone: Backbone, n_classes: int) -> "Network":
    """One of heldout's own networks without memory for its weights."""
    import torch

    from heldout.models.efficientnet_lite import LITES, EfficientNetLite
    from heldout.models.resnet import RESNETS, ResNet

    network = network_of(backbone.name)
    with torch.device("meta"):
        if network in RESNETS:
            return ResNet(RESNETS[network], n_classes)
        return EfficientNetLite(LITES[network], n_classes)


def _of_timm(name: str, n_classes: int, notes: tuple[str, ...]) -> NamedModel:
    """A network of timm; any that it makes, also those whose pixels or head heldout cannot train with."""
    from heldout.models.timm_bridge import import_timm

    timm = import_timm()
    architecture, _, _ = name.removeprefix(TIMM).partition(".")
    if not timm.is_model(architecture):
        known = timm.list_models()
        raise UsageError(
            f"timm has no network called {architecture!r}{nearest(architecture, known)}",
            expected=f"one of its {len(known)} networks",
            fix='list them with python -c "import timm; print(timm.list_models())"',
        )
    module = _timm_module(timm, architecture, n_classes)
    shape = (getattr(module, "pretrained_cfg", None) or {}).get("input_size")
    return NamedModel(name, module, tuple(shape) if shape else None, notes)


def _timm_module(timm: Any, architecture: str, n_classes: int) -> "nn.Module":
    import torch

    try:
        with torch.device("meta"):
            hollow: nn.Module = timm.create_model(architecture, num_classes=n_classes)
            return hollow
    except (NotImplementedError, RuntimeError):
        # It computes with numbers while it is made, and so cannot be without them.
        with torch.random.fork_rng(devices=()):
            module: nn.Module = timm.create_model(architecture, num_classes=n_classes)
            return module


def _looks_like_a_path(words: str) -> bool:
    return "/" in words or "\\" in words or words.endswith((".py", ".pth", ".pt", ".safetensors", ".onnx"))


def _from_path(path: Path) -> NamedModel:
    if path.is_dir():
        return _of_run(path)
    if path.suffix == ".py" and path.is_file():
        from heldout.explaining.models_of_users import names_in

        names = names_in(path)
        some = f", such as {path}:{names[0]}" if names else ""
        raise UsageError(
            f"{str(path)!r} is a file; which model in it is meant?",
            expected=f"FILE.py:NAME{some}",
            fix=f"name one of {', '.join(names)}" if names else "write a function without arguments that gives it",
        )
    if path.exists():
        raise UsageError(
            f"{str(path)!r} holds no program, and weights alone do not say what is computed",
            expected=KINDS,
            fix="write a function without arguments that gives the model, and name it: FILE.py:NAME",
        )
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    raise UsageError(
        f"there is nothing called {str(path)!r}{nearest(path.name, beside)}",
        expected=KINDS,
        fix="correct the path",
    )


def _of_run(run: Path) -> NamedModel:
    from heldout.run_folders import run_folder

    return network_in(run_folder(run), called=str(run))


def network_in(run: Path, *, called: str) -> NamedModel:
    """The network whose weights lie in a run folder, without them; the run may be unfinished otherwise.

    Args:
        run: The folder.
        called: What the notes call it.

    Raises:
        RunFolderError: The model's files cannot be used.
        UsageError: The model is made of trees.
    """
    from heldout.records import read_json
    from heldout.training.model_files import read_classes

    folder = run / "model"
    settings = read_json(folder / "preprocess.json")
    if not isinstance(settings, dict):
        raise RunFolderError(
            f"{folder / 'preprocess.json'} cannot be used: it is no table of settings",
            expected="the file as heldout wrote it",
            fix="copy the run folder again from where it is whole",
        )
    if settings.get("kind") == "table":
        return _of_rows(called, folder, settings)
    return _of_pictures(called, settings, len(read_classes(folder / "classes.json")))


def _of_pictures(run: str, settings: dict[str, Any], n_classes: int) -> NamedModel:
    from heldout.models.regimes import learning_parts, set_mode

    backbone, regime = find_backbone(str(settings.get("backbone"))), str(settings.get("regime", "frozen"))
    notes = [f"The network of {run}: {backbone.name}, {n_classes} classes, regime {regime}."]
    if backbone.name.startswith(TIMM):
        import torch

        from heldout.models.timm_bridge import TimmNetwork

        with torch.device("meta"):
            net: Network = TimmNetwork(backbone.name, n_classes)
    else:
        net = empty_network(backbone, n_classes)
    learning_parts(net, regime)
    set_mode(net, regime, training=True)
    net.training = True  # what is counted as in training keeps the mode of its parts
    if regime in {"frozen", "partial"}:
        notes.append(
            "heldout computes what stays frozen once a picture and keeps it; the training step here is that of a "
            "program that computes it anew in every step."
        )
    return NamedModel(run, net, (3, backbone.crop, backbone.crop), tuple(notes))


def _of_rows(run: str, folder: Path, settings: dict[str, Any]) -> NamedModel:
    import torch

    from heldout.models.table_models import Layers, scorer_of
    from heldout.models.table_network import random_table_network
    from heldout.training.model_files import damaged, read_tensors

    if settings.get("model") == "boosting":
        raise UsageError(
            f"the model of {run} is made of trees: nothing is multiplied there",
            expected="a run of a network: of pictures, or of a table with the model linear or mlp",
            fix="give another run",
        )
    tensors = read_tensors(folder, str(settings.get("fingerprint")))
    try:
        scorer = scorer_of(str(settings.get("model")), tensors)
    except ValueError as error:
        raise damaged(folder, str(error)) from error
    assert isinstance(scorer, Layers), f"{settings['model']} is a {type(scorer).__name__}"
    widths = tuple(len(bias) for bias in scorer.biases)
    generator = torch.Generator()
    net = random_table_network(scorer.n_features, widths[:-1], widths[-1], generator=generator)
    note = f"The network of {run}: {settings['model']}, {scorer.n_features} features, {widths[-1]} classes."
    return NamedModel(run, net, (scorer.n_features,), (note,))


def _layer(words: str, input_shape: Sequence[int] | None) -> NamedModel:
    from heldout.anatomy.counting.layer_words import layer_of, parse_layer

    try:
        layer = parse_layer(words)
    except UsageError:
        if " " not in words:
            raise unknown_model(words) from None
        raise
    return NamedModel(words, layer_of(layer, input_shape))


def unknown_model(words: str) -> UsageError:
    """The error for a word that means no model."""
    error = one_of("the model", words, BACKBONES)
    return UsageError(error.what, expected=KINDS, fix=f"choose one of them; the backbones are {', '.join(BACKBONES)}")
