"""Gradients that flow back through an answer: which are learned from, and from which of its rows."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from heldout.auditing.judging import judge
from heldout.auditing.rules.every import RULES
from heldout.auditing.seen.log import Log
from heldout.auditing.watch.watching import Watch


def _data() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(60, 4), torch.randint(0, 3, (60,))


def _end(watch: Watch) -> tuple[Log, set[str]]:
    log = watch.end()
    assert log.faults == ()
    return log, {each.code for each in judge(log, RULES) if each.severity != "note"}


def test_an_attack_on_test_samples_learns_nothing_from_them() -> None:
    x, y = _data()
    watch = Watch("attack.py")
    watch.begin()
    model = nn.Linear(4, 3)
    train_loader = DataLoader(TensorDataset(x[:40], y[:40]), 10)
    test_loader = DataLoader(TensorDataset(x[40:], y[40:]), 10)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for samples, labels in train_loader:
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(samples), labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    for samples, labels in test_loader:
        moved = (samples + 0.001).requires_grad_()
        (slope,) = torch.autograd.grad(nn.functional.cross_entropy(model(moved), labels), moved)
        model((moved + 0.001 * slope.sign()).detach())
    log, codes = _end(watch)
    assert {each.trained for each in log.stretches if each.passed == 1} == {False}
    assert codes & {"H101", "H102"} == set()


def test_a_step_by_gradients_asked_for_is_learned_from() -> None:
    x, y = _data()
    watch = Watch("by_hand.py")
    watch.begin()
    model = nn.Linear(4, 3)
    torch.autograd.grad(nn.functional.cross_entropy(model(x), y), list(model.parameters()))
    torch.autograd.grad(nn.functional.cross_entropy(model(x), y), [model.weight])
    log, _ = _end(watch)
    assert [each.trained for each in log.stretches] == [True] * len(log.stretches)


def test_rows_that_a_mask_leaves_out_are_not_learned_from() -> None:
    features, labels = _data()
    watch = Watch("graph.py")
    watch.begin()
    model = nn.Linear(4, 3)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(features)[:20], labels[:20]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        with torch.no_grad():
            print(f"val acc {(model(features)[20:40].argmax(1) == labels[20:40]).float().mean():.3f}")
    log, codes = _end(watch)
    assert {(each.trained, each.n_given) for each in log.samples} == {(True, 180), (False, 180)}
    assert {each.trained: len(each.items) for each in log.samples} == {True: 20, False: 60}
    assert codes & {"H101", "H102"} == set()


def test_what_a_layer_made_of_held_out_samples_is_no_other_look_of_them() -> None:
    x, y = _data()
    watch = Watch("layers.py")
    watch.begin()
    first, second = nn.Linear(4, 4), nn.Linear(4, 3)
    for epoch in range(3):
        for samples, _ in DataLoader(TensorDataset(x, y), 30):
            with torch.no_grad():
                second(samples + 0.05 * epoch * torch.tensor([1.0, -1.0] * 2) * first(samples).tanh())
    log, codes = _end(watch)
    assert sum(each.n_changed for each in log.samples) == 0
    assert "H106" not in codes
