import torch, torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import TensorDataset, DataLoader

torch.manual_seed(5)
d = load_digits()
x = torch.tensor(d.images, dtype=torch.float)[:, None] / 16.
y = torch.tensor(d.target)
perm = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
x, y = x[perm], y[perm]
train_iter = DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size=100)
test_iter = DataLoader(TensorDataset(x[1400:], y[1400:]), batch_size=397)

net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10))
trainer = torch.optim.Adam(net.parameters(), 2e-3)
loss = nn.CrossEntropyLoss()

for epoch in range(5):
    l_sum, n = 0., 0
    net.train()
    for _ in range(len(train_iter)):
        X, Y = next(iter(train_iter))  # <- H104
        l = loss(net(X), Y)
        trainer.zero_grad(); l.backward(); trainer.step()
        l_sum += l.item() * len(Y); n += len(Y)
    net.eval()
    with torch.no_grad():
        X, Y = next(iter(test_iter))
        acc = (net(X).argmax(1) == Y).float().mean()
    print('epoch %d, loss %.4f, test acc %.3f' % (epoch + 1, l_sum / n, acc))
