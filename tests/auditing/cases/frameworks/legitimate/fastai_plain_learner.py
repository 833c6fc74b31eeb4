"""fastai's Learner around ordinary PyTorch data sets, with callbacks that save and stop."""
from tempfile import TemporaryDirectory

import torch
from fastai.basics import *
from fastai.callback.all import *
from sklearn.datasets import load_breast_cancer
from torch.utils.data import TensorDataset


def get_sets(seed=9):
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.RandomState(seed).permutation(len(y))
    a, b, c = np.split(order, [350, 460])
    m, s = X[a].mean(0), X[a].std(0)
    make = lambda i: TensorDataset(torch.tensor((X[i] - m) / s, dtype=torch.float), torch.tensor(y[i]))
    return make(a), make(b), make(c)


if __name__ == "__main__":
    set_seed(9)
    train_ds, valid_ds, test_ds = get_sets()
    dls = DataLoaders.from_dsets(train_ds, valid_ds, bs=32, device="cpu", num_workers=0)
    model = nn.Sequential(nn.Linear(30, 50), nn.BatchNorm1d(50), nn.ReLU(), nn.Dropout(0.2), nn.Linear(50, 2))
    with TemporaryDirectory() as tmp:
        learner = Learner(
            dls, model, loss_func=nn.CrossEntropyLoss(), opt_func=partial(OptimWrapper, opt=torch.optim.AdamW),
            metrics=accuracy, path=tmp,
        )
        with learner.no_bar():
            trackers = [SaveModelCallback(monitor="accuracy"), EarlyStoppingCallback(monitor="valid_loss", patience=4)]
            learner.fit_flat_cos(6, 3e-3, cbs=trackers)
            test_loss, test_acc = learner.validate(dl=DataLoader(test_ds, bs=64, num_workers=0))
    print(f"Test accuracy: {test_acc:.3f} (loss {test_loss:.3f})")
