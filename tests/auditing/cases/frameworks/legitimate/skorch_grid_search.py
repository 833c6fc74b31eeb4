import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, train_test_split
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
np.random.seed(0)

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
y = y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)


class MLP(nn.Module):
    def __init__(self, hidden=32, dropout=0.0):
        super().__init__()
        self.hidden = nn.Linear(64, hidden)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, 10)

    def forward(self, X):
        return self.out(self.drop(torch.relu(self.hidden(X))))


net = NeuralNetClassifier(MLP, criterion=nn.CrossEntropyLoss, max_epochs=5, lr=0.1, batch_size=64,
                          optimizer=torch.optim.SGD, optimizer__momentum=0.9, iterator_train__shuffle=True, verbose=0,
                          train_split=False)
params = {"lr": [0.02, 0.1], "module__hidden": [16, 48], "module__dropout": [0.0, 0.2]}
gs = GridSearchCV(net, params, refit=True, cv=3, scoring="accuracy", verbose=1)
gs.fit(X_train, y_train)
print("best cv accuracy: {:.3f}, params: {}".format(gs.best_score_, gs.best_params_))
y_pred = gs.predict(X_test)
print("test accuracy: {:.3f}".format(accuracy_score(y_test, y_pred)))
