"""A function of tensors, or a network, as the graph of torch's own operations: those that run forwards, and backwards.

The function is run once on tensors of the wanted shapes while torch's dispatcher tells every operation (`aten::...`),
and then its backward pass is run while autograd tells for which forward operation each backward one runs. Symbolic
tracing (torch.fx, torch.export) sees no backward pass and refuses what branches on numbers; this sees what is computed,
for this input. Nothing of the network is changed: its buffers and the random numbers are put back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from heldout.anatomy.graphs.recording import Recorder, TracedGraph, tensors_in
from heldout.errors import UsageError, is_want_of_memory


def trace_graph(function: Callable[..., Any], inputs: Mapping[str, Tensor], *, name: str) -> TracedGraph:
    """The graph of a function or a network for these inputs.

    The backward pass starts from a gradient of ones at every result. It leads to the parameters of a network, or to the
    inputs of a function.

    Args:
        function: Of tensors, or a module.
        inputs: Its arguments by position, under the names that they have in the graph.
        name: As a title shows it.

    Raises:
        UsageError: It fails on these inputs, gives no tensor, or does not come to an end.
    """
    module = function if isinstance(function, nn.Module) else None
    recorder = Recorder(module, name)
    leaves = _leaves(module, inputs)
    with _unchanged(module), _hooked(recorder, module), torch.inference_mode(False), torch.enable_grad():
        for key, tensor in inputs.items():
            recorder.add_input(key, tensor)
        try:
            with recorder:
                results = list(tensors_in(function(*inputs.values())))
                recorder.finish_forward()
                has_backward = _run_backward(recorder, results, leaves)
        except UsageError:
            raise
        except Exception as error:
            if is_want_of_memory(error):
                raise
            raise _failed(name, inputs, error) from error
    if not results:
        raise UsageError(f"{name} gives no tensor", expected="one tensor or several", fix="return what it computes")
    return recorder.graph(results, has_backward=has_backward, notes=_notes(module, has_backward))


def _leaves(module: nn.Module | None, inputs: Mapping[str, Tensor]) -> list[Tensor]:
    if module is not None:
        return [parameter for parameter in module.parameters() if parameter.requires_grad]
    floating = [tensor for tensor in inputs.values() if tensor.is_floating_point() or tensor.is_complex()]
    return [tensor.requires_grad_() if tensor.is_leaf else tensor for tensor in floating]


def _notes(module: nn.Module | None, has_backward: bool) -> tuple[str, ...]:
    if has_backward:
        return ()
    if module is not None and not any(parameter.requires_grad for parameter in module.parameters()):
        return ("No parameter takes a gradient: there is no backward pass.",)
    return ("The result does not depend smoothly on what takes a gradient: there is no backward pass.",)


def _run_backward(recorder: Recorder, results: Sequence[Tensor], leaves: Sequence[Tensor]) -> bool:
    smooth = [result for result in results if result.requires_grad and result.is_floating_point()]
    if not smooth or not leaves:
        return False
    # A gradient of ones at every result. (Handed to autograd as such it would import sympy: a second.)
    total = torch.stack([result.sum() for result in smooth]).sum()
    with recorder.backward(smooth):
        torch.autograd.grad(total, leaves, allow_unused=True)
    return True


def _failed(name: str, inputs: Mapping[str, Tensor], error: Exception) -> UsageError:
    shapes = ", ".join(f"{key} {shape_words(tensor.shape)}" for key, tensor in inputs.items())
    message = (str(error).strip().splitlines() or ["no message"])[0]
    return UsageError(
        f"{name} fails on {shapes}: {type(error).__name__}: {message}",
        expected="inputs that it can compute with",
        fix="give other shapes, one --input a tensor; for whole numbers write such as 16:int",
    )


def shape_words(shape: Sequence[int]) -> str:
    """A shape as it is read and written.

    Example:
        >>> shape_words((3, 224, 224)), shape_words(())
        ('3x224x224', 'a number')
    """
    return "x".join(map(str, shape)) or "a number"


@contextmanager
def _hooked(recorder: Recorder, module: nn.Module | None) -> Iterator[None]:
    """Inside, the recorder knows which module is at work."""
    hooks = []
    for path, each in module.named_modules() if module is not None else ():
        if path:
            hooks.append(each.register_forward_pre_hook(lambda *_, path=path: recorder.path.append(path)))
            hooks.append(each.register_forward_hook(lambda *_: recorder.path.pop() and None))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _unchanged(module: nn.Module | None) -> Iterator[None]:
    """What runs inside leaves no trace in buffers and random numbers."""
    buffers = [(buffer, buffer.detach().clone()) for buffer in module.buffers()] if module is not None else []
    with torch.random.fork_rng(devices=()):
        try:
            yield
        finally:
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)
