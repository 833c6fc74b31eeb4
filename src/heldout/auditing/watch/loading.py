"""Watches state dicts: taken, put back, put into a model that nobody asks, and optimisers that are put back.

What is put into a model is followed until a model is asked for the first time: either it holds these very values, or
it does not. Nothing is kept alive meanwhile.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

from heldout.auditing.seen.log import Event
from heldout.auditing.watch.models import ModelWatch, fingerprint_of
from heldout.auditing.watch.patching import quietly
from heldout.auditing.watch.places import place
from heldout.auditing.watch.watcher import Watcher

# Loads that are followed at most, the latest; and parameters of each whose values are looked for.
_MOST_FOLLOWED = 64
_N_PROBES = 2
_N_NAMED = 5


@dataclass(slots=True, eq=False)
class _Load:
    """Weights that were put into a module that was not asked yet.

    Attributes:
        event: What the log says of it.
        module: The module, weakly.
        parameters: Its parameters by their identity, weakly.
        shapes: Of the parameters that were loaded, and how many there are of each.
        values: Hashes of the largest of them.
    """

    event: Event
    module: Any
    parameters: dict[int, Any]
    shapes: Counter[tuple[int, ...]]
    values: set[int] = field(default_factory=set)


class LoadingWatch:
    """Follows what is loaded, and where it comes from."""

    def __init__(self, watcher: Watcher, models: ModelWatch) -> None:
        from torch import nn
        from torch.optim.optimizer import Optimizer

        self._watcher, self._models = watcher, models
        self._depth = 0
        self._followed: list[_Load] = []
        # State dicts by their identity: when they were taken.
        self._taken: dict[int, tuple[Any, int]] = {}
        watcher.patches.wrap(nn.Module, "load_state_dict", self._loaded)
        watcher.patches.wrap(nn.Module, "state_dict", self._state_taken)
        watcher.patches.wrap(Optimizer, "load_state_dict", self._optimiser_loaded)
        models.when_met.append(quietly(self._met))

    def _state_taken(self, original: Any, module: Any, *arguments: Any, **named: Any) -> Any:
        self._depth += 1
        try:
            state = original(module, *arguments, **named)
        finally:
            self._depth -= 1
        if not self._depth:
            quietly(self._saw_state)(module, state)
        return state

    def _saw_state(self, module: Any, state: Any) -> None:
        self._followed = [each for each in self._followed if each.module() is not module]  # its weights go elsewhere
        if len(self._taken) > _MOST_FOLLOWED:
            self._taken = {key: held for key, held in self._taken.items() if held[0]() is not None}
        self._taken[id(state)] = (ref(state), self._watcher.tick())

    def _loaded(self, original: Any, module: Any, *arguments: Any, **named: Any) -> Any:
        lives: list[bool] = []
        quietly(self._look_before)(lives, module, *arguments, **named)
        result = original(module, *arguments, **named)
        quietly(self._saw_load)(lives, module, result, *arguments, **named)
        return result

    def _look_before(self, lives: list[bool], module: Any, state: Any = None, *_: Any, **named: Any) -> None:
        """Whether a state dict holds the module's own parameters, and no copies of them."""
        state = named.get("state_dict", state)
        own = [(each, state[name]) for name, each in module.named_parameters() if name in state]
        lives.append(bool(own) and all(each.numel() and each.data_ptr() == held.data_ptr() for each, held in own))

    def _saw_load(
        self, lives: list[bool], module: Any, result: Any, state: Any = None, strict: bool = True, *_: Any, **named: Any
    ) -> None:
        state = named.get("state_dict", state)
        watcher, parameters = self._watcher, dict(module.named_parameters())
        into = [each for name, each in parameters.items() if name in state]
        for each in into:
            watcher.loaded(each)
        missing = list(getattr(result, "missing_keys", []) or [])
        unexpected = list(getattr(result, "unexpected_keys", []) or [])
        families = {family for each in into if (family := self._models.family_of(each)) is not None}
        known = self._taken.get(id(state))
        facts = {
            "module": watcher.names(module),
            "kind": type(module).__name__,
            "n_keys": len(state),
            "n_parameters": len(parameters),
            "n_missing": len(missing),
            "n_unexpected": len(unexpected),
            "missing": missing[:_N_NAMED],
            "unexpected": unexpected[:_N_NAMED],
            "strict": bool(named.get("strict", strict)),
            "fingerprint": fingerprint_of(list(parameters.values())),
            "families": sorted(families),
            "is_live": bool(lives) and lives[0],
            "taken": known[1] if known is not None and known[0]() is state else -1,
        }
        event = Event(watcher.tick(), "load_state", place(), facts)
        watcher.log.events.append(event)
        if into and not families:
            self._follow(event, module, into)

    def _follow(self, event: Event, module: Any, into: list[Any]) -> None:
        largest = sorted(into, key=lambda each: -each.numel())[:_N_PROBES]
        self._followed = [each for each in self._followed if each.module() is not module][1 - _MOST_FOLLOWED :]
        self._followed.append(
            _Load(
                event,
                ref(module),
                {id(each): ref(each) for each in into},
                Counter(tuple(each.shape) for each in into),
                {fingerprint_of([each]) for each in largest},
            )
        )

    def _met(self, module: Any, number: int) -> None:
        """A model is asked for the first time: whether it holds what was loaded, or might have and does not."""
        parameters = list(module.parameters())
        shapes = Counter(tuple(each.shape) for each in parameters)
        for load in list(self._followed):
            if any((held := load.parameters.get(id(each))) is not None and held() is each for each in parameters):
                self._followed.remove(load)
            elif load.shapes <= shapes:
                alike = [each for each in parameters if tuple(each.shape) in load.shapes]
                is_other = not any(fingerprint_of([each]) in load.values for each in alike)
                is_fresh = not any(self._watcher.was_loaded(each) for each in alike)
                if not is_other:
                    self._followed.remove(load)
                elif is_fresh and load.module() is None:
                    load.event.facts.setdefault("lost_to", number)

    def _optimiser_loaded(self, original: Any, optimiser: Any, *arguments: Any, **named: Any) -> Any:
        result = original(optimiser, *arguments, **named)
        quietly(self._watcher.event)("load_optimiser")
        return result
