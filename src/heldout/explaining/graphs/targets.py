"""What stands behind FILE.py:NAME, a model's name or a Python object: a function or a network, and its inputs."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heldout.errors import UsageError, nearest
from heldout.explaining.users_programs import made_by, program_of

if TYPE_CHECKING:
    from torch import Tensor, nn

# More numbers than these would fill the memory before anything is explained.
MOST_NUMBERS = 200_000_000
_LONGEST_PATH = 250
_EXAMPLE = "write it such as --input 3x224x224"


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be traced.

    Attributes:
        name: As a title shows it.
        function: A function of tensors, or a module.
        input_shape: Of a network that knows its own, without the batch axis.
        notes: What was chosen for the user.
    """

    name: str
    function: Callable[..., Any]
    input_shape: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()


def is_program(text: str) -> bool:
    """Whether a text means a program or a model rather than a formula.

    Example:
        >>> is_program("net.py:Net"), is_program("z = w*x; (z - y)**2"), is_program("resnet18")
        (True, False, True)
    """
    from heldout.explaining.models_named import is_backbone

    words = text.strip()
    if any(sign in words for sign in (":", "->", "\\")) or words.endswith(".py") or is_backbone(words):
        return True
    return 0 < len(words) < _LONGEST_PATH and "\n" not in words and "\0" not in words and Path(words).exists()


def target_of(given: Any) -> Target:
    """The function or network that is meant.

    Args:
        given: A text (`FILE.py:NAME`, `package.module:NAME`, a backbone), a module, a function, or a class or function
            that makes a module without arguments.

    Raises:
        UsageError: There is no such thing, it fails, or it is no function of tensors.
    """
    if not isinstance(given, str):
        return _of_object(given, getattr(given, "__name__", type(given).__name__))
    from heldout.explaining.models_named import is_backbone, named_model

    place, colon, name = given.strip().rpartition(":")
    if is_backbone(given.strip()) or not colon:
        named = named_model(given, n_classes=1000 if is_backbone(given.strip()) else None)
        return Target(named.name, _filled(named.module), named.input_shape, named.notes)
    program = program_of(place, expected="a formula, FILE.py:NAME, or package.module:NAME")
    if not hasattr(program, name):
        known = [each for each in vars(program) if not each.startswith("_")]
        raise UsageError(
            f"{place} has no {name!r}{nearest(name, known)}",
            expected="the name of a function of tensors, or of a network, after the colon",
            fix="correct the name",
        )
    return _of_object(getattr(program, name), name, place)


def _of_object(found: Any, name: str, place: str = "") -> Target:
    from torch import nn

    if isinstance(found, nn.Module):
        return Target(name, _filled(found))
    if not callable(found):
        raise UsageError(
            f"{name} is {type(found).__name__}",
            expected="a formula, a function of tensors, or a torch.nn.Module",
            fix="give one of them",
        )
    if inspect.isclass(found) or not _arguments(found):
        made = made_by(found, name, place)
        if isinstance(made, nn.Module):
            return Target(name, _filled(made))
        raise UsageError(
            f"{name} takes no tensor and gives {type(made).__name__}",
            expected="a function of tensors, or one that makes a torch.nn.Module",
            fix="name another",
        )
    return Target(name, found)


def _arguments(function: Any) -> list[str]:
    """The names of the positional arguments that have no default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ["input"]
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [each.name for each in parameters if each.kind in kinds and each.default is each.empty]
    star = [each.name for each in parameters if each.kind is inspect.Parameter.VAR_POSITIONAL]
    return names or star


def _filled(module: "nn.Module") -> "nn.Module":
    """The module, or a copy with numbers where it has shapes alone: what it computes does not depend on them."""
    import copy

    import torch

    if not any(each.is_meta for each in [*module.parameters(), *module.buffers()]):
        return module
    filled = copy.deepcopy(module).to_empty(device="cpu")
    with torch.no_grad():
        for each in [*filled.parameters(), *filled.buffers()]:
            each.zero_()
    return filled


def inputs_of(target: Target, given: Any) -> dict[str, "Tensor"]:
    """The tensors that a function or a network is run on, by name.

    Args:
        target: What is run.
        given: Shapes (`3x4`, or `16:int` for whole numbers), tensors, or a sequence of either; None for a network that
            knows its own.

    Raises:
        UsageError: There are too few or too many, or a shape cannot be read.
    """
    import torch
    from torch import nn

    is_network = isinstance(target.function, nn.Module)
    if given is None or (isinstance(given, Sequence) and not given):
        if target.input_shape is None:
            raise UsageError(
                f"no shape was given for {', '.join(_arguments(_called(target))) or target.name}",
                expected="the shape of each input",
                fix=_EXAMPLE + ", once a tensor",
            )
        given = [target.input_shape]
    several = [given] if isinstance(given, str | torch.Tensor) or _is_shape(given) else list(given)
    names = _names(target, len(several))
    return {
        name: _tensor(each, is_network=is_network, module=target.function)
        for name, each in zip(names, several, strict=True)
    }


def _is_shape(given: Any) -> bool:
    return isinstance(given, tuple | list) and all(isinstance(each, int) for each in given)


def _called(target: Target) -> Callable[..., Any]:
    """The function with the arguments: of a network its forward."""
    from torch import nn

    return target.function.forward if isinstance(target.function, nn.Module) else target.function


def _names(target: Target, n: int) -> list[str]:
    function = _called(target)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return [f"input{number + 1}" for number in range(n)]
    wanted = _arguments(function)
    positional = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    is_open = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    n_needed = len([name for name in wanted if name in positional])
    if n < n_needed or (n > len(positional) and not is_open):
        raise UsageError(
            f"{target.name} takes {', '.join(positional) or 'no input'}, and {n} input{'s' * (n != 1)} came",
            expected=f"{n_needed} shapes" if n_needed != 1 else "one shape",
            fix=_EXAMPLE + ", once a tensor",
        )
    return [*positional, *(f"input{number + 1}" for number in range(len(positional), n))][:n]


def _tensor(given: Any, *, is_network: bool, module: Any) -> "Tensor":
    import torch

    if isinstance(given, torch.Tensor):
        return given.detach().clone()  # a function may write into it
    shape, is_whole = (tuple(given), False) if _is_shape(given) else _read(given)
    if is_network:
        shape = (_batch(module), *shape)
    n = 1
    for each in shape:
        n *= each
    if n > MOST_NUMBERS:
        raise UsageError(
            f"the input {given!r} has {n:,} numbers", expected=f"at most {MOST_NUMBERS:,}", fix="give a smaller shape"
        )
    device = next((each.device for each in module.parameters()), None) if is_network else None
    if is_whole:
        return torch.zeros(shape, dtype=torch.long, device=device)
    # Always the same numbers; which they are decides nothing but the branches of a function that looks at them.
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)


def _batch(module: Any) -> int:
    """One example; two where a normalisation over the batch is learning, which refuses to see one."""
    from torch import nn

    is_learning = any(isinstance(each, nn.modules.batchnorm._BatchNorm) and each.training for each in module.modules())
    return 2 if is_learning else 1


def _read(text: Any) -> tuple[tuple[int, ...], bool]:
    words, colon, kind = str(text).strip().lower().partition(":")
    parts = [part.strip() for part in words.replace("×", "x").split("x")] if words else []
    is_right = all(part.isascii() and part.isdecimal() and int(part[:12]) > 0 for part in parts)
    if not isinstance(text, str) or not is_right or (colon and kind not in {"int", "float"}):
        raise UsageError(
            f"the input {text!r} is no shape",
            expected="whole numbers above 0 with x between them; nothing for a single number; :int for whole numbers",
            fix=_EXAMPLE,
        )
    return tuple(int(part[:12]) for part in parts), kind == "int"
