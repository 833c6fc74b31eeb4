"""One trial: fitted as a run is, judged on its validation part, and nothing kept but what that gave."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from heldout.measuring.predictions import log_softmax
from heldout.models.weights import fingerprint
from heldout.provenance import Silent
from heldout.training.fitted import Job
from heldout.training.fitting import fit_head, fitted_at_once
from heldout.training.history import EpochRecord
from heldout.training.materials import Materials, Part
from heldout.training.opening import tensors_of
from heldout.training.table_materials import TableMaterials


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tried:
    """What a trial gave.

    Attributes:
        logits: Of the validation examples, by the weights that were kept; None where the training diverged.
        validation_loss: Mean negative log-likelihood of the validation examples, nats; nan where it diverged.
        history: One record an epoch; empty for a head that was fitted to its optimum.
        best_epoch: Whose weights were kept; 0 where no epoch made them better.
        n_parameters: Numbers in the network.
        n_trained: How many of them learned.
        initial: Fingerprint of all tensors before learning.
        final: Of all tensors that were kept.
        precision: What it was computed in.
        why: Why it diverged; empty where it did not.
    """

    logits: Float[np.ndarray, "examples classes"] | None
    validation_loss: float
    history: tuple[EpochRecord, ...]
    best_epoch: int
    n_parameters: int
    n_trained: int
    initial: str
    final: str
    precision: str
    why: str = ""


def try_out(job: Job, train: Part, validation: Part, materials: Materials | TableMaterials, *, folder: Path) -> Tried:
    """Fit what the regime lets learn, and judge it.

    Args:
        job: What to do.
        train: What is fitted to.
        validation: What the penalty or the epoch is chosen on, and what is judged on.
        materials: What is known of each picture.
        folder: Where a long training is saved, to go on from there.

    Raises:
        OutOfMemory: The batches are too large for this machine.
        StorageError: The disk refused.
    """
    materials = materials.fitted_to(train)
    if job.settings is None:
        return _fitted(job, train, validation, materials)
    return _trained(job, train, validation, materials, folder)


def _fitted(job: Job, train: Part, validation: Part, materials: Materials | TableMaterials) -> Tried:
    probe = None if job.regime == "boosting" else fit_head(job, train, validation, materials)
    fitted = fitted_at_once(job, probe, (train, validation), materials)
    logits = materials.logits(fitted.classifier, validation)  # type: ignore[arg-type]  # each makes its own kind
    return Tried(
        logits=logits,
        validation_loss=_loss(logits, validation.labels),
        history=(),
        best_epoch=0,
        n_parameters=fitted.n_parameters,
        n_trained=fitted.n_trained,
        initial=fitted.initial,
        final=fingerprint(tensors_of(fitted.classifier)),
        precision=fitted.precision,
    )


def _trained(job: Job, train: Part, validation: Part, materials: Materials | TableMaterials, folder: Path) -> Tried:
    from heldout.training.by_batches import checkpointed, train_network, validation_logits

    parts = (train, validation)
    head = fit_head(job, train, validation, materials).head if job.regime in ("partial", "full") else None
    with checkpointed(job, parts, materials, folder) as checkpoints:
        trained = train_network(
            job,
            head,
            parts=parts,
            materials=materials,
            checkpoints=checkpoints,
            watcher=Silent(),
            has_run_folder=False,  # what is written meanwhile is for going on, and is gone with the trial
        )
    logits = None if trained.diverged else validation_logits(trained)
    why = trained.diverged.what if trained.diverged else ""
    if logits is not None and not np.isfinite(logits).all():
        logits, why = None, "the network's answers are no numbers any more: the weights have diverged"
    return Tried(
        logits=logits,
        validation_loss=float("nan") if logits is None else _loss(logits, validation.labels),
        history=trained.history,
        best_epoch=trained.best_epoch,
        n_parameters=trained.n_parameters,
        n_trained=trained.n_trained,
        initial=trained.initial,
        final=fingerprint(trained.task.net.state_dict()),
        precision=trained.precision,
        why=why,
    )


def _loss(logits: Float[np.ndarray, "examples classes"], labels: Int[np.ndarray, " examples"]) -> float:
    return -float(log_softmax(logits)[np.arange(len(labels)), labels].mean())
