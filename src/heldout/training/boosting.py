"""Gradient-boosted trees on encoded rows, grown by scikit-learn, as many as validation asks for: an honest baseline."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from heldout.data.balance.imbalance import class_weights
from heldout.measuring.predictions import log_softmax
from heldout.measuring.prior import prior_shift
from heldout.models.table_models import Trees
from heldout.models.weights import fingerprint
from heldout.training.fitted import Fitted, Job
from heldout.training.materials import Part
from heldout.training.table_materials import TableMaterials

# scikit-learn's own learning rate and leaves; validation chooses how many of so many iterations are kept (assumed).
N_ITERATIONS = 200
# The logit of a class without a row in train, against others around 0: a probability of 1e-13.
_ABSENT = -30.0


def fit_boosting(job: Job, train: Part, validation: Part, materials: TableMaterials) -> Fitted:
    """The first so many trees as have the lowest validation loss.

    Args:
        job: Its seed and imbalance count.
        train: What the trees are grown on.
        validation: What their number is chosen on.
        materials: With an encoder that was fitted to `train`.
    """
    classes = train.examples.classes
    counts = np.bincount(train.labels, minlength=len(classes))
    weights = class_weights(counts)[train.labels] if job.is_levelled else None
    grown = grow(materials.features(train), train.labels, weights, n_classes=len(classes), seed=job.seed)
    if job.is_levelled:
        grown = grown.shifted(prior_shift(counts))
    rows = np.arange(len(validation.labels))
    losses = [
        -float(log_softmax(logits)[rows, validation.labels].mean())
        for logits in grown.staged(materials.features(validation))
    ]
    chosen = grown.first(int(np.argmin(losses)))
    return Fitted(
        classifier=materials.classifier("boosting", chosen, classes),
        path=(),
        history=(),
        best_epoch=0,
        n_parameters=chosen.n_parameters,
        n_trained=chosen.n_parameters,
        initial=fingerprint(grown.first(0).shifted(-grown.baseline).tensors()),
        precision="float64",
    )


def grow(
    features: Float[np.ndarray, "rows features"],
    labels: Int[np.ndarray, " rows"],
    weights: Float[np.ndarray, " rows"] | None,
    *,
    n_classes: int,
    seed: int,
    n_iterations: int = N_ITERATIONS,
) -> Trees:
    """Trees for all classes that have a row.

    Args:
        features: Of the rows.
        labels: Their classes, two different ones at least.
        weights: How much each row counts; None for all the same.
        n_classes: How many logits are wanted.
        seed: Of scikit-learn's random numbers.
        n_iterations: Trees a logit.

    Source:
        Friedman, "Greedy Function Approximation" (2001), as scikit-learn's HistGradientBoostingClassifier has it.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=n_iterations, early_stopping=False, random_state=seed % 2**32, categorical_features=None
    )
    model.fit(features, labels, sample_weight=weights)
    return _arrays_of(model, features.shape[1], n_classes)


def _arrays_of(model: Any, n_features: int, n_classes: int) -> Trees:
    """The trees of a fitted scikit-learn model, whose leaves hold the learning rate already.

    The nodes are not public: test_boosting.py holds that the answers are scikit-learn's.
    """
    trees = [[tree.nodes for tree in iteration] for iteration in model._predictors]
    sizes = np.array([len(nodes) for iteration in trees for nodes in iteration], np.int64)
    starts = np.cumsum(sizes) - sizes
    nodes = np.concatenate([nodes for iteration in trees for nodes in iteration])
    is_inner, offset = nodes["is_leaf"] == 0, np.repeat(starts, sizes)
    present = np.asarray(model.classes_, np.int64)
    columns = present[-len(trees[0]) :]  # of two classes the second
    baseline = np.full(n_classes, _ABSENT)
    baseline[present] = 0.0
    baseline[columns] = np.asarray(model._baseline_prediction, np.float64).ravel()
    return Trees(
        feature=nodes["feature_idx"].astype(np.int32),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=np.where(is_inner, nodes["left"] + offset, 0).astype(np.int32),
        right=np.where(is_inner, nodes["right"] + offset, 0).astype(np.int32),
        value=nodes["value"].astype(np.float64),
        roots=starts.reshape(len(trees), -1),
        columns=columns,
        baseline=baseline,
        n_features=n_features,
    )
