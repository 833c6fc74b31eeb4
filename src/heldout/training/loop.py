"""Epochs of training: a generator of records, and its one caller, which saves and gives the best weights."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.data.batches import Batches, evaluation_batches, training_batches
from heldout.errors import Diverged
from heldout.models.weights import fingerprint
from heldout.training.checkpoints import Checkpoints
from heldout.training.course import Course, begin
from heldout.training.history import EpochRecord
from heldout.training.norms import Norms
from heldout.training.parallel import ALONE, Group
from heldout.training.schedules import learning_rate
from heldout.training.settings import TrainingSettings
from heldout.training.steps import evaluate, private_draws, train_step
from heldout.training.tasks import Task, put_in_mode

# How many steps of an epoch are done, of how many, and pictures a second so far.
WatchStep = Callable[[int, int, float], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a network learns from, and what it is judged on meanwhile.

    Attributes:
        train: The training examples.
        validation: The validation examples; at least one.
        group: Who learns together; each takes a piece of every batch of both parts.
    """

    train: Batches
    validation: Batches
    group: Group = ALONE


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a training gave.

    Attributes:
        state: The state dict of the best epoch, on the CPU and contiguous; the network holds the same numbers.
        best_epoch: The epoch of the lowest validation loss; the earliest, where several are equal.
        history: One record an epoch, the epoch 0 first where there is one.
        norms: Of the weights, at the start and after each epoch.
    """

    state: dict[str, Tensor]
    best_epoch: int
    history: tuple[EpochRecord, ...]
    norms: Norms


def fit_network(
    task: Task,
    settings: TrainingSettings,
    *,
    parts: Parts,
    precision: str,
    seed: int,
    watch: Callable[[EpochRecord], None] | None = None,
    watch_step: WatchStep | None = None,
    checkpoints: Checkpoints | None = None,
) -> Fitted:
    """The best weights that the epochs came by, judged on validation, and the history.

    The lowest validation loss decides and not the highest accuracy: it moves with every example's probability, where
    the accuracy of a few hundred examples moves in steps and ties often. A pretrained network is judged before its
    first epoch too, and stays as it was if training made it no better.

    Args:
        task: Its network is trained in place and ends with the best weights.
        settings: Epochs, rates and the rest.
        parts: Training and validation examples, the former not empty.
        precision: As `choose_precision` gives it.
        seed: The seed of the run.
        watch: Called with the record of each epoch that ends.
        watch_step: Called after each step.
        checkpoints: Where the training goes on from, and is saved; None keeps nothing.

    Raises:
        Diverged: The loss was not finite; the weights are those of the best epoch so far.
        KeyboardInterrupt: Somebody asked to stop; everything is saved.
        StorageError: A checkpoint could not be written.
    """
    course = begin(task, settings, precision=precision, group=parts.group)
    if checkpoints is not None:
        checkpoints.restore(course)
    try:
        epochs = train_epochs(course, settings, parts=parts, seed=seed, watch_step=watch_step, checkpoints=checkpoints)
        for record in epochs:
            if checkpoints is not None:
                checkpoints.after_epoch(course)
            if watch is not None:
                watch(record)
        if checkpoints is not None:
            checkpoints.at_the_end(course)
    finally:
        task.net.load_state_dict(course.best_state)
    return Fitted(course.best_state, course.best_epoch, tuple(course.history), course.norms)


def train_epochs(
    course: Course,
    settings: TrainingSettings,
    *,
    parts: Parts,
    seed: int,
    watch_step: WatchStep | None = None,
    checkpoints: Checkpoints | None = None,
) -> Iterator[EpochRecord]:
    """One record after each epoch; the network holds the weights of that epoch until the next is asked for.

    A network that begins with fitted weights comes with a record of epoch 0 first. All that is drawn is a
    function of the seed and the position, and the arithmetic does not depend on timing: the same seed, machine, number
    of threads and precision give the same weights, bit by bit. On GPUs that does not hold, where some of torch's
    backward passes add in the order in which threads finish.

    Raises:
        Diverged: A loss was not finite.
    """
    while not course.is_over(settings):
        if course.epoch > 0:
            _train_epoch(course, settings, parts, seed=seed, watch_step=watch_step, checkpoints=checkpoints)
            if parts.group.world > 1:
                weights = fingerprint(course.learner.task.net.state_dict())
                parts.group.check_same(weights, f"the weights after epoch {course.epoch}")
        record = _judge(course, settings, parts, checkpoints)
        course.end_epoch(record)
        yield record


def _train_epoch(
    course: Course,
    settings: TrainingSettings,
    parts: Parts,
    *,
    seed: int,
    watch_step: WatchStep | None,
    checkpoints: Checkpoints | None,
) -> None:
    """The steps of the epoch that are not done yet."""
    task, epoch, n_steps, group = course.learner.task, course.epoch, parts.train.n_batches, parts.group
    put_in_mode(task, training=True)
    before, began = course.seconds, time.perf_counter()
    for batch in training_batches(parts.train, seed=seed, epoch=epoch, first_step=course.step, share=group.share):
        rate = learning_rate((epoch - 1) * n_steps + batch.step, settings.epochs * n_steps, settings)
        labels = torch.from_numpy(batch.labels).to(task.device)
        draws = private_draws(task.device, seed=seed, epoch=epoch, step=batch.step, rank=group.rank)
        with nullcontext() if task.is_linear else draws:  # a linear layer draws nothing
            inputs = task.training_inputs(batch)
            sums = train_step(course.learner, inputs, labels, learning_rate=rate, n_whole=batch.n_whole)
        if not math.isfinite(sums.loss):
            raise Diverged(float(sums.loss), epoch=epoch, step=batch.step, learning_rate=settings.rate)
        course.tally, course.step = course.tally.plus(sums), batch.step + 1
        course.seconds = before + time.perf_counter() - began
        if watch_step is not None:
            watch_step(course.step, n_steps, course.tally.n / course.seconds)
        if checkpoints is not None:
            checkpoints.after_step(course)


def _judge(course: Course, settings: TrainingSettings, parts: Parts, checkpoints: Checkpoints | None) -> EpochRecord:
    """The record of the epoch whose steps are all done, or of the network as it came."""
    learner, epoch, tally, n_steps = course.learner, course.epoch, course.tally, parts.train.n_batches
    began = time.perf_counter()
    batches = evaluation_batches(parts.validation, parts.group.share)
    if checkpoints is not None:
        batches = checkpoints.watching(batches, course)
    judged = evaluate(learner.task, batches, arithmetic=learner.arithmetic, group=parts.group)
    assert judged.n == len(parts.validation.indices), f"{judged.n} judged of {len(parts.validation.indices)}"
    steps = range((epoch - 1) * n_steps, epoch * n_steps) if epoch else ()
    return EpochRecord(
        epoch=epoch,
        learning_rate=max((learning_rate(step, settings.epochs * n_steps, settings) for step in steps), default=0.0),
        train_loss=tally.loss,
        train_accuracy=tally.accuracy,
        validation_loss=judged.loss,
        validation_correct=judged.n_correct,
        n_validation=judged.n,
        pictures_per_second=tally.n / course.seconds if tally.n else float("nan"),
        seconds=course.seconds + time.perf_counter() - began,
    )
