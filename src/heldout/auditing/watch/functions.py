"""Watches single functions: losses, the highest of several outputs, dropout and seeds."""

from math import isnan
from typing import Any

import numpy as np

from heldout.auditing.seen.place import Place
from heldout.auditing.watch.calls import Call
from heldout.auditing.watch.identities import Glimpse, as_array
from heldout.auditing.watch.models import ModelWatch
from heldout.auditing.watch.patching import quietly
from heldout.auditing.watch.places import place
from heldout.auditing.watch.watcher import Watcher

_LOSSES = (
    "cross_entropy",
    "nll_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "kl_div",
)


_CLASS_LOSSES = frozenset({"cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"})

# Scores of a call that are looked at to tell whether they are probabilities.
_N_SCORES = 2**14
# Labels that are alike by chance in two batches are fewer.
_TELLING = 16


class FunctionWatch:
    """Follows the functions whose arguments tell something."""

    def __init__(self, watcher: Watcher, models: ModelWatch) -> None:
        import torch
        from torch.nn import functional

        self._watcher, self._models, self._torch = watcher, models, torch
        self._last_loss: tuple[float, int] = (float("nan"), 0)
        self._inside_loss = 0
        # By what a mean loss was divided first, at each line that differentiates one.
        self._divisors: dict[Place, int] = {}
        patches = watcher.patches
        for name in _LOSSES:
            patches.wrap(functional, name, self._loss_named(name))
        for owner in (torch, torch.Tensor):
            for name in ("max", "argmax"):
                patches.wrap(owner, name, self._highest)
            patches.wrap(owner, "topk", self._highest_few)
            patches.wrap(owner, "softmax", self._softmax)
        patches.wrap(np, "argmax", self._highest)
        for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"):
            patches.wrap(functional, name, self._dropout)
        patches.wrap(torch, "manual_seed", self._seeded)
        patches.wrap(torch.distributions.Categorical, "__init__", self._policy)
        patches.wrap(torch.autograd, "backward", self._backward)

    def _loss_named(self, name: str) -> Any:
        def loss(original: Any, *arguments: Any, **named: Any) -> Any:
            self._inside_loss += 1
            try:
                result = original(*arguments, **named)
            finally:
                self._inside_loss -= 1
            if not self._inside_loss and not self._torch.compiler.is_compiling():
                quietly(self._saw_loss)(name, result, *arguments, **named)
            return result

        return loss

    def _saw_loss(self, name: str, result: Any, given: Any = None, target: Any = None, *_: Any, **named: Any) -> None:
        given, target = named.get("input", given), named.get("target", target)
        call = self._watcher.last_call
        are_own = call is not None and _are_labels(target, call.labels)
        if name in _CLASS_LOSSES:
            self._tell_labels(given, target, call if are_own else None)
        if result.numel() == 1:
            value = float(result.detach())
            is_mean = named.get("reduction", "mean") == "mean"
            self._last_loss = (value if is_mean else float("nan"), self._watcher.moment)
            if call is not None and target is call.given():
                self._models.reconstructing.add(call.family)
            if call is not None and not call.is_settled:
                # One loss of several that is taken against something else, and the labels are not all that is learned.
                is_sole = isnan(call.loss) or call.is_label_loss
                call.loss = value
                call.is_label_loss = is_sole and are_own
        if name == "cross_entropy" and given.ndim == 2 and given.shape[1] > 1:
            hit = _are_probabilities(_first_rows(given))
            self._watcher.remark("probabilities into cross-entropy", hit=hit, n_outputs=int(given.shape[1]))
        if name == "nll_loss" and given.ndim == 2 and given.shape[1] > 1:
            self._watcher.remark("no logarithms into nll_loss", hit=bool((given.detach() > 0).any()))
        if name == "binary_cross_entropy_with_logits":
            scores = _first_rows(given)
            low, high = np.minimum.reduce(scores, axis=None), np.maximum.reduce(scores, axis=None)
            inside = scores.size > 1 and bool(low >= 0 and high <= 1)
            self._watcher.remark("probabilities into logits loss", hit=inside)

    def _tell_labels(self, given: Any, target: Any, known: Call | None) -> None:
        """Keep the labels that a model's very outputs are told to be: of one loss a call, and one number a sample.

        Args:
            given: The outputs, to a loss.
            target: What the loss takes for their labels.
            known: The call with which these labels came, out of a loader; None where they did not.
        """
        call = self._models.call_of(given)
        if call is None and (base := getattr(given, "_base", None)) is not None:
            call = self._models.call_of(base)
        if call is None or self._models.current is not None or not hasattr(target, "numel"):
            return
        if target.numel() != call.n_samples or given.numel() != call.n_samples * call.n_outputs:
            return
        labels = as_array(target).reshape(-1)
        if call.told is not None:
            same = np.array_equal(labels, call.told)
            call.told = call.told if same else labels[:0]  # two tasks, or a mixture of two samples
        elif labels.dtype.kind in "iu" or call is known or bool((labels == labels.round()).all()):
            with np.errstate(all="ignore"):
                call.told = labels.astype(np.int64)
            self._look_elsewhere(call, target)

    def _look_elsewhere(self, call: Call, target: Any) -> None:
        """Whether the labels came out of another loader than the samples, and are those of other samples."""
        own = call.batch
        if own is None or any(each.labels is not None for each in own.tensors) or len(own.populations) != 1:
            return
        for other in reversed(self._watcher.recent):
            if other.passed is not own.passed and any(_is_told(each, target, call.told) for each in other.tensors):
                (population, _, numbers), given = own.populations[0], other.populations
                if len(given) == 1 and given[0][0].n_samples == population.n_samples:
                    differ = len(given[0][2]) == len(numbers) and bool((given[0][2] != numbers).any())
                    at, n = own.passed.place, population.n_samples
                    loaders = [each.passed.names for each in (own, other)]
                    self._watcher.remark("labels of other samples", hit=differ, at=at, n=n, loaders=loaders)
                return

    def _backward(self, original: Any, tensors: Any, *arguments: Any, **named: Any) -> Any:
        quietly(self._loss_scale)(tensors)
        return original(tensors, *arguments, **named)

    def _loss_scale(self, tensors: Any) -> None:
        """Whether what is differentiated is a mean loss divided once more by the length of the data set."""
        loss = tensors if hasattr(tensors, "numel") else tensors[0] if tensors else None
        call, mean = self._watcher.last_call, self._last_loss[0]
        if loss is None or loss.numel() != 1 or call is None or not mean or isnan(mean):
            return
        value, where = float(loss.detach()), place()
        if not value:
            return
        self._loss_share(mean / value, call.n_samples, where)
        n = self._watcher.log.data_sets[call.batch.passed.data_set].n_samples if call.batch is not None else None
        if n and n > 8:
            divided = abs(value * n / mean - 1) < 1e-3 and n > 2 * call.n_samples
            kind = "mean loss divided by the data set"
            self._watcher.remark(kind, hit=divided, at=where, n=n, loss=mean, value=value)

    def _loss_share(self, share: float, n_samples: int, where: Place) -> None:
        """By which whole number a mean loss is divided before it is differentiated, and whether that is the batch's."""
        whole = round(share) if abs(share) < 1e9 else 0
        is_whole = whole > 1 and abs(share / whole - 1) < 1e-3
        first = self._divisors.setdefault(where, whole) if is_whole else 0
        self._watcher.remark("mean loss divided", hit=is_whole and whole == first, at=where, by=whole)
        by_batch = is_whole and whole == n_samples and n_samples >= _TELLING
        self._watcher.remark("mean loss divided by the batch", hit=by_batch, at=where, by=whole)

    def _policy(self, original: Any, distribution: Any, *given: Any, **named: Any) -> Any:
        quietly(self._saw_policy)(named.get("logits", given[1] if len(given) > 1 else None))
        return original(distribution, *given, **named)

    def _saw_policy(self, logits: Any) -> None:
        """Whether what a distribution is told to be logits are probabilities."""
        if hasattr(logits, "detach") and logits.ndim and logits.shape[-1] > 1:
            hit = _are_probabilities(_first_rows(logits.reshape(-1, logits.shape[-1])))
            self._watcher.remark("probabilities as logits", hit=hit)

    def _highest(self, original: Any, given: Any, *arguments: Any, **named: Any) -> Any:
        result = original(given, *arguments, **named)
        quietly(self._saw_highest)(given, *arguments, **named)
        return result

    def _saw_highest(self, given: Any, *arguments: Any, **named: Any) -> None:
        axis = named.get("dim", named.get("axis", arguments[0] if arguments else None))
        if isinstance(axis, int) and not isinstance(axis, bool):
            self._look_at_outputs("argmax over one output", given, axis)

    def _highest_few(self, original: Any, given: Any, *arguments: Any, **named: Any) -> Any:
        result = original(given, *arguments, **named)
        quietly(self._saw_highest_few)(given, *arguments, **named)
        return result

    def _saw_highest_few(self, given: Any, *arguments: Any, **named: Any) -> None:
        self._look_at_outputs("argmax over one output", given, named.get("dim", [*arguments, -1, -1][1]))

    def _softmax(self, original: Any, given: Any, *arguments: Any, **named: Any) -> Any:
        result = original(given, *arguments, **named)
        quietly(self._saw_softmax)(given, *arguments, **named)
        return result

    def _saw_softmax(self, given: Any, *arguments: Any, **named: Any) -> None:
        axis = named.get("dim", arguments[0] if arguments else None)
        # Within a model one key may be attended to.
        if isinstance(axis, int) and self._models.current is None:
            self._look_at_outputs("softmax over one output", given, axis)

    def _look_at_outputs(self, kind: str, given: Any, axis: int) -> None:
        """Whether something is taken over the classes of a model's outputs where there is one class."""
        if not isinstance(given, self._torch.Tensor | np.ndarray):  # but something that records what is asked of it
            return
        if given.ndim < 2 or len(given) < 2 or axis >= given.ndim:
            return
        alone = given.shape[axis] == 1
        call = self._models.call_of(given)
        if call is None and alone:
            # The outputs of many batches put together, or moved to numpy.
            last = self._watcher.last_call
            is_outside = self._models.current is None and given.ndim == 2
            alone = is_outside and last is not None and last.n_outputs == 1
        if alone or call is not None:
            self._watcher.remark(kind, hit=alone, n_samples=len(given))

    def _dropout(
        self, original: Any, given: Any, p: float = 0.5, training: bool = True, *more: Any, **named: Any
    ) -> Any:
        quietly(self._saw_dropout)(p, training)
        return original(given, p, training, *more, **named)

    def _saw_dropout(self, p: float, training: bool) -> None:
        from heldout.auditing.watch.places import frames, is_users

        module = self._models.current
        if not training or not p or module is None or module.training:
            return
        caller = next((f for f in frames() if "/heldout/auditing/" not in f.f_code.co_filename), None)
        while caller is not None and caller.f_code.co_filename.endswith("functional.py"):
            caller = caller.f_back
        if caller is not None and is_users(caller.f_code.co_filename):
            self._watcher.remark("dropout while evaluating", p=p)

    def _seeded(self, original: Any, *arguments: Any, **named: Any) -> Any:
        quietly(self._watcher.event)("seed", seed=str(arguments[:1] or named))
        return original(*arguments, **named)


def _is_told(glimpse: Glimpse, target: Any, labels: Any) -> bool:
    """Whether labels are those that a loader gave out, perhaps cast."""
    same = len(labels) >= _TELLING and glimpse.labels is not None and np.array_equal(glimpse.labels, labels)
    return glimpse.tensor() is target or same


def _first_rows(scores: Any) -> np.ndarray:
    """As many of the first rows of a table of scores as tell what kind of numbers they are."""
    if not scores.ndim or scores.numel() <= _N_SCORES:
        return as_array(scores)
    n_of_one = max(1, scores.numel() // max(1, len(scores)))
    return as_array(scores[: max(1, _N_SCORES // n_of_one)])


def _are_probabilities(scores: np.ndarray) -> bool:
    """Whether each row of a table is one of probabilities."""
    # Most tables of scores show in their first row that they are none.
    if not len(scores) or scores[0].min() < 0 or np.minimum.reduce(scores, axis=None) < 0:
        return False
    with np.errstate(all="ignore"):
        return float(np.abs(scores.sum(1) - 1).max()) < 1e-3


def _are_labels(target: Any, labels: Any) -> bool:
    """Whether the target of a loss holds the labels that came with the batch."""
    if labels is None or not hasattr(target, "numel") or target.numel() != len(labels):
        return False
    return bool((as_array(target).reshape(-1) == labels).all())
