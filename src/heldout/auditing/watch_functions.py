"""Watches single functions: losses, the highest of several outputs, dropout, seeds, saved and loaded weights."""

from math import isnan
from typing import Any

from heldout.auditing.identities import as_array
from heldout.auditing.patching import quietly
from heldout.auditing.watch_models import ModelWatch, fingerprint_of
from heldout.auditing.watcher import Watcher

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


class FunctionWatch:
    """Follows the functions whose arguments tell something."""

    def __init__(self, watcher: Watcher, models: ModelWatch) -> None:
        import torch
        from torch import nn
        from torch.nn import functional

        self._watcher, self._models, self._torch = watcher, models, torch
        self._last_loss: tuple[float, int] = (float("nan"), 0)
        self._inside_loss = 0
        patches = watcher.patches
        for name in _LOSSES:
            patches.wrap(functional, name, self._loss_named(name))
        for owner in (torch, torch.Tensor):
            for name in ("max", "argmax"):
                patches.wrap(owner, name, self._highest)
        for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"):
            patches.wrap(functional, name, self._dropout)
        patches.wrap(torch, "manual_seed", self._seeded)
        patches.wrap(nn.Module, "load_state_dict", self._loaded)
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
        given = named.get("input", given)
        call = self._watcher.last_call
        if result.numel() == 1:
            value = float(result.detach())
            is_mean = named.get("reduction", "mean") == "mean"
            self._last_loss = (value if is_mean else float("nan"), self._watcher.moment)
            if call is not None:
                # One loss of several that is taken against something else, and the labels are not all that is learned.
                is_sole = isnan(call.loss) or call.is_label_loss
                call.loss = value
                target = named.get("target", target)
                call.is_label_loss = is_sole and _are_labels(target, call.labels)
        if name == "cross_entropy" and given.ndim == 2 and given.shape[1] > 1:
            scores = given.detach()
            sums = scores.exp().sum(1) if bool((scores <= 0).all()) else scores.sum(1)
            rounded = float((sums - 1).abs().max()) < 1e-3
            is_probability = rounded and bool((scores >= 0).all())
            self._watcher.remark("probabilities into cross-entropy", hit=is_probability, n_outputs=int(given.shape[1]))
        if name == "nll_loss" and given.ndim == 2 and given.shape[1] > 1:
            self._watcher.remark("no logarithms into nll_loss", hit=bool((given.detach() > 0).any()))
        if name == "binary_cross_entropy_with_logits":
            scores = given.detach()
            inside = bool(((scores >= 0) & (scores <= 1)).all()) and scores.numel() > 1
            self._watcher.remark("probabilities into logits loss", hit=inside)

    def _backward(self, original: Any, tensors: Any, *arguments: Any, **named: Any) -> Any:
        quietly(self._loss_scale)(tensors)
        return original(tensors, *arguments, **named)

    def _loss_scale(self, tensors: Any) -> None:
        """Whether what is differentiated is a mean loss divided once more by the length of the data set."""
        loss = tensors if hasattr(tensors, "numel") else tensors[0] if tensors else None
        call = self._watcher.last_call
        if loss is None or loss.numel() != 1 or call is None or call.batch is None:
            return
        data_set = self._watcher.log.data_sets[call.batch.passed.data_set]
        n, value = data_set.n_samples, float(loss.detach())
        mean = self._last_loss[0]
        if not n or n <= 8 or not mean or isnan(mean) or value == 0:
            return
        divided = abs(value * n / mean - 1) < 1e-3 and n > 2 * call.n_samples
        self._watcher.remark("mean loss divided by the data set", hit=divided, n=n, loss=mean, value=value)

    def _highest(self, original: Any, given: Any, *arguments: Any, **named: Any) -> Any:
        result = original(given, *arguments, **named)
        quietly(self._saw_highest)(given, *arguments, **named)
        return result

    def _saw_highest(self, given: Any, *arguments: Any, **named: Any) -> None:
        if not isinstance(given, self._torch.Tensor):  # but something that records what is asked of it
            return
        axis = named.get("dim", named.get("axis", arguments[0] if arguments else None))
        if isinstance(axis, int) and not isinstance(axis, bool) and given.ndim > 1 and len(given) > 1:
            alone = given.shape[axis] == 1
            call = self._models.call_of(given)
            if call is None and alone:
                last = self._watcher.last_call
                alone = last is not None and last.n_outputs == 1 and last.n_samples == len(given)
            if alone or call is not None:
                self._watcher.remark("argmax over one output", hit=alone, n_samples=len(given))

    def _dropout(
        self, original: Any, given: Any, p: float = 0.5, training: bool = True, *more: Any, **named: Any
    ) -> Any:
        quietly(self._saw_dropout)(p, training)
        return original(given, p, training, *more, **named)

    def _saw_dropout(self, p: float, training: bool) -> None:
        from heldout.auditing.places import frames, is_users

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

    def _loaded(self, original: Any, module: Any, *arguments: Any, **named: Any) -> Any:
        result = original(module, *arguments, **named)
        quietly(self._saw_load)(module, result, *arguments, **named)
        return result

    def _saw_load(
        self, module: Any, result: Any, state: Any = None, strict: bool = True, *_: Any, **named: Any
    ) -> None:
        state = named.get("state_dict", state)
        for name, parameter in module.named_parameters():
            if name in state:
                self._watcher.loaded(parameter)
        missing = list(getattr(result, "missing_keys", []) or [])
        unexpected = list(getattr(result, "unexpected_keys", []) or [])
        self._watcher.event(
            "load_state",
            module=self._watcher.names(module),
            n_keys=len(state),
            n_missing=len(missing),
            n_unexpected=len(unexpected),
            missing=missing[:5],
            unexpected=unexpected[:5],
            strict=bool(named.get("strict", strict)),
            fingerprint=fingerprint_of(list(module.parameters())),
        )


def _are_labels(target: Any, labels: Any) -> bool:
    """Whether the target of a loss holds the labels that came with the batch."""
    if labels is None or not hasattr(target, "numel") or target.numel() != len(labels):
        return False
    return bool((as_array(target.detach().reshape(-1)) == labels).all())
