"""Epochs of training: a generator of records, and its one caller, which stops early and keeps the best weights."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.data.batches import Batches, evaluation_batches, training_batches
from heldout.models.regimes import set_mode
from heldout.training.history import EpochRecord
from heldout.training.losses import Tally
from heldout.training.schedules import learning_rate
from heldout.training.settings import TrainingSettings
from heldout.training.steps import Diverged, Learner, evaluate, make_learner, private_draws, train_step
from heldout.training.tasks import Task

# How many steps of an epoch are done, of how many, and pictures a second so far.
WatchStep = Callable[[int, int, float], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a network learns from, and what it is judged on meanwhile.

    Attributes:
        train: The training examples.
        validation: The validation examples; at least one.
    """

    train: Batches
    validation: Batches


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a training gave.

    Attributes:
        state: The state dict of the best epoch, on the CPU and contiguous; the network holds the same numbers.
        best_epoch: The epoch of the lowest validation loss; the earliest, where several are equal.
        history: One record an epoch, the epoch 0 first where there is one.
    """

    state: dict[str, Tensor]
    best_epoch: int
    history: tuple[EpochRecord, ...]


def fit_network(
    task: Task,
    settings: TrainingSettings,
    *,
    parts: Parts,
    precision: str,
    seed: int,
    watch: Callable[[EpochRecord], None] | None = None,
    watch_step: WatchStep | None = None,
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
        watch: Called with the record of each epoch.
        watch_step: Called after each step.

    Raises:
        Diverged: The loss was not finite; the weights are those of the best epoch so far.
    """
    history: list[EpochRecord] = []
    best: EpochRecord | None = None
    state = _copied_state(task)
    try:
        epochs = train_epochs(task, settings, parts=parts, precision=precision, seed=seed, watch_step=watch_step)
        for record in epochs:
            history.append(record)
            if best is None or record.validation_loss < best.validation_loss:
                best, state = record, _copied_state(task)
            if watch is not None:
                watch(record)
            if settings.patience is not None and record.epoch - best.epoch >= settings.patience:
                break
    finally:
        task.net.load_state_dict(state)
    assert best is not None, "there was no epoch"
    return Fitted(state, best.epoch, tuple(history))


def train_epochs(
    task: Task,
    settings: TrainingSettings,
    *,
    parts: Parts,
    precision: str,
    seed: int,
    watch_step: WatchStep | None = None,
) -> Iterator[EpochRecord]:
    """One record after each epoch; the network holds the weights of that epoch until the next is asked for.

    A network that is not trained from random weights comes with a record of epoch 0 first. All that is drawn is a
    function of the seed and the position, and the arithmetic does not depend on timing: the same seed, machine, number
    of threads and precision give the same weights, bit by bit. On GPUs that does not hold, where some of torch's
    backward passes add in the order in which threads finish.

    Raises:
        Diverged: A loss was not finite.
    """
    learner = make_learner(task, settings, precision=precision)
    if task.regime != "scratch":
        yield _starting_record(learner, parts)
    for epoch in range(1, settings.epochs + 1):
        began = time.perf_counter()
        tally = _train_epoch(learner, settings, parts.train, seed=seed, epoch=epoch, watch_step=watch_step)
        trained = time.perf_counter()
        judged = evaluate(task, evaluation_batches(parts.validation), arithmetic=learner.arithmetic)
        n_steps = parts.train.n_batches
        rates = (
            learning_rate(step, settings.epochs * n_steps, settings)
            for step in range((epoch - 1) * n_steps, epoch * n_steps)
        )
        yield EpochRecord(
            epoch=epoch,
            learning_rate=max(rates),
            train_loss=tally.loss,
            train_accuracy=tally.accuracy,
            validation_loss=judged.loss,
            validation_correct=judged.n_correct,
            n_validation=judged.n,
            pictures_per_second=tally.n / (trained - began),
            seconds=time.perf_counter() - began,
        )


def _train_epoch(
    learner: Learner,
    settings: TrainingSettings,
    train: Batches,
    *,
    seed: int,
    epoch: int,
    watch_step: WatchStep | None,
) -> Tally:
    task, n_steps = learner.task, train.n_batches
    set_mode(task.net, task.regime, training=True)
    tally, began = Tally(), time.perf_counter()
    for batch in training_batches(train, seed=seed, epoch=epoch):
        rate = learning_rate((epoch - 1) * n_steps + batch.step, settings.epochs * n_steps, settings)
        labels = torch.from_numpy(batch.labels).to(task.device)
        with private_draws(task.device, seed=seed, epoch=epoch, step=batch.step):
            sums = train_step(learner, task.training_inputs(batch), labels, learning_rate=rate)
        tally = tally.plus(sums)
        if not torch.isfinite(sums.loss):
            raise Diverged(float(sums.loss), epoch=epoch, step=batch.step, learning_rate=settings.learning_rate)
        if watch_step is not None:
            watch_step(batch.step + 1, n_steps, tally.n / (time.perf_counter() - began))
    return tally


def _starting_record(learner: Learner, parts: Parts) -> EpochRecord:
    began = time.perf_counter()
    judged = evaluate(learner.task, evaluation_batches(parts.validation), arithmetic=learner.arithmetic)
    return EpochRecord(
        epoch=0,
        learning_rate=0.0,
        train_loss=float("nan"),
        train_accuracy=float("nan"),
        validation_loss=judged.loss,
        validation_correct=judged.n_correct,
        n_validation=judged.n,
        pictures_per_second=float("nan"),
        seconds=time.perf_counter() - began,
    )


def _copied_state(task: Task) -> dict[str, Tensor]:
    copied = {name: value.detach().cpu().contiguous() for name, value in task.net.state_dict().items()}
    return {name: value.clone(memory_format=torch.contiguous_format) for name, value in copied.items()}
