"""A plan and its materials -> a trained classifier, for every regime.

`frozen` and `linear` fit a head to its optimum and never import torch, unless a learning rate is asked for; `boosting`
grows trees. The others train a network by mini-batches; `partial` and `full` start from the head that `frozen` would
have ended with.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from heldout.data.balance.imbalance import class_weights
from heldout.measuring.prior import prior_shift
from heldout.models.table_models import Layers
from heldout.models.weights import fingerprint
from heldout.provenance import Watcher
from heldout.records import write_csv
from heldout.training.classifier import Classifier, all_tensors
from heldout.training.fitted import Fitted, Job
from heldout.training.materials import Materials, Part
from heldout.training.probe import PathPoint, Probe, fit_probe
from heldout.training.row_classifier import RowClassifier
from heldout.training.table_materials import TableMaterials


def fit(
    job: Job,
    train: Part,
    validation: Part,
    materials: Materials | TableMaterials,
    *,
    folder: Path,
    watcher: Watcher,
) -> Fitted:
    """Fit what the regime lets learn, or a model of rows.

    Args:
        job: What to do.
        train: What is fitted to.
        validation: What choices are made on: the penalty of a head, the epoch whose weights are kept.
        materials: What is known of each picture; or the rows, with an encoder that was fitted to `train`.
        folder: The run folder; head_path.csv and history.csv are written there.
        watcher: Is told of every epoch.

    Raises:
        Diverged: The loss of a training by mini-batches was not finite.
    """
    has_head = job.regime in ("frozen", "partial", "full", "linear")
    probe = fit_head(job, train, validation, materials) if has_head else None
    path = probe.path if probe else ()
    if path:
        write_csv(folder / "head_path.csv", path_rows(path, len(validation.labels)))
    if job.settings is None:
        return fitted_at_once(job, probe, (train, validation), materials)
    from heldout.training.by_batches import fit_by_batches

    head = probe.head if probe and job.regime in ("partial", "full") else None
    fitted = fit_by_batches(job, head, parts=(train, validation), materials=materials, folder=folder, watcher=watcher)
    return replace(fitted, path=path)


def path_rows(path: Sequence[PathPoint], n_validation: int) -> list[dict[str, object]]:
    """The rows of head_path.csv."""
    return [
        {
            "l2": point.l2,
            "train_loss": point.train_loss,
            "validation_loss": point.validation_loss,
            "validation_accuracy": point.validation_correct / n_validation,
            "chosen": str(point.chosen).lower(),
        }
        for point in path
    ]


def fit_head(job: Job, train: Part, validation: Part, materials: Materials | TableMaterials) -> Probe:
    """The best head: where `frozen` and `linear` end, and `partial` and `full` begin.

    Where the training is to be as if all classes were equally common, the examples count so here too.
    """
    n_classes = len(train.examples.classes)
    counts = np.bincount(train.labels, minlength=n_classes)
    return fit_probe(
        (materials.features(train), train.labels),
        (materials.features(validation), validation.labels),
        n_classes,
        class_weights=class_weights(counts) if job.is_levelled else None,
        shift=prior_shift(counts) if job.is_levelled else None,
    )


def fitted_at_once(
    job: Job, probe: Probe | None, parts: tuple[Part, Part], materials: Materials | TableMaterials
) -> Fitted:
    """What needs no mini-batches: a fitted head, on a frozen backbone or on rows; or trees.

    Args:
        job: What to do; it has no settings.
        probe: The fitted head; None for trees.
        parts: Training and validation examples.
        materials: As for `fit`.
    """
    if probe is None:
        from heldout.training.boosting import fit_boosting

        assert isinstance(materials, TableMaterials), f"{job.regime} is a model of rows"
        return fit_boosting(job, *parts, materials)
    weight, bias, classes = probe.head.weight, probe.bias, parts[0].examples.classes
    n_head = weight.size + bias.size
    classifier, untrained, n_others = _with_head(weight, bias, classes, materials)
    return Fitted(
        classifier=classifier,
        path=probe.path,
        history=(),
        best_epoch=0,
        n_parameters=n_others + n_head,
        n_trained=n_head,
        initial=untrained,
        precision="float64",
    )


def _with_head(
    weight: np.ndarray, bias: np.ndarray, classes: tuple[str, ...], materials: Materials | TableMaterials
) -> tuple[Classifier | RowClassifier, str, int]:
    """The classifier, the fingerprint of it with a head of zeros, and how many numbers it has beside the head."""
    nothing = np.zeros_like(weight), np.zeros_like(bias)
    if isinstance(materials, TableMaterials):
        before = Layers((nothing[0],), (nothing[1],))
        classifier = materials.classifier("linear", Layers((weight,), (bias,)), classes)
        return classifier, fingerprint(before.tensors()), 0
    backbone = materials.pretrained
    assert backbone is not None, "the regime frozen has a pretrained backbone"
    untrained = fingerprint(all_tensors(Classifier(backbone, *nothing, classes)))
    return Classifier(backbone, weight, bias, classes), untrained, backbone.n_parameters
