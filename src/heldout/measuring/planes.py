"""The plane that a decision boundary is drawn on: two inputs, two principal components, or the two columns that matter.

A plane maps what a model is given (or its last hidden values) to two numbers that can be drawn, and back. Where a
model has more than two inputs the plane is a cut: it shows the answer at the points of the plane, and an example that
lies beside the plane may have been answered otherwise than the plane shows beneath it. How often that happens is
counted in `boundary.py`, and stated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

Answer = Callable[[Float[np.ndarray, "examples inputs"]], Float[np.ndarray, "examples classes"]]

# Shuffling every input once over this many numbers takes a second with a thousand trees (assumed, not measured).
_N_SHUFFLED_NUMBERS = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A plane through the space of inputs, or of hidden values.

    Attributes:
        kind: "inputs" where there are two and nothing is left out, "columns" for two of more, "components" for the
            first two principal components.
        titles: What its two axes are called.
        words: Which plane it is, in plain sentences.
        origin: The point of the space that every other coordinate is taken from.
        directions: Its two axes, of length 1 and at right angles.
        offset: What is added to the two coordinates before they are drawn, after `scale`.
        scale: What they are multiplied by, above 0.
        share: The share of the variance that lies in the plane, 0 to 1; None where no such plane was asked for.
    """

    kind: str
    titles: tuple[str, str]
    words: str
    origin: Float[np.ndarray, " inputs"]
    directions: Float[np.ndarray, "two inputs"]
    offset: Float[np.ndarray, " two"]
    scale: Float[np.ndarray, " two"]
    share: float | None = None

    def drawn(self, values: Float[np.ndarray, "examples inputs"]) -> Float[np.ndarray, "examples two"]:
        """Where the values are drawn: their nearest point of the plane, in its units."""
        return np.asarray(self.offset + self.scale * ((values - self.origin) @ self.directions.T), np.float64)

    def lifted(self, drawn: Float[np.ndarray, "examples two"]) -> Float[np.ndarray, "examples inputs"]:
        """The values at points of the plane."""
        return np.asarray(self.origin + ((drawn - self.offset) / self.scale) @ self.directions)


def plane_of_inputs(
    titles: tuple[str, str], *, mean: Float[np.ndarray, " two"], scale: Float[np.ndarray, " two"]
) -> Plane:
    """The plane of a model of two inputs, in the units of the data.

    Args:
        titles: The names of the inputs.
        mean: What was subtracted from each input before the model got it.
        scale: What it was divided by after that.

    Example:
        >>> plane = plane_of_inputs(("width", "height"), mean=np.array([10.0, 0.0]), scale=np.array([2.0, 1.0]))
        >>> plane.drawn(np.array([[1.0, 3.0]])).tolist(), plane.lifted(np.array([[12.0, 3.0]])).tolist()
        ([[12.0, 3.0]], [[1.0, 3.0]])
    """
    words = "The two inputs, in their own units; the model has no others."
    return Plane("inputs", titles, words, np.zeros(2), np.eye(2), np.asarray(mean, float), np.asarray(scale, float))


def plane_of_columns(
    values: Float[np.ndarray, "examples inputs"],
    pair: tuple[int, int],
    *,
    titles: tuple[str, str],
    mean: Float[np.ndarray, " two"],
    scale: Float[np.ndarray, " two"],
    chosen_by: str = "shuffling them costs the model most on validation",
) -> Plane:
    """The plane of two of several inputs, in the units of the data, with the others at their median.

    Args:
        values: What the model was given, to take the medians from.
        pair: The positions of the two inputs.
        titles: Their names.
        mean: What was subtracted from each of the two.
        scale: What it was divided by after that.
        chosen_by: Why these two, for the words.
    """
    n_inputs = values.shape[1]
    if n_inputs == 2:
        return plane_of_inputs(titles, mean=mean, scale=scale)
    origin = np.median(np.asarray(values, np.float64), axis=0)
    directions = np.zeros((2, n_inputs))
    directions[[0, 1], list(pair)] = 1.0
    origin[list(pair)] = 0.0
    others = n_inputs - 2
    words = (
        f"The two of {n_inputs:,} inputs that matter most ({chosen_by}); here the other "
        f"{f'{others:,} stand at their medians' if others > 1 else 'one stands at its median'}."
    )
    return Plane("columns", titles, words, origin, directions, np.asarray(mean, float), np.asarray(scale, float))


def plane_of_components(values: Float[np.ndarray, "examples inputs"], *, what: str) -> Plane:
    """The plane of the first two principal components, through the mean.

    The sign of a component is free; each points to where its largest loading is positive, so that the same values
    give the same figure.

    Args:
        values: At least two inputs wide.
        what: What they are, such as "the last hidden layer" or "the 12 inputs".

    Example:
        >>> values = np.array([[3.0, 0.0, 0.0], [-3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
        >>> plane = plane_of_components(values, what="the 3 inputs")
        >>> plane.share, plane.titles[0]
        (1.0, 'component 1 (90 % of the variance)')
    """
    values = np.asarray(values, np.float64)
    assert values.shape[1] >= 2, f"a plane of components needs two inputs, there are {values.shape[1]}"
    mean = values.mean(axis=0)
    centred = values - mean
    if len(centred) > centred.shape[1]:
        variances, vectors = np.linalg.eigh(centred.T @ centred)
        directions = vectors[:, [-1, -2]].T.copy()
    else:  # thousands of columns: a square of them would be hundreds of times as large as the table
        _, roots, rows = np.linalg.svd(centred, full_matrices=False)
        variances, directions = roots[::-1] ** 2, rows[:2].copy()
    largest = np.abs(directions).argmax(axis=1)
    directions *= np.where(directions[[0, 1], largest] < 0, -1.0, 1.0)[:, None]
    total = float(variances.clip(min=0).sum())
    shares = variances[[-1, -2]].clip(min=0) / total if total > 0 else np.zeros(2)
    share = float(min(shares.sum(), 1.0))
    titles = (f"component 1 ({shares[0]:.0%} of the variance)", f"component 2 ({shares[1]:.0%})")
    words = (
        f"The first two principal components of {what}: they hold {share:.0%} of its variance, and what lies beside "
        "them is not shown."
    )
    titles = (titles[0].replace("%", " %"), titles[1].replace("%", " %"))
    words = words.replace("%", "\u202f%")
    return Plane("components", titles, words, mean, directions, np.zeros(2), np.ones(2), share)


def two_most_important(
    values: Float[np.ndarray, "examples inputs"],
    labels: Int[np.ndarray, " examples"],
    *,
    answer: Answer,
    generator: np.random.Generator,
    candidates: Sequence[int] | None = None,
) -> tuple[int, int]:
    """The positions of the two inputs whose shuffling raises the mean negative log-likelihood most.

    Equal ones come in their order. The examples are thinned so that at most 200,000 numbers are shuffled.

    Args:
        values: What the model is given, of the validation part; at least two inputs wide.
        labels: The true class of each.
        answer: Log probabilities at such values.
        generator: For the thinning and the shuffles.
        candidates: Positions that may be drawn, such as those of numbers; None for all, which is also what happens
            where fewer than two are given.

    Source:
        Breiman, "Random Forests", 2001, section 10; Fisher, Rudin, Dominici, JMLR 20 (2019), for the loss.
    """
    n, n_inputs = values.shape
    positions = list(candidates) if candidates is not None and len(candidates) >= 2 else list(range(n_inputs))
    n_kept = min(n, max(_N_SHUFFLED_NUMBERS // n_inputs, 200))
    kept = np.sort(generator.choice(n, n_kept, replace=False))
    rows = np.arange(n_kept)
    before = values[kept]
    costs = []
    for position in positions:
        shuffled = before.copy()
        shuffled[:, position] = before[generator.permutation(n_kept), position]
        costs.append(-float(answer(shuffled)[rows, labels[kept]].mean()))
    first, second = np.argsort(-np.array(costs), kind="stable")[:2]
    pair = sorted((positions[first], positions[second]))
    return pair[0], pair[1]
