"""The learning-rate range test: the rate rises from step to step until the network comes apart.

It is tried on a copy of the network. The run that follows is bit for bit the run that names the found rate.
"""

import copy
import math
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import torch
from torch import Tensor

from heldout.data.batches import Batch, Batches, training_batches
from heldout.models.regimes import set_mode
from heldout.randomness import key_of
from heldout.training.rates import FILE_NAME, RateTest, Try, choose, has_diverged, range_of, read_test, write_test
from heldout.training.settings import TrainingSettings
from heldout.training.steps import Learner, make_learner, private_draws, train_step
from heldout.training.tasks import Task

# Is told how many steps of how many are done, and steps a second; may raise to end the test.
Watch = Callable[[int, int, float], None]


def find_learning_rate(
    task: Task,
    settings: TrainingSettings,
    *,
    batches: Batches,
    precision: str,
    seed: int,
    watch: Watch | None = None,
) -> RateTest:
    """A learning rate for the training that is about to begin, and how the loss went at each rate.

    The rate rises by the same factor in each step. Beside the network that learns, the network as it came answers the
    same batch with the same augmentation and dropout: from batch to batch the loss differs more than a small rate
    changes it, and the difference between the two has none of that (`rates.py`).

    The number of steps does not depend on the clock, so the same seed, machine and precision find the same rate. A test
    costs as much as `N_STEPS` steps of training at most, and a forward pass beside each; it usually ends after two
    thirds of them, when the network has come apart.

    Args:
        task: Its network is copied, not changed; nor is any generator.
        settings: Its learning rate is not looked at.
        batches: The training examples, in an order of the test's own.
        precision: As `choose_precision` gives it.
        seed: The seed of the run.
        watch: Is called before each step.

    Source:
        Smith 2017, arXiv:1506.01186, section 3.3; the comparison with the network as it came is our own.
    """
    before = replace(task, net=copy.deepcopy(task.net))
    learner = make_learner(replace(task, net=copy.deepcopy(task.net)), settings, precision=precision)
    for net in (before.net, learner.task.net):
        set_mode(net, task.regime, training=True)
    tries: list[Try] = []
    rates, began = range_of(settings.optimiser), time.perf_counter()
    with closing(_batches(batches, seed)) as coming:
        for rate, batch in zip(rates, coming, strict=False):
            if watch is not None:
                watch(len(tries), len(rates), len(tries) / (time.perf_counter() - began))
            tries.append(_try(learner, before, batch, rate=rate, seed=seed))
            if has_diverged(tries):
                break
    return choose(tries, regime=task.regime, optimiser=settings.optimiser)


def found_or_find(
    folder: Path,
    task: Task,
    settings: TrainingSettings,
    *,
    batches: Batches,
    precision: str,
    seed: int,
    watch: Watch | None = None,
) -> RateTest:
    """The test that a run folder holds; where it holds none, one that is made now and written there.

    Other arguments are those of `find_learning_rate`.

    Raises:
        StorageError: The disk refused.
    """
    test = read_test(folder / FILE_NAME, regime=task.regime, optimiser=settings.optimiser)
    if test is None:
        test = find_learning_rate(task, settings, batches=batches, precision=precision, seed=seed, watch=watch)
        write_test(folder / FILE_NAME, test)
    return test


def _batches(batches: Batches, seed: int) -> Generator[Batch, None, None]:
    """Batches without end; at positions where no training draws anything."""
    own = key_of(seed, "rates")
    for epoch in count(1):
        for batch in training_batches(batches, seed=own, epoch=epoch):
            yield replace(batch, epoch=-epoch)


def _try(learner: Learner, before: Task, batch: Batch, *, rate: float, seed: int) -> Try:
    """One step, and what the network as it came says to the same batch."""
    task = learner.task
    inputs, labels = task.training_inputs(batch), torch.from_numpy(batch.labels).to(task.device)
    with private_draws(task.device, seed=seed, epoch=batch.epoch, step=batch.step), torch.no_grad():
        logits = before.logits(before.net, inputs)
        untouched = task.balance.loss(logits, labels, label_smoothing=learner.label_smoothing)
    with private_draws(task.device, seed=seed, epoch=batch.epoch, step=batch.step):
        sums = train_step(learner, inputs, labels, learning_rate=rate)
    return Try(rate, _finite(sums.loss), _finite(untouched))


def _finite(loss: Tensor | float) -> float:
    """The loss; infinity where it is no number."""
    value = float(loss)
    return value if math.isfinite(value) else math.inf
