"""The write-ups' recipe: plain PyTorch, all layers, SGD 0.001, batches of 4, 20 epochs, one decode an epoch.

Written from the description of the recipe. Its normalisation is that of the weights used here.
"""

import statistics
import time
from dataclasses import dataclass

import torchvision_shim  # noqa: F401  (before torchvision)

# isort: split
import torch
from backbone import CROP, MEAN, N_FEATURES, RESIZE, STD, imagenet_backbone, n_learning, what_changed
from contestant import Result, parser, seconds_since_process_start
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

SECONDS_IMPORTS = seconds_since_process_start()


@dataclass(frozen=True)
class Learning:
    """What changes while the recipe runs."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss_function: nn.Module


def train_one_epoch(learning: Learning, batches: DataLoader) -> float:
    """The mean loss of one epoch over all layers."""
    learning.model.train()
    summed, n = 0.0, 0
    for pictures, labels in batches:
        learning.optimizer.zero_grad()
        loss = learning.loss_function(learning.model(pictures), labels)
        loss.backward()
        learning.optimizer.step()
        summed, n = summed + loss.item() * len(labels), n + len(labels)
    return summed / n


def count_correct(model: nn.Module, batches: DataLoader) -> int:
    """How many pictures the model labels rightly."""
    model.eval()
    with torch.no_grad():
        return sum(int((model(pictures).argmax(1) == labels).sum()) for pictures, labels in batches)


def main() -> None:
    arguments_parser = parser(__doc__, epochs=20, batch_size=4)
    arguments_parser.add_argument(
        "--stop-after", type=int, help="run only so many of the epochs and extrapolate seconds_total to all of them"
    )
    arguments = arguments_parser.parse_args()
    torch.manual_seed(arguments.seed)

    pixels = transforms.Compose(
        [
            transforms.Resize(RESIZE),
            transforms.CenterCrop(CROP),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )
    train_set = datasets.ImageFolder(arguments.data / "train", pixels)
    test_set = datasets.ImageFolder(arguments.data / "test", pixels)
    assert train_set.classes == test_set.classes
    loading = {"batch_size": arguments.batch_size, "num_workers": arguments.workers}
    train_batches = DataLoader(train_set, shuffle=True, **loading)
    test_batches = DataLoader(test_set, **loading)

    model = imagenet_backbone()
    model.classifier = nn.Linear(N_FEATURES, len(train_set.classes))
    learning = Learning(model, torch.optim.SGD(model.parameters(), lr=0.001), nn.CrossEntropyLoss())
    epoch_seconds: list[float] = []
    n_run = min(arguments.stop_after or arguments.epochs, arguments.epochs)
    for epoch in range(1, n_run + 1):
        started = time.perf_counter()
        loss = train_one_epoch(learning, train_batches)
        epoch_seconds.append(time.perf_counter() - started)
        print(f"epoch {epoch} of {arguments.epochs}: loss {loss:.4f}, {epoch_seconds[-1]:.1f} s", flush=True)

    result = Result(
        name="recipe",
        epochs=arguments.epochs,
        packages=("torch", "torchvision", "timm", "pillow"),
        notes=f"all layers, SGD 0.001, fp32 NCHW, batch {arguments.batch_size}, no validation, no augmentation",
        seconds_imports=SECONDS_IMPORTS,
        n_trained=n_learning(model),
        extra={
            "epochs_run": n_run,
            "epoch_seconds": [round(seconds, 2) for seconds in epoch_seconds],
            "extrapolated": n_run < arguments.epochs,
        },
    )
    result.finish(n_correct=count_correct(model, test_batches), n_test=len(test_set))
    if n_run < arguments.epochs:
        result.extra["seconds_measured"] = round(result.seconds_total, 2)
        result.seconds_total += (arguments.epochs - n_run) * statistics.median(epoch_seconds)
        result.notes += (
            f"; seconds EXTRAPOLATED from {n_run} of {arguments.epochs} epochs, accuracy is that of epoch {n_run}"
        )
    result.trunk_changed = what_changed(model.state_dict())
    result.show()


if __name__ == "__main__":
    main()
