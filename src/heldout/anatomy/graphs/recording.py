"""What is set down while a function of tensors runs: every operation, and what the backward pass runs for it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from heldout.errors import UsageError

# A network that calls itself without end is stopped here.
MAX_OPERATIONS = 20_000
_MAKES_A_TENSOR = ("empty", "zeros", "ones", "full", "new_", "arange", "scalar_tensor", "rand")


@dataclass(frozen=True, slots=True)
class BackwardOperation:
    """One operation of the backward pass: its name and the shape of what it gives first."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TracedNode:
    """An input, or an operation of the forward pass.

    Attributes:
        name: Its own: the module where it is the only operation of it, such as `conv1`, or `layer1.add_`, or `mm (2)`.
        operation: Torch's name: `convolution`; `input` for an input.
        module: The path of the module that ran it; empty outside of all modules.
        operands: Which nodes it uses, by their place.
        parameters: The parameters and buffers that it uses, by their names.
        shape: Of its first output.
        dtype: Of its first output.
        backward: What runs for it in the backward pass.
    """

    name: str
    operation: str
    module: str
    operands: tuple[int, ...]
    parameters: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    backward: tuple[BackwardOperation, ...] = ()


@dataclass(frozen=True, slots=True)
class TracedGraph:
    """A function or a network as it ran.

    Attributes:
        name: Of the function or the network.
        nodes: In the order in which they ran; only those that the result needs.
        outputs: Which nodes are results.
        n_sums: How many gradients were added up where a tensor is used several times.
        has_backward: Whether there was a backward pass.
        notes: What was chosen, and what is missing.
    """

    name: str
    nodes: tuple[TracedNode, ...]
    outputs: tuple[int, ...]
    n_sums: int = 0
    has_backward: bool = True
    notes: tuple[str, ...] = ()

    @property
    def operations(self) -> list[TracedNode]:
        """The nodes that compute something."""
        return [node for node in self.nodes if node.operation != "input"]

    @property
    def n_backward(self) -> int:
        """Operations of the backward pass, sums of gradients included."""
        return sum(len(node.backward) for node in self.nodes) + self.n_sums


@dataclass
class _Seen:
    """A node while it is being put together."""

    name: str
    operation: str
    module: str
    operands: list[int]
    parameters: list[str]
    shape: tuple[int, ...]
    dtype: str
    backward: list[BackwardOperation] = field(default_factory=list)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sets down every operation, and which tensor came from which.

    Args:
        module: Of which parameters and buffers are known by name; None for a function.
        name: Of what runs.
    """

    def __init__(self, module: nn.Module | None, name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.path: list[str] = []
        self._name = name
        self._seen: list[_Seen] = []
        self._sources: dict[int, int] = {}  # of a tensor, by its id
        self._owned: dict[int, str] = {}
        self._alive: list[Any] = []  # an id may be given again when its tensor has gone
        self._by_sequence: dict[int, int] = {}  # autograd's number of an operation -> its node
        self._last_sequence = _next_sequence()
        self._running: int | None = None  # the node for which autograd is at work
        self._is_backward = self._is_summing = False
        self._n_operations = self._n_sums = 0
        if module is not None:
            for key, tensor in [*module.named_parameters(), *module.named_buffers()]:
                self._owned[id(tensor)] = key

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Otherwise torch imports its compiler to turn it off: 3 s (measured 2026-11-22). Nothing here is compiled.
        return False

    def add_input(self, name: str, tensor: Tensor) -> None:
        """An input, which no operation gives."""
        self._sources[id(tensor)] = len(self._seen)
        self._seen.append(_Seen(name, "input", "", [], [], tuple(tensor.shape), _dtype(tensor)))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self._n_operations += 1
        if self._n_operations > MAX_OPERATIONS:
            raise UsageError(
                f"{self._name} runs more than {MAX_OPERATIONS:,} operations",
                expected="a function that comes to an end sooner",
                fix="explain a part of it",
            )
        outputs = list(tensors_in(result))
        self._alive += outputs
        if self._is_backward:
            self._add_backward(func, outputs)
        else:
            self._add_forward(func, list(tensors_in((args, kwargs))), outputs)
        return result

    def _add_forward(self, func: Any, operands: list[Tensor], outputs: list[Tensor]) -> None:
        operation = _plain_name(func)
        sequence = _next_sequence()
        if operation.startswith(_MAKES_A_TENSOR) or operation.endswith("_like") or not outputs:
            return
        sources = list(dict.fromkeys(self._sources[id(each)] for each in operands if id(each) in self._sources))
        owned = list(dict.fromkeys(self._owned[id(each)] for each in operands if id(each) in self._owned))
        if _is_view(func) and (operation in {"detach", "alias"} or not sources):
            for each in outputs:  # the same numbers under another shape
                if sources:
                    self._sources[id(each)] = sources[0]
                elif owned:
                    self._owned[id(each)] = owned[0]
            return
        place = len(self._seen)
        if sequence > self._last_sequence:
            self._by_sequence[sequence - 1] = place
            self._last_sequence = sequence
        first = outputs[0]
        path = self.path[-1] if self.path else ""
        self._seen.append(_Seen("", operation, path, sources, owned, tuple(first.shape), _dtype(first)))
        for each in outputs:
            self._sources[id(each)] = place

    def _add_backward(self, func: Any, outputs: list[Tensor]) -> None:
        if self._is_summing:
            self._n_sums += _plain_name(func) in {"add", "add_"}
        elif self._running is not None and outputs and not _is_view(func):
            self._seen[self._running].backward.append(BackwardOperation(_plain_name(func), tuple(outputs[0].shape)))

    def finish_forward(self) -> None:
        """From here on everything belongs to the backward pass."""
        self._is_backward = True

    @contextmanager
    def backward(self, results: Sequence[Tensor]) -> Iterator[None]:
        """Inside, autograd tells before and after each of its steps for which operation it is at work."""
        hooks = []
        for step in _steps_of(results):
            hooks += [step.register_prehook(self._starts(step)), step.register_hook(self._ends)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _starts(self, step: Any) -> Callable[[Any], None]:
        place = self._by_sequence.get(step._sequence_nr())

        def start(_: Any) -> None:
            self._running, self._is_summing = place, False

        return start

    def _ends(self, *_: Any) -> None:
        self._running, self._is_summing = None, True

    def graph(self, results: Sequence[Tensor], *, has_backward: bool, notes: tuple[str, ...]) -> TracedGraph:
        """What was seen, as far as the results need it."""
        outputs = [self._sources[id(result)] for result in results if id(result) in self._sources]
        needed = set(outputs)
        for place in range(len(self._seen) - 1, -1, -1):
            if place in needed:
                needed.update(self._seen[place].operands)
        kept = [place for place, seen in enumerate(self._seen) if place in needed or seen.operation == "input"]
        moved = {place: index for index, place in enumerate(kept)}
        names = _names([self._seen[place] for place in kept])
        nodes = tuple(
            TracedNode(
                name,
                seen.operation,
                seen.module,
                tuple(moved[operand] for operand in seen.operands),
                tuple(seen.parameters),
                seen.shape,
                seen.dtype,
                tuple(seen.backward),
            )
            for name, seen in zip(names, (self._seen[place] for place in kept), strict=True)
        )
        ends = tuple(dict.fromkeys(moved[place] for place in outputs))
        return TracedGraph(self._name, nodes, ends, self._n_sums, has_backward, notes)


def _names(nodes: Sequence[_Seen]) -> list[str]:
    """Each operation by its module, or by itself outside of modules; a number behind those that come again."""
    met: Counter[str] = Counter()
    per_module = Counter((node.module, node.operation) for node in nodes)
    n_operations = Counter(module for module, _ in per_module)
    names = []
    for node in nodes:
        parts = [node.module] if node.module and n_operations[node.module] == 1 else [node.module, node.operation]
        stem = node.name or ".".join(part for part in parts if part)
        met[stem] += 1
        names.append(stem if met[stem] == 1 else f"{stem} ({met[stem]})")
    return names


def _steps_of(results: Sequence[Tensor]) -> list[Any]:
    """Autograd's steps, without those that only put a gradient into a parameter."""
    waiting: list[Any] = [result.grad_fn for result in results]
    found: dict[Any, None] = {}
    while waiting:
        step = waiting.pop()
        if step is not None and step not in found:
            found[step] = None
            waiting += [following for following, _ in step.next_functions]
    return [step for step in found if not hasattr(step, "variable")]


def _next_sequence() -> int:
    # Autograd numbers its operations; the profiler pairs forward and backward by this number, too.
    return int(torch._C._autograd._get_sequence_nr())


def _plain_name(func: Any) -> str:
    """Such as `convolution` for aten.convolution.default."""
    return str(func._schema.name).split("::")[-1]


def _is_view(func: Any) -> bool:
    return bool(getattr(func, "is_view", False))


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor in what a function was given or gives."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from tensors_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors_in(each)
