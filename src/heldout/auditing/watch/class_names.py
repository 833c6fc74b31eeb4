"""What a data set calls its classes, in the order of their numbers."""

from contextlib import suppress
from typing import Any

# What data sets call their classes, or the table of their numbers; and wrappers that are looked through.
_CALLED_CLASSES = ("classes", "class_names", "label_names", "class_to_idx", "label_to_idx", "label2id", "label_map")
_MOST_DEEP = 8


def class_names(thing: Any) -> tuple[str, ...]:
    """The names of the classes in the order of their numbers, as a data set holds them, or what it is a part of."""
    for _ in range(_MOST_DEEP):
        held = [_held_by(thing, name) for name in _CALLED_CLASSES]
        for found in held:
            names = found
            if isinstance(found, dict) and sorted(map(str, found.values())) == sorted(map(str, range(len(found)))):
                names = sorted(found, key=found.__getitem__)
            is_list = isinstance(names, list | tuple) and 1 < len(names) <= 10_000
            if is_list and all(isinstance(each, str) for each in names):
                return tuple(names)
        thing = _held_by(thing, "dataset")
        if thing is None:
            break
    return ()


def _held_by(thing: Any, name: str) -> Any:
    """What an object or its class holds under a name, without asking it anything; None where there is nothing."""
    with suppress(AttributeError):
        own = object.__getattribute__(thing, "__dict__")
        if isinstance(own, dict) and name in own:
            return own[name]
    return next((vars(kind)[name] for kind in type(thing).__mro__ if name in vars(kind)), None)
