"""A single layer, told with its formulas: how the numbers come about."""

from collections.abc import Sequence

from torch import nn

from heldout.anatomy.counting.counts import Count
from heldout.anatomy.counting.layer_words import shape_words
from heldout.explaining.counting.equations import (
    Equation,
    letters_of,
    parameter_equations,
    product_equations,
    takes_a_bias,
)
from heldout.explaining.counting.shapes import shape_equations
from heldout.explaining.counting.tables import additions_table
from heldout.explaining.document import Part, Section, Text

_COMMON = "k is the kernel, s the stride, p the padding on each side, d the dilation"
_LETTERS = {False: f"{_COMMON}.", True: f"{_COMMON}, o the output padding."}


def single_layer(model: nn.Module, count: Count) -> nn.Module | None:
    """The one layer that a model is made of; None for a network of several.

    Args:
        model: What was counted.
        count: Of it.
    """
    if not any(True for _ in model.children()):
        return model
    if len(count.layers) != 1:
        return None
    inside: dict[str, nn.Module] = dict(model.named_modules())
    return inside.get(count.layers[0].name, model)


def layer_equations(module: nn.Module, count: Count) -> list[Equation]:
    """The formulas of a layer that give the numbers that were counted; what none gives has no formula.

    Args:
        module: One layer.
        count: Of it.
    """
    if not count.layers:
        return []
    shape, output = count.input_shape, count.layers[-1].output_shape
    shapes = shape_equations(module, shape)
    if shapes and [one.value for one in shapes] != list(dict.fromkeys(output[1:])):
        shapes = []
    products = product_equations(module, shape, output)
    if products and products[0].value != count.forward.multiply_adds:
        products = []
    parameters = parameter_equations(module)
    if parameters and parameters[0].value != count.parameters.total:
        parameters = []
    return [*shapes, *parameters, *products]


def layer_sections(module: nn.Module, count: Count, equations: Sequence[Equation]) -> list[Section]:
    """Shape, parameters, multiply-adds and additions, each with its numbers filled in.

    Args:
        module: One layer.
        count: Of it.
        equations: As `layer_equations` gives them.
    """
    sections = []
    shapes = [one for one in equations if one.about.startswith("the output's")]
    if shapes:
        words = Text(f"{shape_words(count.input_shape)} -> {_both_orders(count.layers[-1].output_shape)}")
        letters = Text(_LETTERS[any("o + 1" in one.formula.plain for one in shapes)])
        sections.append(Section("Shape of the output", (*(one.formula for one in shapes), letters, words)))
    parameters = [one for one in equations if one.about.startswith("parameters")]
    if parameters:
        sections.append(Section("Parameters", (*_told(parameters), Text(_kept(module)))))
    products = [one for one in equations if one not in shapes and one not in parameters]
    if products:
        told = letters_of(module)
        sections.append(Section("Multiply-adds", (*_told(products), *([Text(told)] if told else []))))
    if takes_a_bias(module) and count.forward.dot_products:
        sections.append(Section("Multiplications and additions, exactly", (_additions(count), additions_table(count))))
    return sections


def _told(equations: Sequence[Equation]) -> tuple[Part, ...]:
    parts: list[Part] = [equations[0].formula]
    for one in equations[1:]:
        parts += [Text(f"{one.about[0].upper()}{one.about[1:]}:"), one.formula]
    return tuple(parts)


def _both_orders(shape: Sequence[int]) -> str:
    """Of an image with the channels in front, and behind as much of the literature has them."""
    if len(shape) != 3:
        return shape_words(shape)
    return f"{shape_words(shape)}, which is {shape_words((*shape[1:], shape[0]))} with the channels last"


def _kept(module: nn.Module) -> str:
    n_biases = sum(each.numel() for name, each in module.named_parameters() if "bias" in name)
    n_others = sum(each.numel() for name, each in module.named_parameters() if "bias" not in name)
    return f"{n_others:,} weights and {n_biases:,} biases."


def _additions(count: Count) -> Text:
    forward = count.forward
    length, rest = divmod(forward.multiply_adds, forward.dot_products)
    if rest:
        return Text("A sum of n products takes n - 1 additions, and one more for a bias.")
    return Text(
        f"A sum of {length:,} products takes {length - 1:,} additions, and one more for a bias. With a bias there are "
        "as many additions as multiplications, and the FLOPs, two a multiply-add, are exact; without one they are one "
        "an output too many."
    )
