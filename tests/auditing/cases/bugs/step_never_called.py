import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
Xtr, Xte, ytr, yte = train_test_split(
    torch.tensor(X).float(), torch.tensor(y), test_size=0.3, random_state=0
)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))

    def forward(self, x):
        return self.layers(x)


clf = Classifier()
loss_func = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(clf.parameters(), lr=1e-2)  # <- H202

for epoch in range(30):
    clf.train()
    optimizer.zero_grad()
    out = clf(Xtr)
    loss = loss_func(out, ytr)
    loss.backward()
    if epoch % 10 == 9:
        clf.eval()
        with torch.no_grad():
            acc = (clf(Xte).argmax(1) == yte).float().mean()
        print(f"epoch {epoch + 1} loss {loss:.3f} test accuracy {acc:.3f}")
