"""How many cells a ReLU network of two inputs can have, and which of its units make those that it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import comb
from typing import Literal

import numpy as np
from jaxtyping import Float

from heldout.anatomy.regions.relu_cells import ReluCells

State = Literal["cuts", "always on", "always off"]
# Of the longest side of the window: crossings and lines so close together are one.
_SAME = 1e-8


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What a hidden unit does within the window.

    Attributes:
        layer: Its hidden layer, from 1.
        number: Its place in it, from 1.
        state: Whether it is on in one part and off in another, or always one of them.
        share_on: Of the area of the window.
        n_pieces: Of its line: 0 where it does not cut, or only where units before it have cut already.
        same_as: The number of an earlier unit of its layer that has the same line; 0 for none.
    """

    layer: int
    number: int
    state: State
    share_on: float
    n_pieces: int
    same_as: int

    @property
    def name(self) -> str:
        """Such as `2.5` for unit 5 of the second hidden layer."""
        return f"{self.layer}.{self.number}"


def unit_facts(cells: ReluCells) -> tuple[UnitFacts, ...]:
    """What each unit does, layer by layer.

    Example:
        >>> from heldout.anatomy.regions.convex_polygons import Window
        >>> from heldout.anatomy.regions.relu_cells import relu_cells
        >>> weights = [np.array([[1.0, 0.0], [0.0, 1.0], [-2.0, 0.0]]), np.ones((1, 3))]
        >>> cells = relu_cells(weights, [np.array([0.0, 9.0, 0.0]), np.zeros(1)], Window(-1, 1, -1, 1))
        >>> [(unit.name, unit.state, unit.same_as) for unit in unit_facts(cells)]
        [('1.1', 'cuts', 0), ('1.2', 'always on', 0), ('1.3', 'cuts', 1)]
    """
    shares = cells.areas @ cells.patterns / cells.areas.sum()
    facts: list[UnitFacts] = []
    for layer, (weight, bias) in enumerate(zip(cells.weights[:-1], cells.biases[:-1], strict=True), start=1):
        for number, same_as in enumerate(_same_lines(weight, bias), start=1):
            place = len(facts)
            on = cells.patterns[:, place]
            state: State = "always on" if on.all() else "cuts" if on.any() else "always off"
            share = {"always on": 1.0, "always off": 0.0}.get(state, float(shares[place]))
            facts.append(UnitFacts(layer, number, state, share, len(cells.unit_lines[place]), same_as))
    return tuple(facts)


def _same_lines(weight: Float[np.ndarray, "units inputs"], bias: Float[np.ndarray, " units"]) -> list[int]:
    """For each unit the first one before it, from 1, whose sum is a multiple of its own; 0 for none."""
    rows = np.column_stack([weight, bias])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.where(lengths > 0, lengths, 1.0)
    found = []
    for number, row in enumerate(rows):
        # The sine of the angle between two rows, which does not lose what 1 - cosine does.
        cosines = rows[:number] @ row
        away = np.linalg.norm(rows[:number] - cosines[:, None] * row, axis=1)
        same = np.flatnonzero((away < _SAME) & (np.abs(cosines) > 0.5))
        found.append(int(same[0]) + 1 if len(same) and weight[number].any() else 0)
    return found


@dataclass(frozen=True, slots=True)
class FirstLines:
    """The lines of the first layer within the window.

    Attributes:
        n_lines: Different ones.
        n_crossings: Points where they cross inside it; where k lines meet in one, it counts k - 1 times.
    """

    n_lines: int
    n_crossings: int

    @property
    def n_cells(self) -> int:
        """Each line adds one cell, and one more wherever it crosses another.

        Source:
            Zaslavsky, "Facing up to arrangements", 1975; of the plane already Steiner, 1826.
        """
        return 1 + self.n_lines + self.n_crossings


def first_lines(cells: ReluCells) -> FirstLines:
    """The lines of the first layer counted by crossing them two by two: a way to the number of cells without cutting.

    Example:
        >>> from heldout.anatomy.regions.convex_polygons import Window
        >>> from heldout.anatomy.regions.relu_cells import relu_cells
        >>> weights = [np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.ones((1, 3))]
        >>> found = first_lines(relu_cells(weights, [np.array([0.0, 0.0, 0.5]), np.zeros(1)], Window(-1, 1, -1, 1)))
        >>> found, found.n_cells
        (FirstLines(n_lines=3, n_crossings=3), 7)
    """
    near = _SAME * cells.window.longest
    n_units = cells.widths[0] if cells.widths else 0
    lines = np.zeros((0, 2, 2))
    n_crossings = 0
    for line in (line for pieces in cells.unit_lines[:n_units] for line in pieces):
        if any((np.abs(lines - same).max(axis=(1, 2), initial=0.0) <= near).any() for same in (line, line[::-1])):
            continue
        # A line adds a crossing wherever it meets those before it; several in one point are one.
        points = _crossings(line, lines)
        points = points[_is_inside(cells, points, near)]
        along = np.sort((points - line[0]) @ (line[1] - line[0]) / np.hypot(*(line[1] - line[0])))
        n_crossings += int(np.count_nonzero(np.diff(along, prepend=-np.inf) > near))
        lines = np.concatenate([lines, line[None]])
    return FirstLines(len(lines), n_crossings)


def _crossings(
    line: Float[np.ndarray, "two two"], others: Float[np.ndarray, "others two two"]
) -> Float[np.ndarray, "met two"]:
    along, alongs = line[1] - line[0], others[:, 1] - others[:, 0]
    away = others[:, 0] - line[0]
    across = along[0] * alongs[:, 1] - along[1] * alongs[:, 0]
    meets = np.abs(across) > 1e-14 * np.hypot(*along) * np.hypot(alongs[:, 0], alongs[:, 1])
    shares = (away[meets, 0] * alongs[meets, 1] - away[meets, 1] * alongs[meets, 0]) / across[meets]
    return np.asarray(line[0] + shares[:, None] * along)


def _is_inside(cells: ReluCells, points: Float[np.ndarray, "points two"], near: float) -> np.ndarray:
    """Lines that meet on the window's edge do not part it once more."""
    low, high = cells.window.corners[0], cells.window.corners[2]
    return np.asarray(((points > low + near) & (points < high - near)).all(axis=1))


def most_cells(widths: Sequence[int]) -> int:
    """More cells no network of two inputs and these hidden layers can have.

    The lines of n units cut a convex piece of the plane into 1 + n + n(n-1)/2 at most; behind a layer of one unit all
    values lie on a line, which n units cut into 1 + n. The layers multiply.

    Args:
        widths: Units of each hidden layer; none for a linear model.

    Source:
        Montúfar, "Notes on the number of linear regions of deep neural networks", 2017: the product over the layers
        of the sum of C(n, j) over j from 0 to the smallest width before it.

    Example:
        >>> most_cells([8]), most_cells([3, 4]), most_cells([])
        (37, 77, 1)
    """
    total, dimension = 1, 2
    for width in widths:
        total *= sum(comb(width, taken) for taken in range(dimension + 1))
        dimension = min(dimension, width)
    return total


def reached_cells(widths: Sequence[int]) -> int | None:
    """So many cells at least the best network of two inputs and these hidden layers has; None below two units a layer.

    Args:
        widths: Units of each hidden layer.

    Source:
        Montúfar, Pascanu, Cho, Bengio, "On the number of linear regions of deep neural networks", 2014: each layer but
        the last folds floor(n / 2) ** 2 squares onto one, which the last one cuts.

    Example:
        >>> reached_cells([8]), reached_cells([4, 4]), reached_cells([1, 4])
        (37, 44, None)
    """
    if not widths or min(widths) < 2:
        return None
    total = 1 + widths[-1] + comb(widths[-1], 2)
    for before, _ in pairwise(widths):
        total *= (before // 2) ** 2
    return total
