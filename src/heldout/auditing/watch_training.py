"""Watches optimisers, schedules and backward passes: what is updated, from what, and from how fresh a gradient."""

import re
from typing import Any
from weakref import WeakKeyDictionary, ref

from heldout.auditing.hashing import text_hash
from heldout.auditing.log import Optimiser, Scheduler
from heldout.auditing.patching import quietly
from heldout.auditing.places import place, texts_here
from heldout.auditing.watch_models import ModelWatch, fingerprint_of
from heldout.auditing.watcher import Watcher

# Steps in which parameters without an optimiser are looked for, and those of which gradients are looked at.
_STEPS_LOOKED_AT = 4
_N_PROBES = 4
_SAMPLES_MASK = 2**64 - 1


class TrainingWatch:
    """Follows what changes the parameters."""

    def __init__(self, watcher: Watcher, models: ModelWatch) -> None:
        import torch
        from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
        from torch.optim.optimizer import (
            Optimizer,
            register_optimizer_step_post_hook,
            register_optimizer_step_pre_hook,
        )

        self._watcher, self._models = watcher, models
        self._optimisers: WeakKeyDictionary[Any, Optimiser] = WeakKeyDictionary()
        self._schedulers: WeakKeyDictionary[Any, Scheduler] = WeakKeyDictionary()
        # How many steps each parameter has taken; parameters compare by value, so they are kept by identity.
        self._steps: dict[int, tuple[Any, int]] = {}
        # Gradients that a step has used: the parameter, the gradient's identity and its version then.
        self._used: dict[int, list[tuple[Any, int, int]]] = {}
        self._dirty: set[int] = set()
        self._ever_had_gradient: dict[int, set[int]] = {}
        self._frozen: dict[int, list[tuple[Any, int]]] = {}
        self._step_types: set[type] = set()
        self._stepping_schedule: Any = None
        patches = watcher.patches
        patches.wrap(Optimizer, "__init__", self._made)
        patches.wrap(torch.autograd, "backward", self._backward)
        for kind in {LRScheduler, ReduceLROnPlateau}:
            if "__init__" in vars(kind):
                patches.wrap(kind, "__init__", self._schedule_made)
        handles = [
            register_optimizer_step_pre_hook(self._stepping),
            register_optimizer_step_post_hook(self._stepped),
        ]
        for handle in handles:
            patches.afterwards(handle.remove)

    def at_the_end(self) -> None:
        """Look once more at what was trained."""
        for optimiser, record in list(self._optimisers.items()):
            parameters = _parameters(optimiser)
            record.last_fingerprint = fingerprint_of(parameters)
            had = self._ever_had_gradient.get(record.number, set())
            record.n_without_grad = sum(id(each) not in had for each in parameters) if record.n_steps else 0
            record.n_moved_frozen = sum(
                (parameter := held()) is not None and fingerprint_of([parameter]) != before
                for held, before in self._frozen.get(record.number, [])
            )
        for module, model in self._models.modules():
            model.last_fingerprint = fingerprint_of(list(module.parameters()))

    def _made(self, original: Any, optimiser: Any, *arguments: Any, **named: Any) -> Any:
        result = original(optimiser, *arguments, **named)
        quietly(self._met)(optimiser)
        return result

    def _met(self, optimiser: Any) -> None:
        group = optimiser.param_groups[0]
        parameters = _parameters(optimiser)
        record = Optimiser(
            len(self._watcher.log.optimisers),
            type(optimiser).__name__,
            place(),
            {name: str(value) for name, value in group.items() if name != "params"},
            float(group.get("lr", 0.0)),
            fingerprint=fingerprint_of(parameters),
            n_parameters=len(parameters),
            n_updates_before=max((self._n_steps(each) for each in parameters), default=0),
        )
        record.called = tuple(texts_here())
        record.n_loaded = sum(self._watcher.was_loaded(each) and not self._n_steps(each) for each in parameters)
        self._optimisers[optimiser] = record
        self._watcher.log.optimisers.append(record)
        self._watcher.tick()
        for parameter in parameters:
            for name in vars(parameter) if hasattr(parameter, "__dict__") else ():
                if name != "requires_grad" and re.fullmatch(r"re?qu?i?re?s?_?grad\w*|require\w*", name):
                    self._watcher.remark("misspelt attribute", at=record.place, name=name)
        frozen = [each for each in parameters if not each.requires_grad][:64]
        self._frozen[record.number] = [(ref(each), fingerprint_of([each])) for each in frozen]

    def _n_steps(self, parameter: Any) -> int:
        known = self._steps.get(id(parameter))
        return known[1] if known is not None and known[0]() is parameter else 0

    def _stepping(self, optimiser: Any, *_: Any) -> None:
        if optimiser not in self._optimisers:  # it was made before the watch began
            quietly(self._met)(optimiser)
        record = self._optimisers.get(optimiser)
        if record is not None:
            had = self._ever_had_gradient.setdefault(record.number, set())
            if len(had) < record.n_parameters:
                had.update(id(each) for each in _parameters(optimiser) if each.grad is not None)

    def _stepped(self, optimiser: Any, *_: Any) -> None:
        quietly(self._count_step)(optimiser)

    def _count_step(self, optimiser: Any) -> None:
        record = self._optimisers.get(optimiser)
        if record is None:
            return
        watcher = self._watcher
        moment = watcher.tick()
        record.first_step = moment if record.first_step < 0 else record.first_step
        record.last_step = moment
        record.last_learning_rate = float(optimiser.param_groups[0].get("lr", 0.0))
        record.n_steps += 1
        if record.number in self._dirty:
            record.n_stale += 1
        parameters = _parameters(optimiser)
        for each in parameters:
            self._steps[id(each)] = (ref(each), self._n_steps(each) + 1)
        for call in watcher.waiting:
            if call.trained:
                record.models.add(call.family)
                for item in watcher.items_of(call).tolist() if call.n_samples <= 4096 else ():
                    record.trained_data = (record.trained_data + text_hash(str(item))) & _SAMPLES_MASK
        if record.n_steps <= _STEPS_LOOKED_AT:
            self._look_for_forgotten(record)
        probes = [each for each in parameters if each.grad is not None][:_N_PROBES]
        self._used[record.number] = [(ref(each), id(each.grad), each.grad._version) for each in probes]
        watcher.settle()

    def _look_for_forgotten(self, record: Optimiser) -> None:
        """Parameters that get gradients in a model that is trained, and that no optimiser holds."""
        held = {id(each) for optimiser in list(self._optimisers) for each in _parameters(optimiser)}
        names = list(record.unknown)
        for module, model in self._models.modules():
            if model.family in record.models:
                names += [
                    name
                    for name, each in module.named_parameters()
                    if each.grad is not None and each.requires_grad and id(each) not in held and name not in names
                ]
        record.unknown = tuple(names[:20])

    def _backward(self, original: Any, *arguments: Any, **named: Any) -> Any:
        stale: list[tuple[int, Any, int]] = []
        for number, probes in self._used.items():
            # A gradient that nobody cleared is still the one that was used, and as it was then.
            there = [(p, g, v) for weak, g, v in probes if (p := weak()) is not None and p.grad is not None]
            held = [(p, v) for p, g, v in there if id(p.grad) == g and p.grad._version == v]
            stale += [(number, parameter, version) for parameter, version in held]
            if not held:
                self._dirty.discard(number)
        result = original(*arguments, **named)
        quietly(self._after_backward)(stale)
        return result

    def _after_backward(self, stale: list[tuple[int, Any, int]]) -> None:
        for number, parameter, version in stale:
            if parameter.grad is not None and parameter.grad._version > version and bool(parameter.grad.any()):
                self._dirty.add(number)
                record = self._watcher.log.optimisers[number]
                if not record.stale_place.line:
                    record.stale_place = place()

    def _schedule_made(self, original: Any, schedule: Any, *arguments: Any, **named: Any) -> Any:
        result = original(schedule, *arguments, **named)
        quietly(self._met_schedule)(schedule)
        return result

    def _met_schedule(self, schedule: Any) -> None:
        if schedule in self._schedulers:
            return
        optimiser = self._optimisers.get(getattr(schedule, "optimizer", None))
        horizon = getattr(schedule, "total_steps", None) or getattr(schedule, "T_max", None)
        record = Scheduler(
            len(self._watcher.log.schedulers),
            type(schedule).__name__,
            place(),
            optimiser.number if optimiser else -1,
            horizon=int(horizon) if isinstance(horizon, int | float) else None,
        )
        self._schedulers[schedule] = record
        self._watcher.log.schedulers.append(record)
        for part in getattr(schedule, "_schedulers", ()):
            if part in self._schedulers:
                self._schedulers[part].is_part = True
        for kind in type(schedule).__mro__:
            if "step" in vars(kind) and kind not in self._step_types and kind is not object:
                self._step_types.add(kind)
                self._watcher.patches.wrap(kind, "step", self._schedule_steps)

    def _schedule_steps(self, original: Any, schedule: Any, *arguments: Any, **named: Any) -> Any:
        """A step that the script takes; the one that a constructor takes comes before the schedule is known."""
        record = self._schedulers.get(schedule)
        if record is not None and self._stepping_schedule is not schedule:
            quietly(self._schedule_stepped)(record)
        before, self._stepping_schedule = self._stepping_schedule, schedule
        try:
            return original(schedule, *arguments, **named)
        finally:
            self._stepping_schedule = before

    def _schedule_stepped(self, record: Scheduler) -> None:
        record.n_steps += 1
        where = place()
        if where not in record.step_places:
            record.step_places.append(where)
        if len(record.step_moments) < 100_000:
            record.step_moments.append(self._watcher.tick())
        optimisers = self._watcher.log.optimisers
        if record.optimiser >= 0 and optimisers[record.optimiser].n_steps == 0:
            record.n_before_optimiser += 1


def _parameters(optimiser: Any) -> list[Any]:
    return [each for group in optimiser.param_groups for each in group["params"]]
