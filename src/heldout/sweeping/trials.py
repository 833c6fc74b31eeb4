"""One trial, from its order to its result, in whatever process: fresh weights, fresh optimiser, its own random numbers.

SWEEP/folds.parquet      the examples outside the test part, and the fold of each in every round of cross-validation
    SWEEP/folds.json         the class map, and how many folds and rounds
SWEEP/trials/KEY/        checkpoints of a long training; removed when its result stands in the ledger
"""

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from heldout.data.tabular.tables import TableSource
from heldout.deciding import decide
from heldout.errors import HeldoutError, is_want_of_memory
from heldout.experiment import job_of
from heldout.measuring.calibration import fit_temperature
from heldout.measuring.predictions import Predictions
from heldout.measuring.scores import confusion_matrix
from heldout.models.backbones import find_backbone
from heldout.models.multiply_adds import MultiplyAdds, count_multiply_adds, of_training
from heldout.plan import Plan
from heldout.plan_sections import ModelPlan
from heldout.records import read_json, to_json, write_atomic
from heldout.sweeping.folded import Folded, read_folds
from heldout.sweeping.ledger import TrialResult
from heldout.sweeping.space import Setting
from heldout.training.fitted import Job
from heldout.training.history import EpochRecord
from heldout.training.materials import Materials, Part, gather_materials
from heldout.training.table_materials import TableMaterials
from heldout.training.trying import Tried, try_out

TRIALS = "trials"
# Features of so many bytes stay in the memory of a worker between trials, for two backbones at most: to read and check
# 10,000 rows of 1,280 again takes 80 ms of a trial of a second (measured 2026-11-23).
_MOST_HELD = 128 * 2**20


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """What a worker is asked to do.

    Attributes:
        key: Hash of everything that decides the result.
        setting: What is tried.
        plan: The plan of its runs.
        seed: Counted from 0: which fold, which initial weights, which order.
        metric: `accuracy`, `balanced_accuracy` or `mean_cost`.
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
        return replace(job_of(self.plan, seed=self.seed), workers=1, engine="local")

    @property
    def own_folder(self) -> Path:
        """Where the trial keeps what it needs to go on."""
        return self.folder / TRIALS / self.key


def trial_key(plan: Plan, seed: int, circumstances: Mapping[str, Any]) -> str:
    """A hash of everything that decides the numbers of a trial.

    Args:
        plan: Of its setting.
        seed: Counted from 0.
        circumstances: What else does: the examples and their parts, the weights, the device, threads and version.
    """
    content = plan.as_dict()
    content["model"].pop("download", None)  # how weights come here changes nothing
    names = ("model", "training", "imbalance", "focal_gamma", "decision", "seed")
    decisive = {name: content.get(name) for name in names} | {"trial": seed}
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
        return _result(order, tried, (train, validation), seconds)
    except (HeldoutError, MemoryError, RuntimeError) as error:
        if not is_want_of_memory(error):
            raise
        why = f"there was not enough memory: {str(error).splitlines()[0]}"
        return TrialResult(key=order.key, setting=order.setting, seed=order.seed, outcome="failed", why=why)


def _result(order: TrialOrder, tried: Tried, parts: tuple[Part, Part], seconds: float) -> TrialResult:
    train, validation = parts
    n_train = len(train.labels)
    correct, score, loss, answered = np.zeros(len(validation.labels), bool), None, None, b""
    if tried.logits is not None:
        predictions = Predictions(validation.examples.ids, validation.labels, tried.logits, validation.examples.classes)
        counts = np.bincount(train.labels, minlength=len(train.examples.classes))
        # As in a run: what is decided, is decided on calibrated probabilities, on this same part.
        predictions = predictions.with_temperature(fit_temperature(tried.logits, validation.labels))
        predictions = predictions.with_decision(decide(order.plan, predictions, counts)[0])
        correct, loss = predictions.correct, tried.validation_loss
        score = score_of(predictions, order.metric)
        if order.metric == "mean_cost" and len(predictions.classes) > 2:  # of two classes `correct` says it
            answered = predictions.predicted.astype("<i2").tobytes()
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
        answered=answered,
        n_parameters=tried.n_parameters,
        n_trained=tried.n_trained,
        multiply_adds=_training_multiply_adds(order, tried, n_train, len(validation.labels), n_epochs),
        precision=tried.precision,
        seconds=round(seconds, 3),
    )


def score_of(predictions: Predictions, metric: str) -> float:
    """The score of a trial.

    Args:
        predictions: On its validation part.
        metric: `accuracy`; `balanced_accuracy`, the mean of the recalls of the classes that are there; or `mean_cost`,
            by the costs that the decision states.
    """
    if metric == "mean_cost":
        assert predictions.decision is not None, "a cost is of a decision"
        return float(predictions.decision.costs[predictions.labels, predictions.predicted].mean())
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
        if order.setting.backbone:
            _multiply_adds(order.setting.backbone, order.cache)
        if order.plan.training is not None:
            from heldout.training.by_batches import rehearse as rehearse_training

            parts = read_folds(order.folder).parts(order.seed)
            rehearse_training(order.job, parts, _opened(order))
    except (HeldoutError, MemoryError, RuntimeError) as error:
        if not is_want_of_memory(error):  # the trials will meet it again, and say so
            raise


def _training_multiply_adds(order: TrialOrder, tried: Tried, n_train: int, n_validation: int, n_epochs: int) -> int:
    n_classes = len(read_folds(order.folder).part.examples.classes)
    if not order.setting.backbone:
        # A row meets every weight once; trees multiply nothing.
        n_biases = sum(order.job.hidden) + n_classes
        n_weights = 0 if order.setting.regime == "boosting" else tried.n_parameters - n_biases
        regime, once = "scratch", MultiplyAdds(n_weights, 0, 0)
    else:
        head = find_backbone(order.setting.backbone).n_features * n_classes
        regime, once = order.setting.regime, replace(_multiply_adds(order.setting.backbone, order.cache), head=head)
    return of_training(
        regime,
        once,
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


def _opened(order: TrialOrder) -> Materials | TableMaterials:
    if order.plan.training is not None:
        from heldout.allocator import keep_freed_memory

        keep_freed_memory()  # before torch is imported
        import heldout.training.by_batches  # noqa: F401 -- imports torch
    folded, model = read_folds(order.folder), order.plan.model
    source = folded.part.examples.source
    if isinstance(source, TableSource):
        return TableMaterials(source, order.device, order.cache)
    assert isinstance(model, ModelPlan), "pictures have a backbone"
    materials = _materials(model.backbone, model.weights, model.regime, model.download, order.cache, order.device)
    n_bytes = 4 * len(folded.part.labels) * materials.backbone.n_features
    return _with_features(materials, folded) if materials.has_features and n_bytes <= _MOST_HELD else materials


@lru_cache(maxsize=2)
def _with_features(materials: Materials, folded: Folded) -> Materials:
    return materials.holding_features(folded.part)


@lru_cache(maxsize=8)
def _materials(backbone: str, weights: str, regime: str, download: bool, cache: Path, device: str) -> Materials:
    """Opened once a worker process: it does many trials of one regime."""
    return gather_materials(backbone, weights=weights, regime=regime, download=download, cache=cache, device=device)
