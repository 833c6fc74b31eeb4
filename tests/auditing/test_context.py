"""A watch inside a program: what it sees, what it leaves behind, and how it refuses."""

import random
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from heldout.auditing.context import watching
from heldout.errors import UsageError

X = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
DATA = TensorDataset(X, (X[:, 0] > 0).long())


def _train_and_evaluate(model: nn.Module, optimiser: torch.optim.Optimizer) -> float:
    train_loader, val_loader = DataLoader(DATA, 8, shuffle=True), DataLoader(DATA, 8)
    for x, y in train_loader:
        optimiser.zero_grad()
        functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    model.eval()
    with torch.no_grad():
        n_right = sum(int((model(x).argmax(1) == y).sum()) for x, y in val_loader)
    return n_right / len(DATA)


def _made() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    model = nn.Sequential(nn.Linear(5, 4), nn.Dropout(0.5), nn.Linear(4, 2))
    return model, torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)


def _streams() -> tuple[float, ...]:
    return (random.random(), np.random.rand(), torch.rand(1).item())  # noqa: NPY002


def test_what_was_made_before_is_watched_and_comes_out_the_same() -> None:
    plain, optimiser = _made()
    expected = _train_and_evaluate(plain, optimiser), _streams()
    model, optimiser = _made()
    with watching() as watched:
        found = _train_and_evaluate(model, optimiser)
    assert (found, _streams()) == expected
    for key, value in plain.state_dict().items():
        assert torch.equal(value, model.state_dict()[key])
    (finding,) = [each for each in watched.findings if each.code == "H101"]
    assert finding.place.file == __file__
    assert "100 % of the 40 samples" in finding.observed
    assert "test_context.py" in watched.summary()
    assert watched.audit.watched is not None
    assert (watched.audit.watched.n_steps, watched.audit.watched.faults) == (5, ())


@pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning")
def test_everything_is_put_back() -> None:
    def owners() -> list[Any]:
        names = (nn.Module, DataLoader, torch.optim.Optimizer, functional, torch, torch.Tensor)
        return [{name: value for name, value in vars(owner).items() if callable(value)} for owner in names]

    before = owners()
    with watching():
        assert owners() != before
        torch.optim.lr_scheduler.StepLR(_made()[1], 1)
    assert owners() == before
    scripted = torch.jit.script(highest)
    assert int(scripted(X[:1])) == int(X[0].argmax())


def highest(x: torch.Tensor) -> torch.Tensor:
    return torch.argmax(x)


def test_findings_are_asked_for_afterwards() -> None:
    with watching() as watched, pytest.raises(UsageError, match="the watch is not over yet"):
        watched.findings  # noqa: B018
    assert watched.findings == ()
    assert "no optimiser took a step" in watched.summary()


def test_a_watch_within_a_watch_is_refused_and_the_outer_one_goes_on() -> None:
    with watching() as watched:
        with pytest.raises(UsageError, match="a watch is under way already"), watching():
            pass
        _train_and_evaluate(*_made())
    assert any(each.code == "H101" for each in watched.findings)


def test_an_error_goes_through_and_what_was_seen_is_kept() -> None:
    def fails() -> None:
        with watching() as found:
            kept.append(found)
            _train_and_evaluate(*_made())
            raise KeyError("late")

    kept: list[Any] = []
    with pytest.raises(KeyError, match="late"):
        fails()
    assert kept[0].audit.outcome == "KeyError: 'late'"
    assert "ended by an error of its own" in kept[0].summary()
    assert kept[0].findings
    with watching():
        pass


def test_warnings_are_shown_at_the_line_that_they_are_about() -> None:
    with watching(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        functional.mse_loss(torch.ones(2), torch.ones(2, 1))
        functional.dropout2d(torch.ones(2, 3), 0.5)
        _, optimiser = _made()
        torch.optim.lr_scheduler.StepLR(optimiser, 1).step()
    assert len(caught) == 3
    assert not [each.filename for each in caught if "heldout" in each.filename and "tests" not in each.filename]
