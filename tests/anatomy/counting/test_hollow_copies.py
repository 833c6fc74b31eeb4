"""Copies that can be run without a trace on the model."""

import copy
import threading

import pytest
import torch
from torch import nn

from heldout.anatomy.counting.hollow_copies import hollow_copy, real_copy


class Odd(nn.Module):
    """Keeps tensors in all the places where a module can."""

    def __init__(self, *, with_lock: bool = False) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 3)
        self.same = self.inner
        self.tied = nn.Linear(3, 3, bias=False)
        self.tied.weight = self.inner.weight
        self.register_buffer("table", torch.arange(4))
        self.plain = torch.ones(2)
        self.made = self.inner.weight * 2  # no leaf: torch refuses to copy it
        self.unregistered = [nn.Linear(2, 2)]
        self.notes = {"n": 0}
        self.inner.bias.requires_grad_(False)
        if with_lock:
            self.lock = threading.Lock()


@pytest.mark.parametrize("with_lock", [False, True])
def test_a_hollow_copy_has_the_models_form_and_none_of_its_numbers(with_lock: bool) -> None:
    model = Odd(with_lock=with_lock)
    model.inner.eval()
    hollow = hollow_copy(model)
    assert isinstance(hollow, Odd)
    assert {name for name, _ in hollow.named_parameters()} == {name for name, _ in model.named_parameters()}
    assert all(each.is_meta for each in hollow.state_dict().values())
    assert hollow.tied.weight is hollow.inner.weight is hollow.same.weight
    assert hollow.inner is not model.inner
    assert not hollow.inner.bias.requires_grad
    assert hollow.inner.weight.requires_grad
    assert hollow.training
    assert not hollow.inner.training
    if not with_lock:
        assert torch.equal(hollow.plain, model.plain)
        assert hollow.plain is not model.plain
        assert hollow.made is not model.made
        assert hollow.notes is not model.notes


@pytest.mark.parametrize("make", [hollow_copy, real_copy])
def test_what_a_copy_does_is_not_seen_by_the_model(make: object) -> None:
    assert callable(make)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    state, flags = copy.deepcopy(model.state_dict()), [each.training for each in model.modules()]
    other = make(model)
    other.train(False)
    other.register_forward_hook(lambda *_: None)
    with torch.no_grad():
        for each in other.state_dict().values():
            each.zero_()
    assert all(torch.equal(state[name], each) for name, each in model.state_dict().items())
    assert [each.training for each in model.modules()] == flags
    assert not model._forward_hooks


def test_a_real_copy_of_a_model_without_numbers_has_zeros() -> None:
    real = real_copy(nn.Linear(3, 2, device="meta"))
    assert all(torch.equal(each, torch.zeros_like(each, device="cpu")) for each in real.parameters())


def test_hooks_of_the_model_are_those_of_the_copy() -> None:
    model = nn.Linear(3, 3)
    with pytest.warns(FutureWarning, match="weight_norm"):
        nn.utils.weight_norm(model)
    assert len(hollow_copy(model)._forward_pre_hooks) == 1
