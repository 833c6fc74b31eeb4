"""Everyday shapes that are right: schedules made of schedules, items that are pairs of numbers, answers in order."""

import ast
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    SequentialLR,
)
from torch.utils.data import Dataset

from heldout.auditing.judging import judge
from heldout.auditing.reading.orders import find_permuted_apart
from heldout.auditing.reading.tree import Script
from heldout.auditing.rules.every import RULES
from heldout.auditing.seen.log import Log
from heldout.auditing.watch.identities import Population
from heldout.auditing.watch.watching import Watch

Schedule = SequentialLR | ChainedScheduler


def _sequential(optimiser: Optimizer) -> Schedule:
    parts = [LinearLR(optimiser, 0.1, total_iters=2), CosineAnnealingLR(optimiser, 4)]
    return SequentialLR(optimiser, parts, milestones=[2])


def _chained(optimiser: Optimizer) -> Schedule:
    return ChainedScheduler([ConstantLR(optimiser, 0.5, 2), ExponentialLR(optimiser, 0.9)])


def _trained_with(make: Callable[[Optimizer], Schedule], n_steps: int) -> Log:
    watch = Watch("schedules.py")
    watch.begin()
    try:
        torch.manual_seed(0)
        model = nn.Linear(3, 2)
        optimiser = SGD(model.parameters(), 0.1)
        schedule = make(optimiser)
        for step in range(6):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(torch.randn(5, 3)), torch.randint(0, 2, (5,))).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if step < n_steps:
                schedule.step()  # type: ignore[no-untyped-call, unused-ignore]
    finally:
        log = watch.end()
    assert log.faults == ()
    return log


@pytest.mark.parametrize("make", [_sequential, _chained])
def test_a_schedule_made_of_others_is_one_and_its_parts_are_stepped_by_it(
    make: Callable[[Optimizer], Schedule],
) -> None:
    log = _trained_with(make, 6)
    assert [each.is_part for each in log.schedulers] == [True, True, False]
    assert (log.schedulers[2].n_steps, log.schedulers[2].n_before_optimiser) == (6, 0)
    assert [each.code for each in judge(log, RULES) if each.code in {"H205", "H206"}] == []


def test_one_that_is_never_stepped_is_told_once() -> None:
    found = [each for each in judge(_trained_with(_sequential, 0), RULES) if each.code in {"H205", "H206"}]
    assert [(each.code, each.observed.split()[1]) for each in found] == [("H205", "SequentialLR")]


def test_how_the_loss_of_the_first_step_was_made() -> None:
    (optimiser,) = _trained_with(_chained, 6).optimisers
    assert optimiser.differentiated[:2] == ("NllLossBackward0", "LogSoftmaxBackward0")


class _Pairs(Dataset[tuple[int, int, int]]):
    """Items that are pairs of row numbers; what is in the rows differs from one of these to the next."""

    def __init__(self) -> None:
        self.pairs = [(number, number + 1, number % 2) for number in range(40)]

    def __len__(self) -> int:
        return len(self.pairs)


def test_items_that_are_numbers_alone_are_known_by_no_content() -> None:
    assert not Population(_Pairs(), 40, salt=1).has_content


def test_answers_that_are_given_to_a_loss_of_any_name_come_in_the_order_of_the_samples() -> None:
    split = "X, X2, y, y2 = train_test_split(X, y)\nX = torch.tensor(scaler.transform(X))\ny = torch.tensor(y)\n"
    for used in ("distance(net(X), y)", "distance(net(scaler.transform(X)), y)"):
        assert list(find_permuted_apart(Script([("train.py", ast.parse(split + used))]))) == []
    wrong = "X, y = load()\np = torch.randperm(9)\nX = X[p]\nTensorDataset(X, y)"
    assert len(list(find_permuted_apart(Script([("train.py", ast.parse(wrong))])))) == 1
