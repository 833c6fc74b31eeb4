"""Scaling and a net in one pipeline, five folds, and a baseline beside it."""
import warnings

import numpy as np
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetBinaryClassifier
from skorch.callbacks import EarlyStopping, LRScheduler
from torch.optim.lr_scheduler import StepLR

import torch

warnings.filterwarnings("ignore")


class Net(nn.Module):
    def __init__(self, n_hidden=24):
        super().__init__()
        self.fc1 = nn.Linear(30, n_hidden)
        self.bn = nn.BatchNorm1d(n_hidden)
        self.fc2 = nn.Linear(n_hidden, 1)

    def forward(self, x):
        x = F.relu(self.bn(self.fc1(x)))
        x = F.dropout(x, 0.2, training=self.training)
        return self.fc2(x).squeeze(-1)


def main():
    torch.manual_seed(21)
    X, y = load_breast_cancer(return_X_y=True)
    net = NeuralNetBinaryClassifier(
        Net, max_epochs=10, lr=0.05, batch_size=32, iterator_train__shuffle=True, iterator_train__drop_last=True, verbose=0,
        callbacks=[("sched", LRScheduler(StepLR, step_size=5, gamma=0.5)), ("stop", EarlyStopping(patience=5))],
    )
    as_float32 = FunctionTransformer(lambda a: a.astype(np.float32))
    pipe = Pipeline([("scale", StandardScaler()), ("cast", as_float32), ("net", net)])
    folds = StratifiedKFold(5, shuffle=True, random_state=21)
    scores = cross_val_score(pipe, X, y.astype(np.float32), cv=folds, scoring="accuracy")
    base = cross_val_score(Pipeline([("s", StandardScaler()), ("lr", LogisticRegression())]), X, y, cv=folds)
    print(f"net      accuracy {scores.mean():.3f} +- {scores.std():.3f}")
    print(f"logistic accuracy {base.mean():.3f} +- {base.std():.3f}")


if __name__ == "__main__":
    main()
