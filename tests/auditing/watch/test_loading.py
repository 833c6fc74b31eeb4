"""What the watch sees of state dicts, of models that share parameters, and of single outputs."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import heldout

X = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def _net(n_outputs: int = 2) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, n_outputs))


def _train(model: nn.Module, optimiser: torch.optim.Optimizer | None = None) -> None:
    optimiser = optimiser or torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(3):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(X), Y).backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def _ask(model: nn.Module) -> None:
    with torch.no_grad():
        model(X)


def _codes(block: Callable[[], None]) -> set[str]:
    with heldout.watching() as watched:
        torch.manual_seed(0)
        block()
    return {each.code for each in watched.findings if each.severity != "note"} & {
        "H301",
        "H401",
        "H402",
        "H403",
        "H404",
    }


def _live_best() -> None:
    model = _net()
    _train(model)
    best = model.state_dict()
    _train(model)
    model.load_state_dict(best)
    _ask(model)


def _copied_best() -> None:
    model = _net()
    _train(model)
    best = copy.deepcopy(model.state_dict())
    _train(model)
    model.load_state_dict(best)
    _ask(model)


def _changed_in_place() -> None:
    model = _net()
    _train(model)
    state = model.state_dict()
    state["0.bias"] += 1
    model.load_state_dict(state)
    _ask(model)


def _restarted() -> None:
    model = _net()
    first = model.state_dict()
    for _ in range(2):
        model.load_state_dict(first)
        _train(model)


def _prefixed() -> None:
    model = _net()
    model.load_state_dict({f"module.{name}": each for name, each in _net().state_dict().items()}, strict=False)
    _train(model)


def _rebuilt() -> None:
    model = _net()
    model.load_state_dict(_net().state_dict())
    model = _net()
    _train(model)


def _handed_on() -> None:
    source = _net()
    source.load_state_dict(_net().state_dict())
    model = copy.deepcopy(source)
    del source
    _train(model)


def _part_of_another() -> None:
    body = nn.Linear(6, 8)
    body.load_state_dict(nn.Linear(6, 8).state_dict())
    _train(nn.Sequential(body, nn.ReLU(), nn.Linear(8, 2)))


def _shallow() -> None:
    base = _net()
    for _ in range(3):
        model = copy.copy(base)
        _train(model)
        _ask(model)


def _deep() -> None:
    base = _net()
    for rate in (0.01, 0.02, 0.03):
        model = copy.deepcopy(base)
        _train(model, torch.optim.Adam(model.parameters(), lr=rate))
        _ask(model)


def _single(look: Callable[[torch.Tensor], object]) -> Callable[[], None]:
    def block() -> None:
        with torch.no_grad():
            look(_net(1)(X))

    return block


@pytest.mark.parametrize(
    ("block", "codes"),
    [
        (_live_best, {"H404"}),
        (_copied_best, set()),
        (_changed_in_place, set()),
        (_restarted, {"H401"}),
        (_prefixed, {"H403"}),
        (_rebuilt, {"H403"}),
        (_handed_on, set()),
        (_part_of_another, set()),
        (_shallow, {"H401"}),
        (_deep, set()),
        (_single(lambda out: out.topk(1, dim=1)), {"H301"}),
        (_single(lambda out: out.topk(3, 0)), set()),
        (_single(lambda out: torch.softmax(out, 1)), {"H301"}),
        (_single(lambda out: torch.softmax(out, 0)), set()),
        (_single(lambda out: np.argmax(out.numpy(), axis=1)), {"H301"}),
        (_single(lambda out: np.argmax(out.numpy())), set()),
        (_single(lambda out: torch.cat([out, out]).argmax(-1)), {"H301"}),
    ],
)
def test_what_is_told_of_what_is_loaded_shared_and_asked(block: Callable[[], None], codes: set[str]) -> None:
    assert _codes(block) == codes
