"""H203: attributes that were to freeze something, and that torch does not know."""

import ast
import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from heldout.auditing.reading.models import is_module
from heldout.auditing.reading.tree import Script, dotted, last_name
from heldout.auditing.rule import Hit

# How alike two names have to be for one to be the other misspelt: a letter or two off (assumed).
ALIKE = 0.88
_RIGHT = "requiresgrad"
_OWNERS = re.compile(r"(?i)^(?:self|cls|args?|opts?|cfg|config|hparams|options|settings)$")


def find_misspelt(script: Script) -> Iterator[Hit]:
    """Attributes that look like `requires_grad` and are set to True or False."""
    for target, value in _set_attributes(script):
        if _is_misspelt(target.attr) and not _is_read(script, target.attr) and not _OWNERS.match(dotted(target.value)):
            of = dotted(target.value) or "it"
            observed = f"{of}.{target.attr} = {value} sets an attribute that torch does not know; requires_grad stays."
            yield Hit(script.place(target), observed)
    for call in script.calls_of.get("setattr", ()):
        match call.args:
            case [_, ast.Constant(value=str(name)), ast.Constant(value=bool())] if _is_misspelt(name):
                yield Hit(script.place(call), f"setattr sets {name!r}, which torch does not know; requires_grad stays.")


def find_on_module(script: Script) -> Iterator[Hit]:
    """`requires_grad` set as an attribute of a whole module, which has none."""
    if "requires_grad" in {each.name for each in script.every(ast.FunctionDef)}:
        return
    freezes = any(value is False for target, value in _set_attributes(script) if target.attr == "requires_grad")
    for target, value in _set_attributes(script):
        if target.attr == "requires_grad" and (freezes or not value) and is_module(script, target.value):
            of = dotted(target.value) or last_name(target.value)
            observed = (
                f"{of} is a module: its attribute requires_grad does nothing, and its parameters stay as they are."
            )
            yield Hit(script.place(target), observed)


def _set_attributes(script: Script) -> Iterator[tuple[ast.Attribute, bool]]:
    """Attributes that are set to True or False."""
    for node in script.every(ast.Assign):
        for target in node.targets:
            value = node.value.value if isinstance(node.value, ast.Constant) else None
            if isinstance(target, ast.Attribute) and isinstance(value, bool):
                yield target, value


def _is_misspelt(name: str) -> bool:
    letters = name.replace("_", "").lower()
    near = SequenceMatcher(None, letters, _RIGHT).ratio() >= ALIKE
    return name != "requires_grad" and near


def _is_read(script: Script, name: str) -> bool:
    """Whether the script reads the attribute: then it is one of its own."""
    return any(each.attr == name and isinstance(each.ctx, ast.Load) for each in script.every(ast.Attribute))


CHECKS = (("H203", find_misspelt), ("H203", find_on_module))
