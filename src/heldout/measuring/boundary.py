"""Where a model's answer changes: regions on a plane, the exact line where there is one, and the examples over it.

Numbers alone, ready for a file (boundary_files.py) and for a figure; nothing here draws.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.measuring.decisions import Decision, likeliest
from heldout.measuring.planes import Answer, Plane
from heldout.measuring.predictions import Predictions

# More dots than these hide each other, and cost the page a megabyte (assumed).
MAX_POINTS = 20_000
# 0.03 inches a cell in the figure: finer than its lines are wide.
N_COLUMNS, N_ROWS = 150, 120
# The figure reaches from the 0.5 % to the 99.5 % quantile and this share of their distance further: of a normal
# distribution 3.9 standard deviations each way. What lies beyond is counted, not drawn (assumed).
_TAIL, _BEYOND = 0.005, 0.25


@dataclass(frozen=True, slots=True)
class Line:
    """The points where x_weight x + y_weight y + constant = 0; above 0 the second class is answered."""

    x_weight: float
    y_weight: float
    constant: float


@dataclass(frozen=True, slots=True, eq=False)
class Boundary:
    """Regions of answers on a plane with the examples over them.

    Attributes:
        kind: That of the plane: "inputs", "columns" or "components".
        titles: Of its two axes.
        words: Which plane it is, in sentences.
        share: The share of the variance in it; None where that is not asked for.
        classes: Class names in index order.
        line: The exact boundary, where model and plane have a straight one; else None.
        part: Which part the examples are from.
        n: How many examples there are.
        n_mistakes: How many of them were answered wrong.
        n_drawn: How many are drawn.
        n_mistakes_drawn: How many of the drawn were answered wrong.
        n_outside: How many lie beyond the range that is drawn.
        agreement: The share of the drawn examples whose answer is the one that the plane shows beneath them.
        x: The columns of the grid, ascending.
        y: The rows of the grid, ascending.
        decided: The class that is answered at each point of the grid.
        probability: The probability of that class there.
        margin: By how much the next best class would cost more than it, in expectation: 0 on the boundary. Of the
            likeliest class that is its probability less the next one's.
        points: Where the drawn examples lie.
        labels: The true class of each of them.
        predicted: What was answered.
    """

    kind: str
    titles: tuple[str, str]
    words: str
    share: float | None
    classes: tuple[str, ...]
    line: Line | None
    part: str
    n: int
    n_mistakes: int
    n_drawn: int
    n_mistakes_drawn: int
    n_outside: int
    agreement: float
    x: Float[np.ndarray, " columns"]
    y: Float[np.ndarray, " rows"]
    decided: Int[np.ndarray, "rows columns"]
    probability: Float[np.ndarray, "rows columns"]
    margin: Float[np.ndarray, "rows columns"]
    points: Float[np.ndarray, "drawn two"]
    labels: Int[np.ndarray, " drawn"]
    predicted: Int[np.ndarray, " drawn"]


def boundary_of(
    values: Float[np.ndarray, "examples inputs"],
    predictions: Predictions,
    *,
    plane: Plane,
    answer: Answer,
    generator: np.random.Generator,
    line: Line | None = None,
    part: str = "test",
) -> Boundary:
    """Regions of the answers of a model on a plane, and the examples over it.

    Args:
        values: What the model (or its last layer) was given for each example.
        predictions: What it said of them, decided as it decides.
        plane: A plane of the space of `values`.
        answer: Log probabilities at any such values, with temperature and all that moves them.
        generator: For the thinning above 20,000 examples.
        line: From `exact_line`, where there is one.
        part: Which part the examples are from.

    Example:
        >>> from heldout.measuring.planes import plane_of_inputs
        >>> values = np.array([[0.0, -1.0], [0.0, 1.0], [1.0, 2.0]])
        >>> def answer(values):
        ...     return np.stack([-np.logaddexp(0, values[:, 1]), -np.logaddexp(0, -values[:, 1])], axis=1)
        >>> predictions = Predictions(("a", "b", "c"), np.array([0, 1, 0]), answer(values), ("no", "yes"))
        >>> plane = plane_of_inputs(("x", "y"), mean=np.zeros(2), scale=np.ones(2))
        >>> found = boundary_of(values, predictions, plane=plane, answer=answer, generator=np.random.default_rng(0))
        >>> found.n, found.n_mistakes, found.agreement, found.decided[:, 0].tolist() == (found.y > 0).tolist()
        (3, 1, 1.0, True)
    """
    decision = predictions.decision or likeliest(len(predictions.classes))
    places = plane.drawn(values)
    (x_low, x_high), (y_low, y_high) = (_range_of(places[:, axis]) for axis in (0, 1))
    x, y = np.linspace(x_low, x_high, N_COLUMNS), np.linspace(y_low, y_high, N_ROWS)
    grid = np.stack([each.ravel() for each in np.meshgrid(x, y)], axis=1)
    told = answer(plane.lifted(grid))
    decided = decision.decide(told)
    wrong = predictions.predicted != predictions.labels
    kept = thinned(predictions.labels, wrong, generator=generator)
    inside = (places >= (x_low, y_low)).all(axis=1) & (places <= (x_high, y_high)).all(axis=1)
    beneath = decision.decide(answer(plane.lifted(places[kept])))
    return Boundary(
        kind=plane.kind,
        titles=plane.titles,
        words=plane.words,
        share=plane.share,
        classes=predictions.classes,
        line=line,
        part=part,
        n=len(predictions),
        n_mistakes=int(wrong.sum()),
        n_drawn=len(kept),
        n_mistakes_drawn=int(wrong[kept].sum()),
        n_outside=int((~inside).sum()),
        agreement=float((beneath == predictions.predicted[kept]).mean()),
        x=x,
        y=y,
        decided=decided.reshape(N_ROWS, N_COLUMNS),
        probability=np.exp(told[np.arange(len(grid)), decided]).reshape(N_ROWS, N_COLUMNS),
        margin=_margins(told, decision).reshape(N_ROWS, N_COLUMNS),
        points=places[kept],
        labels=predictions.labels[kept],
        predicted=predictions.predicted[kept],
    )


def exact_line(
    weights: Float[np.ndarray, "two inputs"],
    biases: Float[np.ndarray, " two"],
    *,
    plane: Plane,
    decision: Decision | None = None,
) -> Line | None:
    """The straight line on a plane where a linear model of two classes changes its answer.

    The line itself, not a level of a grid. It is scaled so that the weights of x and y have length 1, which makes the
    left side the distance to it.

    Args:
        weights: One row a class: logits are `weights @ values + biases`, divided by the temperature already.
        biases: One a class, divided by it too.
        plane: Where the line is drawn.
        decision: How it answers, of which the threshold moves the line; None for the likelier class.

    Returns:
        None where there is none: the threshold is 0 or 1, or the answer does not change along the plane.

    Example:
        >>> from heldout.measuring.planes import plane_of_inputs
        >>> plane = plane_of_inputs(("x", "y"), mean=np.array([1.0, 0.0]), scale=np.array([2.0, 1.0]))
        >>> exact_line(np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([0.0, -1.0]), plane=plane)
        Line(x_weight=1.0, y_weight=0.0, constant=-2.0)
    """
    decision = decision or likeliest(2)
    assert decision.threshold is not None, "with two classes every decision has a threshold"
    if not 0 < decision.threshold < 1:
        return None
    asked = np.log(decision.threshold / (1 - decision.threshold)) * (-1 if decision.positive == 0 else 1)
    weight = np.asarray(weights[1] - weights[0], np.float64)
    slopes = plane.directions @ weight / plane.scale
    constant = float(weight @ plane.origin + biases[1] - biases[0] - asked - slopes @ plane.offset)
    length = float(np.hypot(*slopes))
    if length == 0:
        return None
    return Line(float(slopes[0] / length), float(slopes[1] / length), constant / length)


def thinned(
    labels: Int[np.ndarray, " examples"],
    wrong: Bool[np.ndarray, " examples"],
    *,
    generator: np.random.Generator,
    n_most: int = MAX_POINTS,
) -> Int[np.ndarray, " kept"]:
    """Which examples are drawn: all, or a random sample that keeps the shares of the classes and of their mistakes.

    The sample holds about `n_most`. Of every class, and of its mistakes, at least one is kept where there is any, so
    that no kind of mistake vanishes.

    Example:
        >>> labels, wrong = np.repeat([0, 1], [900, 100]), np.arange(1000) == 999
        >>> kept = thinned(labels, wrong, generator=np.random.default_rng(0), n_most=100)
        >>> len(kept), np.bincount(labels[kept]).tolist(), int(wrong[kept].sum())
        (101, [90, 11], 1)
    """
    n = len(labels)
    if n <= n_most:
        return np.arange(n)
    kept = []
    for stratum in np.unique(2 * labels.astype(np.int64) + wrong):
        members = np.flatnonzero((2 * labels + wrong) == stratum)
        n_kept = max(round(len(members) * n_most / n), 1)
        kept.append(generator.choice(members, n_kept, replace=False))
    return np.sort(np.concatenate(kept))


def _margins(log_probabilities: Float[np.ndarray, "cells classes"], decision: Decision) -> Float[np.ndarray, " cells"]:
    costs = np.exp(log_probabilities) @ decision.costs
    least, next_best = np.partition(costs, 1, axis=1)[:, :2].T
    return np.asarray(next_best - least)


def _range_of(places: Float[np.ndarray, " examples"]) -> tuple[float, float]:
    """From where to where an axis is drawn: most of the examples and some air, no lone one far away."""
    low, high = (float(each) for each in np.quantile(places, (_TAIL, 1 - _TAIL)))
    air = _BEYOND * (high - low)
    least, most = float(places.min()), float(places.max())
    low, high = max(low - air, least), min(high + air, most)
    margin = 0.04 * (high - low) or 0.5 * max(abs(low), 1.0)
    return low - margin, high + margin
