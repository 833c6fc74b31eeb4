"""fastai with a frozen trunk, after its vision tutorial: `vision_learner`, which freezes, and `fit_one_cycle`.

`fine_tune` is the tutorial's call; its first phase is this one (2e-3 for the head, trunk frozen), its second,
which trains all layers, is left out. By default fastai's "frozen" leaves the trunk's BatchNorm layers learning
(`train_bn=True`), so its backward pass goes through the whole trunk; `--freeze-batch-norm` turns that off.
"""

import torchvision_shim  # noqa: F401  (before torchvision, which fastai imports)

# isort: split
from backbone import ARCHITECTURE, CROP, imagenet_state, n_learning, what_changed
from contestant import Result, parser, seconds_since_process_start
from fastai.callback.schedule import Learner
from fastai.callback.training import BnFreeze
from fastai.torch_core import set_seed
from fastai.vision.all import ImageDataLoaders, Resize, accuracy, get_image_files, vision_learner

SECONDS_IMPORTS = seconds_since_process_start()


def make_learner(dataloaders: ImageDataLoaders, *, freeze_batch_norm: bool) -> Learner:
    """A learner whose trunk has the package's ImageNet weights and is frozen in fastai's sense or altogether."""
    frozen = {"train_bn": False, "cbs": BnFreeze()} if freeze_batch_norm else {}
    overlay = {"state_dict": imagenet_state()}
    return vision_learner(dataloaders, ARCHITECTURE, metrics=accuracy, pretrained_cfg_overlay=overlay, **frozen)


def main() -> None:
    arguments_parser = parser(__doc__, epochs=5, batch_size=32)
    arguments_parser.add_argument(
        "--freeze-batch-norm",
        action="store_true",
        help="BatchNorm of the trunk frozen too; fastai trains it by default",
    )
    arguments = arguments_parser.parse_args()
    set_seed(arguments.seed)

    dataloaders = ImageDataLoaders.from_folder(
        arguments.data / "train",
        valid_pct=0.2,
        seed=arguments.seed,
        item_tfms=Resize(CROP),
        bs=arguments.batch_size,
        num_workers=arguments.workers,
    )
    learner = make_learner(dataloaders, freeze_batch_norm=arguments.freeze_batch_norm)
    with learner.no_bar():
        learner.fit_one_cycle(arguments.epochs, 2e-3)
        test_files = get_image_files(arguments.data / "test")
        # test_dl crops and normalises as the validation part does: in the centre.
        probabilities, _ = learner.get_preds(dl=dataloaders.test_dl(test_files))
    predicted = [dataloaders.vocab[index] for index in probabilities.argmax(1).tolist()]
    n_correct = sum(name == file.parent.name for name, file in zip(predicted, test_files, strict=True))

    trunk = "wholly frozen trunk" if arguments.freeze_batch_norm else "trunk frozen but for BatchNorm"
    result = Result(
        name="fastai-bn-frozen" if arguments.freeze_batch_norm else "fastai",
        epochs=arguments.epochs,
        packages=("torch", "torchvision", "timm", "fastai", "pillow"),
        notes=f"{trunk}, fastai's two-layer head, one cycle of Adam 2e-3, batch {arguments.batch_size}, "
        "20 % validation each epoch, Resize(224) crops at random places in training",
        seconds_imports=SECONDS_IMPORTS,
        n_trained=n_learning(learner.model),
    )
    result.finish(n_correct=n_correct, n_test=len(test_files))
    result.trunk_changed = what_changed(learner.model[0].model.state_dict())
    result.show()


if __name__ == "__main__":
    main()
