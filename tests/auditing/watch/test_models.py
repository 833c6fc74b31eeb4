"""The fingerprint of a model's parameters tells one set of values from another, however many they are."""

import pytest
import torch

from heldout.auditing.watch.models import fingerprint_of


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
