"""Keras 3 (torch backend) with a frozen trunk, after its guide "Transfer learning & fine-tuning", first workflow.

Keras has no EfficientNet-Lite0 and would download the weights of what it has, so the torch trunk is wrapped in
`keras.layers.TorchModuleWrapper`; pooling, dropout, head and the training loop are Keras's. Pictures come from a
torch DataLoader, which `fit` takes; `image_dataset_from_directory` would need TensorFlow or grain.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"  # read when keras is imported

import torchvision_shim  # noqa: F401  (before torchvision)

# isort: split
import keras
import torch
from backbone import CROP, N_FEATURES, RESIZE, imagenet_backbone, what_changed
from contestant import Result, parser, seconds_since_process_start
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets
from torchvision.transforms import v2

SECONDS_IMPORTS = seconds_since_process_start()
VALIDATION_SHARE = 0.2  # the guide's 10 points of validation beside 40 of training


class FeatureMaps(nn.Module):
    """The backbone up to its last feature maps, where Keras's `include_top=False` ends."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = imagenet_backbone()

    def forward(self, pictures: Tensor) -> Tensor:
        """Feature maps of shape (pictures, 1280, 7, 7)."""
        maps: Tensor = self.backbone.forward_features(pictures)
        return maps

    def train(self, mode: bool = True) -> "FeatureMaps":
        """Stays in inference mode, as Keras's own BatchNorm does where `trainable` is False.

        A functional Keras model passes `fit`'s training=True on to every layer, over the training=False it was
        built with; a wrapped torch module would then renew its BatchNorm statistics although it is frozen.
        """
        return super().train(False)


def make_model(n_classes: int) -> tuple[keras.Model, FeatureMaps]:
    """The guide's model on a wrapped torch trunk, and that trunk."""
    keras.config.set_image_data_format("channels_first")
    trunk = FeatureMaps()
    maps_shape = (None, N_FEATURES, CROP // 32, CROP // 32)
    base_model = keras.layers.TorchModuleWrapper(trunk, output_shape=maps_shape)
    base_model.trainable = False
    inputs = keras.Input(shape=(3, CROP, CROP))
    scaled = keras.layers.Rescaling(scale=1 / 127.5, offset=-1)(inputs)
    maps = base_model(scaled, training=False)
    features = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(maps))
    return keras.Model(inputs, keras.layers.Dense(n_classes)(features)), trunk


def pixels(*augmentation: object) -> v2.Compose:
    """Decoded, resized, cropped pixels as floats 0..255; the model scales them itself, as in the guide."""
    to_float = [v2.PILToTensor(), v2.ToDtype(torch.float32)]
    return v2.Compose([v2.Resize(RESIZE), v2.CenterCrop(CROP), *augmentation, *to_float])


def main() -> None:
    arguments = parser(__doc__, epochs=5, batch_size=32).parse_args()
    keras.utils.set_random_seed(arguments.seed)

    folder = arguments.data / "train"
    # The guide's RandomFlip("horizontal") and RandomRotation(0.1), a tenth of a turn.
    augmented = datasets.ImageFolder(folder, pixels(v2.RandomHorizontalFlip(), v2.RandomRotation(36)))
    plain = datasets.ImageFolder(folder, pixels())
    test_set = datasets.ImageFolder(arguments.data / "test", pixels())
    assert plain.classes == test_set.classes
    order = torch.randperm(len(plain), generator=torch.Generator().manual_seed(arguments.seed)).tolist()
    n_validation = round(VALIDATION_SHARE * len(order))
    loading = {"batch_size": arguments.batch_size, "num_workers": arguments.workers}

    model, trunk = make_model(len(plain.classes))
    model.compile(
        optimizer=keras.optimizers.Adam(),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
    )
    model.fit(
        DataLoader(Subset(augmented, order[n_validation:]), shuffle=True, **loading),
        validation_data=DataLoader(Subset(plain, order[:n_validation]), **loading),
        epochs=arguments.epochs,
        verbose=2,
    )
    logits = model.predict(DataLoader(test_set, **loading), verbose=0)
    n_correct = int((logits.argmax(1) == test_set.targets).sum())

    result = Result(
        name="keras",
        epochs=arguments.epochs,
        packages=("torch", "torchvision", "timm", "keras", "pillow"),
        notes=f"torch backend, trunk in TorchModuleWrapper (trainable=False, training=False), dropout and Dense, "
        f"Adam 1e-3, batch {arguments.batch_size}, 20 % validation each epoch, flip and rotation",
        seconds_imports=SECONDS_IMPORTS,
        n_trained=sum(int(weight.numpy().size) for weight in model.trainable_weights),
    )
    result.finish(n_correct=n_correct, n_test=len(test_set))
    result.trunk_changed = what_changed(trunk.backbone.state_dict())
    result.show()


if __name__ == "__main__":
    main()
