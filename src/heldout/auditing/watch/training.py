"""Watches optimisers, schedules and backward passes: what is updated, from what, and from how fresh a gradient."""

import re
from typing import Any
from weakref import WeakKeyDictionary, ref

from heldout.auditing.seen.models import Optimiser, Scheduler
from heldout.auditing.watch.models import ModelWatch, fingerprint_of, parameters_of
from heldout.auditing.watch.patching import quietly
from heldout.auditing.watch.places import asked_from, place, texts_here
from heldout.auditing.watch.watcher import Watcher

# Steps in which parameters without an optimiser are looked for, and those of which gradients are looked at.
_STEPS_LOOKED_AT = 4
_N_PROBES = 4
_MOST_IDLE = 1_000
_MOST_FROZEN = 64
# A rate that has fallen by so much moves no weight any more (assumed).
_VANISHED = 1e-6
_MOST_METRICS = 10_000
# Operations by which two losses are told apart: those of common ones are fewer (assumed).
_MOST_OPERATIONS = 8


class TrainingWatch:
    """Follows what changes the parameters."""

    def __init__(self, watcher: Watcher, models: ModelWatch) -> None:
        import torch
        from torch.optim.lr_scheduler import ChainedScheduler, LRScheduler, ReduceLROnPlateau, SequentialLR
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
        # The operations that made what was differentiated last, where an optimiser waits for its first step.
        self._made_by: tuple[str, ...] = ()
        # Of optimisers that have not stepped: a hash of a few parameters, which nothing else may change meanwhile.
        self._idle: dict[int, int] = {}
        # Those that have not stepped.
        self._unstepped: set[int] = set()
        self._step_types: set[type] = set()
        self._stepping_schedule: Any = None
        patches = watcher.patches
        patches.wrap(Optimizer, "__init__", self._made)
        patches.wrap(torch.autograd, "backward", self._backward)
        # Those that are made of others do without the constructor of what they derive from.
        for kind in {LRScheduler, ReduceLROnPlateau, SequentialLR, ChainedScheduler}:
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
            self._look_at_frozen(record)
        for module, model in self._models.modules():
            model.last_fingerprint = fingerprint_of(parameters_of(module))

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
        record.asked_from = asked_from()
        record.n_fresh = sum(not self._n_steps(each) for each in parameters)
        record.n_loaded = sum(self._watcher.was_loaded(each) and not self._n_steps(each) for each in parameters)
        self._optimisers[optimiser] = record
        self._unstepped.add(record.number)
        self._watcher.log.optimisers.append(record)
        self._watcher.tick()
        for parameter in parameters:
            for name in vars(parameter) if hasattr(parameter, "__dict__") else ():
                if name != "requires_grad" and re.fullmatch(r"re?qu?i?re?s?_?grad\w*|require\w*", name):
                    self._watcher.remark("misspelt attribute", at=record.place, name=name)
        frozen = [each for each in parameters if not each.requires_grad][:_MOST_FROZEN]
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
            parameters = _parameters(optimiser)
            if len(had) < record.n_parameters:
                had.update(id(each) for each in parameters if each.grad is not None)
            quietly(self._note_frozen)(record, parameters)

    def _note_frozen(self, record: Optimiser, parameters: list[Any]) -> None:
        """Remember the values of parameters that were frozen after the optimiser was made."""
        known = self._frozen.setdefault(record.number, [])
        if len(known) >= _MOST_FROZEN or all(each.requires_grad for each in parameters):
            return
        held = {id(weak()) for weak, _ in known}
        fresh = [each for each in parameters if not each.requires_grad and id(each) not in held]
        known += [(ref(each), fingerprint_of([each])) for each in fresh[: _MOST_FROZEN - len(known)]]

    def _look_at_frozen(self, record: Optimiser) -> None:
        pairs = [(weak(), before) for weak, before in self._frozen.get(record.number, [])]
        record.n_moved_frozen = sum(
            each is not None and not each.requires_grad and fingerprint_of([each]) != before for each, before in pairs
        )

    def _stepped(self, optimiser: Any, *_: Any) -> None:
        quietly(self._count_step)(optimiser)

    def _count_step(self, optimiser: Any) -> None:
        record = self._optimisers.get(optimiser)
        if record is None:
            return
        watcher = self._watcher
        moment = watcher.tick()
        if record.first_step < 0:
            record.first_step, record.step_place, record.differentiated = moment, place(), self._made_by
        record.last_step = moment
        record.last_learning_rate = float(optimiser.param_groups[0].get("lr", 0.0))
        record.n_steps += 1
        self._unstepped.discard(record.number)
        record.n_at_rest += record.last_learning_rate < _VANISHED * record.learning_rate
        # Here, and not at the end: an optimiser of a function is gone by then.
        record.n_without_grad = record.n_parameters - len(self._ever_had_gradient.get(record.number, ()))
        if record.n_steps & (record.n_steps - 1) == 0:
            self._look_at_frozen(record)
        if record.number in self._dirty:
            record.n_stale += 1
        parameters = _parameters(optimiser)
        for each in parameters:
            known = self._steps.get(id(each))
            if known is None or known[0]() is not each:
                known = (ref(each), 0)
            self._steps[id(each)] = (known[0], known[1] + 1)
        for call in watcher.waiting:
            if call.trained:
                record.models.add(call.family)
                call.optimiser = record
        if record.n_steps <= _STEPS_LOOKED_AT:
            self._look_for_forgotten(record)
        probes = [each for each in parameters if each.grad is not None][:_N_PROBES]
        self._used[record.number] = [(ref(each), id(each.grad), each.grad._version) for each in probes]
        watcher.settle()

    def _look_for_forgotten(self, record: Optimiser) -> None:
        """Parameters that get gradients in a model that is trained, and that no optimiser holds."""
        held = {id(each) for optimiser in list(self._optimisers) for each in _parameters(optimiser)}
        names = list(record.unknown)
        # A model that shares a part with this one, and was trained before it, keeps its last gradients.
        asked = {call.model for call in self._watcher.waiting if call.trained}
        for module, model in self._models.modules():
            if model.number in asked and model.family in record.models:
                names += [
                    name
                    for name, each in module.named_parameters()
                    if each.grad is not None and each.requires_grad and id(each) not in held and name not in names
                ]
        record.unknown = tuple(names[:20])
        for family in record.models:
            strange, where = self._models.inside.forgotten(family, held, self._family_of)
            if strange and not record.unlisted:
                record.unlisted, record.unlisted_place = tuple(strange[:20]), where

    def _family_of(self, module: Any) -> int | None:
        model = self._models.model_of(module)
        return model.family if model is not None else None

    def _backward(self, original: Any, *arguments: Any, **named: Any) -> Any:
        quietly(self._look_at_loss)(*arguments, **named)
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
        quietly(self._look_for_idle)()
        return result

    def _look_at_loss(self, tensors: Any = None, *_: Any, **__: Any) -> None:
        """Remember which operations made the loss, as long as an optimiser has not stepped."""
        if not self._unstepped:
            return
        loss = tensors[0] if isinstance(tensors, tuple | list) and tensors else tensors
        waiting, names = [getattr(loss, "grad_fn", None)], list[str]()
        while waiting and len(names) < _MOST_OPERATIONS:
            node = waiting.pop(0)
            if node is not None:
                names.append(node.name())
                waiting += [following for following, _ in node.next_functions]
        self._made_by = tuple(names)

    def _look_for_idle(self) -> None:
        """Count the backward passes that gave an optimiser gradients which it has not used for a single step yet."""
        for optimiser, record in list(self._optimisers.items()) if self._unstepped else ():
            if record.n_steps or record.n_idle >= _MOST_IDLE:
                continue
            probes = [each for each in _parameters(optimiser)[:_N_PROBES] if each.grad is not None]
            if probes and record.number not in self._idle:
                self._idle[record.number] = fingerprint_of(_parameters(optimiser)[:_N_PROBES])
            if probes and self._idle[record.number] == fingerprint_of(_parameters(optimiser)[:_N_PROBES]):
                record.n_idle += 1

    def _after_backward(self, stale: list[tuple[int, Any, int]]) -> None:
        for number, parameter, version in stale:
            if parameter.grad is not None and parameter.grad._version > version and bool(parameter.grad.any()):
                self._dirty.add(number)
                # Further backward passes before the next step add to the same: it still is what was never cleared.
                held = [p for weak, _, _ in self._used[number] if (p := weak()) is not None and p.grad is not None]
                self._used[number] = [(ref(each), id(each.grad), each.grad._version) for each in held]
                record = self._watcher.log.optimisers[number]
                if not record.stale_place.line:
                    record.stale_place = place()

    def _schedule_made(self, original: Any, schedule: Any, *arguments: Any, **named: Any) -> Any:
        result = original(schedule, *arguments, **named)
        quietly(self.met_schedule)(schedule)
        return result

    def met_schedule(self, schedule: Any) -> None:
        """Follow a schedule from now on: each call of its `step`, and of its `step_update` where it has one."""
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
            if kind in self._step_types or kind is object:
                continue
            for name in {"step", "step_update"} & set(vars(kind)):
                self._step_types.add(kind)
                self._watcher.patches.wrap(kind, name, self._schedule_steps)

    def _schedule_steps(self, original: Any, schedule: Any, *arguments: Any, **named: Any) -> Any:
        """A step that the script takes; the one that a constructor takes comes before the schedule is known."""
        record = self._schedulers.get(schedule)
        if record is not None and self._stepping_schedule is not schedule:
            # One that is told how far it is, as timm's are, loses nothing by being told so before the first step.
            quietly(self._schedule_stepped)(record, is_counting=not arguments and not named)
            if record.kind == "ReduceLROnPlateau":
                quietly(self._note_metric)(record, schedule, *arguments, **named)
        before, self._stepping_schedule = self._stepping_schedule, schedule
        try:
            return original(schedule, *arguments, **named)
        finally:
            self._stepping_schedule = before

    def _note_metric(self, record: Scheduler, schedule: Any, metrics: Any = None, *_: Any, **__: Any) -> None:
        record.mode = str(getattr(schedule, "mode", ""))
        if len(record.metrics) < _MOST_METRICS:
            record.metrics.append(float(metrics))

    def _schedule_stepped(self, record: Scheduler, *, is_counting: bool) -> None:
        record.n_steps += 1
        where = place()
        if where not in record.step_places:
            record.step_places.append(where)
        if len(record.step_moments) < 100_000:
            record.step_moments.append(self._watcher.tick())
        optimisers = self._watcher.log.optimisers
        if is_counting and record.optimiser >= 0 and optimisers[record.optimiser].n_steps == 0:
            record.n_before_optimiser += 1


def _parameters(optimiser: Any) -> list[Any]:
    return [each for group in optimiser.param_groups for each in group["params"]]
