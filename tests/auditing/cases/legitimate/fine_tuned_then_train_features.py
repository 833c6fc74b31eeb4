"""Train a net, then a logistic regression on its features of the very same training set; score on test."""
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.33, random_state=0, stratify=y)
m, s = X_train.mean(0), X_train.std(0)
train_data = TensorDataset(torch.tensor((X_train - m) / s).float(), torch.tensor(y_train))
test_data = TensorDataset(torch.tensor((X_test - m) / s).float(), torch.tensor(y_test))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(13, 24), nn.BatchNorm1d(24), nn.ReLU())
        self.classifier = nn.Linear(24, 3)

    def forward(self, x):
        return self.classifier(self.features(x))


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(15):
    net.train()
    for x, t in DataLoader(train_data, batch_size=32, shuffle=True, drop_last=True):
        opt.zero_grad()
        nn.functional.cross_entropy(net(x), t).backward()
        opt.step()

net.eval()
with torch.no_grad():
    correct = sum((net(x).argmax(1) == t).sum().item() for x, t in DataLoader(test_data, batch_size=20))
    train_features = torch.cat([net.features(x) for x, _ in DataLoader(train_data, batch_size=50)])
    test_features = torch.cat([net.features(x) for x, _ in DataLoader(test_data, batch_size=50)])
print("network: test accuracy %.4f" % (correct / len(test_data)))
clf = LogisticRegression(max_iter=1000).fit(train_features.numpy(), y_train)
print("logistic regression on its features: test accuracy %.4f" % clf.score(test_features.numpy(), y_test))
