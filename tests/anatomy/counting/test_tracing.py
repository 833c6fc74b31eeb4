"""Runs on hollow tensors against runs on real ones, and what a run must leave alone."""

import random
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.checkpoint
from torch import Tensor, nn
from torch.nn import functional

from heldout.anatomy.counting.counts import Operations
from heldout.anatomy.counting.hollow_copies import hollow_copy, real_copy
from heldout.anatomy.counting.layer_words import layer_of
from heldout.anatomy.counting.traces import Inputs, Trace, all_tensors, without_batch
from heldout.anatomy.counting.tracing import FailedRun, trace


def traced(model: nn.Module, *shapes: tuple[int, ...], is_hollow: bool, with_gradients: bool = True) -> Trace:
    copy = hollow_copy(model) if is_hollow else real_copy(model)
    make = (lambda shape: torch.empty(shape, device="meta")) if is_hollow else torch.randn
    inputs = Inputs(tuple(make(shape).requires_grad_() for shape in shapes))
    return trace(copy, inputs, is_hollow=is_hollow, with_gradients=with_gradients, name="net")


def told(trace: Trace) -> list[Any]:
    keys = ("name", "kind", "shape", "n_calls", "forward", "backward", "n_bytes", "receptive_field")
    return [[getattr(layer, key) for key in keys] for layer in trace.layers.values()]


class Mixture(nn.Module):
    """A bit of everything that runs the same on hollow and on real tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.up = nn.ConvTranspose2d(8, 8, 2, 2, groups=2)
        self.norm = nn.GroupNorm(4, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        stem = self.stem(x)
        y = functional.max_pool2d(self.norm(self.up(stem)), 2) + stem
        y = functional.interpolate(functional.pad(y, (1, 1, 1, 1)), scale_factor=2, mode="bilinear")
        y = functional.dropout(functional.gelu(y), 0.1, self.training)
        return functional.log_softmax(self.head(y.mean((2, 3))), 1)


def test_a_hollow_run_sees_what_a_real_run_sees() -> None:
    hollow, real = (traced(Mixture(), (1, 3, 16, 16), is_hollow=is_hollow) for is_hollow in (True, False))
    assert told(hollow) == told(real)
    assert hollow.homes == real.homes
    assert hollow.saved_bytes == real.saved_bytes > 0
    assert hollow.without_rule == real.without_rule == {}


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        ("lstm 3->4", (1, 6, 3)),
        ("lstm 3->4 no bias", (2, 6, 3)),
        ("lstm 3->4 layers 2 bidirectional", (1, 6, 3)),
        ("lstm 3->4 layers 2 bidirectional projection 2", (1, 6, 3)),
        ("gru 3->4 layers 2", (1, 6, 3)),
        ("gru 3->4 bidirectional no bias", (3, 6, 3)),
        ("rnn 3->4 layers 2 bidirectional", (1, 6, 3)),
    ],
)
def test_recurrent_layers_cost_what_torch_computes(words: str, shape: tuple[int, ...]) -> None:
    # torch takes most of these apart into matrix products and functions, and fuses an LSTM without projection.
    layer = layer_of(words, device="cpu")
    hollow, real = (traced(layer, shape, is_hollow=is_hollow) for is_hollow in (True, False))
    rule, seen = (sum((each.forward for each in run.layers.values()), Operations()) for run in (hollow, real))
    assert (rule.multiply_adds, rule.dot_products) == (seen.multiply_adds, seen.dot_products)
    assert sum(rule.other.values()) == sum(seen.other.values())
    rule, seen = (sum((each.backward for each in run.layers.values()), Operations()) for run in (hollow, real))
    assert rule.multiply_adds == seen.multiply_adds


@pytest.mark.parametrize("of_input", [True, False])
@pytest.mark.parametrize("frozen", ["none", "first", "all"])
def test_frozen_recurrent_layers_take_no_gradients(of_input: bool, frozen: str) -> None:
    layer = layer_of("gru 3->4 layers 2 bidirectional", device="cpu")
    for name, parameter in layer.named_parameters():
        parameter.requires_grad_(frozen == "none" or (frozen == "first" and "l1" in name))
    found = []
    for is_hollow in (True, False):
        x = torch.empty(1, 5, 3, device="meta") if is_hollow else torch.randn(1, 5, 3)
        copy = hollow_copy(layer) if is_hollow else real_copy(layer)
        run = trace(copy, Inputs((x.requires_grad_(of_input),)), is_hollow=is_hollow, with_gradients=True, name="gru")
        found.append(sum(each.backward.multiply_adds for each in run.layers.values()))
    assert found[0] == found[1]
    assert (found[0] > 0) is (of_input or frozen != "all")


@pytest.mark.parametrize("causal", [True, False])
def test_fused_attention_costs_what_its_parts_cost(causal: bool) -> None:
    class Attention(nn.Module):
        def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            return functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

    shapes = ((1, 2, 5, 8), (1, 2, 7, 8), (1, 2, 7, 8))
    parts, fused = (traced(Attention(), *shapes, is_hollow=is_hollow) for is_hollow in (True, False))
    (part,), (whole,) = parts.layers.values(), fused.layers.values()
    assert part.forward.multiply_adds == whole.forward.multiply_adds == 2 * 2 * 5 * 7 * 8
    assert part.forward.dot_products == whole.forward.dot_products
    assert part.forward.other["softmax"] == whole.forward.other["softmax"]
    assert part.backward.multiply_adds == whole.backward.multiply_adds == 2 * part.forward.multiply_adds
    assert part.backward.dot_products == whole.backward.dot_products
    assert part.backward.other["softmax"] == whole.backward.other["softmax"]


def test_a_long_sequence_is_one_operation() -> None:
    run = traced(layer_of("lstm 3->4 layers 2 bidirectional"), (1, 1_000_000, 3), is_hollow=True)
    (layer,) = run.layers.values()
    assert layer.forward.multiply_adds == 1_000_000 * 2 * 16 * ((3 + 4) + (8 + 4))


class Breaks(nn.Module):
    """Raises an error in the middle, after it has drawn numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        random.random(), np.random.rand(), torch.rand(3)  # noqa: NPY002
        raise KeyError("inside")


def test_random_generators_are_as_before_even_after_an_error() -> None:
    def states() -> tuple[Any, ...]:
        numpy_state: Any = np.random.get_state()  # noqa: NPY002
        return random.getstate(), numpy_state[1].tolist(), torch.get_rng_state().tolist()

    def run(model: nn.Module, *, is_hollow: bool) -> None:
        inputs = Inputs((torch.zeros(1, 3, device="meta" if is_hollow else "cpu"),))
        copy = hollow_copy(model) if is_hollow else real_copy(model)
        trace(copy, inputs, is_hollow=is_hollow, with_gradients=True, name="net")

    breaks, draws = nn.Sequential(Breaks()), nn.Sequential(nn.Dropout(), nn.Linear(3, 3))
    before = states()
    for is_hollow in (True, False):
        with pytest.raises(FailedRun, match=r"0 \(Breaks\)") as caught:
            run(breaks, is_hollow=is_hollow)
        assert isinstance(caught.value.__cause__, KeyError)
        run(draws, is_hollow=is_hollow)
    assert states() == before


def test_nothing_watches_after_a_run_or_an_error() -> None:
    for model in (nn.Sequential(nn.Linear(3, 3)), nn.Sequential(Breaks())):
        copy = hollow_copy(model)
        inputs = Inputs((torch.empty(1, 3, device="meta"),))
        try:
            trace(copy, inputs, is_hollow=True, with_gradients=True, name="net")
        except FailedRun:
            assert isinstance(model[0], Breaks)
        assert all(not module._forward_hooks and not module._forward_pre_hooks for module in copy.modules())
    assert not torch.overrides._get_current_function_mode_stack()  # type: ignore[no-untyped-call]
    assert torch.utils._python_dispatch._get_current_dispatch_mode() is None


def test_functions_between_modules_are_layers_with_the_path_of_their_caller() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv1d(2, 2, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            y = torch.relu(self.conv(x))
            y = 2 - functional.relu_(y + 1)
            y += x
            return y.flatten(1).view(-1, 2, 4).transpose(1, 2).contiguous().transpose(1, 2)

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = Block()

        def forward(self, x: Tensor) -> Tensor:
            return torch.matmul(self.block(self.block(x)), x.mT)

    run = traced(Twice(), (1, 2, 4), is_hollow=True)
    computing = [(layer.name, layer.kind, layer.n_calls) for layer in run.layers.values() if layer.computes]
    assert computing == [
        ("block.conv", "Conv1d", 2),
        ("block.relu", "relu", 2),
        ("block.add", "add", 2),
        ("block.relu_2", "relu", 2),
        ("block.sub", "sub", 2),
        ("block.add_2", "add", 2),
        ("matmul", "matmul", 1),
    ]


def test_a_module_without_modules_is_one_layer_and_torchs_own_are_too() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = nn.Parameter(torch.ones(3))

        def forward(self, x: Tensor) -> Tensor:
            return torch.tanh(x * self.factor) + 1

    run = traced(nn.Sequential(Scale(), nn.ReLU()), (1, 3), is_hollow=True)
    assert [(layer.name, layer.kind) for layer in run.layers.values()] == [("0", "Scale"), ("1", "ReLU")]
    assert run.layers["0"].forward.other == {"element-wise": 6, "tanh": 3}
    alone = traced(Scale(), (1, 3), is_hollow=True)
    assert [layer.name for layer in alone.layers.values()] == ["mul", "tanh", "add"]
    assert [layer.name for layer in traced(nn.Linear(3, 3), (1, 3), is_hollow=True).layers.values()] == ["net"]


def test_recomputed_activations_count_in_the_backward_pass() -> None:
    class Checkpointed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            inner: Tensor = torch.utils.checkpoint.checkpoint(
                lambda y: self.second(torch.relu(self.first(y))), x, use_reentrant=False
            )
            return inner

    run = traced(Checkpointed(), (1, 8), is_hollow=True)
    # Two layers forward; two gradients each, and both once more: the second one's output is asked for as well.
    assert sum(layer.forward.multiply_adds for layer in run.layers.values()) == 2 * 64
    assert sum(layer.backward.multiply_adds for layer in run.layers.values()) in {2 * 2 * 64 + 64, 2 * 2 * 64 + 2 * 64}
    assert run.saved_bytes == 8 * 4


def test_tensors_are_found_in_what_modules_give() -> None:
    one, two = torch.zeros(1), torch.zeros(2)
    found = list(all_tensors({"a": [one, None, (two, 3)], "b": Inputs((one,), {"x": two})}))
    assert [each.shape for each in found] == [one.shape, two.shape, one.shape, two.shape]
    assert without_batch((2, 3)) == (2, 3)
    assert without_batch((5, 1, 3), 1) == (5, 3)
