import tempfile

import torch
from fastai.vision.all import *
from sklearn.datasets import load_digits

set_seed(42, True)
digits = load_digits()
path = Path(tempfile.mkdtemp())
(path / "images").mkdir()
for i, (img, label) in enumerate(zip(digits.images[:700], digits.target[:700])):
    Image.fromarray(np.kron((img * 15).astype("uint8"), np.ones((2, 2), "uint8"))).save(path / "images" / f"{i:04d}_{label}.png")

files = get_image_files(path / "images").sorted()
holdout = files[600:]

block = DataBlock(
    blocks=(ImageBlock(cls=PILImageBW), CategoryBlock),
    get_items=lambda _: files[:600],
    get_y=RegexLabeller(r"_(\d)\.png$"),
    splitter=RandomSplitter(valid_pct=0.2, seed=42),
    batch_tfms=[Normalize.from_stats([0.3], [0.35])],
)
# digits' first 600 hold all ten classes
dls = block.dataloaders(path, bs=48, num_workers=0, device=torch.device("cpu"))


def body_and_head(model):
    return [params(model[0]), params(model[1])]


body = nn.Sequential(ConvLayer(1, 16), ConvLayer(16, 32, stride=2), ConvLayer(32, 32, stride=2))
head = nn.Sequential(AdaptiveConcatPool2d(1), Flatten(), nn.Dropout(0.25), nn.Linear(64, dls.c))
learn = Learner(dls, nn.Sequential(body, head), loss_func=CrossEntropyLossFlat(), splitter=body_and_head,
                metrics=[accuracy, error_rate], path=path, cbs=ShowGraphCallback() if False else None)
with learn.no_logging(), learn.no_bar():
    learn.fit_one_cycle(3, 1e-2)
    learn.freeze()
    learn.fit_one_cycle(1, 5e-3)
    learn.unfreeze()
    learn.fit_one_cycle(2, slice(5e-4, 5e-3))
for row in learn.recorder.values:
    print("train_loss %.4f  valid_loss %.4f  accuracy %.4f  error_rate %.4f" % tuple(row))

test_dl = dls.test_dl(holdout, with_labels=True)
with learn.no_bar():
    preds, targets = learn.get_preds(dl=test_dl)
print("hold-out accuracy:", accuracy(preds, targets).item(), "on", len(holdout), "images")
