"""The regimes that train a network by mini-batches: `partial`, `full` and `scratch`."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from heldout.data.batches import Batches, training_batches
from heldout.errors import OutOfMemory
from heldout.interrupting import finishing_steps
from heldout.manifest import CHECKPOINTS
from heldout.models.build import build_network, count_parameters
from heldout.models.heads import Head
from heldout.models.network import Network
from heldout.models.prepared import store
from heldout.models.weights import fingerprint
from heldout.provenance import Watcher
from heldout.randomness import torch_seed
from heldout.records import write_csv
from heldout.training.checkpoints import Checkpoints
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
        folder: The run folder; history.csv is written there after every epoch, and checkpoints, from which it goes on.
        watcher: Is told of every step and epoch.

    Raises:
        Diverged: The loss was not finite.
        KeyboardInterrupt: Ctrl-C or SIGTERM came; everything is saved.
        OutOfMemory: The batches are too large for this machine.
        StorageError: A checkpoint could not be written.
    """
    assert job.settings is not None, f"the regime {job.regime} is trained by mini-batches"
    with finishing_steps() as stop, _memory_told(job.settings.batch_size):
        key = _key(job, parts, materials)
        checkpoints = Checkpoints(folder / CHECKPOINTS, key, stop, {"engine": materials.engine_words})
        return _fit(job, head, parts=parts, materials=materials, checkpoints=checkpoints, watcher=watcher)


def _fit(
    job: Job,
    head: Head | None,
    *,
    parts: tuple[Part, Part],
    materials: Materials,
    checkpoints: Checkpoints,
    watcher: Watcher,
) -> Fitted:
    settings, saved, folder = job.settings, checkpoints.saved, checkpoints.folder.parent
    assert settings is not None
    train, _ = parts
    net = _start(job, head, n_classes=len(train.examples.classes), materials=materials)
    n_parameters, n_trained = count_parameters(net, job.regime)
    initial = fingerprint(net.state_dict())
    task = _task(net, job, settings, materials)
    batches = Parts(*(_batches(part, job, settings, materials) for part in parts))
    first = next(iter(training_batches(batches.train, seed=job.seed, epoch=1)))
    precision = choose_precision(
        task,
        replace(settings, precision=saved.precision) if saved else settings,
        inputs=task.training_inputs(first),
        backbone=materials.backbone.name,
        cache=materials.cache,
    )
    history: list[EpochRecord] = saved.history if saved else []

    def watch(record: EpochRecord) -> None:
        history.append(record)
        _write_history(folder, history)
        watcher.epoch(record)
        watcher.stage(f"epoch {record.epoch + 1} of {settings.epochs}")

    def watch_step(done: int, total: int, pictures_per_second: float) -> None:
        watcher.progress(len(train.labels) * done // total, len(train.labels), pictures_per_second)

    if history:
        _write_history(folder, history)
    watcher.stage(f"epoch {history[-1].epoch + 1 if history else 1} of {settings.epochs}")
    fitted = fit_network(
        task,
        settings,
        parts=batches,
        precision=precision.name,
        seed=job.seed,
        watch=watch,
        watch_step=watch_step,
        checkpoints=checkpoints,
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
        elsewhere=tuple(checkpoints.elsewhere),
        checkpoint_seconds=checkpoints.seconds,
    )


@contextmanager
def _memory_told(batch_size: int) -> Iterator[None]:
    """Within: what the system says about memory becomes an error of ours.

    torch has an error of its own for GPUs alone; for the rest it raises RuntimeError with these words.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        words = str(error).lower()
        if isinstance(error, RuntimeError) and "allocate memory" not in words and "out of memory" not in words:
            raise
        smaller = max(1, batch_size // 2)
        raise OutOfMemory(
            f"there is not enough memory to train with batches of {batch_size}",
            expected="memory for the network, its optimiser and one batch",
            fix=f"heldout train with --batch-size {smaller}, a smaller backbone, or fewer programs beside it",
        ) from error


def _key(job: Job, parts: tuple[Part, Part], materials: Materials) -> str:
    """A hash of everything that decides the numbers of the training."""
    digest = hashlib.sha256()
    weights = materials.weights.sha256 if materials.weights else ""
    digest.update(repr((job, materials.backbone.name, weights)).encode())
    for part in parts:
        digest.update(repr((part.examples.classes, part.sha256s, part.labels.tolist())).encode())
    return digest.hexdigest()


def _write_history(folder: Path, history: list[EpochRecord]) -> None:
    best = min(history, key=lambda one: one.validation_loss)
    write_csv(folder / "history.csv", history_rows(history, best_epoch=best.epoch))


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
