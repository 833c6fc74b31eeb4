"""What a network is called with, and what is said of inputs that cannot be."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from anatomy.small_networks import small
from heldout.anatomy.counting.counting import count
from heldout.errors import UsageError


@pytest.mark.parametrize("given", [[(5, 4), (7, 4)], {"query": (5, 4), "key": (7, 4)}, [torch.zeros(1, 5, 4), "7x4"]])
def test_several_inputs(given: Any) -> None:
    class Cross(nn.Module):
        def forward(self, query: Tensor, key: Tensor) -> Tensor:
            return functional.scaled_dot_product_attention(query, key, key)

    counted = count(Cross(), given)
    assert counted.input_shape == (5, 4)
    assert counted.forward.multiply_adds == 2 * 5 * 7 * 4


def test_tensors_are_counted_as_they_are() -> None:
    assert count(nn.Linear(3, 2), torch.zeros(6, 3)).forward.multiply_adds == 36
    assert count(nn.Linear(3, 2), [torch.zeros(6, 3)]).layers[0].output_shape == (6, 2)
    assert count(nn.LSTM(3, 2), (5, 3)).layers[0].output_shape == (5, 2)
    assert count(nn.LSTM(3, 2), (5, 3)).forward == count(nn.LSTM(3, 2, batch_first=True), (5, 3)).forward


# What cannot be counted


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "no shape"),
        ("abc", "no shape"),
        ((), "no shape"),
        ((3, -1, 8), "no shape"),
        ((3, 1.5, 8), "no shape"),
        ((3, float("nan"), 8), "no shape"),
        ((True, 8, 8), "no shape"),
        (None, "no shape"),
        (7, "no shape"),
        ((3, 10**9, 10**9), "no shape"),
        ({}, "no shape"),
        ((4, 8, 8), "4x8x8.*expected input.*3 channels"),
        ((3, 1, 1), "3x1x1"),
        ([(3, 8, 8), (3, 8, 8)], "positional arguments"),
    ],
)
def test_inputs_that_cannot_be(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        count(small(), given)


def test_the_layer_that_refuses_is_named() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Sequential(nn.ReLU(), nn.Linear(10, 3)))
    with pytest.raises(UsageError, match=r"in 1\.1 \(Linear\), RuntimeError: mat1 and mat2") as caught:
        count(net, (3, 8, 8), name="net")
    assert caught.value.what.startswith("net cannot take the input 3x8x8")


def test_what_is_no_network_and_no_type_is_refused() -> None:
    with pytest.raises(UsageError, match="no network"):
        count(nn.Conv2d, (3, 8, 8))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match='did you mean "float16"'):
        count(small(), (3, 8, 8), dtype="flaot16")


def test_a_real_run_of_a_huge_input_is_not_tried() -> None:
    class Looks(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * x.sum().item()

    with pytest.raises(UsageError, match="meta tensors"):
        count(Looks(), (3, 100_000, 100_000))
