"""Loops that a framework has in the user's place: what it is told to do is told at the user's lines."""

import inspect
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, WeightedRandomSampler

from heldout.auditing.context import watching
from heldout.auditing.rule import AuditFinding

# Code that counts as an installed package's.
INSTALLED = """
def fit(module, loader, optimiser):
    for batch in loader:
        optimiser.zero_grad()
        module.training_step(batch).backward()
        optimiser.step()

def validate(loader, step):
    for batch in loader:
        step(batch)

def evaluate(eval_dataset, make, step):
    eval_dataloader = make(eval_dataset)
    for batch in eval_dataloader:
        step(batch)

def ask(hook):
    return hook()

def bar(loader):
    yield from loader

def stepping(schedule, optimiser, n):
    for _ in range(n):
        optimiser.step()
        schedule.step()
"""
framework = ModuleType("framework")
exec(compile(INSTALLED, "/lib/site-packages/framework.py", "exec"), vars(framework))

X = torch.randn(120, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()
TRAIN, OTHERS = TensorDataset(X[:80], Y[:80]), TensorDataset(X[80:], Y[80:])


class Module:
    """A model with a framework's hooks."""

    def __init__(self, known: Dataset[Any]) -> None:
        torch.manual_seed(0)
        self.net, self.known = nn.Linear(6, 2), known
        self.optimiser = torch.optim.SGD(self.net.parameters(), 0.1)

    def training_step(self, batch: Any) -> Any:
        return functional.cross_entropy(self.net.train()(batch[0]), batch[1])

    def validation_step(self, batch: Any) -> None:
        with torch.no_grad():
            self.net.eval()(batch[0]).argmax(1)

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.known, 20)


def _line(function: Any, text: str) -> int:
    lines, first = inspect.getsourcelines(function)
    return first + next(number for number, line in enumerate(lines) if text in line)


def _found(code: str, run: Callable[[], object]) -> list[AuditFinding]:
    """What is told by one rule of what runs; nothing goes wrong in the watch itself."""
    with watching() as watched:
        run()
    assert watched.audit.watched is not None
    assert watched.audit.watched.faults == ()
    return [each for each in watched.findings if each.code == code and each.severity != "note"]


def test_a_hook_that_gives_the_training_samples() -> None:
    module = Module(TRAIN)

    def run() -> None:
        framework.fit(module, DataLoader(TRAIN, 20, shuffle=True), module.optimiser)
        framework.validate(framework.ask(module.val_dataloader), module.validation_step)
        framework.validate(DataLoader(OTHERS, 20), module.validation_step)

    (finding,) = _found("H101", run)
    assert finding.place.line == _line(Module.val_dataloader, "DataLoader(self.known")
    assert "(val_dataloader)" in finding.observed
    assert [each.line for each in finding.more] == [_line(Module.validation_step, "self.net.")]


def test_training_samples_that_a_framework_calls_its_own_way_are_silent_beside_others() -> None:
    module = Module(TRAIN)

    def run() -> None:
        framework.fit(module, DataLoader(TRAIN, 20, shuffle=True), module.optimiser)
        train_set, test_set = TRAIN, OTHERS
        for each in (train_set, test_set):
            framework.evaluate(each, lambda data: DataLoader(data, 20), module.validation_step)

    assert _found("H101", run) == []


def test_a_hook_of_two_loaders_says_nothing_of_either() -> None:
    module = Module(TRAIN)

    def val_dataloaders() -> list[DataLoader[Any]]:
        return [DataLoader(OTHERS, 20), DataLoader(Subset(TRAIN, range(30)), 20)]

    def run() -> None:
        framework.fit(module, DataLoader(TRAIN, 20, shuffle=True), module.optimiser)
        for loader in framework.ask(val_dataloaders):
            framework.validate(loader, module.validation_step)

    assert _found("H101", run) == []


def test_a_progress_bar_around_a_loader_leaves_the_loop_the_users() -> None:
    module = Module(TRAIN)

    def run() -> None:
        framework.fit(module, DataLoader(TRAIN, 20, shuffle=True), module.optimiser)
        val_loader = DataLoader(TRAIN, 20)
        for batch in framework.bar(val_loader):
            module.net(batch[0]).argmax(1)

    (finding,) = _found("H101", run)
    assert finding.place.line == _line(run, "module.net(batch[0])")


def _drawn(first: TensorDataset, second: TensorDataset) -> Callable[[], None]:
    module = Module(first)

    def run() -> None:
        sampler = WeightedRandomSampler([1.0] * 40, 40)
        framework.fit(module, DataLoader(first, 20, sampler=sampler), module.optimiser)
        for x, _ in DataLoader(second, 20, sampler=sampler):
            module.net(x)

    return run


def test_a_sampler_with_the_weights_of_other_samples() -> None:
    (finding,) = _found("H107", _drawn(TRAIN, OTHERS))
    assert "drawn from with a sampler that holds first" in finding.observed


def test_a_sampler_for_two_views_of_the_same_samples_is_silent() -> None:
    assert _found("H107", _drawn(TRAIN, TensorDataset(X[:80].clone(), Y[:80].clone()))) == []


class Schedule:
    """As timm's schedules are: told how far the training is, and no relation of torch's."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer

    def step(self, epoch: int) -> None:
        self.optimizer.param_groups[0]["lr"] = 0.1 / (epoch + 1)

    def step_update(self, num_updates: int) -> None:
        pass


@pytest.mark.parametrize(("used", "code"), [("", "H205"), ("step", ""), ("step_update", "")])
def test_timms_schedules(used: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    timm = ModuleType("timm.scheduler.scheduler")
    kind = type("Schedule", (Schedule,), {})
    vars(timm)["Scheduler"] = kind
    monkeypatch.setitem(sys.modules, timm.__name__, timm)

    def run() -> None:
        module = Module(TRAIN)
        schedule = kind(module.optimiser)
        for epoch in range(3):
            if used:
                getattr(schedule, used)(epoch)
            framework.fit(module, DataLoader(TRAIN, 20, shuffle=True), module.optimiser)

    assert len(_found("H205", run)) == bool(code)
    assert _found("H206", run) == []


class FastLoader:
    """As fastai's loader is: its batches are no business of torch's loader."""

    def __init__(self, dataset: Any, bs: int = 20, *, shuffle: bool = False, alters: bool = False) -> None:
        self.dataset, self.bs, self.shuffle, self.alters = dataset, bs, shuffle, alters

    def __len__(self) -> int:
        return len(self.dataset) // self.bs

    def create_item(self, number: int) -> Any:
        return self.dataset[number]

    def __iter__(self) -> Iterator[Any]:
        order = np.random.default_rng(0).permutation(len(self.dataset)).tolist()
        numbers = vars(self)["_DataLoader__idxs"] = order if self.shuffle else list(range(len(self.dataset)))
        for start in range(0, len(numbers), self.bs):
            some = numbers[start : start + self.bs]
            x, y = (torch.stack(each) for each in zip(*(self.create_item(number) for number in some), strict=True))
            yield (x + torch.rand(1) if self.alters else x), y


def _with_fastai(monkeypatch: pytest.MonkeyPatch) -> type[FastLoader]:
    fastai = ModuleType("fastai.data.load")
    kind = vars(fastai)["DataLoader"] = type("DataLoader", (FastLoader,), {})
    monkeypatch.setitem(sys.modules, fastai.__name__, fastai)
    return kind


def test_fastais_loaders(monkeypatch: pytest.MonkeyPatch) -> None:
    kind, module = _with_fastai(monkeypatch), Module(TRAIN)

    def run() -> None:
        framework.fit(module, kind(TRAIN, shuffle=True), module.optimiser)
        framework.validate(kind(TensorDataset(X[:80].clone(), Y[:80])), module.validation_step)

    (finding,) = _found("H101", run)
    assert "100 % of the 80 samples" in finding.observed
    assert finding.place.line == _line(run, "X[:80].clone()")


@pytest.mark.parametrize("alters", [True, False])
def test_fastais_transforms_of_a_batch(monkeypatch: pytest.MonkeyPatch, alters: bool) -> None:
    kind, module = _with_fastai(monkeypatch), Module(TRAIN)

    def run() -> None:
        valid = kind(OTHERS, alters=alters)
        for _ in range(2):
            framework.fit(module, kind(TRAIN, shuffle=True), module.optimiser)
            framework.validate(valid, module.validation_step)

    assert len(_found("H106", run)) == alters
    assert _found("H101", run) == []
