"""`heldout explain count`: what a network, or one layer, computes and keeps, right to the last operation."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from heldout.anatomy.counting.counting import count
from heldout.anatomy.counting.counts import Count
from heldout.anatomy.counting.layer_words import parse_shape, shape_words
from heldout.errors import UsageError
from heldout.explaining.counting.groups import rows_of
from heldout.explaining.counting.layer import layer_equations, layer_sections, single_layer
from heldout.explaining.counting.record import record_of
from heldout.explaining.counting.tables import layer_table
from heldout.explaining.counting.words import SOURCES, answer, other_operations, rules, training_step
from heldout.explaining.document import Explanation, Section
from heldout.explaining.models_named import NamedModel, named_model

Inputs = str | Sequence[int] | Sequence[str] | Tensor | Sequence[Tensor]


def explain_count(
    model: nn.Module | str | Path,
    *,
    input: Inputs | None = None,
    input_gradient: bool = False,
    depth: int | None = None,
    classes: int | None = None,
) -> Explanation[Count]:
    """Parameters, multiply-adds, FLOPs, every other operation, memory and receptive field, layer by layer.

    The model is not changed.

    Args:
        model: A module; or a layer in words, a backbone, `timm:NAME`, `FILE.py:NAME`, `package.file:NAME`, or a run
            folder.
        input: The shape of one example, without the batch axis: `3x224x224` or (3, 224, 224); tensors with a
            batch axis of 1; several of either for a model that takes several. A backbone and a run know theirs.
        input_gradient: Whether the training step computes the gradient of the input too.
        depth: How many parts of the layers' dotted names have a row of their own; as many as give at most 40 rows
            unless given.
        classes: Outputs of a backbone's head; ImageNet's 1,000 unless given.

    Raises:
        UsageError: The text means no model, the model fails, or the input does not fit it.
        RunFolderError: The folder is no finished run.
        MissingExtra: `timm:NAME` without timm installed.

    Example:
        >>> print(explain_count("conv 1->96 kernel 8 stride 4", input="1x64x64").facts.parameters.total)
        6240
    """
    if depth is not None and depth < 1:
        raise UsageError(f"depth is {depth}", expected="1 or more", fix="leave it out to have at most 40 rows")
    named = _named(model, classes, input)
    given = named.input_shape if input is None else input
    if given is None:
        raise UsageError(
            f"the shape of the input of {named.name!r} is not known",
            expected="the shape of one example, without the batch: 3x224x224 of an image, 16 of a row of 16 numbers",
            fix="add --input SHAPE, or input= in Python",
        )
    counted = count(named.module, given, name=named.name, input_has_gradient=input_gradient)
    return explained(counted, named, depth=depth)


def explained(counted: Count, named: NamedModel, *, depth: int | None = None) -> Explanation[Count]:
    """A count told as a document.

    Args:
        counted: What was counted.
        named: Whose count it is.
        depth: As in `explain_count`.
    """
    from heldout.explaining.counting.figure import counting_figure

    kinds = {name: type(module).__name__ for name, module in named.module.named_modules()}
    rows = rows_of(counted, depth=depth, kinds=kinds)
    layer = single_layer(named.module, counted)
    equations = [] if layer is None else layer_equations(layer, counted)
    sections = [answer(counted, named.notes)]
    sections += [layer_table(rows, counted)] if layer is None else layer_sections(layer, counted, equations)
    sections += _common(counted)
    return Explanation(
        title=f"{counted.name} on {shape_words(counted.input_shape)}",
        facts=counted,
        sections=tuple(sections),
        record={**record_of(counted, equations), "notes": [*named.notes, *counted.notes]},
        sources=SOURCES,
        draw=partial(counting_figure, rows) if rows else None,
    )


def _common(counted: Count) -> list[Section]:
    others = other_operations(counted)
    return [*([others] if others else []), training_step(counted), rules()]


def _named(model: nn.Module | str | Path, classes: int | None, input: Inputs | None) -> NamedModel:
    if isinstance(model, nn.Module):
        if classes is not None:
            raise UsageError(
                f"{classes} classes were asked for of a module, which has the outputs that it has",
                expected="a number of classes for the name of a backbone alone",
                fix="leave the classes out",
            )
        return NamedModel(type(model).__name__, model)
    if not isinstance(model, str | Path):
        raise UsageError(
            f"the model is a {type(model).__name__}",
            expected="a torch.nn.Module, or a text that means one",
            fix='such as "resnet18", or the module itself',
        )
    shape = None if input is None or isinstance(input, Tensor) else _first_shape(input)
    return named_model(str(model), n_classes=classes, input_shape=shape)


def _first_shape(input: Inputs) -> Sequence[int] | None:
    """What a layer in words is made for; None where it is no shape, which counting says."""
    if isinstance(input, str):
        return parse_shape(input)
    numbers = tuple(each for each in input if isinstance(each, int))
    return numbers if len(numbers) == len(input) else None
