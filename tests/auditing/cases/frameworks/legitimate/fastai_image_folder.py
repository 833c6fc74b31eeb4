# fastai on digits written to disk as <split>/<class>/<n>.png, one-cycle
import tempfile
from pathlib import Path

import numpy as np
from fastai.vision.all import *
from PIL import Image as PILImg
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

set_seed(1, reproducible=True)
root = Path(tempfile.mkdtemp())
digits = load_digits()
i_train, i_valid = train_test_split(np.arange(600), test_size=0.25, random_state=1, stratify=digits.target[:600])
for split, indices in (("train", i_train), ("valid", i_valid)):
    for i in indices:
        folder = root / split / str(digits.target[i])
        folder.mkdir(parents=True, exist_ok=True)
        PILImg.fromarray((digits.images[i] * 15).astype(np.uint8)).resize((16, 16)).save(folder / f"{i}.png")

dls = ImageDataLoaders.from_folder(root, train="train", valid="valid", bs=32, num_workers=0, device="cpu",
                                   batch_tfms=[*aug_transforms(do_flip=False, max_rotate=8.0, size=16)])
net = nn.Sequential(ConvLayer(3, 16, stride=2), ConvLayer(16, 32, stride=2), nn.AdaptiveAvgPool2d(2), Flatten(), nn.Linear(128, 10))
learn = Learner(dls, net, loss_func=CrossEntropyLossFlat(), metrics=accuracy, model_dir=root)
with learn.no_bar():
    learn.fit_one_cycle(4, 1e-2)
    loss, acc = learn.validate()
print(f"validation: loss {loss:.4f}, accuracy {acc:.4f}")
