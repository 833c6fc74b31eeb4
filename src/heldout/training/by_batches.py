"""The regimes that train a network by mini-batches: `partial`, `full` and `scratch`."""

from pathlib import Path

import numpy as np
import torch

from heldout.data.batches import Batches, training_batches
from heldout.models.build import build_network, count_parameters
from heldout.models.heads import Head
from heldout.models.network import Network
from heldout.models.prepared import store
from heldout.models.weights import fingerprint
from heldout.provenance import Watcher
from heldout.randomness import torch_seed
from heldout.records import write_csv
from heldout.training.classifier import Classifier
from heldout.training.fastest import choose_precision
from heldout.training.fitted import Fitted, Job
from heldout.training.history import EpochRecord, history_rows
from heldout.training.loop import Parts, fit_network
from heldout.training.materials import Materials, Part
from heldout.training.settings import TrainingSettings
from heldout.training.tasks import Task, pixel_task, trunk_task


def fit_by_batches(
    job: Job,
    head: Head | None,
    *,
    parts: tuple[Part, Part],
    materials: Materials,
    folder: Path,
    watcher: Watcher,
) -> Fitted:
    """Train a network, and keep the weights of its best epoch on validation.

    Args:
        job: What learns, and how.
        head: What the network's head starts from; None draws it.
        parts: Training and validation examples.
        materials: What is known of each picture.
        folder: The run folder; history.csv is written there after every epoch.
        watcher: Is told of every step and epoch.

    Raises:
        Diverged: The loss was not finite.
    """
    settings = job.settings
    assert settings is not None, f"the regime {job.regime} is trained by mini-batches"
    train, _ = parts
    net = _start(job, head, n_classes=len(train.examples.classes), materials=materials)
    n_parameters, n_trained = count_parameters(net, job.regime)
    initial = fingerprint(net.state_dict())
    task = _task(net, job, settings, materials)
    batches = Parts(*(_batches(part, job, settings, materials) for part in parts))
    first = next(iter(training_batches(batches.train, seed=job.seed, epoch=1)))
    precision = choose_precision(
        task,
        settings,
        inputs=task.training_inputs(first),
        backbone=materials.backbone.name,
        cache=materials.cache,
    )
    history: list[EpochRecord] = []

    def watch(record: EpochRecord) -> None:
        history.append(record)
        best = min(history, key=lambda one: one.validation_loss)
        write_csv(folder / "history.csv", history_rows(history, best_epoch=best.epoch))
        watcher.epoch(record)
        watcher.stage(f"epoch {record.epoch + 1} of {settings.epochs}")

    def watch_step(done: int, total: int, pictures_per_second: float) -> None:
        watcher.progress(len(train.labels) * done // total, len(train.labels), pictures_per_second)

    watcher.stage(f"epoch 1 of {settings.epochs}")
    fitted = fit_network(
        task,
        settings,
        parts=batches,
        precision=precision.name,
        seed=job.seed,
        watch=watch,
        watch_step=watch_step,
    )
    net = net.cpu()
    weight, bias = (tensor.detach().numpy().copy() for tensor in (net.head.weight, net.head.bias))
    return Fitted(
        classifier=Classifier(store(net, materials.backbone, materials.cache), weight, bias, train.examples.classes),
        path=(),
        history=fitted.history,
        best_epoch=fitted.best_epoch,
        n_parameters=n_parameters,
        n_trained=n_trained,
        initial=initial,
        precision=precision.name,
    )


def _start(job: Job, head: Head | None, *, n_classes: int, materials: Materials) -> Network:
    """The network before learning: random weights, then those of the file, then the fitted head."""
    generator = torch.Generator().manual_seed(torch_seed(job.seed, "init"))
    net = build_network(materials.backbone, materials.weights, n_classes, generator=generator)
    if head is not None:
        with torch.no_grad():
            net.head.weight.copy_(torch.from_numpy(np.asarray(head.weight)))
            net.head.bias.copy_(torch.from_numpy(np.asarray(head.bias)))
    return net


def _task(net: Network, job: Job, settings: TrainingSettings, materials: Materials) -> Task:
    device = torch.device(materials.device)
    if job.regime == "partial":
        return trunk_task(net, path=materials.pixel_path, device=device)
    return pixel_task(
        net,
        job.regime,
        path=materials.pixel_path,
        augmentation=settings.augment,
        seed=job.seed,
        device=device,
    )


def _batches(part: Part, job: Job, settings: TrainingSettings, materials: Materials) -> Batches:
    rows = materials.rows("trunk" if job.regime == "partial" else "canvases", part)
    return Batches(rows, part.labels, np.arange(len(part.labels)), settings.batch_size)
