import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=60, random_state=4, stratify=y)
X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
m, s = X_train.mean(0), X_train.std(0)
X_train, X_test = (X_train - m) / s, (X_test - m) / s
test_loader = DataLoader(TensorDataset(X_test, y_test), batch_size=16)


def train_member(seed):
    torch.manual_seed(seed)
    bootstrap = torch.randint(len(X_train), (len(X_train),))
    loader = DataLoader(TensorDataset(X_train[bootstrap], y_train[bootstrap]), batch_size=16, shuffle=True)
    member = nn.Sequential(nn.Linear(13, 12), nn.ReLU(), nn.Linear(12, 3))
    optimizer = torch.optim.Adam(member.parameters(), lr=1e-2)
    criterion = nn.CrossEntropyLoss()
    for _ in range(12):
        for inputs, targets in loader:
            optimizer.zero_grad()
            criterion(member(inputs), targets).backward()
            optimizer.step()
    return member.eval()


ensemble = [train_member(seed) for seed in range(5)]

single = [0] * len(ensemble)
together = 0
with torch.no_grad():
    for inputs, targets in test_loader:
        probabilities = torch.stack([member(inputs).softmax(-1) for member in ensemble])
        for k in range(len(ensemble)):
            single[k] += (probabilities[k].argmax(-1) == targets).sum().item()
        together += (probabilities.mean(0).argmax(-1) == targets).sum().item()

for k, hits in enumerate(single):
    print(f"member {k}: test accuracy {hits / len(y_test):.3f}")
print(f"ensemble: test accuracy {together / len(y_test):.3f}")
