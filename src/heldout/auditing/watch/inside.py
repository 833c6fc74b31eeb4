"""Watches what happens while a model is at work: layers that it does not own, and random numbers before its first one.

A module that is called within another one, and is none of its parts, is a *stranger*: `model.parameters()` and
`model.eval()` do not know of it.
"""

from typing import Any
from weakref import WeakKeyDictionary

from heldout.auditing.seen.place import Place
from heldout.auditing.watch.patching import quietly
from heldout.auditing.watch.places import frames, is_users, place
from heldout.auditing.watch.watcher import Watcher


class InsideWatch:
    """Follows the calls within the call of a model.

    Attributes:
        strangers: Modules with parameters that were called within a family, which does not hold them as parts.
    """

    def __init__(self, watcher: Watcher) -> None:
        import torch
        from torch import nn

        self._watcher, self._torch = watcher, torch
        self._dropouts = (nn.modules.dropout._DropoutNd, nn.Dropout)
        self._parts: WeakKeyDictionary[Any, frozenset[int]] = WeakKeyDictionary()
        self._made: WeakKeyDictionary[Any, Place] = WeakKeyDictionary()
        self.strangers: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._own: frozenset[int] = frozenset()
        self._outer: Any = None
        self._random: Any = None
        self.drew_first = False

    def made(self, module: Any) -> None:
        """A module is made: remember where, outside of its own constructor."""
        # A metric of torchmetrics is known by what it holds.
        if getattr(type(module), "__hash__", None) is not object.__hash__:
            return
        own = f"{type(module).__qualname__}."
        for frame in frames():
            code = frame.f_code
            if is_users(code.co_filename) and not code.co_qualname.startswith(own):
                self._made[module] = Place(code.co_filename, frame.f_lineno)
                return

    def place_of(self, module: Any) -> Place:
        """Where a module was made."""
        return self._made.get(module, Place())

    def enter(self, module: Any) -> None:
        """A model is called from outside."""
        known = self._parts.get(module)
        if known is None:
            known = self._parts[module] = frozenset(id(each) for each in module.modules())
        self._own, self._outer, self.drew_first = known, module, False
        self._random = None if module.training else self._torch.default_generator.get_state()

    def within(self, module: Any) -> None:
        """A module is called within it."""
        if self._random is not None or id(module) not in self._own:
            quietly(self._called)(module)

    def leave(self) -> None:
        """The call of the model is over."""
        self._outer = self._random = None

    def _called(self, module: Any) -> None:
        if self._outer is None:
            return
        if self._random is not None and next(module.parameters(recurse=False), None) is not None:
            self.drew_first = not self._torch.equal(self._random, self._torch.default_generator.get_state())
            self._random = None
        if id(module) in self._own:
            return
        self._own = self._parts[self._outer] = frozenset(id(each) for each in self._outer.modules())
        if id(module) in self._own:
            return
        if isinstance(module, self._dropouts):
            if module.training and module.p > 0 and not self._outer.training:
                self._watcher.remark("dropout while evaluating", p=module.p, at=place())
        elif module not in self.strangers and self._is_listed(module):
            self.strangers[module] = self._outer

    def _is_listed(self, module: Any) -> bool:
        """Whether a part of the model holds it in a plain list, tuple or dict, where no optimiser finds it."""
        for part in self._outer.modules():
            for value in vars(part).values():
                held = value.values() if isinstance(value, dict) else value
                is_plain = isinstance(value, list | tuple) or type(value) is dict
                if is_plain and len(value) <= 1_000 and any(each is module for each in held):
                    return True
        return False

    def forgotten(self, family: int, held: set[int], family_of: Any) -> tuple[list[str], Place]:
        """The strangers of a family that get gradients and are in no optimiser, and where the first was made.

        Args:
            family: Whose.
            held: The identities of all parameters in optimisers.
            family_of: Gives the family of a module; None where it is not known.
        """
        found, where = [], Place()
        for module, outer in list(self.strangers.items()):
            names = [
                f"{type(module).__name__}.{name}"
                for name, each in module.named_parameters()
                if each.grad is not None and each.requires_grad and id(each) not in held
            ]
            if names and family_of(outer) == family:
                found += names
                where = where if where.line else self.place_of(module)
        return found, where
