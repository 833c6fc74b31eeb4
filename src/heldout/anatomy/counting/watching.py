"""Sees every operation of a running network, and knows which layer does it."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.hooks import RemovableHandle

from heldout.anatomy.counting.aten_calls import Call, Margins, is_in_place, is_view, tensors_in
from heldout.anatomy.counting.counts import Operations
from heldout.anatomy.counting.hollow import hollow_result, hollowed
from heldout.anatomy.counting.hollow_recurrent import hollow_recurrent
from heldout.anatomy.counting.layer_names import is_one_layer, kind_of, place_of_module
from heldout.anatomy.counting.operation_kinds import renamed
from heldout.anatomy.counting.operation_rules import operations_of
from heldout.anatomy.counting.receptive import Field
from heldout.anatomy.counting.receptive_fields import Fields, Spot, spot_of
from heldout.anatomy.counting.receptive_rules import hand_on
from heldout.anatomy.counting.traces import Inputs, Place, Trace, TracedLayer, all_tensors, without_batch
from heldout.anatomy.counting.watch_modes import FunctionWatch, OperationWatch
from heldout.errors import UsageError

# A network that calls itself without end is stopped here, which takes about half a minute.
MAX_OPERATIONS = 400_000


@dataclass(slots=True)
class _Frame:
    """A module that is being run."""

    path: str
    module: nn.Module
    place: Place | None
    n_functions: Counter[str] = field(default_factory=Counter)


class Watcher:
    """Knows at every moment which layer is at work, and sets down what it does.

    Args:
        model: Gets hooks. Hand in a copy.
        inputs: What it is called with.
        is_hollow: Whether the tensors have no numbers.
        name: What a layer is called that is the whole model.
    """

    def __init__(self, model: nn.Module, inputs: Inputs, *, is_hollow: bool, name: str) -> None:
        self.trace = Trace()
        self._is_hollow = is_hollow
        self._frames: list[_Frame] = []
        self._function: Place | None = None
        # The layer of each node of torch's graph, by the number that the node gets when it is made.
        self._nodes: dict[int, Place] = {}
        self._node_numbers: list[int] | None = None
        self._whole = Place(name, kind_of(model))
        self._margins: dict[Spot, Margins] = {}
        self._seen: dict[str, Field | None] = {}
        self._owned = _owned_storages(model)
        tensors = inputs.tensors()
        self._fields = Fields(tensors[0], inputs.batch_axis) if tensors else None
        self._known = set(self._owned) | {_storage(each) for each in tensors}
        self._saved: set[int] = set()
        # Storages are told apart by their addresses: these must not be given to another.
        self._alive: list[Tensor] = []
        self._n_operations = 0
        self._hooks: list[RemovableHandle] = []
        self.has_lazy_parts = any(map(is_lazy, (*model.parameters(), *model.buffers())))
        for path, module in model.named_modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue  # takes no hooks: what it does counts for the module around it
            place = place_of_module(path or name, module) if is_one_layer(module, is_root=not path) else None
            self._hooks.append(module.register_forward_pre_hook(self._entering(path, place), prepend=True))
            self._hooks.append(module.register_forward_hook(self._leaving()))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Every function call and every operation is seen."""
        with FunctionWatch(self), OperationWatch(self):
            yield

    def let_go(self) -> None:
        """Take the hooks away."""
        for hook in self._hooks:
            hook.remove()

    @contextmanager
    def measuring_what_is_kept(self) -> Iterator[None]:
        """What torch keeps for the backward pass is measured."""
        with torch.autograd.graph.saved_tensors_hooks(self._keep, lambda tensor: tensor):
            yield

    def where(self) -> str:
        """The module that is being run, in words."""
        if not self._frames or not self._frames[-1].path:
            return "the network"
        return f"{self._frames[-1].path} ({kind_of(self._frames[-1].module)})"

    def end_forward(self) -> None:
        """The forward pass is over: it is known now which axes of the input are channels."""
        for name, seen in self._seen.items():
            if self._fields is not None:
                self.trace.layers[name].receptive_field = self._fields.report(seen)
        self._frames.clear()
        self._node_numbers = sorted(self._nodes)

    # Layers come and go

    def _entering(self, path: str, place: Place | None) -> Callable[[nn.Module, Any], None]:
        def enter(module: nn.Module, _: Any) -> None:
            self._frames.append(_Frame(path, module, place))
            if place is not None and self._node_numbers is None:
                self._layer(place).n_calls += 1

        return enter

    def _leaving(self) -> Callable[[nn.Module, Any, Any], None]:
        def leave(module: nn.Module, _: Any, output: Any) -> None:
            place = self._frames.pop().place
            if place is None or self._node_numbers is not None:
                return
            self._give_out(place, output, is_recurrent=isinstance(module, nn.RNNBase))

        return leave

    def enter_function(self, name: str) -> bool:
        """Whether a function that is called now is a layer, being called between modules."""
        if self._node_numbers is not None or self._function is not None or not self._frames:
            return False
        frame = self._frames[-1]
        if frame.place is not None:
            return False
        frame.n_functions[name] += 1
        numbered = name if frame.n_functions[name] == 1 else f"{name}_{frame.n_functions[name]}"
        self._function = Place(f"{frame.path}.{numbered}" if frame.path else numbered, name)
        self._layer(self._function).n_calls += 1
        return True

    def leave_function(self, output: Any) -> None:
        """The function has given its result; None where it raised an error."""
        place, self._function = self._function, None
        if place is not None and output is not None:
            self._give_out(place, output)

    def _give_out(self, place: Place, output: Any, *, is_recurrent: bool = False) -> None:
        with torch._C.DisableTorchFunction():  # what is asked here is no call of the network's
            if is_recurrent and self._fields is not None:
                self._fields.mix(all_tensors(output))
            self._measure(self._layer(place), list(all_tensors(output)), place.batch_axis)

    def _measure(self, layer: TracedLayer, tensors: list[Tensor], batch_axis: int) -> None:
        if tensors and layer.n_calls == 1:
            layer.shape = without_batch(tensors[0].shape, batch_axis)
            self._seen[layer.name] = None if self._fields is None else self._fields.of(tensors[0])
        for tensor in tensors:
            if _storage(tensor) not in self._known:
                self._known.add(_storage(tensor))
                self._alive.append(tensor)
                layer.n_bytes += min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())

    def _layer(self, place: Place) -> TracedLayer:
        layer = self.trace.layers.get(place.layer)
        if layer is None:
            layer = self.trace.layers[place.layer] = TracedLayer(place.layer, place.kind, place.is_module)
        return layer

    def _place(self) -> Place:
        if self._node_numbers is not None:
            node = torch._C._current_autograd_node()
            index = bisect_right(self._node_numbers, -1 if node is None else node._sequence_nr()) - 1
            return self._nodes[self._node_numbers[index]] if index >= 0 else self._whole
        if self._function is not None:
            return self._function
        if not self._frames:
            return self._whole
        frame = self._frames[-1]
        # Where there is no place, no function call announced the operation: it comes out of a compiled part.
        return frame.place or Place(frame.path or self._whole.layer, kind_of(frame.module))

    def _node(self) -> str:
        """The kind of torch's graph node that is at work; empty in the forward pass."""
        node = None if self._node_numbers is None else torch._C._current_autograd_node()
        return "" if self._node_numbers is None else "none" if node is None else node.name()

    # Operations come by

    def carry_out(self, call: Call) -> Any:
        """The result of a call, hollow as soon as one argument is."""
        if not is_view(call.func):
            self.settle(call.tensors(), self._place())
        if torch.Tag.inplace_view in call.func.tags:
            # The tensor is to be another view afterwards; what it was is still asked for.
            before = call.args[0].detach()
            result = call.func(*call.args, **call.kwargs)
            call.give((before, *call.args[1:]), call.kwargs)
            return result
        are_hollow = {each.is_meta for each in call.tensors()} if self._is_hollow else set()
        if True not in are_hollow:
            return call.func(*call.args, **call.kwargs)
        first = call.args[0] if call.args else None
        if False in are_hollow:
            call.give(hollowed(call.args), {name: hollowed(each) for name, each in call.kwargs.items()})
        if "device" in call.kwargs:
            call.give(call.args, {**call.kwargs, "device": torch.device("meta")})
        result = hollow_result(call)
        return first if is_in_place(call.func) and isinstance(result, Tensor) else result

    def note(self, call: Call) -> None:
        """Set down one operation that has been carried out."""
        self._count_operations()
        place = self._place()
        self._note_padding(call)
        if self._node_numbers is None:
            self._nodes.setdefault(_last_node(), place)
            if self._fields is not None:
                hand_on(call, self._fields)
        operations = operations_of(call)
        if operations is None:
            if call.func.namespace != "profiler":
                self.trace.without_rule[call.func._schema.name] += 1
            return
        if operations.multiply_adds or operations.other:
            self._note_result(call, place)
            self._add(renamed(operations, call.name, place, self._node()), place)

    def recurrent(self, name: str, args: tuple[Any, ...]) -> tuple[Tensor, ...] | None:
        """The result of a recurrent layer where one is called with hollow tensors; None otherwise."""
        if not self._is_hollow:
            return None
        place = self._place()
        results = hollow_recurrent(name, args, lambda operations: self._add(operations, place))
        if results is not None:
            self._nodes.setdefault(_last_node(), place)
            self.settle(tensors_in(args), place)
            if self._fields is not None:
                self._fields.find_channels(args[0], -1)
                self._fields.mix(results, read=args[0])
        return results

    def settle(self, tensors: Iterable[Tensor], place: Place) -> None:
        """A parameter is at home in the layer that first computes with it."""
        for tensor in tensors:
            for name in self._owned.get(_storage(tensor), ()):
                self.trace.homes.setdefault(name, place.layer)

    def _add(self, operations: Operations, place: Place) -> None:
        layer = self._layer(place)
        if self._node_numbers is None:
            layer.forward += operations
        else:
            layer.backward += operations

    def _note_result(self, call: Call, place: Place) -> None:
        """A layer that nothing announced, being compiled, gives out what its last operation does."""
        layer = self._layer(place)
        if layer.n_calls == 0 and self._node_numbers is None:
            layer.shape = without_batch(call.result.shape)
            self._seen[layer.name] = None if self._fields is None else self._fields.of(call.result)

    def _count_operations(self) -> None:
        self._n_operations += 1
        if self._n_operations > MAX_OPERATIONS:
            raise UsageError(
                f"the network had not come to its end after {MAX_OPERATIONS:,} operations",
                expected="a network and an input that take fewer",
                fix="count a smaller input: every step of a loop costs the same",
            )

    def _note_padding(self, call: Call) -> None:
        """Zeros that were padded in an operation of their own are padding to the convolution behind."""
        if call.name in {"convolution", "_convolution", "convolution_backward"} and self._margins:
            call.margins = self._margins.get(spot_of(call["input"]))
        elif call.name == "constant_pad_nd" and call["value"] == 0 and self._node_numbers is None:
            self._margins[spot_of(call.result)] = _padded(call, self._margins.get(spot_of(call["self"])))
            self._alive.append(call.result)

    def _keep(self, tensor: Tensor) -> Tensor:
        storage = _storage(tensor)
        if storage not in self._owned and storage not in self._saved:
            self._saved.add(storage)
            self._alive.append(tensor)
            self.trace.saved_bytes += tensor.untyped_storage().nbytes()
        return tensor


def _last_node() -> int:
    """The number of the node of torch's graph that was made last: that of the operation that is carried out."""
    number: int = torch.autograd._get_sequence_nr()  # type: ignore[attr-defined]
    return number - 1


def _owned_storages(model: nn.Module) -> dict[int, list[str]]:
    owned: dict[int, list[str]] = {}
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if not is_lazy(tensor):
            owned.setdefault(_storage(tensor), []).append(name)
    return owned


def _storage(tensor: Tensor) -> int:
    address: int = tensor.untyped_storage()._cdata
    return address


def _padded(call: Call, old: Margins | None) -> Margins:
    n_axes, pad = call["self"].dim(), call["pad"]
    new = [(0, 0)] * (n_axes - len(pad) // 2)
    new += [(max(0, pad[2 * n]), max(0, pad[2 * n + 1])) for n in reversed(range(len(pad) // 2))]
    return tuple((a + c, b + d) for (a, b), (c, d) in zip(old or ((0, 0),) * n_axes, new, strict=True))
