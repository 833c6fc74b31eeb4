"""Lightning with a frozen trunk, after its page "Transfer learning": an eval-mode feature extractor under no_grad.

As on that page there is no validation part: the trunk sees each training picture once an epoch and nothing else.
Logger, checkpoints and progress bar are off, which favours Lightning.
"""

import torchvision_shim  # noqa: F401  (before torchvision, which lightning imports)

# isort: split
import lightning
import torch
from backbone import CROP, MEAN, N_FEATURES, RESIZE, STD, imagenet_backbone, n_learning, what_changed
from contestant import Result, parser, seconds_since_process_start
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

SECONDS_IMPORTS = seconds_since_process_start()


class FrozenTrunk(lightning.LightningModule):
    """A frozen feature extractor and a linear head."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.feature_extractor = imagenet_backbone().requires_grad_(False)
        self.feature_extractor.eval()
        self.classifier = nn.Linear(N_FEATURES, n_classes)
        self.n_correct = 0

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits of a batch."""
        self.feature_extractor.eval()
        with torch.no_grad():
            features = self.feature_extractor(pictures)
        logits: Tensor = self.classifier(features)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Mean loss of a batch."""
        pictures, labels = batch
        return functional.cross_entropy(self(pictures), labels)

    def test_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """Counts the rightly labelled pictures of a batch."""
        pictures, labels = batch
        self.n_correct += int((self(pictures).argmax(1) == labels).sum())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam on the head."""
        return torch.optim.Adam(self.classifier.parameters(), lr=1e-3)


def main() -> None:
    arguments = parser(__doc__, epochs=5, batch_size=32).parse_args()
    lightning.seed_everything(arguments.seed, verbose=False)

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

    model = FrozenTrunk(len(train_set.classes))
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=arguments.epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, DataLoader(train_set, shuffle=True, **loading))
    trainer.test(model, DataLoader(test_set, **loading), verbose=False)

    result = Result(
        name="lightning",
        epochs=arguments.epochs,
        packages=("torch", "torchvision", "timm", "lightning", "pillow"),
        notes=f"frozen trunk, linear head, Adam 1e-3, batch {arguments.batch_size}, no validation, no augmentation",
        seconds_imports=SECONDS_IMPORTS,
        n_trained=n_learning(model),
    )
    result.finish(n_correct=model.n_correct, n_test=len(test_set))
    result.trunk_changed = what_changed(model.feature_extractor.state_dict())
    result.show()


if __name__ == "__main__":
    main()
