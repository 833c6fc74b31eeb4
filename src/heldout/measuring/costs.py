"""What each mistake costs, as a user states it: in words or in a file."""

import csv
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from heldout.errors import UsageError, nearest


def read_costs(text_or_path: str | Path, classes: tuple[str, ...]) -> Float[np.ndarray, "classes classes"]:
    """Costs as a user states them: in words, or in a .csv or .toml file. What is not named costs 1, to be right 0.

    In words: `true:decided=cost`, several with commas; names with a comma go into a file. A .csv has the classes
    decided for in its first line and the true class at the start of each further line; a .toml has a table a true
    class, such as `[sick]` with `well = 10`.

    Args:
        text_or_path: The words, or the path of a file, known by its ending.
        classes: Names in the order of the rows and columns that come back.

    Raises:
        UsageError: A class is not known, a pair is named twice, something is no number, the file cannot be read, or
            the costs cannot be meant (`check_costs`).

    Example:
        >>> read_costs("sick:well=10", ("sick", "well")).tolist()
        [[0.0, 10.0], [1.0, 0.0]]
    """
    text = str(text_or_path)
    if text.lstrip().startswith("{"):
        named = list(_costs_in_json(text))
    elif is_costs_file(text):
        named = list(_costs_in_file(Path(text)))
    else:
        named = [_costs_in_words(part.strip(), classes) for part in text.split(",") if part.strip()]
    if not named:
        raise _unreadable(f"{text!r} names no cost")
    costs, seen = 1.0 - np.eye(len(classes)), set()
    for true, decided, cost in named:
        row, column = (_index_of(name, classes) for name in (true, decided))
        if (row, column) in seen:
            raise _unreadable(f"the cost of deciding for {decided!r} where {true!r} is true is named twice")
        seen.add((row, column))
        try:
            costs[row, column] = float(cost)
        except (TypeError, ValueError) as error:
            raise _unreadable(f"the cost {cost!r} of {true}:{decided} is no number") from error
    check_costs(costs)
    return costs


def is_costs_file(text: str) -> bool:
    """Whether costs are stated in a file and not in words.

    Example:
        >>> is_costs_file("costs.csv"), is_costs_file("sick:well=10")
        (True, False)
    """
    return Path(text).suffix.lower() in (".csv", ".toml")


def costs_as_json(path: str) -> str:
    """What a file of costs says, as text that `read_costs` takes in its place.

    Raises:
        UsageError: It cannot be read, or names a pair twice.
    """
    named: dict[str, dict[str, Any]] = {}
    for true, decided, cost in _costs_in_file(Path(path)):
        if decided in named.setdefault(true, {}):
            raise _unreadable(f"the cost of deciding for {decided!r} where {true!r} is true is named twice")
        named[true][decided] = cost
    return json.dumps(named, ensure_ascii=False)


def _costs_in_json(text: str) -> Iterator[tuple[str, str, Any]]:
    """True class, class decided for and cost of what `costs_as_json` wrote."""
    try:
        content = json.loads(text)
        yield from ((true, decided, cost) for true, row in content.items() for decided, cost in row.items())
    except (ValueError, AttributeError) as error:
        raise _unreadable(f"{text!r} cannot be read: {error}") from error


def _costs_in_words(part: str, classes: tuple[str, ...]) -> tuple[str, str, str]:
    """True class, class decided for and cost of one `true:decided=cost`; names may have a colon in them."""
    pair, equals, cost = part.rpartition("=")
    names = pair.split(":")
    if not equals or len(names) < 2:
        raise _unreadable(f"{part!r} is no cost")
    splits = [(":".join(names[:cut]).strip(), ":".join(names[cut:]).strip()) for cut in range(1, len(names))]
    known = [(true, decided) for true, decided in splits if true in classes and decided in classes]
    true, decided = (known or splits)[0]
    return true, decided, cost


def _costs_in_file(path: Path) -> Iterator[tuple[str, str, Any]]:
    """True class, class decided for and cost of everything that a .csv or .toml file names."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".toml":
            for true, row in tomllib.loads(text).items():
                if not isinstance(row, dict):
                    raise _unreadable(f"{true!r} in {str(path)!r} is no table of costs")
                yield from ((true, decided, cost) for decided, cost in row.items())
            return
        lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines()) if any(line)]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, csv.Error) as error:
        raise _unreadable(f"{str(path)!r} cannot be read: {error}") from error
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(lines[0]):
            raise _unreadable(f"line {number} of {str(path)!r} has {len(line)} cells, the first {len(lines[0])}")
        yield from ((line[0], decided, cost) for decided, cost in zip(lines[0][1:], line[1:], strict=True) if cost)


def _index_of(name: str, classes: tuple[str, ...]) -> int:
    """The number of a class.

    Raises:
        UsageError: There is none of that name.
    """
    if name in classes:
        return classes.index(name)
    shown = ", ".join(classes[:10]) + (", ..." if len(classes) > 10 else "")
    raise UsageError(
        f"costs name the class {name!r}, which there is not{nearest(name, classes)}",
        expected=f"classes of the data: {shown}",
        fix="write names as the data has them",
    )


def _unreadable(what: str) -> UsageError:
    return UsageError(
        what,
        expected="true:decided=cost, several with commas, or the path of a .csv or .toml file",
        fix="such as --costs sick:well=10,well:sick=1; what is not named costs 1, names with a comma go into a file",
    )


def check_costs(costs: Float[np.ndarray, "classes classes"]) -> None:
    """Raise unless costs are a square of numbers, at least 0, in which being right is never dearer than being wrong.

    Raises:
        UsageError: They are not.
    """
    shape = np.shape(costs)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        raise _no_costs(f"costs have the shape {shape}")
    if not (np.isfinite(costs) & (costs >= 0)).all():
        raise _no_costs(f"a cost is {costs[~(np.isfinite(costs) & (costs >= 0))][0]:g}")
    if not costs.any():
        raise _no_costs("every cost is 0")
    dearer = np.flatnonzero(costs.diagonal() > costs.min(axis=1))
    if len(dearer):
        row = costs[dearer[0]]
        raise _no_costs(
            f"for true class number {dearer[0]} the right answer costs {row[dearer[0]]:g}, another {row.min():g}"
        )


def _no_costs(what: str) -> UsageError:
    return UsageError(
        what,
        expected="one row a true class and one column a class decided for, finite numbers from 0, one of them above 0, "
        "with the smallest of each row where the answer is right",
        fix="name what each mistake costs and leave right answers at 0, such as sick:well=10,well:sick=1",
    )
