"""The cells of a ReLU network of two inputs: the pieces of the plane on each of which it is affine.

Within a cell every unit is either on or off, so all logits are planes there. They are found exactly, but for rounding:
the window is cut by the line of each unit of the first layer; in every piece the units of the second layer are affine,
so their lines cut it further; and so on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.anatomy.regions.convex_polygons import THINNEST, Window, area_of, cut
from heldout.errors import UsageError

MOST_CELLS = 20_000
# Of the sum of the sizes of all terms: what a sum of float64 can be wrong by, with room for a few thousand terms.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class ReluCells:
    """The cells within a window, the largest first.

    Attributes:
        window: What was cut.
        weights: Of each layer, (outputs, inputs), in float64.
        biases: Of each layer.
        polygons: The corners of each cell, counter-clockwise.
        areas: Of each cell; they sum to that of the window.
        patterns: Which units are on in each cell; those of the first layer come first.
        slopes: Of each output in each cell: by how much it grows along the two inputs.
        constants: output = slope · point + constant.
        errors: By how much rounding can move an output of the cell.
        n_after: How many cells there are once the units of each hidden layer have cut.
        unit_lines: Of each unit the straight pieces, two ends each, on which its sum is 0 and changes its sign.
    """

    window: Window
    weights: tuple[Float[np.ndarray, "outputs inputs"], ...]
    biases: tuple[Float[np.ndarray, " outputs"], ...]
    polygons: tuple[Float[np.ndarray, "corners two"], ...]
    areas: Float[np.ndarray, " cells"]
    patterns: Bool[np.ndarray, "cells units"]
    slopes: Float[np.ndarray, "cells outputs two"]
    constants: Float[np.ndarray, "cells outputs"]
    errors: Float[np.ndarray, " cells"]
    n_after: tuple[int, ...]
    unit_lines: tuple[Float[np.ndarray, "pieces two two"], ...]

    def __len__(self) -> int:
        return len(self.polygons)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return tuple(len(bias) for bias in self.biases[:-1])

    def outputs(self, points: Float[np.ndarray, "points two"]) -> Float[np.ndarray, "points outputs"]:
        """What the network itself says, layer by layer, without the cells."""
        return _forward(self, points)[0]

    def outputs_by_cell(
        self, points: Float[np.ndarray, "points two"], places: Int[np.ndarray, " points"]
    ) -> Float[np.ndarray, "points outputs"]:
        """What the planes of these cells say."""
        return np.asarray(np.einsum("poi,pi->po", self.slopes[places], points) + self.constants[places])

    def locate(self, points: Float[np.ndarray, "points two"]) -> Int[np.ndarray, " points"]:
        """In which cell each point lies; -1 outside the window. A point between cells is of one of them."""
        _, patterns = _forward(self, points)
        keys = {key: place for place, key in enumerate(_keys(self.patterns))}
        found = np.array([keys.get(key, -1) for key in _keys(patterns)], np.int64)
        inside = self.window.holds(points)
        found[~inside] = -1
        # A point so close to a line that rounding chose its side can have a pattern that no cell has.
        if len(lost := np.flatnonzero(inside & (found < 0))):
            found[lost] = _deepest_in(self.polygons, points[lost])
        return found


def relu_cells(
    weights: Sequence[Float[np.ndarray, "outputs inputs"]],
    biases: Sequence[Float[np.ndarray, " outputs"]],
    window: Window,
    *,
    most: int = MOST_CELLS,
) -> ReluCells:
    """The cells of a network of linear layers with ReLU between them; a single layer is affine, and has one.

    Args:
        weights: Of each layer; the first reads two inputs, best of one order of size, as standardised ones are.
        biases: Of each layer.
        window: What is cut, in the units of the inputs.
        most: More cells than these are refused.

    Raises:
        UsageError: The first layer has not two inputs, the layers do not fit, a number is not finite, or there are
            more cells than `most`.

    Source:
        Pascanu, Montúfar, Bengio, "On the number of response regions of deep feedforward networks with piecewise
        linear activations", 2014, for the arrangement of lines; Raghu et al., "On the expressive power of
        deep neural networks", 2017, theorem 2, for the cutting of cells layer by layer.

    Example:
        >>> weights, biases = [np.eye(2), np.array([[1.0, 1.0]])], [np.zeros(2), np.zeros(1)]
        >>> cells = relu_cells(weights, biases, Window(-1, 1, -1, 3))
        >>> cells.areas.tolist(), cells.patterns.astype(int).tolist()
        ([3.0, 3.0, 1.0, 1.0], [[0, 1], [1, 1], [0, 0], [1, 0]])
    """
    layers = _checked(weights, biases)
    cutter = _Cutter(layers, window, most)
    found = sorted(cutter.cells(), key=lambda cell: (-cell.area, *cell.polygon[0].tolist()))
    n_outputs = len(layers[-1][1])
    return ReluCells(
        window=window,
        weights=tuple(weight for weight, _ in layers),
        biases=tuple(bias for _, bias in layers),
        polygons=tuple(cell.polygon for cell in found),
        areas=np.array([cell.area for cell in found]),
        patterns=np.array([cell.pattern for cell in found], bool).reshape(len(found), -1),
        slopes=np.array([cell.slopes for cell in found]).reshape(len(found), n_outputs, 2),
        constants=np.array([cell.constants for cell in found]).reshape(len(found), n_outputs),
        errors=np.array([cell.error for cell in found]),
        n_after=tuple(cutter.n_after),
        unit_lines=tuple(np.array(pieces).reshape(-1, 2, 2) for pieces in cutter.unit_lines),
    )


Layer = tuple[Float[np.ndarray, "outputs inputs"], Float[np.ndarray, " outputs"]]


@dataclass(frozen=True, slots=True, eq=False)
class _Affine:
    """Values that are affine on a polygon; `sizes` bounds the sum of the sizes of the terms each is made of."""

    slopes: Float[np.ndarray, "values two"]
    constants: Float[np.ndarray, " values"]
    sizes: Float[np.ndarray, " values"]

    def after(self, layer: Layer) -> "_Affine":
        """What a linear layer makes of them."""
        weight, bias = layer
        return _Affine(weight @ self.slopes, weight @ self.constants + bias, np.abs(weight) @ self.sizes + np.abs(bias))

    def where(self, on: Bool[np.ndarray, " values"]) -> "_Affine":
        """The values that are on, and 0 for the others."""
        return _Affine(self.slopes * on[:, None], self.constants * on, self.sizes * on)


@dataclass(frozen=True, slots=True, eq=False)
class _Cell:
    polygon: Float[np.ndarray, "corners two"]
    area: float
    pattern: Bool[np.ndarray, " units"]
    slopes: Float[np.ndarray, "outputs two"]
    constants: Float[np.ndarray, " outputs"]
    error: float


class _Cutter:
    """Cuts depth first, so that no more than one path of cells is held beside what is found."""

    def __init__(self, layers: Sequence[Layer], window: Window, most: int) -> None:
        self.layers, self.window, self.most = layers, window, most
        self.n_after = [0] * (len(layers) - 1)
        widths = [len(bias) for _, bias in layers[:-1]]
        self.first_units = [sum(widths[:number]) for number in range(len(widths))]
        self.unit_lines: list[list[Float[np.ndarray, "two two"]]] = [[] for _ in range(sum(widths))]

    def cells(self) -> Iterator[_Cell]:
        corners = self.window.corners
        inputs = _Affine(np.eye(2), np.zeros(2), np.abs(corners).max(axis=0))
        waiting = [(corners, inputs, np.zeros(0, bool), 0)]
        n_found = 0
        while waiting:
            polygon, values, pattern, number = waiting.pop()
            sums = values.after(self.layers[number])
            if number == len(self.layers) - 1:
                n_found += 1
                self._check(n_found)
                error = ROUNDING * float(sums.sizes.max())
                yield _Cell(polygon, area_of(polygon), pattern, sums.slopes, sums.constants, error)
                continue
            for piece, on in self._pieces(polygon, sums, number):
                self.n_after[number] += 1
                self._check(self.n_after[number])
                waiting.append((piece, sums.where(on), np.concatenate([pattern, on]), number + 1))

    def _pieces(
        self, polygon: Float[np.ndarray, "corners two"], sums: _Affine, number: int
    ) -> Iterator[tuple[Float[np.ndarray, "corners two"], Bool[np.ndarray, " units"]]]:
        """The pieces of a polygon on which all units of a layer keep their sides."""
        lengths = np.hypot(sums.slopes[:, 0], sums.slopes[:, 1])
        tolerances = np.maximum(THINNEST * self.window.longest * lengths, ROUNDING * sums.sizes)
        waiting = [(polygon, np.arange(len(lengths)), np.zeros(len(lengths), bool))]
        is_first = True
        while waiting:
            piece, units, on = waiting.pop()
            heights = piece @ sums.slopes[units].T + sums.constants[units]
            heights[np.abs(heights) <= tolerances[units]] = 0.0
            above, below = heights.max(axis=0) > 0, heights.min(axis=0) < 0
            on[units] = above
            cutting = (above & below).nonzero()[0]
            if is_first:
                for column in cutting:
                    line = self.unit_lines[self.first_units[number] + units[column]]
                    line.append(cut(piece, heights[:, column]).chord)
                is_first = False
            if not len(cutting):
                yield piece, on
                continue
            halves, left = cut(piece, heights[:, cutting[0]]), units[cutting[1:]]
            unit = units[cutting[0]]
            for part, is_on in ((halves.below, False), (halves.above, True)):
                sides = on.copy()
                sides[unit] = is_on
                waiting.append((part, left, sides))

    def _check(self, n: int) -> None:
        if n > self.most:
            raise UsageError(
                f"the network cuts the window into more than {self.most:,} cells",
                expected=f"at most {self.most:,}",
                fix="choose a smaller window, or train a network with fewer units (--set model.width=16)",
            )


def _checked(
    weights: Sequence[Float[np.ndarray, "outputs inputs"]], biases: Sequence[Float[np.ndarray, " outputs"]]
) -> list[Layer]:
    layers = [
        (np.asarray(weight, np.float64), np.asarray(bias, np.float64))
        for weight, bias in zip(weights, biases, strict=True)
    ]
    shapes = [weight.shape for weight, _ in layers]
    is_whole = bool(layers) and all(
        weight.ndim == 2 and bias.shape == weight.shape[:1] and np.isfinite(weight).all() and np.isfinite(bias).all()
        for weight, bias in layers
    )
    if not is_whole or any(before[0] != after[1] for before, after in pairwise(shapes)) or shapes[0][1] != 2:
        raise UsageError(
            f"the layers have weights of shape {', '.join(map(str, shapes)) or 'none'}",
            expected="finite weights, the first layer of two inputs, each other of as many as the one before gives",
            fix="give the weights and biases of a network of two inputs, layer by layer",
        )
    return layers


def _forward(
    cells: ReluCells, points: Float[np.ndarray, "points two"]
) -> tuple[Float[np.ndarray, "points outputs"], Bool[np.ndarray, "points units"]]:
    """The outputs and which units are on."""
    values, patterns = points, [np.zeros((len(points), 0), bool)]
    for weight, bias in zip(cells.weights[:-1], cells.biases[:-1], strict=True):
        sums = values @ weight.T + bias
        patterns.append(sums > 0)
        values = np.maximum(sums, 0)
    return values @ cells.weights[-1].T + cells.biases[-1], np.concatenate(patterns, axis=1)


def _keys(patterns: Bool[np.ndarray, "rows units"]) -> list[bytes]:
    return [row.tobytes() for row in np.packbits(patterns, axis=1)]


def _deepest_in(
    polygons: Sequence[Float[np.ndarray, "corners two"]], points: Float[np.ndarray, "points two"]
) -> Int[np.ndarray, " points"]:
    """The polygon that each point lies deepest in, or is nearest to."""
    starts = np.cumsum([0, *(len(polygon) for polygon in polygons[:-1])])
    corners = np.concatenate(polygons)
    along = np.concatenate([np.roll(polygon, -1, axis=0) - polygon for polygon in polygons])
    inward = np.stack([-along[:, 1], along[:, 0]], axis=1)
    lengths = np.hypot(inward[:, 0], inward[:, 1])
    inward /= np.where(lengths > 0, lengths, 1.0)[:, None]
    depths = [np.einsum("ci,ci->c", point - corners, inward) for point in points]
    # A side of length 0 bounds nothing.
    depths = [np.where(lengths > 0, each, np.inf) for each in depths]
    return np.array([int(np.minimum.reduceat(each, starts).argmax()) for each in depths], np.int64)
