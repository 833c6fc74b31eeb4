"""Hugging Face Trainer with a frozen trunk, after its image-classification example, on its own timm wrapper.

The example fine-tunes all layers; here the trunk's parameters are frozen by `requires_grad`, as its users do.
`Trainer` still puts the whole model into training mode, so BatchNorm statistics move. Learning rate: the
example's 2e-5 is for all layers of a transformer and would leave a new head untrained; 1e-3 is used.
"""

import torchvision_shim  # noqa: F401  (before torchvision)

# isort: split
import tempfile
from pathlib import Path

import numpy as np
import torch
from backbone import ARCHITECTURE, CROP, MEAN, RESIZE, STD, imagenet_backbone, n_learning, what_changed
from contestant import Result, parser, seconds_since_process_start
from torch import Tensor
from torch.utils.data import Dataset, Subset
from torchvision import datasets, transforms
from transformers import (
    EvalPrediction,
    TimmWrapperConfig,
    TimmWrapperForImageClassification,
    Trainer,
    TrainingArguments,
)

SECONDS_IMPORTS = seconds_since_process_start()
VALIDATION_SHARE = 0.15  # the example's --train_val_split


def make_model(classes: list[str]) -> TimmWrapperForImageClassification:
    """The timm wrapper of transformers with the package's weights, all but its own new classifier frozen."""
    config = TimmWrapperConfig(
        architecture=ARCHITECTURE, id2label=dict(enumerate(classes)), label2id={c: i for i, c in enumerate(classes)}
    )
    model = TimmWrapperForImageClassification(config)
    rest = model.timm_model.load_state_dict(imagenet_backbone().state_dict(), strict=False)
    assert rest.missing_keys == ["classifier.weight", "classifier.bias"], rest
    assert not rest.unexpected_keys, rest
    for name, parameter in model.timm_model.named_parameters():
        parameter.requires_grad = name.startswith("classifier.")
    return model


def make_parts(folder: Path, seed: int) -> tuple[Dataset, Dataset]:
    """Train and validation, augmented and plain, as the example splits and transforms them."""
    to_input = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    augmented = transforms.Compose([transforms.RandomResizedCrop(CROP), transforms.RandomHorizontalFlip(), *to_input])
    order = torch.randperm(len(datasets.ImageFolder(folder)), generator=torch.Generator().manual_seed(seed)).tolist()
    n_validation = round(VALIDATION_SHARE * len(order))
    train = Subset(datasets.ImageFolder(folder, augmented), order[n_validation:])
    return train, Subset(datasets.ImageFolder(folder, plain_pixels()), order[:n_validation])


def plain_pixels() -> transforms.Compose:
    """The pixel path of evaluation."""
    return transforms.Compose(
        [
            transforms.Resize(RESIZE),
            transforms.CenterCrop(CROP),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def collate(examples: list[tuple[Tensor, int]]) -> dict[str, Tensor]:
    """A batch with the names that the model's forward takes."""
    return {
        "pixel_values": torch.stack([pixels for pixels, _ in examples]),
        "labels": torch.tensor([label for _, label in examples]),
    }


def share_correct(prediction: EvalPrediction) -> dict[str, float]:
    """Accuracy of the validation part, for the choice of the best epoch."""
    return {"accuracy": float(np.mean(prediction.predictions.argmax(1) == prediction.label_ids))}


def main() -> None:
    arguments = parser(__doc__, epochs=5, batch_size=32).parse_args()
    torch.manual_seed(arguments.seed)
    train_set, validation_set = make_parts(arguments.data / "train", arguments.seed)
    test_set = datasets.ImageFolder(arguments.data / "test", plain_pixels())
    assert train_set.dataset.classes == test_set.classes
    model = make_model(test_set.classes)

    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            output_dir=folder,
            num_train_epochs=arguments.epochs,
            per_device_train_batch_size=arguments.batch_size,
            per_device_eval_batch_size=arguments.batch_size,
            learning_rate=1e-3,
            dataloader_num_workers=arguments.workers,
            remove_unused_columns=False,
            eval_strategy="epoch",
            save_strategy="epoch",
            logging_strategy="epoch",
            load_best_model_at_end=True,
            metric_for_best_model="accuracy",
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
            seed=arguments.seed,
        )
        trainer = Trainer(
            model=model,
            args=settings,
            train_dataset=train_set,
            eval_dataset=validation_set,
            data_collator=collate,
            compute_metrics=share_correct,
        )
        trainer.train()
        predicted = trainer.predict(test_set)
    n_correct = int((predicted.predictions.argmax(1) == predicted.label_ids).sum())

    result = Result(
        name="hf-trainer",
        epochs=arguments.epochs,
        packages=("torch", "torchvision", "timm", "transformers", "accelerate", "pillow"),
        notes=f"trunk frozen by requires_grad (BatchNorm statistics move), linear head, AdamW 1e-3 falling to 0, "
        f"batch {arguments.batch_size}, 15 % validation and a checkpoint each epoch, random resized crop and flip",
        seconds_imports=SECONDS_IMPORTS,
        n_trained=n_learning(model),
    )
    result.finish(n_correct=n_correct, n_test=len(test_set))
    result.trunk_changed = what_changed(model.timm_model.state_dict())
    result.show()


if __name__ == "__main__":
    main()
