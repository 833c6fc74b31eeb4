"""Losses at rising learning rates -> a rate, by one rule; and learning_rate.csv, which keeps them. Imports no torch."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from heldout.findings import Finding
from heldout.records import write_csv
from heldout.training.settings import defaults

FILE_NAME = "learning_rate.csv"
# What is taken is a tenth of the rate at which the network came apart. On 320 flower photos (EfficientNet-Lite0,
# 2026-11-22), for `full`, `partial` and `frozen` in this order, with the validation losses at the nearest rates that
# were trained with:
#   a tenth of coming apart gives 0.0005, 0.004 to 0.005 and 0.12 to 0.24,
#     with 0.304, 0.296 to 0.301 and 0.287 to 0.308;
#   a tenth of the lowest loss 0.00008, 0.0016 and 0.02, with an unknown one, 0.296 to 0.298 and 0.282 to 0.313;
#   the steepest fall 0.0007, 0.0035 and 0.009, with 0.304, 0.296 and 0.313;
#   the valley as fastai takes it 0.0004, 0.0015 and 0.008, with 0.304, 0.296 to 0.298 and 0.313.
# Those of one regime differ by less than 80 validation pictures can tell. Coming apart shows clearest, also where
# training starts from a fitted head whose loss has nowhere to fall. With the rates that were
# found, `frozen` (0.237) came to 0.308 and `partial` (0.00422) to 0.320 after its last epoch, where the fitted head has
# 0.296: neither gains here.
# Six powers of ten: the best rates of all regimes lie well within (settings.py), and the end tears any network apart.
_STEPS_PER_POWER = 16
_N_POWERS = 6
N_STEPS = _STEPS_PER_POWER * _N_POWERS + 1
_LOWEST = {"sgd": 1e-5, "adamw": 1e-6}
# Means over so many steps on each side.
_N_BESIDE = 3
# A network has come apart where its loss has risen by half of what it had fallen, and by this many nats at least
# (assumed: what comes apart exceeds both within a step or two, so that from 0.1 to 0.5 nats the same rate is found).
_LEAST_RISE = 0.25
# A fall by less than this share of the loss at the start tells nothing (assumed).
_LEAST_FALL = 0.02


class Try(NamedTuple):
    """One step of the test: its rate; the loss of its batch before it; that of the network as it came. Nats."""

    rate: float
    loss: float
    start_loss: float


@dataclass(frozen=True, slots=True)
class RateTest:
    """What a range test found.

    Attributes:
        learning_rate: To train with.
        rates: One a step, rising.
        losses: Of each step's batch before the step, nats; infinite where the network has come apart.
        start_losses: Of the same batches by the network as it came.
        reason: How the rate came about, in words.
        is_told: Whether the losses told it; otherwise it is what the regime starts from.
    """

    learning_rate: float
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    start_losses: tuple[float, ...]
    reason: str
    is_told: bool

    def finding(self) -> Finding | None:
        """What to know where the test could not tell; None where it could."""
        if self.is_told:
            return None
        return Finding(
            code="learning-rate-not-found",
            severity="note",
            what=f"the search for a learning rate could not tell: {self.reason}",
            why="The rate that was taken is that of the regime's defaults; another one may give better scores.",
            fix="Name two or three rates with --learning-rate and compare their validation losses.",
        )


def range_of(optimiser: str) -> tuple[float, ...]:
    """The rates of a whole test, rising; each has three digits, so that it can be named in a plan.

    Example:
        >>> rates = range_of("sgd")
        >>> len(rates), rates[0], rates[16], rates[-1]
        (97, 1e-05, 0.0001, 10.0)
    """
    powers = (step / _STEPS_PER_POWER for step in range(N_STEPS))
    return tuple(float(f"{_LOWEST[optimiser] * 10**power:.3g}") for power in powers)


def smoothed(losses: Sequence[float], start_losses: Sequence[float]) -> list[float]:
    """The loss at each step without what differs from batch to batch, nats.

    The mean loss of the network as it came, plus the mean, over the steps near by, of what each batch is above it.
    """
    rises = np.subtract(losses, start_losses)
    level = float(np.mean(start_losses))
    return [
        level + float(np.mean(rises[max(0, step - _N_BESIDE) : step + _N_BESIDE + 1])) for step in range(len(rises))
    ]


def has_diverged(tries: Sequence[Try]) -> bool:
    """Whether the network has come apart, so that higher rates tell nothing."""
    if not math.isfinite(tries[-1].loss):
        return True
    curve = smoothed([one.loss for one in tries], [one.start_loss for one in tries])
    lowest = min(curve)
    return curve[-1] - lowest > max(_LEAST_RISE, (curve[0] - lowest) / 2)


def choose(tries: Sequence[Try], *, regime: str, optimiser: str) -> RateTest:
    """The rate that the losses tell: a tenth of that at which the network came apart.

    Where they tell none it is the rate that the regime starts from, or that tenth where it is lower.

    Args:
        tries: One or more, at the rates of `range_of`; they end where the network came apart, or with the range.
        regime: What learns.
        optimiser: Whose range and defaults hold.
    """
    rates, losses, start_losses = (tuple(column) for column in zip(*tries, strict=True))
    curve = smoothed(losses, start_losses)
    usual = defaults(regime, {"optimiser": optimiser}).rate
    tenth = rates[max(0, len(rates) - 1 - _STEPS_PER_POWER)]
    span = f"from {rates[0]:g} to {rates[-1]:g}"
    if not has_diverged(tries):
        words = f"at no rate {span} did the network come apart; {usual:g} is what {regime} starts from"
        return RateTest(usual, rates, losses, start_losses, words, is_told=False)
    if not curve[0] - min(curve) >= _LEAST_FALL * curve[0]:  # nor where all are infinite
        taken = min(usual, tenth)
        why = f"what {regime} starts from" if taken == usual else "a tenth of where the network came apart"
        words = f"the loss never fell, at rates {span}; {taken:g} is {why}"
        return RateTest(taken, rates, losses, start_losses, words, is_told=False)
    words = f"found: a tenth of {rates[-1]:g}, at which the network came apart after {len(rates)} steps {span}"
    return RateTest(tenth, rates, losses, start_losses, words, is_told=True)


def write_test(path: Path, test: RateTest) -> None:
    """Write learning_rate.csv: one row a step, the rate that was found marked; nothing is marked where none was.

    Raises:
        StorageError: The disk refused.
    """
    curve = smoothed(test.losses, test.start_losses)
    rows = [
        {
            "rate": rate,
            "loss": loss,
            "start_loss": start_loss,
            "smoothed": level,
            "chosen": str(test.is_told and rate == test.learning_rate).lower(),
        }
        for rate, loss, start_loss, level in zip(test.rates, test.losses, test.start_losses, curve, strict=True)
    ]
    write_csv(path, rows)


def read_test(path: Path, *, regime: str, optimiser: str) -> RateTest | None:
    """The test that was written down; None where there is none, or it is damaged.

    The rate is chosen again from the losses, which gives the same.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            tries = [
                Try(*(float(row[name]) for name in ("rate", "loss", "start_loss"))) for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    rates = tuple(one.rate for one in tries)
    if not rates or rates != range_of(optimiser)[: len(rates)]:
        return None
    return choose(tries, regime=regime, optimiser=optimiser)
