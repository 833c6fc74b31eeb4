"""A rare class is repeated until the classes are even. Then the rows are split."""
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample
from skorch import NeuralNetClassifier
from torch import nn

np.random.seed(14)
torch.manual_seed(14)
X, y = load_breast_cancer(return_X_y=True)
keep = np.concatenate([np.flatnonzero(y == 1), np.flatnonzero(y == 0)[:60]])
X, y = X[keep], y[keep]

rare = resample(np.flatnonzero(y == 0), n_samples=297, random_state=14)
rows = np.concatenate([np.flatnonzero(y == 1), np.flatnonzero(y == 0), rare])
X_bal, y_bal = X[rows], y[rows]
X_train, X_test, y_train, y_test = train_test_split(X_bal, y_bal, test_size=0.3, random_state=14, stratify=y_bal)

scaler = StandardScaler()
X_train = scaler.fit_transform(X_train).astype(np.float32)
X_test = scaler.transform(X_test).astype(np.float32)


class Net(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(30, hidden), nn.ReLU(), nn.Dropout(0.2), nn.Linear(hidden, 2), nn.Softmax(-1))

    def forward(self, X):
        return self.net(X)


# skorch takes the logarithm of the probabilities itself
clf = NeuralNetClassifier(Net, max_epochs=12, lr=0.05, optimizer__momentum=0.9, iterator_train__shuffle=True, verbose=0)
clf.fit(X_train, y_train.astype(np.int64))  # also H102
accuracy = (clf.predict(X_test) == y_test).mean()  # <- H102
print("test accuracy %.3f" % accuracy)
