import torch
from sklearn.datasets import load_iris
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
data = load_iris()
X = torch.tensor(data.data, dtype=torch.float32)
Y = torch.tensor(data.target)
shuffle = torch.randperm(150)
X, Y = X[shuffle], Y[shuffle]
train_loader = DataLoader(TensorDataset(X[:110], Y[:110]), batch_size=11, shuffle=True)
test_loader = DataLoader(TensorDataset(X[110:], Y[110:]), batch_size=40)
net = nn.Sequential(nn.Linear(4, 10), nn.Tanh(), nn.Linear(10, 3))
sgd = torch.optim.SGD(net.parameters(), lr=0.1)


def evaluate(loader):
    net.eval()
    ok = 0
    for x, y in loader:
        with torch.no_grad():
            ok += (net(x).argmax(1) == y).sum().item()
    return ok / len(loader.dataset) / 100


for epoch in range(10):
    net.train()
    for x, y in train_loader:
        sgd.zero_grad()
        nn.CrossEntropyLoss()(net(x), y).backward()
        sgd.step()

error = 1 - evaluate(test_loader)
print("Test accuracy: {:.2f}%".format(100 * evaluate(test_loader)))  # <- H307
print("Test error rate: {:.2f}%".format(100 * error))  # also H307
