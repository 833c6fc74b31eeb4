"""A real backbone, though a tiny one, and pictures that it learns from in seconds: for trainings by real processes."""

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from heldout.data.layouts.photos import find_photos
from heldout.manifest import CHECKPOINTS
from heldout.models.weights import fingerprint
from heldout.provenance import Silent
from heldout.training.by_batches import fit_by_batches
from heldout.training.checkpoints import newest
from heldout.training.fitted import Fitted, Job
from heldout.training.history import EpochRecord
from heldout.training.launching import ORDER, Order
from heldout.training.looking import look_at
from heldout.training.materials import Materials, Part, gather_materials
from heldout.training.settings import defaults
from make import class_folders

BACKBONE = "timm:test_efficientnet"


class Listening(Silent):
    """Keeps what it is told of epochs."""

    def __init__(self) -> None:
        self.epochs: list[EpochRecord] = []

    def epoch(self, record: EpochRecord) -> None:
        self.epochs.append(record)


def prepared(folder: Path, cache: Path, n_a_class: int = 8) -> tuple[Materials, tuple[Part, Part]]:
    """Pictures of three classes, looked at, in two parts: of each class every fourth is for validation."""
    examples = find_photos(class_folders(folder, n_a_class), "")
    materials = gather_materials(BACKBONE, weights="none", regime="scratch", download=False, cache=cache, device="cpu")
    look = look_at(examples.source, examples.ids, list(materials.products.values()), materials.facts)
    sha256s = [facts.sha256 for facts in look.survey.facts if facts]
    n = len(examples)
    validation = [index for index in range(n) if index % 4 == 0]
    return materials, (
        _part(examples, sha256s, sorted(set(range(n)) - {*validation})),
        _part(examples, sha256s, validation),
    )


def _part(examples: Any, sha256s: Sequence[str], indices: Sequence[int]) -> Part:
    import numpy as np

    return Part(examples.take(np.array(indices)), tuple(sha256s[index] for index in indices))


def fitted(
    materials: Materials,
    parts: tuple[Part, Part],
    folder: Path,
    *,
    watcher: Any = None,
    engine: str = "local",
    **settings: Any,
) -> Fitted:
    """Trained from random weights by two workers."""
    settings = {"epochs": 4, "batch_size": 6, "precision": "float32", "augment": "light"} | settings
    job = Job("scratch", defaults("scratch", settings), 0, workers=2, engine=engine)
    folder.mkdir(exist_ok=True)
    return fit_by_batches(job, None, parts=parts, materials=materials, folder=folder, watcher=watcher or Silent())


def order_of(folder: Path, moved_to: Path) -> Path:
    """The order of a group that has trained in a folder, to be carried out in another."""
    order: Order = pickle.loads((folder / CHECKPOINTS / ORDER).read_bytes())
    place = moved_to / CHECKPOINTS
    place.mkdir(parents=True)
    (place / ORDER).write_bytes(pickle.dumps(replace(order, folder=moved_to)))
    return place / ORDER


def final_weights(folder: Path) -> str:
    """The fingerprint of all tensors, the optimiser's among them, when the training was over."""
    saved = newest(folder / CHECKPOINTS)
    assert saved is not None
    return fingerprint({**saved.state, **{f"best.{name}": value for name, value in saved.best.items()}})
