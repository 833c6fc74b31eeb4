"""Small networks of two inputs for tests, and what they say, computed apart from the code under test."""

from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float

from heldout.anatomy.regions.convex_polygons import Window

Kind = Literal["normal", "whole", "degenerate"]
Network = tuple[list[Float[np.ndarray, "outputs inputs"]], list[Float[np.ndarray, " outputs"]]]
KINDS: tuple[Kind, ...] = ("normal", "whole", "degenerate")
WINDOW = Window(-2.0, 2.5, -1.5, 2.0)


def random_network(generator: np.random.Generator, kind: Kind) -> Network:
    """Up to three hidden layers; `whole` weights make lines meet, `degenerate` has zeros and units that are copies."""
    widths = [2, *generator.integers(1, 7, generator.integers(0, 4)), generator.integers(2, 5)]
    weights, biases = [], []
    for n_inputs, n_outputs in pairwise(widths):
        if kind == "whole":
            weight = generator.integers(-2, 3, (n_outputs, n_inputs)).astype(float)
            bias = generator.integers(-1, 2, n_outputs).astype(float)
        else:
            weight, bias = generator.normal(size=(n_outputs, n_inputs)), generator.normal(size=n_outputs)
        if kind == "degenerate":
            weight[generator.random(n_outputs) < 0.2] = 0
            weight *= generator.random(weight.shape) < 0.7
            if n_outputs > 1:
                factor = generator.choice([1.0, -1.0, 2.0])
                weight[1], bias[1] = factor * weight[0], factor * bias[0]
        weights.append(weight)
        biases.append(bias)
    return weights, biases


def random_points(generator: np.random.Generator, n: int, window: Window = WINDOW) -> Float[np.ndarray, "points two"]:
    """Points of the window."""
    return generator.uniform(window.corners[0], window.corners[2], (n, 2))


def forward(
    network: Network, points: Float[np.ndarray, "points two"]
) -> tuple[Float[np.ndarray, "points outputs"], Float[np.ndarray, "points units"]]:
    """The outputs, and the sum of each hidden unit, which is on above 0; a point at a time."""
    outputs, every = [], []
    for point in points:
        values, kept = point, []
        for weight, bias in zip(network[0][:-1], network[1][:-1], strict=True):
            sums = np.array([sum(row * values) + one for row, one in zip(weight, bias, strict=True)])
            kept += sums.tolist()
            values = np.where(sums > 0, sums, 0.0)
        outputs.append([sum(row * values) + one for row, one in zip(network[0][-1], network[1][-1], strict=True)])
        every.append(kept)
    return np.array(outputs), np.array(every).reshape(len(points), -1)


def depths(
    polygon: Float[np.ndarray, "corners two"], points: Float[np.ndarray, "points two"]
) -> Float[np.ndarray, " points"]:
    """How deep each point lies in a convex polygon; below 0 outside it."""
    along = np.roll(polygon, -1, axis=0) - polygon
    lengths = np.hypot(along[:, 0], along[:, 1])
    inward = np.stack([-along[:, 1], along[:, 0]], axis=1)[lengths > 0] / lengths[lengths > 0, None]
    away = points[:, None] - polygon[lengths > 0][None]
    return np.asarray((away * inward).sum(axis=-1).min(axis=1))
