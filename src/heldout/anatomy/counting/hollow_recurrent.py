"""Recurrent layers on hollow tensors: one operation, however long the sequence is.

torch would take every step apart; a sequence of a million steps would be tens of millions of operations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from heldout.anatomy.counting.counts import Operations
from heldout.anatomy.counting.hollow_tensors import hollow
from heldout.anatomy.counting.operation_rules_recurrent import (
    CELL_KEEPS,
    N_GATES,
    Cell,
    Needs,
    RecurrentPass,
    recurrent_backward,
    recurrent_forward,
)

# torch's functions behind its recurrent modules.
_CELLS: dict[str, Cell] = {"lstm": "lstm", "gru": "gru", "rnn_tanh": "rnn", "rnn_relu": "rnn"}
Add = Callable[[Operations], None]


@dataclass(frozen=True, slots=True)
class _Stack:
    """The layers of one call, from the first up; in each one or two directions."""

    layers: tuple[tuple[RecurrentPass, ...], ...]
    n_weights: int
    n_dropped: int

    def forward(self) -> Operations:
        whole = sum((recurrent_forward(each) for layer in self.layers for each in layer), Operations())
        return whole + Operations(other={"dropout": 3 * self.n_dropped} if self.n_dropped else {})

    def backward(self, needs: Sequence[bool], of_input: bool, of_state: bool) -> Operations:
        """Gradients: a layer's input needs one where anything below it does."""
        whole = Operations(other={"dropout": self.n_dropped} if self.n_dropped else {})
        weights = iter(needs)
        below = of_input
        for layer in self.layers:
            for each in layer:
                of_weights = any(list(islice(weights, self.n_weights)))
                whole += recurrent_backward(each, Needs(below, of_weights, of_state))
                below_next = below or of_weights or of_state
            below = below_next
        return whole


def hollow_recurrent(name: str, args: tuple[Any, ...], add: Add) -> tuple[Tensor, ...] | None:
    """The result of a recurrent layer, hollow; None where it is no such call.

    Args:
        name: Of torch's function.
        args: Its arguments.
        add: Takes what is computed, now and in the backward pass.
    """
    # Packed sequences have their lengths in second place, which are numbers: they need a run on real tensors.
    if name not in _CELLS or len(args) != 9 or not isinstance(args[3], bool) or args[0].device.type != "meta":
        return None
    data, states, weights, bias, n_layers, dropout, training, both_ways, batch_first = args
    states = list(states) if isinstance(states, list | tuple) else [states]
    cell, n_directions = _CELLS[name], 2 if both_ways else 1
    n_batch, n_time = (data.shape[0], data.shape[1]) if batch_first else (data.shape[1], data.shape[0])
    n_hidden, n_state = weights[1].shape[0] // N_GATES[cell], weights[1].shape[1]
    n_weights = len(weights) // (n_layers * n_directions)
    layers = tuple(
        (
            RecurrentPass(
                cell,
                n_batch * n_time,
                n_batch,
                data.shape[-1] if layer == 0 else n_directions * n_state,
                n_hidden,
                n_state if n_weights == 2 + 2 * bias + 1 else 0,
                bias,
            ),
        )
        * n_directions
        for layer in range(n_layers)
    )
    n_dropped = (n_layers - 1) * n_batch * n_time * n_directions * n_state if training and dropout else 0
    stack = _Stack(layers, n_weights, n_dropped)
    add(stack.forward())
    kept = n_layers * n_directions * n_batch * n_time * n_hidden * CELL_KEEPS[cell]
    shapes = [(*data.shape[:2], n_directions * n_state), *(tuple(state.shape) for state in states)]
    results: tuple[Tensor, ...] = _Recurrent.apply(  # type: ignore[no-untyped-call]
        _Plan(stack, shapes, kept, len(states), add), data, *states, *weights
    )
    return results


@dataclass(frozen=True, slots=True)
class _Plan:
    stack: _Stack
    shapes: list[tuple[int, ...]]
    n_kept: int
    n_states: int
    add: Add


class _Recurrent(torch.autograd.Function):
    """Gives hollow results, and tells what the gradients cost when they are asked for."""

    @staticmethod
    def forward(ctx: Any, plan: _Plan, data: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        ctx.plan = plan
        ctx.save_for_backward(data, hollow((plan.n_kept,), data.dtype), *others)
        return tuple(hollow(shape, data.dtype) for shape in plan.shapes)

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Tensor | None, ...]:
        plan: _Plan = ctx.plan
        of_input, *rest = ctx.needs_input_grad[1:]
        plan.add(plan.stack.backward(rest[plan.n_states :], of_input, any(rest[: plan.n_states])))
        data, _kept, *others = ctx.saved_tensors
        gradients = [
            hollow(tensor.shape, tensor.dtype) if needed else None
            for tensor, needed in zip((data, *others), (of_input, *rest), strict=True)
        ]
        return None, *gradients
