"""The two ways in which torch lets a running network be watched: its function calls, and its operations.

Both are modes: they hold in one thread, as long as they are entered, and patch nothing.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from heldout.anatomy.counting.aten_calls import Call
from heldout.anatomy.counting.layer_names import function_name

if TYPE_CHECKING:
    from heldout.anatomy.counting.watching import Watcher


def _batch_norm(
    data: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    return torch.batch_norm(data, weight, bias, running_mean, running_var, training, momentum, eps, False)


def _group_norm(
    data: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    return torch.group_norm(data, num_groups, weight, bias, eps, False)


# torch refuses to normalise over a batch of one example of one pixel. One example is what is counted here: it stands
# for a batch, in which that is no fault.
_WITHOUT_SIZE_CHECK: dict[Any, Any] = {functional.batch_norm: _batch_norm, functional.group_norm: _group_norm}


class FunctionWatch(TorchFunctionMode):
    """Sees the outermost calls of torch's functions.

    Args:
        watcher: Is told.
    """

    def __init__(self, watcher: "Watcher") -> None:
        super().__init__()
        self._watcher = watcher

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        name = function_name(func)
        func = _WITHOUT_SIZE_CHECK.get(func, func)
        if name == "__get__":
            return func(*args, **kwargs)
        entered, output = self._watcher.enter_function(name), None
        try:
            output = self._watcher.recurrent(name, args)
            if output is None:
                output = func(*args, **kwargs)
            return output
        finally:
            if entered:
                self._watcher.leave_function(output)


class OperationWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees torch's own operations.

    Args:
        watcher: Carries them out.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # torch would import its compiler, for seconds, only to keep it away from here.
        return False

    def __init__(self, watcher: "Watcher") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._watcher = watcher

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        call = Call(func, args, kwargs or {})
        if self._watcher.has_lazy_parts and any(map(is_lazy, call.tensors())):
            return func(*args, **(kwargs or {}))  # a parameter without a shape is about to get one
        call.out = self._watcher.carry_out(call)
        self._watcher.note(call)
        return call.out
