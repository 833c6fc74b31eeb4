"""What a watch sees of training: gradients kept, idle optimisers, layers that nobody owns, losses made too small."""

from collections.abc import Callable

import pytest
import torch
from torch import nn, optim
from torch.distributions import Categorical
from torch.nn import functional
from torch.optim.lr_scheduler import ExponentialLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

from heldout.auditing.context import Watching, watching

X = torch.randn(96, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()
TRAIN, TEST = TensorDataset(X[:64], Y[:64]), TensorDataset(X[64:], Y[64:])


def _model(*layers: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), *layers, nn.ReLU(), nn.Linear(8, 2))


def _back(loss: torch.Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


def _train(model: nn.Module, optimiser: optim.Optimizer, n_epochs: int = 2) -> None:
    train_loader = DataLoader(TRAIN, 16, shuffle=True)
    for _ in range(n_epochs):
        model.train()
        for x, y in train_loader:
            optimiser.zero_grad()
            _back(functional.cross_entropy(model(x), y))
            optimiser.step()


def _accuracy(model: nn.Module) -> float:
    test_loader = DataLoader(TEST, 16)
    model.eval()
    with torch.no_grad():
        return sum(int((model(x).argmax(1) == y).sum()) for x, y in test_loader) / len(TEST)


def _codes(watched: Watching) -> set[str]:
    assert watched.audit.watched is not None
    assert watched.audit.watched.faults == ()
    return {each.code for each in watched.findings if each.severity != "note"}


@pytest.mark.parametrize(("clears", "expected"), [(False, {"H201"}), (True, set())])
def test_accumulated_gradients_that_are_never_cleared(clears: bool, expected: set[str]) -> None:
    model = _model()
    optimiser = optim.SGD(model.parameters(), 0.01)
    with watching() as watched:
        for number, (x, y) in enumerate(list(DataLoader(TRAIN, 4)) * 2, 1):
            _back(functional.cross_entropy(model(x), y) / 4)
            if number % 4 == 0:
                optimiser.step()
                if clears:
                    optimiser.zero_grad()
    assert _codes(watched) == expected


class _Stack(nn.Module):
    def __init__(self, held: Callable[[list[nn.Module]], object]) -> None:
        super().__init__()
        self.layers = held([nn.Linear(6, 6), nn.Linear(6, 6)])
        self.head = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:  # type: ignore[attr-defined]
            x = layer(x).relu()
        return self.head(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("held", "expected"), [(list, {"H202"}), (nn.ModuleList, set())])
def test_layers_in_a_plain_list(held: Callable[[list[nn.Module]], object], expected: set[str]) -> None:
    with watching() as watched:
        model = _Stack(held)
        _train(model, optim.SGD(model.parameters(), 0.1))
    assert _codes(watched) == expected
    if expected:
        (finding,) = [each for each in watched.findings if each.code == "H202"]
        assert finding.observed.startswith("4 parameters (Linear.weight, ")
        assert finding.place.line == _Stack.__init__.__code__.co_firstlineno + 2


def test_an_optimiser_that_never_steps() -> None:
    model, other = _model(), _model()
    with watching() as watched:
        idle = optim.SGD(model.parameters(), 0.1)
        _train(other, optim.SGD(other.parameters(), 0.1))
        for x, y in DataLoader(TRAIN, 8):
            idle.zero_grad()
            _back(functional.cross_entropy(model(x), y))
    (finding,) = [each for each in watched.findings if each.code == "H202"]
    assert finding.observed.startswith("This SGD never stepped, while 8 backward passes")


def test_an_optimiser_that_another_one_stands_in_for_is_silent() -> None:
    model = _model()
    with watching() as watched:
        spare = optim.Adam(model.parameters(), 0.1)
        _train(model, optim.SGD(model.parameters(), 0.1), n_epochs=4)
    assert len(spare.param_groups) == 1
    assert _codes(watched) == set()


@pytest.mark.parametrize(("none", "expected"), [(False, {"H204"}), (True, set())])
def test_frozen_later_and_decaying_all_the_same(none: bool, expected: set[str]) -> None:
    def run() -> None:  # the optimiser is gone when the watch is over
        model = _model()
        optimiser = optim.SGD(model.parameters(), 0.1, weight_decay=0.1)
        _train(model, optimiser)
        next(model.children()).requires_grad_(False)
        optimiser.zero_grad(set_to_none=none)
        for x, y in DataLoader(TRAIN, 8):
            optimiser.zero_grad(set_to_none=none)
            _back(functional.cross_entropy(model(x), y))
            optimiser.step()

    with watching() as watched:
        run()
    assert _codes(watched) == expected


@pytest.mark.parametrize(
    ("metric", "mode", "expected"), [("acc", "min", {"H206"}), ("acc", "max", set()), ("loss", "min", set())]
)
def test_a_plateau_that_waits_for_an_accuracy_to_fall(metric: str, mode: str, expected: set[str]) -> None:
    model = _model()
    with watching() as watched:
        optimiser = optim.SGD(model.parameters(), 0.1)
        schedule = ReduceLROnPlateau(optimiser, mode=mode)  # type: ignore[arg-type]
        for epoch in range(4):
            _train(model, optimiser, 1)
            accuracy = _accuracy(model)
            schedule.step(accuracy if metric == "acc" else 1.2345 - epoch / 10)
    assert _codes(watched) == expected


@pytest.mark.filterwarnings("ignore:Detected call of .lr_scheduler.step:UserWarning")
@pytest.mark.parametrize(("new", "expected"), [(False, {"H205"}), (True, set())])
def test_a_schedule_of_the_first_stage_in_the_second(new: bool, expected: set[str]) -> None:
    model = _model()
    with watching() as watched:
        first = optim.SGD(model.parameters(), 0.1)
        _train(model, first)
        second = optim.SGD(model.parameters(), 0.05)
        schedule = ExponentialLR(second if new else first, 0.9)
        for _ in range(4):
            _train(model, second, 1)
            schedule.step()
    assert _codes(watched) == expected


@pytest.mark.parametrize(("named", "expected"), [("logits", {"H210"}), ("probs", set())])
def test_probabilities_as_the_logits_of_a_policy(named: str, expected: set[str]) -> None:
    with watching() as watched:
        for x, _ in DataLoader(TRAIN, 8):
            Categorical(**{named: x.softmax(1)}).sample()  # type: ignore[no-untyped-call]
            Categorical(logits=x).sample()  # type: ignore[no-untyped-call]
    assert _codes(watched) == expected


class _Dropping(nn.Module):
    def __init__(self, *, owns: bool) -> None:
        super().__init__()
        self.head, self.dropout = nn.Linear(6, 2), nn.Dropout(0.3) if owns else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head((self.dropout or nn.Dropout(0.3))(x))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("owns", "expected"), [(False, {"H209"}), (True, set())])
def test_a_dropout_that_is_made_in_the_forward_pass(owns: bool, expected: set[str]) -> None:
    model = _Dropping(owns=owns)
    with watching() as watched:
        _train(model, optim.SGD(model.parameters(), 0.1))
        _accuracy(model)
    assert _codes(watched) == expected


@pytest.mark.parametrize(
    ("by", "n_of_step", "expected"), [(16, 1, {"H211"}), (4, 4, set()), (16, 4, {"H211"}), (10, 1, set())]
)
def test_a_mean_loss_that_is_divided_again(by: int, n_of_step: int, expected: set[str]) -> None:
    model = _model()
    optimiser = optim.SGD(model.parameters(), 0.1)
    with watching() as watched:
        for number, (x, y) in enumerate(list(DataLoader(TRAIN, 16)) * 4, 1):
            _back(functional.cross_entropy(model(x), y) / by)
            if number % n_of_step == 0:
                optimiser.step()
                optimiser.zero_grad()
    assert _codes(watched) == expected


@pytest.mark.parametrize(("on_test", "expected"), [(True, {"H208"}), (False, set())])
def test_averaged_weights_whose_statistics_are_taken(on_test: bool, expected: set[str]) -> None:
    model = _model(nn.BatchNorm1d(8))
    averaged = AveragedModel(model)
    with watching() as watched:
        _train(model, optim.SGD(model.parameters(), 0.1))
        averaged.update_parameters(model)
        test_loader, train_loader = DataLoader(TEST, 8), DataLoader(TRAIN, 8)
        update_bn(test_loader if on_test else train_loader, averaged)
        _accuracy(averaged)
    assert _codes(watched) == expected
