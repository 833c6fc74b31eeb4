"""A network before its first step, what it learns from, and the classifier it becomes: of pictures, or of rows."""

import numpy as np
import torch

from heldout.data.balance.balanced_batches import checked_size
from heldout.data.batches import Batches, Rows, RowsInMemory
from heldout.models.build import build_network
from heldout.models.heads import Head
from heldout.models.network import Network
from heldout.models.prepared import store
from heldout.models.table_network import TableNetwork, random_table_network
from heldout.randomness import torch_seed
from heldout.training.balancing import balance_of
from heldout.training.classifier import Classifier
from heldout.training.fitted import Job
from heldout.training.materials import Materials, Part
from heldout.training.row_classifier import RowClassifier
from heldout.training.settings import TrainingSettings
from heldout.training.table_materials import TableMaterials
from heldout.training.tasks import Task, feature_task, pixel_task, row_task, trunk_task

# Regime -> what is kept of each picture for it to learn from.
PRODUCTS = {"frozen": "features", "partial": "trunk", "full": "canvases", "scratch": "canvases"}


def start_network(job: Job, head: Head | None, *, n_classes: int, materials: Materials | TableMaterials) -> Network:
    """The network before learning: random weights, then those of the file, then the fitted head.

    Args:
        job: Its seed draws the weights.
        head: What the head starts from; None draws it.
        n_classes: How many outputs it has.
        materials: The backbone, or the rows.
    """
    generator = torch.Generator().manual_seed(torch_seed(job.seed, "init"))
    if isinstance(materials, TableMaterials):
        n_inputs = len(materials.fitted.feature_names)
        return random_table_network(n_inputs, job.hidden, n_classes, generator=generator)
    net = build_network(materials.backbone, materials.weights, n_classes, generator=generator)
    if head is not None:
        with torch.no_grad():
            net.head.weight.copy_(torch.from_numpy(np.asarray(head.weight)))
            net.head.bias.copy_(torch.from_numpy(np.asarray(head.bias)))
    return net


def task_of(
    net: Network, job: Job, settings: TrainingSettings, train: Part, materials: Materials | TableMaterials
) -> Task:
    """What the network learns from, and how examples count.

    Args:
        net: As `start_network` makes it.
        job: Its regime and imbalance count.
        settings: Its augmentation counts.
        train: The training part, whose labels say how common each class is.
        materials: The backbone, or the rows.
    """
    device = torch.device(materials.device)
    n_classes = len(train.examples.classes)
    balance = balance_of(job.imbalance, train.labels, n_classes, gamma=job.focal_gamma, device=device)
    if isinstance(net, TableNetwork):
        return row_task(net, balance=balance, device=device)
    assert isinstance(materials, Materials), "a network of pictures learns from pictures"
    if job.regime == "frozen":
        return feature_task(net, balance=balance, device=device)
    if job.regime == "partial":
        return trunk_task(net, path=materials.pixel_path, balance=balance, device=device)
    return pixel_task(
        net,
        job.regime,
        path=materials.pixel_path,
        augmentation=settings.augment,
        seed=job.seed,
        balance=balance,
        device=device,
    )


def batches_of(
    part: Part,
    job: Job,
    settings: TrainingSettings,
    materials: Materials | TableMaterials,
    *,
    is_balanced: bool = False,
) -> Batches:
    """The examples of a part as the network reads them.

    Balanced batches hold at most `batch_size` examples, for their number is a multiple of that of the classes.

    Raises:
        UsageError: Balanced batches are wanted, and `batch_size` is less than the number of classes.
    """
    rows: Rows
    if isinstance(materials, TableMaterials):
        rows = RowsInMemory(materials.features(part))
    elif job.regime == "frozen":
        rows = RowsInMemory(materials.features(part))  # as where the head is fitted to its optimum
    else:
        rows = materials.rows(PRODUCTS[job.regime], part)
    size = settings.batch_size
    if is_balanced:
        n_classes = len(np.unique(part.labels))
        size = checked_size(size // n_classes * n_classes or size, n_classes)
    return Batches(rows, part.labels, np.arange(len(part.labels)), size, is_balanced)


def classifier_of(
    task: Task, job: Job, classes: tuple[str, ...], materials: Materials | TableMaterials
) -> Classifier | RowClassifier:
    """The trained network as a classifier of the true prior; the network comes to the CPU."""
    net, shift = task.net.cpu(), task.balance.shift
    if isinstance(net, TableNetwork):
        assert isinstance(materials, TableMaterials), "a network of rows learns from rows"
        layers = net.layers()
        moved = layers if shift is None else layers.shifted(shift.cpu().numpy())
        return materials.classifier(job.regime, moved, classes, gamma=job.gamma)
    assert isinstance(materials, Materials), "a network of pictures learns from pictures"
    weight, bias = (tensor.detach().numpy().copy() for tensor in (net.head.weight, net.head.bias))
    if shift is not None:
        bias = bias + shift.cpu().numpy()
    backbone = materials.pretrained if job.regime == "frozen" else store(net, materials.backbone, materials.cache)
    assert backbone is not None, "the regime frozen has a pretrained backbone"
    return Classifier(backbone, weight, bias, classes, gamma=job.gamma)
