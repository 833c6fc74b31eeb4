"""Counts any network: parameters, operations, memory and receptive fields, layer by layer.

The network is never run itself. A hollow copy of it is: shapes without numbers, which takes neither time nor memory.
Where the network looks at numbers on its way, a real copy is run once. The backward pass is torch's own, so that what
is frozen, detached or unused costs what it costs in training.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from heldout.anatomy.counting.counts import Count, LayerCount, Operations, Parameters
from heldout.anatomy.counting.example_inputs import (
    FEW_REAL_ENTRIES,
    MAX_REAL_ENTRIES,
    hollow_inputs,
    number_type,
    real_inputs,
)
from heldout.anatomy.counting.hollow_copies import hollow_copy, real_copy
from heldout.anatomy.counting.layer_names import kind_of
from heldout.anatomy.counting.layer_words import shape_words
from heldout.anatomy.counting.traces import Inputs, Trace, TracedLayer, without_batch
from heldout.anatomy.counting.tracing import FailedRun, trace
from heldout.errors import UsageError


def count(
    model: nn.Module,
    input: Any,
    *,
    name: str = "",
    dtype: torch.dtype | str | None = None,
    input_has_gradient: bool = False,
    train: bool | None = None,
) -> Count:
    """What a network computes for one example, layer by layer.

    The model is not touched: its parameters, buffers, flags and hooks are as before, and so are the random generators.

    Args:
        model: Any module, on any device, also on torch's meta device.
        input: The shape of one example without the batch axis, such as `(3, 224, 224)`; tensors as the model takes
            them, which are counted as they are; several of either, or by name for a model that takes several. The batch
            axis is put first; in torch's own recurrent, attention and transformer modules without `batch_first` second.
        name: Of the model; its class unless given.
        dtype: Of inputs given as shapes; that of the model's parameters unless given, or whole numbers where the model
            begins with an embedding.
        input_has_gradient: Whether the backward pass goes on to the input itself.
        train: None counts the forward pass as in evaluation and the training step as in training. True and False count
            both in that one way. A model in training mode with parts that are not keeps these as they are.

    Raises:
        UsageError: The input is no shape, the model cannot take it, or it does not come to an end.

    Example:
        >>> counted = count(nn.Conv2d(10, 20, 3), (10, 48, 64))
        >>> counted.layers[0].output_shape, counted.parameters.total, counted.forward.multiply_adds
        ((20, 46, 62), 1820, 5133600)
    """
    if not isinstance(model, nn.Module):
        raise UsageError(
            f"the model is {model!r}, which is no network",
            expected="a torch.nn.Module",
            fix="hand in the network itself, not its class or its name",
        )
    model = getattr(model, "_orig_mod", model)  # what torch.compile has wrapped
    task = _Task(model, input, name or kind_of(model), number_type(dtype), input_has_gradient, train)
    with torch.inference_mode(False):
        return _count(_run(task), task.name, input_has_gradient)


# Running


@dataclass(frozen=True, slots=True)
class _Task:
    model: nn.Module
    given: Any
    name: str
    dtype: torch.dtype | None
    input_has_gradient: bool
    train: bool | None


@dataclass(frozen=True, slots=True)
class _Runs:
    """What was seen.

    Attributes:
        copy: The copy that was run last: its lazy parameters have shapes now.
        inputs: What it was called with.
        forward: Of the forward pass that is shown.
        step: Of the training step.
        notes: How it was done, where that is unusual.
    """

    copy: nn.Module
    inputs: Inputs
    forward: Trace
    step: Trace
    notes: tuple[str, ...] = ()


def _run(task: _Task) -> _Runs:
    own = next((each.dtype for each in task.model.parameters() if each.is_floating_point()), torch.get_default_dtype())
    try:
        return _run_somehow(task, task.dtype or own)
    except FailedRun as failed:
        if task.dtype is None and any(isinstance(each, nn.Embedding) for each in task.model.modules()):
            try:
                runs = _run_somehow(task, torch.int64)
            except FailedRun:
                raise _cannot_take(task, failed) from failed
            return replace(runs, notes=("The input is taken as whole numbers: ids.", *runs.notes))
        raise _cannot_take(task, failed) from failed


def _run_somehow(task: _Task, dtype: torch.dtype) -> _Runs:
    inputs = hollow_inputs(task.model, task.given, dtype=dtype, with_gradient=task.input_has_gradient)
    if any(map(is_lazy, (*task.model.parameters(), *task.model.buffers()))):
        task = replace(task, model=_with_shapes(task, inputs))
    try:
        return _passes(task, inputs, is_hollow=True)
    except FailedRun as failed:
        if not _is_worth_a_real_run(task.model, inputs, failed.__cause__):
            raise
        hollow_failure = failed
    runs = _passes(task, real_inputs(inputs, task.given), is_hollow=False)
    why = f"{hollow_failure.where} does not run without numbers ({_first_line(hollow_failure.__cause__)})"
    return replace(runs, notes=(f"A copy was run on real tensors: {why}.", *runs.notes))


def _is_worth_a_real_run(model: nn.Module, inputs: Inputs, error: BaseException | None) -> bool:
    """Whether it may do what the hollow run did not: always tried where it costs little, and never beyond bounds."""
    n_inputs = sum(prod(each.shape) for each in inputs.tensors())
    n_weights = sum(each.numel() for each in model.parameters() if not is_lazy(each))
    wants_numbers = isinstance(error, NotImplementedError) or "meta" in str(error).lower()
    return n_inputs <= MAX_REAL_ENTRIES and (wants_numbers or n_inputs + n_weights <= FEW_REAL_ENTRIES)


def _with_shapes(task: _Task, inputs: Inputs) -> nn.Module:
    """A copy whose lazy parameters have got their shapes, in a pass of which nothing is kept."""
    copy = hollow_copy(task.model)
    trace(copy, inputs, is_hollow=True, with_gradients=False, name=task.name)
    return copy


def _passes(task: _Task, inputs: Inputs, *, is_hollow: bool) -> _Runs:
    make_copy = hollow_copy if is_hollow else real_copy

    def run(train: bool, with_gradients: bool) -> tuple[nn.Module, Trace]:
        copy = make_copy(task.model)
        if not (train and task.model.training):
            copy.train(train)
        called_with = inputs if is_hollow else _fresh(inputs)
        return copy, trace(copy, called_with, is_hollow=is_hollow, with_gradients=with_gradients, name=task.name)

    if task.train is not None:
        copy, both = run(task.train, True)
        return _Runs(copy, inputs, both, both)
    _, forward = run(False, False)
    copy, step = run(True, True)
    return _Runs(copy, inputs, forward, step)


def _fresh(inputs: Inputs) -> Inputs:
    # A network may write into its input.
    def again(tensor: Any) -> Any:
        return tensor.detach().clone().requires_grad_(tensor.requires_grad)

    return replace(
        inputs,
        args=tuple(map(again, inputs.args)),
        kwargs={name: again(each) for name, each in inputs.kwargs.items()},
    )


def _cannot_take(task: _Task, failed: FailedRun) -> UsageError:
    given = task.given
    if isinstance(given, Sequence) and not isinstance(given, str) and all(isinstance(each, int) for each in given):
        given = shape_words(given)
    cause = failed.__cause__
    why = f"in {failed.where}, {type(cause).__name__}: {_first_line(cause)}"
    return UsageError(
        f"{task.name} cannot take the input {_brief(given)}: {why}",
        expected="what its forward pass takes, without the batch axis",
        fix="check the number of channels and the size that the network is made for",
    )


def _brief(given: Any) -> str:
    if isinstance(given, Tensor):
        return f"of shape {tuple(given.shape)}"
    words = str(given)
    return words if len(words) <= 80 else f"{words[:77]}..."


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].split(". ")[0][:160].rstrip(".") if lines else "without a word"


# Putting together what was seen


def _count(runs: _Runs, name: str, input_has_gradient: bool) -> Count:
    homes, homeless = _homes(runs, name)
    tensors = _Tensors(runs.copy)
    layers = [
        _layer(runs.forward.layers.get(each), runs.step.layers.get(each), tensors.of(homes.get(each, ())))
        for each in _order(list(runs.forward.layers), list(runs.step.layers))
    ]
    first = next(iter(runs.inputs.tensors()), None)
    return Count(
        name=name,
        input_shape=() if first is None else without_batch(first.shape, runs.inputs.batch_axis),
        layers=tuple(layer for layer in layers if layer is not None),
        parameters=tensors.of(tensors.all),
        input_has_gradient=input_has_gradient,
        saved_bytes=runs.step.saved_bytes,
        notes=(*runs.notes, *_notes(runs, tensors, homeless)),
    )


class _Tensors:
    """The parameters and buffers of a model by name; shared ones once."""

    def __init__(self, model: nn.Module) -> None:
        self._parameters = dict(model.named_parameters())
        self._buffers = dict(model.named_buffers())

    @property
    def all(self) -> list[str]:
        return [*self._parameters, *self._buffers]

    def of(self, names: Iterable[str]) -> Parameters:
        """The entries of some of them."""
        whole = Parameters()
        for name in names:
            parameter = self._parameters.get(name)
            if parameter is None:
                whole += Parameters(buffers=self._buffers[name].numel())
            elif parameter.requires_grad:
                whole += Parameters(trainable=parameter.numel())
            else:
                whole += Parameters(frozen=parameter.numel())
        return whole

    def parameters_among(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self._parameters]


def _homes(runs: _Runs, name: str) -> tuple[Mapping[str, list[str]], list[str]]:
    """Parameters and buffers by the layer that uses them first, else by the module that owns them; and the rest."""
    layers = {**runs.forward.layers, **runs.step.layers}
    used = {**runs.step.homes, **runs.forward.homes}
    homes: dict[str, list[str]] = {}
    homeless = []
    for tensor in _Tensors(runs.copy).all:
        owner = tensor.rpartition(".")[0] or name
        home = used.get(tensor) or (owner if owner in layers else None)
        if home is None:
            homeless.append(tensor)
        else:
            homes.setdefault(home, []).append(tensor)
    return homes, homeless


def _layer(forward: TracedLayer | None, step: TracedLayer | None, parameters: Parameters) -> LayerCount | None:
    seen = forward or step
    assert seen is not None, "a layer is in one of the two"
    in_evaluation = Operations() if forward is None else forward.forward
    in_training = Operations() if step is None else step.forward
    backward = Operations() if step is None else step.backward
    computes = any(each.computes for each in (forward, step) if each is not None)
    is_shown = seen.is_module and seen.shape and seen.kind != "Identity"
    if not (computes or parameters.total or is_shown):
        return None
    return LayerCount(
        name=seen.name,
        kind=seen.kind,
        output_shape=seen.shape,
        parameters=parameters,
        forward=in_evaluation,
        backward=backward,
        activation_bytes=seen.n_bytes,
        receptive_field=seen.receptive_field,
        n_calls=max(1, seen.n_calls),
        training=None if in_training == in_evaluation else in_training,
    )


def _order(first: list[str], second: list[str]) -> list[str]:
    """The layers of both, in order: what only the second has stands behind what is before it there."""
    known = set(first)
    behind: dict[str, list[str]] = {}
    before = ""
    for name in second:
        if name in known:
            before = name
        else:
            behind.setdefault(before, []).append(name)
    return [each for name in ["", *first] for each in ([name] if name else []) + behind.get(name, [])]


def _notes(runs: _Runs, tensors: _Tensors, homeless: list[str]) -> list[str]:
    notes = []
    without_rule = runs.forward.without_rule | runs.step.without_rule
    if without_rule:
        named = ", ".join(f"{name} ({n})" for name, n in sorted(without_rule.items()))
        notes.append(f"Not counted, because no rule tells what they cost: {named}.")
    unused = tensors.parameters_among(homeless)
    if unused:
        named = ", ".join(unused[:4]) + (f" and {len(unused) - 4} more" if len(unused) > 4 else "")
        n = tensors.of(unused).total
        notes.append(f"{n:,} parameters take no part in the pass: {named}.")
    return notes
