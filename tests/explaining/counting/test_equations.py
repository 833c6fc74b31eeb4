"""The formulas of single layers: each gives what torch computes, and what is counted, and can be set as LaTeX."""

from typing import Any

import pytest
import torch
from matplotlib.mathtext import MathTextParser
from torch import nn

from heldout.anatomy.counting.counting import count
from heldout.explaining.counting.equations import parameter_equations, product_equations
from heldout.explaining.counting.explained import explain_count
from heldout.explaining.counting.layer import layer_equations
from heldout.explaining.counting.shapes import shape_equations
from heldout.explaining.document import Formula

CONV = "conv 10->20 kernel 3 valid"
SLIDING: list[tuple[Any, tuple[int, ...]]] = [
    (nn.Conv1d(4, 6, 3, stride=2, padding=1), (4, 11)),
    (nn.Conv2d(4, 6, (3, 5), stride=(2, 1), padding=(1, 0), dilation=(2, 1), groups=2), (4, 11, 9)),
    (nn.Conv2d(4, 6, 3, padding="same", dilation=2, bias=False), (4, 7, 9)),
    (nn.Conv2d(4, 4, 3, padding="valid", groups=4), (4, 7, 7)),
    (nn.Conv3d(2, 3, 2, stride=2), (2, 6, 5, 4)),
    (nn.ConvTranspose1d(4, 6, 3, stride=3, output_padding=2), (4, 5)),
    (nn.ConvTranspose2d(4, 6, (3, 2), stride=2, padding=1, groups=2, dilation=(1, 2)), (4, 5, 7)),
    (nn.ConvTranspose3d(2, 2, 2), (2, 3, 3, 3)),
    (nn.MaxPool2d(3, stride=2, padding=1), (4, 9, 8)),
    (nn.MaxPool1d(3, dilation=2), (4, 9)),
    (nn.AvgPool2d((2, 3)), (4, 9, 9)),
]
OTHERS: list[tuple[Any, tuple[int, ...]]] = [
    (nn.Linear(4, 5), (4,)),
    (nn.Linear(4, 5, bias=False), (3, 4)),
    (nn.LSTM(4, 5, batch_first=True), (6, 4)),
    (nn.GRU(4, 5, num_layers=3, bidirectional=True, batch_first=True), (6, 4)),
    (nn.RNN(4, 5, bias=False, batch_first=True), (6, 4)),
]


@pytest.mark.parametrize(("module", "shape"), SLIDING, ids=str)
def test_the_shape_of_the_output(module: Any, shape: tuple[int, ...]) -> None:
    expected = list(module(torch.zeros(1, *shape)).shape[2:])
    equations = shape_equations(module, shape)
    found = {}
    for one in equations:
        left, *_ = one.formula.plain.partition(" = floor")
        for axis in "LDHW":
            if f"{axis}'" in left:
                found[axis] = one.value
    assert [found[axis] for axis in {1: "L", 2: "HW", 3: "DHW"}[len(expected)]] == expected


@pytest.mark.parametrize(("module", "shape"), [*SLIDING[:8], *OTHERS], ids=str)
def test_products_and_parameters(module: Any, shape: tuple[int, ...]) -> None:
    counted = count(module, shape)
    products = product_equations(module, shape, counted.layers[-1].output_shape)
    assert products[0].value == counted.forward.multiply_adds
    assert f"= {products[0].value:,}" in products[0].formula.plain
    parameters = parameter_equations(module)
    assert parameters[0].value == sum(each.numel() for each in module.parameters())
    # The sections of a layer leave a formula out that gives another number; none of these does.
    assert {one.value for one in (*products, *parameters)} <= {one.value for one in layer_equations(module, counted)}


@pytest.mark.parametrize(
    ("module", "shape"),
    [(nn.MaxPool2d(2, ceil_mode=True), (4, 9, 9)), (nn.ReLU(), (4, 9, 9)), (nn.AdaptiveAvgPool2d(1), (4, 9, 9))],
    ids=str,
)
def test_what_has_no_formula_of_its_own_is_told_without(module: nn.Module, shape: tuple[int, ...]) -> None:
    assert shape_equations(module, shape) == product_equations(module, shape, (1,)) == parameter_equations(module) == []


def test_layers_whose_formula_would_not_be_theirs_have_none() -> None:
    assert product_equations(nn.LSTM(4, 5, proj_size=2, batch_first=True), (6, 4), (6, 2)) == []
    wide = nn.MultiheadAttention(4, 2, kdim=3, vdim=3)
    assert product_equations(wide, (6, 4), (6, 4)) == []


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        (CONV, "10x48x64"),
        ("conv 4->8 kernel 3 groups 2 dilation 2 padding 1", "4x9x9"),
        ("conv 4->8 kernel 3 same", "4x9x7"),
        ("conv1d 4->8 kernel 3 stride 2", "4x9"),
        ("transposed conv 4->8 kernel 3 stride 2", "4x9x9"),
        ("linear 16->4", "16"),
        ("attention 64 heads 4", "32x64"),
        ("lstm 16->32", "10x16"),
    ],
)
def test_every_formula_of_a_layer_is_right_and_can_be_set(words: str, shape: str) -> None:
    explanation = explain_count(words, input=shape)
    formulas = [part for section in explanation.sections for part in section.parts if isinstance(part, Formula)]
    assert len(explanation.record["formulas"]) >= 2
    for formula in formulas:
        assert formula.latex.count("{") == formula.latex.count("}")
        MathTextParser("path").parse(f"${formula.latex}$")
    document = explanation.as_latex()
    assert document.startswith(r"\documentclass")
    assert document.count(r"\begin{longtable}") == document.count(r"\end{longtable}") >= 3
