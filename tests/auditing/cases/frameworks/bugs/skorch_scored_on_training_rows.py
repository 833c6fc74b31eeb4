import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier

torch.manual_seed(1)
X, y = load_digits(return_X_y=True)
X, y = X.astype("float32") / 16, y.astype("int64")
X_train, X_valid, y_train, y_valid = train_test_split(X, y, random_state=1)

module = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
net = NeuralNetClassifier(
    module,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=3e-3,
    max_epochs=10,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
net.fit(X_train, y_train)
score = net.score(X_train, y_train)  # <- H101
print(f"validation accuracy: {score:.4f}")
