"""Formulas of parameters against the tensors that torch makes."""

import ast
import operator
from fractions import Fraction
from typing import Any

import pytest
from matplotlib.mathtext import MathTextParser
from torch import nn

from heldout.anatomy.counting.layer_words import layer_of
from heldout.anatomy.counting.parameter_formulas import parameter_formula

_OPERATORS: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: Fraction(a) / b,
}


def worth(expression: str) -> Fraction:
    """The value of sums and products of whole numbers."""

    def value(part: ast.expr) -> Fraction:
        if isinstance(part, ast.BinOp):
            result: Fraction = _OPERATORS[type(part.op)](value(part.left), value(part.right))
            return result
        assert isinstance(part, ast.Constant)
        assert isinstance(part.value, int)
        return Fraction(part.value)

    return value(ast.parse(expression, mode="eval").body)


LAYERS = {
    "conv 1->96 kernel 8 stride 4": "(8*8*1 + 1)*96",
    "conv 1->96 kernel 64": "(64*64*1 + 1)*96",
    "conv 1->96 kernel 1": "(1*1*1 + 1)*96",
    "conv 10->20 kernel 3 no bias": "3*3*10*20",
    "conv1d 4->6 kernel 3 groups 2": "(3*4/2 + 1)*6",
    "conv3d 2->3 kernel 1x2x3": "(1*2*3*2 + 1)*3",
    "depthwise 32 kernel 3": "(3*3*32/32 + 1)*32",
    "transposed 10->20 kernel 3 groups 2": "(3*3*10/2 + 1)*20",
    "linear 512->10": "(512 + 1)*10",
    "linear 512->10 no bias": "512*10",
    "attention 64 heads 8": "4*(64 + 1)*64",
    "attention 64 heads 8 no bias": "4*64*64",
    "lstm 3->4": "4*4*(3 + 4 + 2)",
    "lstm 3->4 layers 3 bidirectional projection 2": None,
    "gru 3->4 layers 2": "3*4*(3 + 4 + 2) + 1*3*4*(4 + 4 + 2)",
    "rnn 3->4 bidirectional no bias": "2*4*(3 + 4)",
    "batchnorm 7": "2*7",
    "instancenorm 7": "0",
    "groupnorm 8 groups 2": "2*8",
    "layernorm 7": "2*7",
    "rmsnorm 7": "7",
    "embedding 9->5": "9*5",
    "relu": "0",
}


@pytest.mark.parametrize("words", LAYERS)
def test_the_filled_formula_is_worth_the_parameters(words: str) -> None:
    layer = layer_of(words)
    formula = parameter_formula(layer)
    n = sum(each.numel() for each in layer.parameters())
    assert formula.result == n == worth(formula.filled.plain)
    assert LAYERS[words] in {None, formula.filled.plain}


def test_the_write_ups_layers() -> None:
    words = ("conv 1->96 kernel 64", "conv 1->96 kernel 8 stride 4", "conv 1->96 kernel 1")
    assert [parameter_formula(layer_of(each)).result for each in words] == [393_312, 6_240, 192]


@pytest.mark.parametrize(
    ("layer", "filled"),
    [
        (nn.LayerNorm((4, 5)), "2*4*5"),
        (nn.LayerNorm(4, bias=False), "4"),
        (nn.LayerNorm(4, elementwise_affine=False), "0"),
        (nn.InstanceNorm2d(6, affine=True), "2*6"),
        (nn.Bilinear(4, 5, 6), "(4*5 + 1)*6"),
        (nn.PReLU(3), "3"),
        (nn.MultiheadAttention(8, 2, kdim=3, vdim=5), "8*8 + 8*3 + 8*5 + 24 + 8*8 + 8"),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), "3*2 + 3 + 1*3 + 1"),
        (nn.Flatten(), "0"),
    ],
)
def test_layers_that_no_words_name(layer: nn.Module, filled: str) -> None:
    formula = parameter_formula(layer)
    assert formula.filled.plain == filled
    assert worth(filled) == sum(each.numel() for each in layer.parameters()) == formula.result


def test_a_layer_with_more_than_torch_keeps_there_is_told_by_its_tensors() -> None:
    class Scaled(nn.Linear):
        def __init__(self) -> None:
            super().__init__(2, 3)
            self.scale = nn.Parameter(self.bias.detach().clone())

    assert parameter_formula(Scaled()).filled.plain == "3*2 + 3 + 3"


@pytest.mark.parametrize("words", LAYERS)
def test_formulas_are_written_for_latex_too(words: str) -> None:
    formula = parameter_formula(layer_of(words))
    for written in (formula.symbols, formula.filled):
        assert written.latex.count("{") == written.latex.count("}")
        assert "*" not in written.latex
        if written.latex:
            MathTextParser("path").parse(f"${written.latex}$")
