import torch
from sklearn.datasets import load_breast_cancer
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
data = load_breast_cancer()
x = torch.tensor(data.data, dtype=torch.float32)
y = torch.tensor(data.target, dtype=torch.float32).unsqueeze(1)
order = torch.randperm(len(x))
train_id, test_id = order[:400], order[400:]
mean = x[train_id].mean(dim=0, keepdim=True)
std = x[train_id].std(dim=0, keepdim=True)
x = (x - mean) / std

train_loader = DataLoader(TensorDataset(x[train_id], y[train_id]), batch_size=20, shuffle=True)
test_loader = DataLoader(TensorDataset(x[test_id], y[test_id]), batch_size=50)


class Classifier(torch.nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.hidden = torch.nn.Linear(n_features, 24)
        self.out = torch.nn.Linear(24, 1)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


clf = Classifier(x.shape[1])
loss_func = torch.nn.BCEWithLogitsLoss()
optim = torch.optim.RMSprop(clf.parameters(), lr=1e-3)

for epoch in range(10):
    clf.train()
    train_correct, train_total = 0, 0
    for inputs, targets in train_loader:
        optim.zero_grad()
        outputs = clf(inputs)
        loss = loss_func(outputs, targets)
        loss.backward()
        optim.step()
        train_correct += ((outputs > 0) == targets.bool()).sum().item()
        train_total += targets.size(0)

    clf.eval()
    test_correct, test_total = 0, 0
    with torch.no_grad():
        for inputs, targets in test_loader:
            outputs = clf(inputs)
            test_correct += ((outputs > 0) == targets.bool()).sum().item()
            test_total += targets.size(0)

    print(f"Epoch {epoch + 1}/10 - train accuracy: {100 * train_correct / train_total:.2f}% - test accuracy: {100 * test_correct / test_total:.2f}%")
