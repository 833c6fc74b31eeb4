"""Labels as the watch sees them: which belong to a model's outputs, and out of which loader they came (H110, H111)."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from heldout.auditing.judging import judge
from heldout.auditing.rules import class_order, labels, scales
from heldout.auditing.seen.log import Log
from heldout.auditing.watch.watching import Watch

RULES = (*labels.RULES, *class_order.RULES, *scales.RULES)
N = 96


def _watched(run: Callable[[nn.Module, torch.optim.Optimizer], None]) -> Log:
    watch = Watch("test")
    watch.begin()
    try:
        torch.manual_seed(0)
        model = nn.Linear(6, 3)
        run(model, torch.optim.SGD(model.parameters(), lr=0.1))
    finally:
        log = watch.end()
    assert log.faults == ()
    return log


def _codes(log: Log) -> list[str]:
    return [each.code for each in judge(log, RULES)]


def _data(seed: int = 0, n: int = N) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 6, generator=generator), torch.randint(0, 3, (n,), generator=generator)


def _learn(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _zipped(seeds: tuple[int, int]) -> Callable[[nn.Module, torch.optim.Optimizer], None]:
    def run(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        x, y = _data()
        draws = [torch.Generator().manual_seed(seed) for seed in seeds]
        pictures = DataLoader(TensorDataset(x), batch_size=32, shuffle=True, generator=draws[0])
        numbers = DataLoader(TensorDataset(y), batch_size=32, shuffle=True, generator=draws[1])
        for (inputs,), (targets,) in zip(pictures, numbers, strict=True):
            _learn(optimizer, functional.cross_entropy(model(inputs), targets))

    return run


@pytest.mark.parametrize(("seeds", "codes"), [((1, 2), ["H110"]), ((1, 1), [])])
def test_two_loaders_that_draw_alike_or_not(seeds: tuple[int, int], codes: list[str]) -> None:
    assert _codes(_watched(_zipped(seeds))) == codes


def _by_hand(permuted: str) -> Callable[[nn.Module, torch.optim.Optimizer], None]:
    def run(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        x, y = _data(n=240)
        for _ in range(3):
            order = torch.randperm(len(x))
            inputs = x[order] if "x" in permuted else x
            targets = y[order] if "y" in permuted else y
            for start in range(0, len(x), 40):
                part = slice(start, start + 40)
                _learn(optimizer, functional.cross_entropy(model(inputs[part]), targets[part]))

    return run


@pytest.mark.parametrize(("permuted", "codes"), [("x", ["H110"]), ("y", ["H110"]), ("xy", []), ("", [])])
def test_batches_by_hand(permuted: str, codes: list[str]) -> None:
    assert _codes(_watched(_by_hand(permuted))) == codes


def test_a_loss_on_the_outputs_of_another_call_says_nothing_of_this_one() -> None:
    def run(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        x, y = _data()
        unlabelled = DataLoader(TensorDataset(_data(1)[0]), batch_size=32, shuffle=True)
        labelled = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
        for _ in range(3):
            for (inputs, targets), (others,) in zip(labelled, unlabelled, strict=True):
                known, guessed = model(inputs), model(others)
                _learn(optimizer, functional.cross_entropy(known, targets) + 0.1 * guessed.square().mean())

    log = _watched(run)
    assert _codes(log) == []
    assert log.labellings == []


def test_a_loss_inside_of_the_model_is_not_taken_for_that_of_the_call_before() -> None:
    class WithLoss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Linear(6, 3)

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return functional.cross_entropy(self.net(x), y)

    def run(unused: nn.Module, also_unused: torch.optim.Optimizer) -> None:
        model = WithLoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            for x, y in DataLoader(TensorDataset(*_data()), batch_size=32, shuffle=True):
                _learn(optimizer, model(x, y))

    assert _codes(_watched(run)) == []


def test_two_losses_of_one_call_are_two_tasks_or_a_mixture() -> None:
    def run(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        x, y = _data()
        for _ in range(3):
            order = torch.randperm(N)
            out = model(x)
            _learn(optimizer, functional.cross_entropy(out, y[order]) + functional.cross_entropy(out, y))

    assert _codes(_watched(run)) == []


def test_the_range_of_the_inputs_is_kept() -> None:
    def run(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        x, y = _data()
        _learn(optimizer, functional.cross_entropy(model(x), y))
        with torch.no_grad():
            model(100 * x)

    log = _watched(run)
    learned, asked = log.stretches
    assert asked.input_high == pytest.approx(100 * learned.input_high)
    assert (learned.n_values, learned.n_whole) == (6, 0)
    assert _codes(log) == ["H112"]
