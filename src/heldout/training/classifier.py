"""A trained classifier: a backbone in the cache, a head, a temperature and the class map. It opens without torch.

    RUN/model/weights.safetensors    every tensor, under the names that torchvision and timm use
    RUN/model/preprocess.json        backbone, pixel path, temperature, fingerprint
    RUN/model/classes.json           the class names in the order of the head's rows

The same object scores validation and test, and serves `predict` and `evaluate`: one path to every number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from heldout.data.pictures.decoding import MAX_PIXELS, PixelPath
from heldout.data.pictures.likeness import SIGNATURE_VERSION
from heldout.data.pictures.survey import Survey
from heldout.data.storage.sources import Source
from heldout.errors import RunFolderError, UsageError
from heldout.measuring.decisions import Decision, from_dict
from heldout.measuring.prior import from_focal
from heldout.models.backbones import Backbone, find_backbone
from heldout.models.choosing import open_engine
from heldout.models.conversion import Output
from heldout.models.heads import linear_logits
from heldout.models.prepared import Prepared, prepared_from_tensors
from heldout.models.weights import fingerprint
from heldout.records import read_json, to_json, write_atomic
from heldout.training.looking import Product, Progress, look_at
from heldout.training.model_files import damaged, read_classes, read_tensors, unknown_content
from heldout.training.stores import ArrayStore, FactStore, StoredRows

_PIXEL_KEYS = ("resize", "crop", "interpolation")


@dataclass(frozen=True, slots=True)
class Classifier:
    """Pixels to class logits.

    Attributes:
        backbone: Its weights lie in the cache.
        weight: Of the head.
        bias: Of the head.
        classes: Names, in the order of the head's rows.
        temperature: Logits are divided by it for probabilities; fitted on validation.
        gamma: Of the focal loss that it was trained by; 0 for none.
        decision: How a class is decided on; None takes the likeliest.
    """

    backbone: Prepared
    weight: Float[np.ndarray, "classes features"]
    bias: Float[np.ndarray, " classes"]
    classes: tuple[str, ...]
    temperature: float = 1.0
    gamma: float = 0.0
    decision: Decision | None = None

    def logits(self, features: Float[np.ndarray, "examples features"]) -> Float[np.ndarray, "examples classes"]:
        """One logit an example and class, as `linear_logits` computes them, of the true prior."""
        logits = linear_logits(self.weight, self.bias, features)
        return from_focal(logits, self.gamma) if self.gamma else logits


@dataclass(frozen=True)
class Answers:
    """What a classifier says about files, in their order.

    Attributes:
        survey: Facts, or why a file is unreadable.
        logits: Of the readable files, in their order.
        readable: Indices of the readable files.
    """

    survey: Survey
    logits: Float[np.ndarray, "readable classes"]
    readable: tuple[int, ...]


def pixel_path(backbone: Backbone) -> PixelPath:
    """The pixel path that a backbone expects."""
    return PixelPath(backbone.resize, backbone.crop, backbone.interpolation, backbone.mean, backbone.std)


def fact_store(backbone: Backbone, cache: Path) -> FactStore:
    """Where facts and thumbnails of pictures decoded for this backbone are kept."""
    return FactStore(cache / "pictures" / f"{backbone.resize}-{SIGNATURE_VERSION}", backbone.resize)


def engine_product(prepared: Prepared, output: Output, *, cache: Path, device: str) -> Product:
    """What an engine makes of pictures, and where that is kept."""
    engine = open_engine(prepared, output, cache=cache, device=device)
    path = pixel_path(prepared.backbone)
    shape: tuple[int, ...] = (prepared.backbone.n_features,)
    if output != "features":
        shape = engine(np.zeros((engine.batch_size, path.crop, path.crop, 3), np.uint8)).shape[1:]
    key = f"{prepared.folder.name}-{engine.key}-{path.key.replace(':', '_')}"
    store = ArrayStore(cache / output / key, shape, "float32")
    return Product(store, path, engine)


def ask(
    classifier: Classifier,
    source: Source,
    ids: Sequence[str],
    *,
    cache: Path,
    device: str = "cpu",
    max_pixels: int = MAX_PIXELS,
    progress: Progress | None = None,
) -> Answers:
    """What the classifier says about files; unreadable ones are told apart, not refused.

    Args:
        classifier: A trained one.
        source: Where the files are.
        ids: The files.
        cache: The cache folder of heldout.
        device: `cpu` or `cuda`.
        max_pixels: Larger pictures are unreadable.
        progress: As for `look_at`.
    """
    product = engine_product(classifier.backbone, "features", cache=cache, device=device)
    facts = fact_store(classifier.backbone.backbone, cache)
    look = look_at(source, ids, [product], facts, max_pixels=max_pixels, progress=progress)
    readable = tuple(index for index, known in enumerate(look.survey.facts) if known)
    rows = product.store.rows([known.sha256 for known in look.survey.facts if known])
    return Answers(look.survey, logits_of(classifier, rows), readable)


def logits_of(classifier: Classifier, rows: StoredRows) -> Float[np.ndarray, "examples classes"]:
    """The logits of stored features, a thousand at a time."""
    parts = [
        classifier.logits(rows.take(range(start, min(start + 1000, len(rows))))) for start in range(0, len(rows), 1000)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, len(classifier.classes)))


def all_tensors(classifier: Classifier) -> dict[str, np.ndarray]:
    """Every tensor of the whole network by name, the head's among them."""
    head = classifier.backbone.head_name
    return classifier.backbone.tensors() | {
        f"{head}.weight": np.ascontiguousarray(classifier.weight, np.float32),
        f"{head}.bias": np.ascontiguousarray(classifier.bias, np.float32),
    }


def save(classifier: Classifier, folder: Path, *, regime: str) -> str:
    """Write the classifier into `folder` and give the fingerprint of all its tensors.

    Raises:
        StorageError: The disk refused.
    """
    from safetensors.numpy import save as to_bytes

    tensors = all_tensors(classifier)
    whole = fingerprint(tensors)
    backbone = classifier.backbone.backbone
    path = pixel_path(backbone)
    write_atomic(folder / "weights.safetensors", to_bytes(tensors))
    write_atomic(folder / "classes.json", to_json(list(classifier.classes)))
    settings = {
        "format": 1,
        "backbone": backbone.name,
        "regime": regime,
        "head": classifier.backbone.head_name,
        "resize": path.resize,
        "crop": path.crop,
        "interpolation": path.interpolation,
        "mean": list(path.mean),
        "std": list(path.std),
        "temperature": classifier.temperature,
        "gamma": classifier.gamma,
        "decision": classifier.decision.as_dict() if classifier.decision else None,
        "fingerprint": whole,
    }
    write_atomic(folder / "preprocess.json", to_json(settings))
    return whole


def load(run: Path, *, cache: Path) -> Classifier:
    """The classifier of a finished run.

    Its backbone is put into the cache where it is not there yet (on another machine, say).

    Raises:
        RunFolderError: A file is absent or damaged, or the tensors are not those that were written.
    """
    folder = run / "model"
    settings = _settings(folder / "preprocess.json")
    classes = read_classes(folder / "classes.json")
    tensors = read_tensors(folder, settings["fingerprint"])
    backbone = find_backbone(settings["backbone"])
    head = settings["head"]
    if not {f"{head}.weight", f"{head}.bias"} <= tensors.keys():
        raise damaged(folder, f"it has no head called {head!r}")
    weight, bias = tensors.pop(f"{head}.weight"), tensors.pop(f"{head}.bias")
    if weight.ndim != 2 or weight.shape[1] != backbone.n_features or bias.shape != weight.shape[:1]:
        raise damaged(
            folder, f"its head is of shape {weight.shape} and {bias.shape}, not for {backbone.n_features} features"
        )
    if len(weight) != len(classes):
        raise damaged(folder, f"its head has {len(weight)} rows, and classes.json {len(classes)} names")
    path = pixel_path(backbone)
    if (path.resize, path.crop, path.interpolation) != tuple(settings[key] for key in _PIXEL_KEYS):
        raise RunFolderError(
            f"{folder / 'preprocess.json'} asks for other pixels than {backbone.name} gets in this version",
            expected=f"resize {path.resize}, crop {path.crop}, {path.interpolation}",
            fix="use the version of heldout that environment.json of the run names, or train again",
        )
    prepared = prepared_from_tensors(backbone, tensors, head, cache)
    try:
        decision = from_dict(settings["decision"]) if settings.get("decision") else None
    except UsageError as error:
        raise unknown_content(folder / "preprocess.json", str(error)) from error
    return Classifier(
        prepared,
        weight,
        bias,
        classes,
        temperature=float(settings["temperature"]),
        gamma=float(settings.get("gamma", 0.0)),
        decision=decision,
    )


def _settings(file: Path) -> dict[str, Any]:
    settings = read_json(file)
    wanted = {"backbone": str, "head": str, "temperature": float, "fingerprint": str}
    wanted |= {"resize": int, "crop": int, "interpolation": str}
    if not isinstance(settings, dict) or settings.get("format") != 1:
        raise unknown_content(file, "it is not of format 1")
    if wrong := [key for key, kind in wanted.items() if not isinstance(settings.get(key), kind)]:
        raise unknown_content(file, f"{', '.join(wrong)} absent or of another kind")
    return settings
