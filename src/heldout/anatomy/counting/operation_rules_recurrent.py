"""What recurrent layers cost: the matrix products of every step, and the cell's own arithmetic.

Source: torch's documentation of `nn.LSTM`, `nn.GRU` and `nn.RNN`; the projection of Sak, Senior & Beaufays 2014,
arXiv:1402.1128.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from heldout.anatomy.counting.aten_calls import Call, size
from heldout.anatomy.counting.counts import Operations

Cell = Literal["lstm", "gru", "rnn"]
N_GATES: dict[Cell, int] = {"lstm": 4, "gru": 3, "rnn": 1}
# Per entry of the hidden state and step. LSTM: 4 additions of the two products, 3 sigmoids, 2 hyperbolic tangents, 3
# products, 1 addition. GRU: 3 additions, 2 sigmoids, 1 hyperbolic tangent, the reset's product, and (h - n) z + n.
# Plain: one addition, one function. Their gradients take as many. LSTM: 1 sum of the two ways into h, 3 through the
# output gate's product, 4 products of c, 5 of functions. GRU: 2 sums, 6 of products and differences, 2 more functions.
CELL_COST: dict[Cell, int] = {"lstm": 13, "gru": 10, "rnn": 2}
# What the backward pass keeps of a step, in entries of the hidden state: gates, states, and what is between.
CELL_KEEPS: dict[Cell, int] = {"lstm": 7, "gru": 5, "rnn": 1}
# The numbers of torch's own enumeration of recurrent layers.
_MODES: dict[int, Cell] = {0: "rnn", 1: "rnn", 2: "lstm", 3: "gru"}


@dataclass(frozen=True, slots=True)
class RecurrentPass:
    """One layer of a recurrent network, in one direction.

    Attributes:
        cell: Its kind.
        n_steps: Of the sequences together: their length times how many they are.
        n_sequences: How many.
        n_inputs: Entries of a step of the input.
        n_hidden: Entries of the hidden state.
        n_projected: Entries of the state after its projection; 0 without.
        bias: Whether both products have one.
    """

    cell: Cell
    n_steps: int
    n_sequences: int
    n_inputs: int
    n_hidden: int
    n_projected: int = 0
    bias: bool = True

    @property
    def n_state(self) -> int:
        """Entries of what a step hands on."""
        return self.n_projected or self.n_hidden

    @property
    def n_gates(self) -> int:
        """Entries of all gates together."""
        return N_GATES[self.cell] * self.n_hidden


@dataclass(frozen=True, slots=True)
class Needs:
    """Which gradients are asked for."""

    of_input: bool = True
    of_weights: bool = True
    of_first_state: bool = False


def recurrent_forward(layer: RecurrentPass) -> Operations:
    """The forward pass: at every step a product with the input and one with the state before.

    Args:
        layer: One layer in one direction.
    """
    products, sums = _a_step(layer)
    other = {"bias adds": 2 * layer.n_gates * layer.n_steps if layer.bias else 0, "recurrent cells": _cells(layer)}
    n = layer.n_steps
    return Operations(n * products, n * products, n * sums, {kind: value for kind, value in other.items() if value})


def recurrent_backward(layer: RecurrentPass, needs: Needs) -> Operations:
    """The backward pass: the same products for the weights, for the input, and back through the states.

    Nothing goes back into the first state unless its gradient is asked for: one product a sequence less.

    Args:
        layer: One layer in one direction.
        needs: Which gradients.
    """
    if not (needs.of_input or needs.of_weights or needs.of_first_state):
        return Operations()
    whole, _ = _a_step(layer)
    n, gates = layer.n_steps, layer.n_gates
    n_back = n if needs.of_first_state else n - layer.n_sequences
    projection = layer.n_projected * layer.n_hidden
    products = n_back * gates * layer.n_state + n * projection
    sums = n_back * layer.n_state + (n * layer.n_hidden if projection else 0)
    if needs.of_input:
        products += n * gates * layer.n_inputs
        sums += n * layer.n_inputs
    other = {"recurrent cells": _cells(layer)}
    if needs.of_weights:
        products += n * whole
        sums += gates * (layer.n_inputs + layer.n_state) + projection
        other["bias gradients"] = 2 * gates * (n - 1) if layer.bias else 0
    return Operations(products, products, sums, {kind: value for kind, value in other.items() if value})


def mkldnn_rnn_layer(call: Call) -> Operations:
    """The rule of the CPU's fused layer: one layer, one direction.

    Args:
        call: With its result.
    """
    return recurrent_forward(_fused(call, ["weight0", "weight1"]))


def mkldnn_rnn_layer_backward(call: Call) -> Operations:
    """The rule of its backward pass.

    Args:
        call: With its result.
    """
    weights = [call[f"weight{n}"] for n in (1, 2)]
    of_weights = any(each.requires_grad for each in weights)
    needs = Needs(bool(call["input"].requires_grad), of_weights, bool(call["hx_"].requires_grad))
    return recurrent_backward(_fused(call, ["weight1", "weight2"]), needs)


def _fused(call: Call, weights: Sequence[str]) -> RecurrentPass:
    data: Tensor = call["input"]
    n_hidden = call["hidden_size"]
    state = call[weights[1]]
    n_inputs = data.shape[-1]
    assert state.shape[-1] == n_hidden, f"the fused layer has no projection: {tuple(state.shape)}, {n_hidden}"
    n_steps = size(data) // n_inputs
    return RecurrentPass(
        _MODES[call["mode"]], n_steps, n_steps // data.shape[0], n_inputs, n_hidden, bias=call["has_biases"]
    )


def _a_step(layer: RecurrentPass) -> tuple[int, int]:
    projection = layer.n_projected * layer.n_hidden
    products = layer.n_gates * (layer.n_inputs + layer.n_state) + projection
    return products, 2 * layer.n_gates + layer.n_projected


def _cells(layer: RecurrentPass) -> int:
    return CELL_COST[layer.cell] * layer.n_hidden * layer.n_steps
