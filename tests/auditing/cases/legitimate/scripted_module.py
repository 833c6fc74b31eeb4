import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

torch.manual_seed(10)
iris = load_iris()
xtr, xte, ytr, yte = train_test_split(iris.data, iris.target, test_size=50, random_state=10, stratify=iris.target)
mu, sd = xtr.mean(axis=0), xtr.std(axis=0)
tr = TensorDataset(torch.tensor((xtr - mu) / sd).float(), torch.tensor(ytr))
te = TensorDataset(torch.tensor((xte - mu) / sd).float(), torch.tensor(yte))


class Gate(nn.Module):
    def __init__(self, d: int):
        super().__init__()
        self.lin = nn.Linear(d, d)

    def forward(self, x: Tensor) -> Tensor:
        g = torch.sigmoid(self.lin(x))
        if bool(g.mean() > 2.0):      # control flow that tracing would lose
            return x
        return x * g


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 32)
        self.gate = Gate(32)
        self.dropout = nn.Dropout(0.1)
        self.b = nn.Linear(32, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.dropout(self.gate(torch.relu(self.a(x)))))


net = torch.jit.script(Net())
optim = torch.optim.Adam(net.parameters(), lr=1e-2)
loader = DataLoader(tr, batch_size=20, shuffle=True)
for epoch in range(20):
    net.train()
    for x, y in loader:
        optim.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optim.step()
    if epoch % 5 == 4:
        net.eval()
        with torch.no_grad():
            acc = sum((net(x).argmax(1) == y).sum().item() for x, y in DataLoader(te, 25)) / len(te)
        print('epoch', epoch + 1, 'loss %.4f' % loss.item(), 'test acc %.3f' % acc)
traced = torch.jit.freeze(net.eval())
with torch.no_grad():
    x, y = te.tensors
    print('frozen module, test acc %.3f' % (traced(x).argmax(1) == y).float().mean().item())
