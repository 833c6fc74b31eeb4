"""What is said about a training step: three times the forward pass, and what of it is spared or done twice."""

from typing import Any

import pytest
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from heldout.anatomy.counting.counts import Count, LayerCount, Operations, Parameters, ReceptiveField
from heldout.explaining.counting.explained import explain_count
from heldout.explaining.counting.words import field_words, training_step
from heldout.explaining.document import Explanation, Formula


def lines_of(explanation: Explanation[Any]) -> list[str]:
    return [" ".join(line.split()) for line in str(explanation).splitlines()]


def test_the_training_step_of_resnet18_is_told_with_its_rule() -> None:
    explanation = explain_count("resnet18")
    lines = lines_of(explanation)
    assert "3*3,628,146,688 - 236,027,904 = 10,648,412,160 FLOPs" in lines
    assert any("- 236,027,904 at the layer conv1: the input needs no gradient." in line for line in lines)
    assert any("10,884,440,064" in line for line in lines)


def test_frozen_layers_are_spared() -> None:
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 7))
    for layer in (0, 2):
        net[layer].requires_grad_(False)
    explanation = explain_count(net, input=(4,))
    assert explanation.facts.step.multiply_adds == (20 + 30 + 42) + 42
    lines = lines_of(explanation)
    assert "3*184 - 200 - 84 = 268 FLOPs" in lines
    assert "- 200 at the layers 0, 2: nothing there or before learns." in lines
    assert "- 84 at the layer 4: the input needs no gradient." in lines
    assert "4 Linear 7 49 0 42 28 whole" in lines
    net[0].requires_grad_(True)
    lines = lines_of(explain_count(net, input=(4,)))
    assert "3*184 - 40 - 60 = 452 FLOPs" in lines
    assert "- 60 at the layer 2: the weights are frozen and need no gradient." in lines


class Again(nn.Module):
    """Computes a part once more, in the backward pass, instead of keeping what it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 7))
        self.last = nn.Linear(7, 6)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(checkpoint(self.first, x, use_reentrant=False))
        return out


def test_what_the_backward_pass_does_more_is_added() -> None:
    once, more = Operations(multiply_adds=10), Operations(multiply_adds=27)
    layer = LayerCount("a", "Linear", (2,), Parameters(trainable=5), once, more, 8, None)
    parts = training_step(Count("net", (5,), (layer, layer), Parameters(trainable=5))).parts
    assert parts[1] == Formula("3*40 + 28 = 148 FLOPs", r"3 \cdot 40 + 28 = 148")


@pytest.mark.slow  # torch's checkpoint imports much
def test_what_is_computed_twice_is_added() -> None:
    explanation = explain_count(Again(), input=(4,), input_gradient=True)
    # The first linear layer is computed again; what the second one gave is not needed.
    assert explanation.facts.step.multiply_adds == 3 * (20 + 35 + 42) + 20
    assert "3*194 + 40 = 622 FLOPs" in lines_of(explanation)


def test_with_the_gradient_of_the_input_nothing_is_spared() -> None:
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 6))
    lines = lines_of(explain_count(net, input=(4,), input_gradient=True))
    assert "3*100 = 300 FLOPs" in lines
    assert not any("--input-gradient" in line for line in lines)


def test_a_recurrent_layer_spares_its_first_state_as_well() -> None:
    # 10 steps; of the products with the state those of the first step need no way back, those with the input none.
    lines = lines_of(explain_count("lstm 16->32", input="10x16"))
    spared = 2 * (10 * 128 * 16 + 128 * 32)
    assert f"3*122,880 - {spared:,} = {3 * 122_880 - spared:,} FLOPs" in lines
    assert any("the first state, or that and the input" in line for line in lines)
    assert not any("--input-gradient" in line for line in lines)


def test_layers_without_products_have_no_rule_to_tell() -> None:
    lines = lines_of(explain_count("relu", input="5"))
    assert "relu 5 5" in lines
    assert not any("three times" in line for line in lines)


def test_a_layer_that_no_gradient_reaches() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.after = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.after(self.before(x).detach())
            return out

    lines = lines_of(explain_count(Cut(), input="3"))
    assert "- 36 at the layer before: no gradient comes there." in lines


@pytest.mark.parametrize(
    ("field", "words"),
    [(ReceptiveField((7, 7), (2.0, 2.0)), "7x7"), (ReceptiveField(), "whole"), (None, "-")],
)
def test_receptive_fields_in_words(field: ReceptiveField | None, words: str) -> None:
    assert field_words(field) == words
