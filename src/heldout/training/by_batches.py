"""Training by mini-batches: `partial`, `full`, `scratch` and `mlp`; `frozen` and `linear` where that is asked for."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from heldout.data.batches import Batches, evaluation_batches, training_batches
from heldout.errors import Diverged, OutOfMemory, is_want_of_memory
from heldout.interrupting import finishing_steps
from heldout.manifest import CHECKPOINTS
from heldout.models.build import count_parameters
from heldout.models.heads import Head
from heldout.models.regimes import set_mode
from heldout.models.weights import fingerprint
from heldout.provenance import Watcher
from heldout.records import write_csv
from heldout.training.arithmetic import computing_by, make_arithmetic
from heldout.training.checkpoints import Checkpoints
from heldout.training.fastest import choose_precision
from heldout.training.fitted import Fitted, Job
from heldout.training.history import EpochRecord, best_epoch, history_rows
from heldout.training.launching import Answer, train_in_group
from heldout.training.loop import Parts, fit_network
from heldout.training.materials import Materials, Part
from heldout.training.norm_files import NORMS_FILE
from heldout.training.parallel import ALONE, Group
from heldout.training.rate_finding import found_or_find
from heldout.training.rates import RateTest
from heldout.training.settings import FIND, TrainingSettings
from heldout.training.starting import PRODUCTS, batches_of, classifier_of, start_network, task_of
from heldout.training.table_materials import TableMaterials
from heldout.training.tasks import Task, threads_for


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A network after its training.

    Attributes:
        task: Its network holds the best weights.
        validation: The batches that it was judged on.
        history: One record an epoch.
        best_epoch: Whose weights are kept.
        n_parameters: Numbers in the network.
        n_trained: How many of them learned.
        initial: Fingerprint of all tensors before learning.
        precision: What it was computed in.
        diverged: Why the training ended early, with a loss that was no number; None where it did not.
        rate_test: How the learning rate was found; None where it was named.
    """

    task: Task
    validation: Batches
    history: tuple[EpochRecord, ...]
    best_epoch: int
    n_parameters: int
    n_trained: int
    initial: str
    precision: str
    diverged: Diverged | None = None
    rate_test: RateTest | None = None


def fit_by_batches(
    job: Job,
    head: Head | None,
    *,
    parts: tuple[Part, Part],
    materials: Materials | TableMaterials,
    folder: Path,
    watcher: Watcher,
) -> Fitted:
    """Train a network, and make a classifier of the weights of its best epoch on validation.

    Args:
        job: What learns, and how.
        head: What the network's head starts from; None draws it.
        parts: Training and validation examples.
        materials: What is known of each picture.
        folder: The run folder; history.csv is written there after every epoch, and checkpoints, from which it goes on.
        watcher: Is told of every step and epoch.

    Raises:
        Diverged: The loss was not finite.
        KeyboardInterrupt: Ctrl-C or SIGTERM came; everything is saved.
        OutOfMemory: The batches are too large for this machine.
        StorageError: A checkpoint could not be written.
    """
    answer = Answer(None)
    if job.workers > 1:
        assert isinstance(materials, Materials), "a table is trained by one process"
        product = PRODUCTS[job.regime]
        answer = train_in_group(
            job, head, parts=parts, materials=materials, product=product, folder=folder, watcher=watcher
        )
    # After a group there is nothing left to train: the weights are taken from its checkpoint.
    with checkpointed(job, parts, materials, folder, circumstances=answer.circumstances) as checkpoints:
        trained = train_network(job, head, parts=parts, materials=materials, checkpoints=checkpoints, watcher=watcher)
    if trained.diverged is not None:
        raise trained.diverged
    return Fitted(
        classifier=classifier_of(trained.task, job, parts[0].examples.classes, materials),
        path=(),
        history=trained.history,
        best_epoch=trained.best_epoch,
        n_parameters=trained.n_parameters,
        n_trained=trained.n_trained,
        initial=trained.initial,
        precision=trained.precision,
        rate_test=trained.rate_test,
        elsewhere=tuple(checkpoints.elsewhere),
        checkpoint_seconds=checkpoints.seconds + answer.saving_seconds,
    )


@contextmanager
def checkpointed(
    job: Job,
    parts: tuple[Part, Part],
    materials: Materials | TableMaterials,
    folder: Path,
    *,
    group: Group = ALONE,
    circumstances: Mapping[str, Any] | None = None,
) -> Iterator[Checkpoints]:
    """Within: a training may be stopped by a signal, and is saved in `folder`/checkpoints.

    Args:
        job: What is trained.
        parts: Of the data.
        materials: What is known of each picture.
        folder: The run folder.
        group: Who trains together.
        circumstances: What else must be the same for the same bits; None for the engine of the features.

    Raises:
        OutOfMemory: What the system said about memory within.
    """
    assert job.settings is not None, "this head is fitted, not trained"
    with finishing_steps() as stop, _memory_told(job.settings.batch_size):
        key = _key(job, parts, materials)
        yield Checkpoints(
            folder / CHECKPOINTS, key, stop, circumstances or {"engine": materials.engine_words}, group=group
        )


def train_network(
    job: Job,
    head: Head | None,
    *,
    parts: tuple[Part, Part],
    materials: Materials | TableMaterials,
    checkpoints: Checkpoints,
    watcher: Watcher,
    has_run_folder: bool = True,
) -> Trained:
    """Train a network, and leave it with the weights of its best epoch on validation.

    Arguments and errors are those of `fit_by_batches`, but that a training which diverges is a result like any other,
    and that history.csv and norms.csv are only written where there is a run folder for them.
    """
    settings, saved, group = job.settings, checkpoints.saved, checkpoints.group
    folder, writes = checkpoints.folder.parent, has_run_folder and group.rank == 0
    assert settings is not None, "this head is fitted, not trained"
    train, _ = parts
    net = start_network(job, head, n_classes=len(train.examples.classes), materials=materials)
    task = task_of(net, job, settings, train, materials)
    n_parameters, n_trained = count_parameters(net, task.regime)
    initial = fingerprint(net.state_dict())
    batches = Parts(_training_batches(train, job, materials), batches_of(parts[1], job, settings, materials), group)
    as_before = replace(settings, precision=saved.precision) if saved else settings
    precision = group.first(lambda: _precision(task, as_before, batches.train, job, materials))
    rate_test = None
    if settings.learning_rate == FIND:
        rate_test = group.first(
            partial(
                _rate_test,
                task,
                settings,
                train=batches.train,
                precision=precision,
                seed=job.seed,
                checkpoints=checkpoints,
                watcher=watcher,
            )
        )
        settings = replace(settings, learning_rate=rate_test.learning_rate)
    history: list[EpochRecord] = saved.history if saved else []

    def watch(record: EpochRecord) -> None:
        history.append(record)
        if writes:
            _write_history(folder, history)
        watcher.epoch(record)
        watcher.stage(f"epoch {record.epoch + 1} of {settings.epochs}")

    def watch_step(done: int, total: int, pictures_per_second: float) -> None:
        watcher.progress(len(train.labels) * done // total, len(train.labels), pictures_per_second)

    if history and writes:
        _write_history(folder, history)
    watcher.stage(f"epoch {history[-1].epoch + 1 if history else 1} of {settings.epochs}")
    diverged = None
    try:
        with threads_for(task):
            fitted = fit_network(
                task,
                settings,
                parts=batches,
                precision=precision,
                seed=job.seed,
                watch=watch,
                watch_step=watch_step,
                checkpoints=checkpoints,
            )
        if writes and (rows := fitted.norms.rows()):
            write_csv(folder / NORMS_FILE, rows)
    except Diverged as error:
        diverged = error
    return Trained(
        task=task,
        validation=batches.validation,
        history=tuple(history),
        best_epoch=best_epoch(history) if history else 0,
        n_parameters=n_parameters,
        n_trained=n_trained,
        initial=initial,
        precision=precision,
        diverged=diverged,
        rate_test=rate_test,
    )


def rehearse(job: Job, parts: tuple[Part, Part], materials: Materials | TableMaterials) -> None:
    """Find out, and remember in the cache, what such a training finds out first: the fastest precision."""
    settings, (train, _) = job.settings, parts
    assert settings is not None, "this head is fitted, not trained"
    materials = materials.fitted_to(train)
    net = start_network(job, None, n_classes=len(train.examples.classes), materials=materials)
    task = task_of(net, job, settings, train, materials)
    _precision(task, settings, _training_batches(train, job, materials), job, materials)


def _training_batches(train: Part, job: Job, materials: Materials | TableMaterials) -> Batches:
    assert job.settings is not None, "this head is fitted, not trained"
    return batches_of(train, job, job.settings, materials, is_balanced=job.imbalance == "balanced-batch")


def _precision(
    task: Task, settings: TrainingSettings, train: Batches, job: Job, materials: Materials | TableMaterials
) -> str:
    """What to compute in, tried out on the first batch."""
    first = next(iter(training_batches(train, seed=job.seed, epoch=1)))
    inputs, name = task.training_inputs(first), materials.name
    return choose_precision(task, settings, inputs=inputs, backbone=name, cache=materials.cache).name


def validation_logits(trained: Trained) -> Float[np.ndarray, "examples classes"]:
    """What a trained network says about the validation examples, in their order."""
    task = trained.task
    arithmetic = make_arithmetic(trained.precision, task)
    set_mode(task.net, task.regime, training=False)
    answers = []
    with threads_for(task), torch.inference_mode():
        for batch in evaluation_batches(trained.validation):
            with computing_by(arithmetic):
                logits = task.logits(task.net, task.evaluation_inputs(batch))
            answers.append(task.balance.answers(logits).float().cpu().numpy())
    return np.concatenate(answers)


def _rate_test(
    task: Task,
    settings: TrainingSettings,
    *,
    train: Batches,
    precision: str,
    seed: int,
    checkpoints: Checkpoints,
    watcher: Watcher,
) -> RateTest:
    """How the learning rate is found: as it was before, where the run folder says."""
    watcher.stage("find the learning rate")

    def watch(done: int, total: int, steps_per_second: float) -> None:
        checkpoints.before_first_step()
        watcher.progress(done, total, steps_per_second)

    folder = checkpoints.folder.parent
    return found_or_find(folder, task, settings, batches=train, precision=precision, seed=seed, watch=watch)


@contextmanager
def _memory_told(batch_size: int) -> Iterator[None]:
    """Within: what the system says about memory becomes an error of ours.

    torch has an error of its own for GPUs alone; for the rest it raises RuntimeError with these words.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_want_of_memory(error):
            raise
        smaller = max(1, batch_size // 2)
        raise OutOfMemory(
            f"there is not enough memory to train with batches of {batch_size}",
            expected="memory for the network, its optimiser and one batch",
            fix=f"heldout train with --batch-size {smaller}, a smaller backbone, or fewer programs beside it",
        ) from error


def _key(job: Job, parts: tuple[Part, Part], materials: Materials | TableMaterials) -> str:
    """A hash of everything that decides the numbers of the training."""
    digest = hashlib.sha256()
    digest.update(repr((job, *materials.identity)).encode())
    for part in parts:
        digest.update(repr((part.examples.classes, part.sha256s, part.labels.tolist())).encode())
    return digest.hexdigest()


def _write_history(folder: Path, history: list[EpochRecord]) -> None:
    write_csv(folder / "history.csv", history_rows(history, best_epoch=best_epoch(history)))
