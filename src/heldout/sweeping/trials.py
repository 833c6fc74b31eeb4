"""One trial, from its order to its result, in whatever process: fresh weights, fresh optimiser, its own random numbers.

SWEEP/folds.parquet      the examples outside the test part, and the fold of each in every round of cross-validation
    SWEEP/folds.json         the class map, and how many folds and rounds
SWEEP/trials/KEY/        checkpoints of a long training; removed when its result stands in the ledger
"""

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from heldout.data.examples import Examples
from heldout.data.sources import FolderSource
from heldout.errors import HeldoutError, is_want_of_memory
from heldout.measuring.predictions import Predictions
from heldout.measuring.scores import confusion_matrix
from heldout.models.backbones import find_backbone
from heldout.models.multiply_adds import MultiplyAdds, count_multiply_adds, of_training
from heldout.plan import Plan
from heldout.records import read_json, read_parquet, to_json, write_atomic, write_parquet
from heldout.sweeping.ledger import TrialResult
from heldout.sweeping.space import Setting
from heldout.training.fitted import Job
from heldout.training.history import EpochRecord
from heldout.training.materials import Materials, Part, gather_materials
from heldout.training.trying import Tried, try_out

FOLDS, FACTS = "folds.parquet", "folds.json"
TRIALS = "trials"


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """What a worker is asked to do.

    Attributes:
        key: Hash of everything that decides the result.
        setting: What is tried.
        plan: The plan of its runs.
        seed: Counted from 0: which fold, which initial weights, which order.
        metric: `accuracy` or `balanced_accuracy`.
        device: `cpu` or `cuda`.
        folder: Of the sweep.
        cache: The cache folder of heldout.
    """

    key: str
    setting: Setting
    plan: Plan
    seed: int
    metric: str
    device: str
    folder: Path
    cache: Path

    @property
    def job(self) -> Job:
        """What is fitted, and how."""
        return Job(self.plan.model.regime, self.plan.training, self.plan.seed + self.seed)

    @property
    def own_folder(self) -> Path:
        """Where the trial keeps what it needs to go on."""
        return self.folder / TRIALS / self.key


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """The examples outside the test part and their folds.

    Attributes:
        part: All of them, as one part.
        folds: A column a round of cross-validation: the fold of each example.
        n_folds: Folds a round.
    """

    part: Part
    folds: Int[np.ndarray, "examples rounds"]
    n_folds: int

    @property
    def n_seeds(self) -> int:
        """For how many seeds there are folds."""
        return int(self.folds.shape[1]) * self.n_folds

    def is_validation(self, seed: int) -> Bool[np.ndarray, " examples"]:
        """Which examples the trials of this seed are judged on; they learn from the others."""
        return np.asarray(self.folds[:, seed // self.n_folds] == seed % self.n_folds)

    def digest(self, seed: int) -> str:
        """SHA-256 of the examples and of which part each is in with this seed."""
        examples = self.part.examples
        content = (examples.ids, self.part.sha256s, examples.classes, examples.labels.tolist())
        return hashlib.sha256(repr((content, self.is_validation(seed).tolist())).encode()).hexdigest()

    def parts(self, seed: int) -> tuple[Part, Part]:
        """Train and validation of this seed."""
        judged = self.is_validation(seed)
        return _some(self.part, ~judged), _some(self.part, judged)


def _some(part: Part, chosen: Bool[np.ndarray, " examples"]) -> Part:
    indices = np.flatnonzero(chosen)
    return Part(part.examples.take(indices), tuple(part.sha256s[index] for index in indices))


def write_folds(folder: Path, part: Part, folds: Int[np.ndarray, "examples rounds"], n_folds: int) -> None:
    """Write folds.parquet, and folds.json with the class map."""
    examples = part.examples
    columns: dict[str, Sequence[object]] = {
        "id": examples.ids,
        "sha256": part.sha256s,
        "class": [examples.classes[label] for label in examples.labels],
    }
    columns |= {f"round_{number}": column.tolist() for number, column in enumerate(folds.T)}
    write_parquet(folder / FOLDS, columns)
    facts = {"classes": list(examples.classes), "n_folds": n_folds, "n_rounds": folds.shape[1]}
    write_atomic(folder / FACTS, to_json(facts))


def read_folds(folder: Path) -> Folded:
    """What `write_folds` wrote; read once as long as the file stays the same.

    Raises:
        RunFolderError: A file is absent or damaged.
    """
    place = folder.resolve()
    found = (place / FOLDS).stat() if (place / FOLDS).is_file() else None
    return _read_folds(place, (found.st_mtime_ns, found.st_size, found.st_ino) if found else None)


@lru_cache(maxsize=2)
def _read_folds(folder: Path, stamp: tuple[int, ...] | None) -> Folded:
    facts = read_json(folder / FACTS)
    classes, n_folds = tuple(facts["classes"]), int(facts["n_folds"])
    rounds = [f"round_{number}" for number in range(facts["n_rounds"])]
    table = read_parquet(folder / FOLDS, ["id", "sha256", "class", *rounds])
    folds = np.stack([table[name].to_numpy() for name in rounds], axis=1)
    index = {name: number for number, name in enumerate(classes)}
    ids, sha256s = table["id"].to_pylist(), table["sha256"].to_pylist()
    labels = np.array([index[name] for name in table["class"].to_pylist()], np.int64)
    # Names and labels alone: whatever a trial needs of the pictures was kept when they were looked at.
    given = np.full(len(ids), -1, np.int8)
    examples = Examples(FolderSource(folder), tuple(ids), labels, classes, given, "kept")
    return Folded(Part(examples, tuple(sha256s)), folds, n_folds)


def trial_key(plan: Plan, seed: int, circumstances: Mapping[str, Any]) -> str:
    """A hash of everything that decides the numbers of a trial.

    Args:
        plan: Of its setting.
        seed: Counted from 0.
        circumstances: What else does: the examples and their parts, the weights, the device, threads and version.
    """
    content = plan.as_dict()
    del content["model"]["download"]  # how weights come here changes nothing
    decisive = {name: content.get(name) for name in ("model", "training", "seed")} | {"trial": seed}
    return hashlib.sha256(json.dumps({**decisive, **circumstances}, sort_keys=True).encode()).hexdigest()[:20]


def run_trial(order: TrialOrder) -> TrialResult:
    """Carry out one trial.

    Raises:
        HeldoutError: The disk refused, or the stores have not got what was kept of the pictures.
    """
    try:
        train, validation = read_folds(order.folder).parts(order.seed)
        materials = _opened(order)
        began = time.perf_counter()  # what a worker process does once is no cost of its first trial
        tried = try_out(order.job, train, validation, materials, folder=order.own_folder)
        seconds = time.perf_counter() - began
        return _result(order, tried, validation, len(train.labels), seconds)
    except (HeldoutError, MemoryError, RuntimeError) as error:
        if not is_want_of_memory(error):
            raise
        why = f"there was not enough memory: {str(error).splitlines()[0]}"
        return TrialResult(key=order.key, setting=order.setting, seed=order.seed, outcome="failed", why=why)


def _result(order: TrialOrder, tried: Tried, validation: Part, n_train: int, seconds: float) -> TrialResult:
    correct, score, loss = np.zeros(len(validation.labels), bool), None, None
    if tried.logits is not None:
        predictions = Predictions(validation.examples.ids, validation.labels, tried.logits, validation.examples.classes)
        correct, loss = predictions.correct, tried.validation_loss
        score = score_of(predictions, order.metric)
    n_epochs = max((record.epoch for record in tried.history), default=0)
    return TrialResult(
        key=order.key,
        setting=order.setting,
        seed=order.seed,
        outcome="diverged" if tried.logits is None else "finished",
        why=tried.why,
        initial=tried.initial,
        final=tried.final,
        n_train=n_train,
        n_validation=len(validation.labels),
        n_correct=int(correct.sum()),
        validation_loss=loss,
        score=score,
        best_epoch=tried.best_epoch,
        n_epochs=n_epochs,
        history=tuple(_values(record) for record in tried.history),
        correct=np.packbits(correct).tobytes(),
        n_parameters=tried.n_parameters,
        n_trained=tried.n_trained,
        multiply_adds=_training_multiply_adds(order, n_train, len(validation.labels), n_epochs),
        precision=tried.precision,
        seconds=round(seconds, 3),
    )


def score_of(predictions: Predictions, metric: str) -> float:
    """The score of a trial.

    Args:
        predictions: On its validation part.
        metric: `accuracy` or `balanced_accuracy`, the mean of the recalls of the classes that are there.
    """
    if metric == "accuracy":
        return float(predictions.correct.mean())
    confusion = confusion_matrix(predictions)
    examples = confusion.sum(axis=1)
    return float((confusion.diagonal()[examples > 0] / examples[examples > 0]).mean())


def _values(record: EpochRecord) -> dict[str, float | None]:
    values = {
        "epoch": record.epoch,
        "train_loss": record.train_loss,
        "validation_loss": record.validation_loss,
        "validation_accuracy": record.validation_accuracy,
    }
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def rehearse(order: TrialOrder) -> None:
    """Find out once what trials of this setting would each find out: the fastest precision, and the multiply-adds."""
    try:
        _multiply_adds(order.setting.backbone, order.cache)
        if order.plan.training is not None:
            from heldout.training.by_batches import rehearse as rehearse_training

            rehearse_training(order.job, read_folds(order.folder).parts(order.seed), _opened(order))
    except (HeldoutError, MemoryError, RuntimeError) as error:
        if not is_want_of_memory(error):  # the trials will meet it again, and say so
            raise


def _training_multiply_adds(order: TrialOrder, n_train: int, n_validation: int, n_epochs: int) -> int:
    once = _multiply_adds(order.setting.backbone, order.cache)
    n_classes = len(read_folds(order.folder).part.examples.classes)
    head = find_backbone(order.setting.backbone).n_features * n_classes
    return of_training(
        order.setting.regime,
        replace(once, head=head),
        n_train=n_train,
        n_validation=n_validation,
        n_epochs=n_epochs,
    )


@lru_cache(maxsize=8)
def _multiply_adds(name: str, cache: Path) -> MultiplyAdds:
    """Of one picture, but for the head; counted once, then remembered, so that a fitted head needs no torch."""
    record = cache / "multiply_adds" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"
    if record.is_file():
        known = read_json(record)
        return MultiplyAdds(int(known["trunk"]), int(known["rest"]), 0)
    import torch

    from heldout.models.build import random_network

    counted = count_multiply_adds(random_network(name, 2, generator=torch.Generator()), find_backbone(name).crop)
    write_atomic(record, to_json({"backbone": name, "trunk": counted.trunk, "rest": counted.rest}))
    return replace(counted, head=0)


def _opened(order: TrialOrder) -> Materials:
    if order.plan.training is not None:
        from heldout.allocator import keep_freed_memory

        keep_freed_memory()  # before torch is imported
        import heldout.training.by_batches  # noqa: F401 -- imports torch
    model = order.plan.model
    return _materials(model.backbone, model.weights, model.regime, model.download, order.cache, order.device)


@lru_cache(maxsize=8)
def _materials(backbone: str, weights: str, regime: str, download: bool, cache: Path, device: str) -> Materials:
    """Opened once a worker process: it does many trials of one regime."""
    return gather_materials(backbone, weights=weights, regime=regime, download=download, cache=cache, device=device)
