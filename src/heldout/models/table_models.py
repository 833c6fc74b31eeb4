"""Models of the rows of a table, as arrays: they answer without torch and scikit-learn, and are saved as tensors.

linear     one layer: logistic regression
mlp        fully connected layers with ReLU between them
boosting   gradient-boosted trees, as scikit-learn grows them
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, Self

import numpy as np
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits

TABLE_MODELS = ("linear", "mlp", "boosting")
# Rows that are multiplied at once: every block has this shape, filled up with zeros, so that the answer for a row does
# not depend on how many others are asked for. 256 x 1,000 features in float64 are 2 MB.
_BLOCK = 256


class Scorer(Protocol):
    """A fitted model of features."""

    @property
    def n_features(self) -> int:
        """How many numbers a row has."""

    @property
    def n_classes(self) -> int:
        """How many logits it gives."""

    @property
    def n_parameters(self) -> int:
        """How many numbers it is made of."""

    def logits(self, features: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, "rows classes"]:
        """One logit a row and class, in float64; the same whatever other rows are asked for."""

    def shifted(self, shift: Float[np.ndarray, " classes"]) -> Self:
        """The same model with these numbers added to its logits."""

    def tensors(self) -> dict[str, np.ndarray]:
        """All that it is made of, by name; `scorer_of` makes it again."""


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """Linear layers with ReLU between them; one alone is logistic regression.

    Attributes:
        weights: Of each layer, (outputs, inputs).
        biases: Of each layer.
    """

    weights: tuple[Float[np.ndarray, "outputs inputs"], ...]
    biases: tuple[Float[np.ndarray, " outputs"], ...]

    @property
    def n_features(self) -> int:
        """How many numbers a row has."""
        return int(self.weights[0].shape[1])

    @property
    def n_classes(self) -> int:
        """How many logits it gives."""
        return len(self.biases[-1])

    @property
    def n_parameters(self) -> int:
        """Weights and biases."""
        return sum(array.size for array in (*self.weights, *self.biases))

    def logits(self, features: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, "rows classes"]:
        """One logit a row and class, in float64.

        Example:
            >>> model = Layers((np.array([[1.0, 2.0], [0.0, 0.0]]),), (np.array([0.5, 0.0]),))
            >>> model.logits(np.array([[1.0, 1.0]])).tolist()
            [[3.5, 0.0]]
        """
        return _linear(self.hidden(features), self.weights[-1], self.biases[-1])

    def hidden(self, features: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, "rows width"]:
        """What the last layer reads, in float64: the features themselves where there is but one layer."""
        values = features.astype(np.float64)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.maximum(_linear(values, weight, bias), 0)
        return values

    def shifted(self, shift: Float[np.ndarray, " classes"]) -> Self:
        """The same layers, the last biases moved."""
        last = (self.biases[-1].astype(np.float64) + shift).astype(np.float32)
        return replace(self, biases=(*self.biases[:-1], last))

    def tensors(self) -> dict[str, np.ndarray]:
        """`hidden.0.weight`, `hidden.0.bias` and so on, then `output.weight`, `output.bias`, as torch names them."""
        names = [*(f"hidden.{number}" for number in range(len(self.weights) - 1)), "output"]
        found: dict[str, np.ndarray] = {}
        for name, weight, bias in zip(names, self.weights, self.biases, strict=True):
            found[f"{name}.weight"] = np.ascontiguousarray(weight, np.float32)
            found[f"{name}.bias"] = np.ascontiguousarray(bias, np.float32)
        return found


def _linear(
    values: Float[np.ndarray, "rows inputs"], weight: Float[np.ndarray, "outputs inputs"], bias: np.ndarray
) -> Float[np.ndarray, "rows outputs"]:
    turned = np.ascontiguousarray(weight.T, np.float64)
    found = np.empty((len(values), len(bias)))
    with threadpool_limits(1, user_api="blas"):
        for start in range(0, len(values), _BLOCK):
            some = values[start : start + _BLOCK]
            n = len(some)
            if n < _BLOCK:
                some = np.concatenate([some, np.zeros((_BLOCK - n, values.shape[1]))])
            found[start : start + n] = (some @ turned)[:n]
    return found + bias.astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Gradient-boosted trees: a row goes down each tree, and the leaves' values add up.

    All trees stand in one list of nodes. A node with `left` of 0 is a leaf.

    Attributes:
        feature: Which feature a node asks for.
        threshold: A row goes left where its feature is not above this.
        left: Index of the left child; 0 for a leaf, for no child is the first node.
        right: Of the right child.
        value: What a leaf adds.
        roots: The first node of each tree, a row an iteration, a column a logit that is grown.
        columns: Whose logit each column is; of two classes one is enough.
        baseline: What the sums start from, one a class.
        n_features: How many numbers a row has.
    """

    feature: Int[np.ndarray, " nodes"]
    threshold: Float[np.ndarray, " nodes"]
    left: Int[np.ndarray, " nodes"]
    right: Int[np.ndarray, " nodes"]
    value: Float[np.ndarray, " nodes"]
    roots: Int[np.ndarray, "iterations grown"]
    columns: Int[np.ndarray, " grown"]
    baseline: Float[np.ndarray, " classes"]
    n_features: int

    @property
    def n_classes(self) -> int:
        """How many logits it gives."""
        return len(self.baseline)

    @property
    def n_parameters(self) -> int:
        """A threshold for each inner node and a value for each leaf."""
        return len(self.left)

    def logits(self, features: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, "rows classes"]:
        """One logit a row and class, in float64."""
        *_, last = self.staged(features)
        return last

    def staged(self, features: Float[np.ndarray, "rows features"]) -> Iterator[Float[np.ndarray, "rows classes"]]:
        """The logits before the first iteration, and after each one more; always the same array."""
        sums = np.tile(self.baseline, (len(features), 1))
        yield sums
        values = features.astype(np.float64)
        for iteration in self.roots:
            for column, root in zip(self.columns.tolist(), iteration.tolist(), strict=True):
                sums[:, column] += self.value[self._leaves(values, root)]
            yield sums

    def first(self, n: int) -> Self:
        """The trees of the first `n` iterations."""
        n_nodes = int(self.roots[n].min()) if n < len(self.roots) else len(self.left)
        names = ("feature", "threshold", "left", "right", "value")
        return replace(self, roots=self.roots[:n], **{name: getattr(self, name)[:n_nodes] for name in names})

    def _leaves(self, features: Float[np.ndarray, "rows features"], root: int) -> Int[np.ndarray, " rows"]:
        nodes = np.full(len(features), root)
        going = np.arange(len(features))
        while True:
            going = going[self.left[nodes[going]] > 0]
            if not len(going):
                return nodes
            at = nodes[going]
            is_left = features[going, self.feature[at]] <= self.threshold[at]
            nodes[going] = np.where(is_left, self.left[at], self.right[at])

    def shifted(self, shift: Float[np.ndarray, " classes"]) -> Self:
        """The same trees, the baseline moved."""
        return replace(self, baseline=self.baseline + shift)

    def tensors(self) -> dict[str, np.ndarray]:
        """The attributes by name."""
        return {
            "feature": self.feature.astype(np.int32),
            "threshold": self.threshold.astype(np.float64),
            "left": self.left.astype(np.int32),
            "right": self.right.astype(np.int32),
            "value": self.value.astype(np.float64),
            "roots": self.roots.astype(np.int64),
            "columns": self.columns.astype(np.int64),
            "baseline": self.baseline.astype(np.float64),
            "n_features": np.array([self.n_features], np.int64),
        }


def scorer_of(name: str, tensors: Mapping[str, np.ndarray]) -> Scorer:
    """The model that these tensors make.

    Args:
        name: `linear`, `mlp` or `boosting`.
        tensors: As `Scorer.tensors` gives them.

    Raises:
        ValueError: They do not make such a model; the message says why.
    """
    try:
        return _trees_of(tensors) if name == "boosting" else _layers_of(tensors)
    except KeyError as error:
        raise ValueError(f"it has no tensor {error.args[0]!r}") from None


def _layers_of(tensors: Mapping[str, np.ndarray]) -> Layers:
    n_hidden = sum(name.startswith("hidden.") and name.endswith(".weight") for name in tensors)
    names = [*(f"hidden.{number}" for number in range(n_hidden)), "output"]
    weights = tuple(tensors[f"{name}.weight"] for name in names)
    biases = tuple(tensors[f"{name}.bias"] for name in names)
    for weight, bias in zip(weights, biases, strict=True):
        if weight.ndim != 2 or bias.shape != weight.shape[:1]:
            raise ValueError(f"a layer of shape {weight.shape} has biases of shape {bias.shape}")
    for before, after in pairwise(weights):
        if len(before) != after.shape[1]:
            raise ValueError(f"a layer of {len(before)} outputs is followed by one of {after.shape[1]} inputs")
    if not all(np.isfinite(array).all() for array in (*weights, *biases)):
        raise ValueError("some of its numbers are not finite")
    return Layers(weights, biases)


def _trees_of(tensors: Mapping[str, np.ndarray]) -> Trees:
    trees = Trees(
        feature=tensors["feature"],
        threshold=tensors["threshold"],
        left=tensors["left"],
        right=tensors["right"],
        value=tensors["value"],
        roots=tensors["roots"],
        columns=tensors["columns"],
        baseline=tensors["baseline"],
        n_features=int(tensors["n_features"][0]),
    )
    n = len(trees.left)
    per_node = (trees.feature, trees.threshold, trees.right, trees.value)
    inner = np.flatnonzero(trees.left)
    # Children stand behind their parents, so no walk can go round for ever.
    is_whole = (
        all(len(array) == n for array in per_node)
        and trees.roots.ndim == 2
        and trees.roots.shape[1:] == trees.columns.shape
        and (not trees.columns.size or (trees.columns.min() >= 0 and trees.columns.max() < len(trees.baseline)))
        and (not trees.roots.size or (trees.roots.min() >= 0 and trees.roots.max() < n))
        and bool(np.all((trees.left[inner] > inner) & (trees.right[inner] > inner)))
        and bool(np.all((trees.left < n) & (trees.right < n) & (trees.feature >= 0)))
        and bool(np.all(trees.feature[inner] < trees.n_features))
        and bool(np.isfinite(trees.value).all() and np.isfinite(trees.baseline).all())
    )
    if not is_whole:
        raise ValueError("its nodes do not make trees")
    return trees
