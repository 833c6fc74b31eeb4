"""One pass of a network, forward and backward, with every operation set down at the layer that does it.

A layer is a module that computes something itself, or a function called between modules. The network runs on hollow
tensors, which have shapes and no numbers, or on real ones; what is seen is the same.
"""

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from heldout.anatomy.counting.hollow_tensors import hollow_like
from heldout.anatomy.counting.traces import Inputs, Trace, all_tensors
from heldout.anatomy.counting.watching import Watcher
from heldout.errors import UsageError


class FailedRun(Exception):
    """The network raised an error, which is the cause of this one.

    Args:
        where: The module in which it did, in words.
    """

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


def trace(model: nn.Module, inputs: Inputs, *, is_hollow: bool, with_gradients: bool, name: str) -> Trace:
    """Run a network once and set down what it does.

    The state of all random generators is as before, whatever happens.

    Args:
        model: Gets hooks for a while, and what a pass changes. Hand in a copy.
        inputs: Hollow where the model is.
        is_hollow: Whether the tensors have no numbers.
        with_gradients: Whether to go back again, from gradients of all outputs to all that takes one.
        name: What a layer is called that is the whole model.

    Raises:
        FailedRun: The model raised an error.
        UsageError: It does not come to an end.
    """
    watcher = Watcher(model, inputs, is_hollow=is_hollow, name=name)
    kept = watcher.measuring_what_is_kept() if with_gradients else nullcontext()
    with _undisturbed(), torch.set_grad_enabled(with_gradients):
        try:
            with watcher.watching(), kept:
                output = model(*inputs.args, **inputs.kwargs)
            watcher.end_forward()
            if with_gradients:
                with watcher.watching():
                    _go_back(model, inputs, output)
        except UsageError:
            raise
        except Exception as error:
            raise FailedRun(watcher.where()) from error
        finally:
            watcher.let_go()
    return watcher.trace


def _go_back(model: nn.Module, inputs: Inputs, output: Any) -> None:
    starts = [each for each in all_tensors(output) if each.requires_grad]
    ends = [each for each in (*model.parameters(), *inputs.tensors()) if each.requires_grad]
    if starts and ends:
        start: Tensor = _Start.apply(*starts)  # type: ignore[no-untyped-call]
        torch.autograd.grad(start, ends, allow_unused=True)


class _Start(torch.autograd.Function):
    """Joins all outputs in one number, of which the backward pass starts with a gradient of every entry.

    torch takes a number alone without a look into its compiler, whose import takes a second.
    """

    @staticmethod
    def forward(ctx: Any, *outputs: Tensor) -> Tensor:
        ctx.outputs = outputs
        return torch.empty((), dtype=outputs[0].dtype, device=outputs[0].device).fill_(0)

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Tensor, ...]:
        return tuple(hollow_like(each) if each.is_meta else torch.ones_like(each) for each in ctx.outputs)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Random generators are as before afterwards; what the network warns of is not repeated here."""
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the network may use the global one
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002
