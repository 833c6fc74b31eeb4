"""Watches models: each call from outside of any module, what went in, what came out, and if it was learned from."""

from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

import numpy as np

from heldout.auditing.hashing import row_hashes
from heldout.auditing.identities import as_array, first_values
from heldout.auditing.log import Model
from heldout.auditing.patching import quietly
from heldout.auditing.places import place
from heldout.auditing.watcher import Batch, Call, Watcher, hashed_rows, tensors_in

# Words of a model's parameters that are hashed at most: a fingerprint of a large model takes every k-th.
_MOST_WORDS = 2**22
_LIKE = 0.95


class ModelWatch:
    """Follows calls of modules that own parameters."""

    def __init__(self, watcher: Watcher) -> None:
        import torch
        from torch import nn

        self._torch, self._watcher = torch, watcher
        self._depth = 0
        self._models: WeakKeyDictionary[Any, Model] = WeakKeyDictionary()
        self._families: dict[int, tuple[Any, int]] = {}
        self._kept: WeakSet[Any] = WeakSet()
        self._forward_types: set[type] = set()
        self._dropouts = (nn.modules.dropout._DropoutNd, nn.Dropout)
        self._norm = nn.modules.batchnorm._BatchNorm
        self.current: Any = None
        self._outputs: list[tuple[Any, Call]] = []
        # Families one of whose single outputs was no probability: a few logits may all lie between 0 and 1.
        self._give_logits: set[int] = set()
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
        # Some scripts call model.forward(x): a user's own forward is watched too.
        kind = type(module)
        if kind not in self._forward_types and "forward" in vars(kind) and not kind.__module__.startswith("torch."):
            self._forward_types.add(kind)
            self._watcher.patches.wrap(kind, "forward", self._call)
        return result

    def _call(self, original: Any, module: Any, *arguments: Any, **named: Any) -> Any:
        if self._depth or not _has_parameters(module):
            return original(module, *arguments, **named)
        self._depth, self.current = 1, module
        mode, grad = module.training, self._torch.is_grad_enabled()
        try:
            result = original(module, *arguments, **named)
        finally:
            self._depth, self.current = 0, None
        # Gradient checkpointing runs a model once more in the middle of a backward pass: that is no call of its own.
        if self._torch._C._current_graph_task_id() == -1:
            quietly(self._called)(module, (arguments, named), result, mode, grad)
        return result

    def _called(self, module: Any, given: Any, result: Any, mode: bool, grad: bool) -> None:
        inputs = tensors_in(given)
        outputs = tensors_in(result)
        if not inputs:
            return
        watcher = self._watcher
        model = self._met(module)
        batch = self._batch_of(inputs)
        x = inputs[0]
        call = Call(watcher.tick(), model.number, model.family, place(), mode, grad, len(x), batch)
        call.dropout_live, call.norm_live, call.frozen_norm_live = self._live(module)
        if batch is not None:
            batch.passed.reached += 1
        if x.is_floating_point():
            wide = x.detach().float()
            call.input_mean = float(wide.mean())
            call.input_std = float(wide.std()) if wide.numel() > 1 else 0.0
        if batch is None or not batch.populations or not mode:
            call.views = hashed_rows(x)
        if not mode or not grad:
            call.fingerprint = self._fingerprint_now(module)
        labels = self._labels(batch, inputs, len(x))
        scores = next((each for each in outputs if each.is_floating_point() and len(each) == len(x)), None)
        if scores is not None:
            self._judge(call, scores.detach(), labels)
        self._follow(call, outputs)
        watcher.waiting.append(call)
        watcher.last_call = call
        if len(watcher.waiting) > 64:
            watcher.settle()

    def _follow(self, call: Call, outputs: list[Any]) -> None:
        """Have the call told when a gradient flows back through one of its outputs."""

        def learned(_: Any) -> None:
            call.trained = True

        vars(learned)["__torch_unserializable__"] = True  # a tensor that is saved is saved without a word about it

        for output in outputs:
            if output.requires_grad and not output.is_leaf:
                output.register_hook(learned)
        self._outputs = [(held, before) for held, before in self._outputs[-7:] if held() is not None]
        self._outputs += [(ref(output), call) for output in outputs[:2]]

    def _met(self, module: Any) -> Model:
        known = self._models.get(module)
        if known is not None:
            if len(known.names) < 2:
                known.names = list(dict.fromkeys([*known.names, *self._watcher.names(module)]))
            return known
        parameters = list(module.parameters())
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
            place(),
            sum(each.numel() for each in parameters),
            fingerprint_of(parameters),
            has_dropout=any(isinstance(each, self._dropouts) for each in module.modules()),
            has_norm=any(isinstance(each, self._norm) for each in module.modules()),
            family=family,
            last_parameter=[name for name, _ in module.named_parameters()][-1],
        )
        self._watcher.log.models.append(model)
        self._models[module] = model
        return model

    def _live(self, module: Any) -> tuple[bool, bool, bool]:
        """Whether a dropout is at work, a batch normalisation learns, and one of frozen weights does."""
        dropout = norm = frozen = False
        for each in module.modules():
            if each.training:
                dropout = dropout or (isinstance(each, self._dropouts) and each.p > 0)
                if isinstance(each, self._norm) and each.track_running_stats:
                    norm = True
                    frozen = frozen or (each.weight is not None and not each.weight.requires_grad)
        return dropout, norm, frozen

    def _fingerprint_now(self, module: Any) -> int:
        """Of a model that is evaluated; taken again only after it was trained on."""
        last = self._watcher.log.stretches[-1] if self._watcher.log.stretches else None
        model = self._models[module]
        if last is not None and last.model == model.number and last.fingerprint and not self._watcher.waiting:
            return last.fingerprint
        return fingerprint_of(list(module.parameters()))

    def _batch_of(self, inputs: list[Any]) -> Batch | None:
        """The batch that an input is, or is made of: by identity, or by its numbers where it was moved or scaled."""
        recent = list(reversed(self._watcher.recent))
        for batch in recent:
            if any(each.tensor() is given for each in batch.tensors for given in inputs):
                return batch
        if not recent:
            return None
        n_values, first = inputs[0].numel(), first_values(inputs[0])
        for batch in recent:
            if any(each.n_values == n_values and _alike(each.first, first) for each in batch.tensors):
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
        return labels if labels is not None and bool((labels == np.round(labels)).all()) else None

    def _judge(self, call: Call, scores: Any, labels: Any) -> None:
        n = call.n_samples
        if scores.ndim == 1 or (scores.ndim == 2 and scores.shape[1] == 1):
            call.n_outputs = 1
            flat = scores.reshape(-1)
            if not bool(((flat >= 0) & (flat <= 1)).all()):
                self._give_logits.add(call.family)
            answers = (flat > (0.0 if call.family in self._give_logits else 0.5)).long()
        elif scores.ndim == 2:
            call.n_outputs = int(scores.shape[1])
            answers = scores.argmax(1)
        else:
            return
        call.predicted = as_array(answers)
        if labels is not None and len(labels) == n:
            call.labels = labels
            call.right = int((call.predicted == labels).sum())


def _has_parameters(module: Any) -> bool:
    try:
        return next(module.parameters(), None) is not None
    except AttributeError:  # its constructor did not call the parent's; torch will say so
        return False


def fingerprint_of(parameters: list[Any]) -> int:
    """A hash of the values of parameters, in their order; of a large model, of every k-th value."""
    total = sum(each.numel() for each in parameters)
    step = max(1, total // _MOST_WORDS)
    result = len(parameters)
    for number, each in enumerate(parameters):
        values = each.detach().reshape(-1)[::step]
        content = as_array(values)
        if content.size:
            result = (result * 31 + int(row_hashes(content.reshape(1, -1))[0]) * (2 * number + 1)) % 2**64
    return result


def _alike(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether the first numbers of two tensors of the same size are the same, perhaps cast, scaled or shifted."""
    if len(first) < 4 or len(first) != len(second):
        return False
    if np.array_equal(first, second):
        return True
    spread = first.std() * second.std()
    if not np.isfinite(spread) or spread == 0:
        return False
    return abs(float(((first - first.mean()) * (second - second.mean())).mean() / spread)) > _LIKE
