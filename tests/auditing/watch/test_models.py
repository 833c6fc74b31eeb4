"""Models as they are called; and their fingerprint, which tells one set of values from another."""

import pytest
import torch
from torch import nn

from heldout.auditing.watch.models import fingerprint_of, parameters_of
from heldout.auditing.watch.watching import Watch


@pytest.mark.parametrize("shape", [(3, 2), (3000, 3000)])  # all values are hashed, or every so many of them
def test_it_changes_with_the_values_and_with_their_order(shape: tuple[int, int]) -> None:
    first, second = torch.rand(shape), torch.rand(shape[:1]).bfloat16()
    fingerprint = fingerprint_of([first, second])
    assert fingerprint == fingerprint_of([first.clone(), second.clone()])
    assert fingerprint != fingerprint_of([first + 1, second])
    assert fingerprint != fingerprint_of([first, second + 1])
    assert fingerprint != fingerprint_of([second, first])
    assert fingerprint_of([first.t()]) != fingerprint_of([first])


def test_parameters_without_values_have_one_too() -> None:
    assert fingerprint_of([]) != fingerprint_of([torch.zeros(0)])


def test_parameters_come_once_and_in_the_order_of_torch() -> None:
    first, shared, last = nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(3, 2, bias=False)
    last.weight = first.weight  # tied
    net = nn.Sequential(nn.Sequential(first, shared), nn.ReLU(), nn.Sequential(nn.Sequential(shared)), shared, last)
    net.register_module("absent", None)
    assert [id(each) for each in parameters_of(net)] == [id(each) for each in net.parameters()]
    assert len(parameters_of(net)) == 4
    assert parameters_of(nn.Dropout()) == []


class Parent(nn.Module):
    """Its part knows it, so that each is within the other."""

    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Module()
        self.part.parent = self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_modules_that_are_within_each_other_are_called_as_they_are() -> None:
    watch = Watch("test")
    watch.begin()
    try:
        net = Parent()
        assert net(torch.ones(2)).tolist() == [1.0, 1.0]
        net.part.layer = nn.Linear(2, 2)
        net(torch.ones(3, 2))
    finally:
        log = watch.end()
    assert [model.kind for model in log.models] == ["Parent"]
    assert log.faults == ()
