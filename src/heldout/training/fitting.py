"""A plan and its materials -> a trained classifier, for every regime.

`frozen` fits the head to its optimum and never imports torch, unless a learning rate is asked for. The others train a
network by mini-batches; `partial` and `full` start from the head that `frozen` would have ended with.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from heldout.models.weights import fingerprint
from heldout.provenance import Watcher
from heldout.records import write_csv
from heldout.training.classifier import Classifier, all_tensors
from heldout.training.fitted import Fitted, Job
from heldout.training.materials import Materials, Part
from heldout.training.probe import PathPoint, Probe, fit_probe


def fit(job: Job, train: Part, validation: Part, materials: Materials, *, folder: Path, watcher: Watcher) -> Fitted:
    """Fit what the regime lets learn.

    Args:
        job: What to do.
        train: What is fitted to.
        validation: What choices are made on: the penalty of a head, the epoch whose weights are kept.
        materials: What is known of each picture.
        folder: The run folder; head_path.csv and history.csv are written there.
        watcher: Is told of every epoch.

    Raises:
        Diverged: The loss of a training by mini-batches was not finite.
    """
    probe = None if job.regime == "scratch" else fit_head(train, validation, materials)
    path = probe.path if probe else ()
    if path:
        write_csv(folder / "head_path.csv", path_rows(path, len(validation.labels)))
    if job.settings is None:
        assert probe is not None
        return frozen_with(probe, train, materials)
    from heldout.training.by_batches import fit_by_batches

    head = probe.head if probe and job.regime != "frozen" else None
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


def fit_head(train: Part, validation: Part, materials: Materials) -> Probe:
    """The best head for the features of a frozen backbone: where `frozen` ends, and `partial` and `full` begin."""
    train_features = materials.rows("features", train).all()
    validation_features = materials.rows("features", validation).all()
    return fit_probe(
        (train_features, train.labels),
        (validation_features, validation.labels),
        len(train.examples.classes),
    )


def frozen_with(probe: Probe, train: Part, materials: Materials) -> Fitted:
    """The frozen backbone with a fitted head."""
    assert materials.pretrained is not None, "the regime frozen has a pretrained backbone"
    weight, bias = probe.head.weight, probe.head.bias
    classes = train.examples.classes
    untrained = Classifier(materials.pretrained, np.zeros_like(weight), np.zeros_like(bias), classes)
    return Fitted(
        classifier=Classifier(materials.pretrained, weight, bias, classes),
        path=probe.path,
        history=(),
        best_epoch=0,
        n_parameters=materials.pretrained.n_parameters + weight.size + bias.size,
        n_trained=weight.size + bias.size,
        initial=fingerprint(all_tensors(untrained)),
        precision="float64",
    )
