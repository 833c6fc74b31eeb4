"""What a watch sees of samples: parts of one data set, tensors made by hand, copies under other names, noise."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import nn, optim
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, WeightedRandomSampler

from heldout.auditing.context import Watching, watching

X = torch.randn(96, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def _model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))


def _learn(model: nn.Module, batches: Sequence[tuple[torch.Tensor, torch.Tensor]] | DataLoader[object]) -> None:
    optimiser = optim.SGD(model.parameters(), 0.1)
    for _ in range(2):
        model.train()
        for x, y in batches:
            optimiser.zero_grad()
            functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    model.eval()


def _batches(x: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(x[at : at + 16], Y[at : at + 16]) for at in range(0, len(x), 16)]


@torch.no_grad()
def _accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    return float((model(x).argmax(1) == y).float().mean())


@torch.no_grad()
def _score(model: nn.Module, loader: DataLoader[object]) -> int:
    return sum(int((model(x).argmax(1) == y).sum()) for x, y in loader)


def _codes(watched: Watching) -> set[str]:
    assert watched.audit.watched is not None
    assert watched.audit.watched.faults == ()
    return {each.code for each in watched.findings if each.severity != "note"}


@pytest.mark.parametrize(
    ("held", "expected"), [(range(40), {"H101"}), (range(50, 90), {"H102"}), (range(64, 96), set())]
)
def test_parts_of_one_data_set(held: range, expected: set[str]) -> None:
    data, model = TensorDataset(X, Y), _model()
    train_loader = DataLoader(Subset(data, range(64)), 16, shuffle=True)
    val_loader = DataLoader(Subset(data, held), 16)
    with watching() as watched:
        _learn(model, train_loader)
        _score(model, val_loader)
    assert _codes(watched) == expected


def test_the_training_part_is_scored_beside_the_other() -> None:
    data, model = TensorDataset(X, Y), _model()
    parts = [DataLoader(Subset(data, numbers), 16) for numbers in (range(64), range(64, 96))]
    with watching() as watched:
        _learn(model, parts[0])
        for loader in parts:
            _score(model, loader)
    assert _codes(watched) == set()


@pytest.mark.parametrize(("first", "expected"), [(0, {"H101"}), (40, {"H102"}), (64, set())])
def test_tensors_that_are_cut_out_of_the_training_part(first: int, expected: set[str]) -> None:
    model, X_test, Y_test = _model(), X[first : first + 32], Y[first : first + 32]
    with watching() as watched:
        _learn(model, _batches(X[:64]))
        _accuracy(model, X_test, Y_test)
    assert _codes(watched) == expected


def test_one_function_for_both_parts_made_by_hand() -> None:
    model, X_train, X_test = _model(), X[:64], X[64:]
    with watching() as watched:
        _learn(model, _batches(X_train))
        for x, y in ((X_train, Y[:64]), (X_test, Y[64:])):
            _accuracy(model, x, y)
        _accuracy(model, X_train, Y[:64]), _accuracy(model, X_test, Y[64:])
    assert _codes(watched) == set()


class _Files(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    def __init__(self, files: list[Path]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.load(self.files[number])
        return x, (x[0] > 0).long()


@pytest.mark.parametrize(("copies", "expected"), [(True, {"H102"}), (False, set())])
def test_copies_under_other_names(copies: bool, expected: set[str], tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.pt" for number in range(60)]
    for number, file in enumerate(files):
        torch.save(X[number % 50 if copies else number], file)
    model = _model()
    with watching() as watched:
        _learn(model, DataLoader(_Files(files[:40]), 10))
        _score(model, DataLoader(_Files(files[40:]), 10))
    assert _codes(watched) == expected


class _Noisy(nn.Module):
    def __init__(self, *, at_input: bool) -> None:
        super().__init__()
        self.at_input = at_input
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.first(x + torch.randn_like(x) if self.at_input else x)
        return self.last(hidden if self.at_input else hidden + torch.randn_like(hidden))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("at_input", "expected"), [(True, {"H106"}), (False, set())])
def test_noise_on_the_input_in_evaluation(at_input: bool, expected: set[str]) -> None:
    model = _Noisy(at_input=at_input)
    with watching() as watched:
        _learn(model, DataLoader(TensorDataset(X[:64], Y[:64]), 16))
        val_loader = DataLoader(TensorDataset(X[64:], Y[64:]), 8)
        _score(model, val_loader)
    assert _codes(watched) == expected


KINDS = [("samples", {"H105"}), ("labels", set()), ("used", set()), ("looked at", set())]


@pytest.mark.parametrize(("kind", "expected"), KINDS)
def test_a_second_loader_whose_batches_are_fetched_for_nothing(kind: str, expected: set[str]) -> None:
    model = _model()
    optimiser = optim.SGD(model.parameters(), 0.1)
    first = DataLoader(TensorDataset(X[:48], Y[:48]), 8)
    others = X[48:].clone() if kind != "labels" else torch.arange(48)
    second = DataLoader(TensorDataset(others), 8)
    with watching() as watched:
        for _ in range(2):
            statistics = [float(other.mean()) for (other,) in second] if kind == "looked at" else []
            rounds = zip(first, first if statistics else second, strict=True)
            for (x, y), (other, *_) in rounds:
                optimiser.zero_grad()
                loss = functional.cross_entropy(model(x), y)
                if kind == "used":
                    loss = loss + model(other).square().mean()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
    assert _codes(watched) == expected


@pytest.mark.parametrize(("shift", "expected"), [(0, set()), (29, {"H107"})])
def test_weights_of_a_sampler_that_are_those_of_other_samples(shift: int, expected: set[str]) -> None:
    model, weights = _model(), (1.0 / Y.bincount())[Y.roll(shift)]
    torch.manual_seed(0)
    train_loader = DataLoader(TensorDataset(X, Y), 16, sampler=WeightedRandomSampler(weights.tolist(), 96))
    with watching() as watched:
        _learn(model, train_loader)
    assert _codes(watched) == expected
