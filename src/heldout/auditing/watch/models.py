"""Watches models: each call from outside of any module, what went in, what came out, and if it was learned from."""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

import numpy as np

from heldout.auditing.seen.models import Model
from heldout.auditing.seen.place import Place
from heldout.auditing.watch.calls import Batch, Call, tensors_in
from heldout.auditing.watch.gradients import GradientWatch, rows_with
from heldout.auditing.watch.hashing import text_hash
from heldout.auditing.watch.identities import Glimpse, as_array, weakly
from heldout.auditing.watch.inputs import hash_samples, keep_input
from heldout.auditing.watch.inside import InsideWatch
from heldout.auditing.watch.patching import quietly
from heldout.auditing.watch.places import call_site, names_of, place
from heldout.auditing.watch.watcher import Watcher

# Words of a model's parameters that are hashed at most: a fingerprint of a large model takes every k-th.
_MOST_WORDS = 2**22
_LIKE = 0.95
# From this correlation on two rows of numbers are the same on another scale (rounding to 16 bits stays above it).
_EXACT = 0.9999
# Models of one family whose parameters are remembered, at most.
_MOST_TWINS = 64
# Outputs of the latest calls that are remembered, at most.
_MOST_OUTPUTS = 16


class ModelWatch:
    """Follows calls of modules that own parameters."""

    def __init__(self, watcher: Watcher) -> None:
        import torch
        from torch import nn

        self._torch, self._watcher = torch, watcher
        self._argmax = torch.argmax  # as it is before it is watched
        self._depth = 0
        self.inside = InsideWatch(watcher)
        self._models: WeakKeyDictionary[Any, Model] = WeakKeyDictionary()
        self._families: dict[int, tuple[Any, int]] = {}
        # Which parameters the models of a family have, each set once with the first model that has it.
        self._twins: dict[int, list[tuple[int, frozenset[int]]]] = {}
        # Families whose outputs are held against their inputs.
        self.reconstructing: set[int] = set()
        self._first_passes: dict[int, int] = {}
        # Where the names of which model were looked for, besides where it was called first.
        self._named_at: set[tuple[int, Place]] = set()
        self._asked_names: dict[tuple[int, int], tuple[str, ...]] = {}
        self._kept: WeakSet[Any] = WeakSet()
        self._forward_types: set[type] = set()
        self._dropouts = (nn.modules.dropout._DropoutNd, nn.Dropout)
        self._norm = nn.modules.batchnorm._BatchNorm
        self.current: Any = None
        self._outputs: list[tuple[Any, Call]] = []
        # What is told of a module that is asked for the first time, and the number that it has now.
        self.when_met: list[Callable[[Any, int], None]] = []
        self._gradients = GradientWatch(watcher.patches, self.family_of)
        watcher.patches.wrap(nn.Module, "__call__", self._call)
        watcher.patches.wrap(nn.Module, "__init__", self._init)

    def model_of(self, module: Any) -> Model | None:
        """The record of a module that was called."""
        return self._models.get(module)

    def family_of(self, parameter: Any) -> int | None:
        """The number of the first model that was seen with a parameter."""
        known = self._families.get(id(parameter))
        return known[1] if known is not None and known[0]() is parameter else None

    def modules(self) -> list[tuple[Any, Model]]:
        """The modules that were called from outside, and still are there."""
        return list(self._models.items())

    def call_of(self, tensor: Any) -> Call | None:
        """The latest call one of whose outputs this tensor is."""
        for output, call in reversed(self._outputs):
            if output() is tensor:
                found: Call = call
                return found
        return None

    def _init(self, original: Any, module: Any, *arguments: Any, **named: Any) -> Any:
        result = original(module, *arguments, **named)
        quietly(self.inside.made)(module)
        # Some scripts call model.forward(x): a user's own forward is watched too.
        kind = type(module)
        if kind not in self._forward_types and "forward" in vars(kind) and not kind.__module__.startswith("torch."):
            self._forward_types.add(kind)
            self._watcher.patches.wrap(kind, "forward", self._call)
        return result

    def _call(self, original: Any, module: Any, *arguments: Any, **named: Any) -> Any:
        if self._depth:
            self.inside.within(module)
            return original(module, *arguments, **named)
        if not _has_parameters(module):
            return original(module, *arguments, **named)
        self._depth, self.current = 1, module
        quietly(self.inside.enter)(module)
        mode, grad = module.training, self._torch.is_grad_enabled()
        try:
            result = original(module, *arguments, **named)
        finally:
            self._depth, self.current = 0, None
            self.inside.leave()
        # Gradient checkpointing runs a model once more in the middle of a backward pass: that is no call of its own.
        if self._torch._C._current_graph_task_id() == -1:
            quietly(self._called)(module, (arguments, named) if named else arguments, result, mode, grad)
        return result

    def _called(self, module: Any, given: Any, result: Any, mode: bool, grad: bool) -> None:
        inputs = tensors_in(given)
        outputs = tensors_in(result)
        if not inputs:
            return
        watcher = self._watcher
        where = place()
        model = self._met(module, where)
        x = inputs[0]
        call = Call(watcher.tick(), model.number, model.family, where, mode, grad, n := len(x))
        fresh = keep_input(call, x)
        batch = call.batch = self._batch_of(inputs, fresh)
        call.dropout_live, call.norm_live, call.frozen_norm_live = self._live(module)
        if batch is not None:
            batch.passed.reached += 1
        if batch is None or not batch.populations or not mode or self._is_new(batch):
            hash_samples(call, x)
        call.is_given = batch is None or mode or _is_given(batch, x, fresh)
        if batch is None and not (mode and grad):
            call.site = call_site()
            call.names = self._names_of_asked(call, x)
        if (not mode or not grad) and not _goes_on(watcher.last_call, call):
            call.fingerprint = fingerprint_of(parameters_of(module))
        labels = self._labels(batch, inputs, n)
        scores = next((each for each in outputs if each.is_floating_point() and each.shape[0] == n), None)
        if scores is not None:
            watcher.answers.keep(call, scores.detach(), labels, self._argmax)
        if not mode and scores is not None and call.family not in self.reconstructing:
            self._watcher.remark("random numbers before the first layer", hit=self.inside.drew_first)
        call.given = weakly(x)
        self._follow(call, outputs)
        watcher.waiting.append(call)
        watcher.last_call = call
        watcher.settle_if_many()

    def _is_new(self, batch: Batch) -> bool:
        """Whether a batch is of the first pass over a data set whose items are known by their names alone."""
        first = self._first_passes.setdefault(batch.passed.data_set, batch.passed.number)
        return first == batch.passed.number and any(population.is_named for population, _, _ in batch.populations)

    def _names_of_asked(self, call: Call, x: Any) -> tuple[str, ...]:
        """What the user calls tensors that a model is asked about; it is looked for once at a line."""
        key = (call.family, call.site)
        if key not in self._asked_names:
            self._asked_names[key] = tuple(names_of(x))
        return self._asked_names[key]

    def _follow(self, call: Call, outputs: list[Any]) -> None:
        """Have the call told when a gradient flows back through one of its outputs."""

        def learned(gradient: Any) -> None:
            if not self._gradients.is_probing and not call.is_settled:
                call.trained = True
                if call.batch is None:
                    quietly(self._note_rows)(call, gradient)

        vars(learned)["__torch_unserializable__"] = True  # a tensor that is saved is saved without a word about it

        for output in outputs:
            if output.requires_grad and not output.is_leaf:
                output.register_hook(learned)
        self._outputs += [(ref(output), call) for output in outputs[:2]]
        if len(self._outputs) > _MOST_OUTPUTS:
            self._outputs = [(held, before) for held, before in self._outputs[-8:] if held() is not None]

    def _note_rows(self, call: Call, gradient: Any) -> None:
        """Remember from which rows of tensors made by hand was learned: a mask may leave some of them out."""
        rows = rows_with(gradient, call.n_samples)
        call.rows = rows if call.rows is None else call.rows | rows

    def _met(self, module: Any, where: Place) -> Model:
        known = self._models.get(module)
        if known is not None:
            if len(known.names) < 2 and (known.number, where) not in self._named_at:
                self._named_at.add((known.number, where))
                known.names = list(dict.fromkeys([*known.names, *self._watcher.names(module)]))
            return known
        parameters = parameters_of(module)
        number = len(self._watcher.log.models)
        family = next((found for each in parameters if (found := self.family_of(each)) is not None), number)
        for each in parameters:
            self._families.setdefault(id(each), (ref(each), family))
            if self._families[id(each)][0]() is not each:
                self._families[id(each)] = (ref(each), family)
        model = Model(
            number,
            self._watcher.names(module),
            type(module).__name__,
            where,
            sum(each.numel() for each in parameters),
            fingerprint_of(parameters),
            has_dropout=any(isinstance(each, self._dropouts) for each in module.modules()),
            has_norm=any(isinstance(each, self._norm) for each in module.modules()),
            family=family,
            last_parameter=[name for name, _ in module.named_parameters()][-1],
            layers=_layers(module),
            twin=self._twin(parameters, family, number),
        )
        self._watcher.log.models.append(model)
        self._models[module] = model
        for then in self.when_met:
            then(module, number)
        return model

    def _twin(self, parameters: list[Any], family: int, number: int) -> int:
        """The first model that has exactly these parameters."""
        if family == number:
            self._twins[number] = [(number, frozenset(map(id, parameters)))]
            return number
        # All parameters are known as this family's: an identity that another took over would not be.
        known, own = self._twins.setdefault(family, []), frozenset(map(id, parameters))
        same = [first for first, held in known if held == own]
        if not same and len(known) < _MOST_TWINS:
            known.append((number, own))
        return same[0] if same else number

    def _live(self, module: Any) -> tuple[bool, bool, bool]:
        """Whether a dropout is at work, a batch normalisation learns, and one of frozen weights does."""
        dropout = norm = frozen = False
        for each in _parts(module):
            if each.training:
                dropout = dropout or (isinstance(each, self._dropouts) and each.p > 0)
                if isinstance(each, self._norm) and each.track_running_stats:
                    norm = True
                    frozen = frozen or (each.weight is not None and not each.weight.requires_grad)
        return dropout, norm, frozen

    def _batch_of(self, inputs: list[Any], fresh: Glimpse) -> Batch | None:
        """The batch that an input is, or is made of: by identity, or by its numbers where it was moved or scaled."""
        recent, given = list(reversed(self._watcher.recent)), {id(each) for each in inputs}
        for batch in recent:
            for each in batch.tensors:
                if id(each.tensor()) in given:
                    return batch
        for batch in recent:
            for each in batch.tensors:
                if each.n_values == fresh.n_values and _alike(each, fresh):
                    return batch
        return None

    def _labels(self, batch: Batch | None, inputs: list[Any], n: int) -> np.ndarray | None:
        """The labels that came with a batch: one whole number a sample, and no input of the model's."""
        if batch is None:
            return None
        found = [
            each
            for each in batch.tensors
            if each.n_rows == n and each.labels is not None and each.tensor() is not inputs[0]
        ]
        if not found or found[0] is batch.tensors[0]:
            found = found[1:]
        if not found:
            return None
        labels = found[0].labels
        return labels if labels is not None and (labels.dtype.kind in "iu" or _are_whole(labels)) else None


def _goes_on(before: Call | None, call: Call) -> bool:
    """Whether a call belongs to the stretch of the call before it, as far as is known yet."""
    if before is None or (before.model, before.place) != (call.model, call.place):
        return False
    passes = [each.batch.passed if each.batch is not None else None for each in (before, call)]
    return passes[0] is passes[1] and (before.training_mode, before.grad) == (call.training_mode, call.grad)


def _has_parameters(module: Any) -> bool:
    try:
        return any(own is not None for each in _parts(module) for own in each._parameters.values())
    except AttributeError:  # its constructor did not call the parent's; torch will say so
        return False


def _parts(module: Any) -> Iterator[Any]:
    """A module and all within it, each once and in the order of `modules()`, which makes a name for each."""
    known, waiting = set[int](), [module]
    while waiting:
        each = waiting.pop()
        if id(each) not in known:
            known.add(id(each))
            yield each
            waiting.extend(part for part in reversed(each._modules.values()) if part is not None)


def parameters_of(module: Any) -> list[Any]:
    """The parameters of a module and of all within it, each once; `parameters()` makes a name for each."""
    found = (own for part in _parts(module) for own in part._parameters.values() if own is not None)
    return list({id(each): each for each in found}.values())


def _are_whole(labels: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        return bool((labels == np.round(labels)).all())


def _layers(module: Any) -> int:
    """A hash of the kinds of a module's layers, with what is set of those that have no parameters."""
    told = [f"{name} {type(each).__name__} {getattr(each, 'p', '')}" for name, each in module.named_modules()]
    return text_hash("\n".join(told))


def fingerprint_of(parameters: list[Any]) -> int:
    """A hash of the values of parameters, in their order; of a large model, of every k-th value."""
    total = sum(each.numel() for each in parameters)
    step = max(1, total // _MOST_WORDS)
    content = blake2b(len(parameters).to_bytes(8, "little"), digest_size=8)
    for each in parameters:
        values = as_array(each if step == 1 else each.detach().reshape(-1)[::step])
        content.update(np.ascontiguousarray(values).data)
    return int.from_bytes(content.digest(), "little")


def _is_given(batch: Batch, x: Any, fresh: Glimpse) -> bool:
    """Whether an input is a tensor of a batch, perhaps on another scale, and not what a layer made of one."""
    if any(each.tensor() is x for each in batch.tensors):
        return True
    pairs = [(each.unit(), fresh.unit()) for each in batch.tensors if each.n_values == fresh.n_values]
    return any(len(one) != len(other) or not len(one) or abs(np.dot(one, other)) > _EXACT for one, other in pairs)


def _alike(given: Glimpse, fresh: Glimpse) -> bool:
    """Whether the first numbers of two tensors of the same size are the same, perhaps cast, scaled or shifted."""
    if len(given.first) < 4 or len(given.first) != len(fresh.first):
        return False
    first, second = given.unit(), fresh.unit()
    if len(first) and len(second):
        return abs(float(np.dot(first, second))) > _LIKE
    return np.array_equal(given.first, fresh.first)
