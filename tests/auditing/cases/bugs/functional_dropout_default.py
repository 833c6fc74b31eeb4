import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_wine
from torch.utils.data import DataLoader, TensorDataset


class TabNet(nn.Module):
    def __init__(self, d_in, d_out, width=40, p=0.4):
        super().__init__()
        self.inp, self.hid, self.out = nn.Linear(d_in, width), nn.Linear(width, width), nn.Linear(width, d_out)
        self.p = p

    def forward(self, x):
        h = F.dropout(F.relu(self.inp(x)), self.p)  # <- H209
        h = h + F.relu(self.hid(h))
        return self.out(h)


def main(seed=23):
    torch.manual_seed(seed)
    wine = load_wine()
    x = torch.tensor(wine.data, dtype=torch.float32)
    y = torch.tensor(wine.target)
    perm = torch.randperm(len(x))
    tr, te = perm[:120], perm[120:]
    x = (x - x[tr].mean(0)) / x[tr].std(0)
    dl = DataLoader(TensorDataset(x[tr], y[tr]), batch_size=24, shuffle=True)
    tl = DataLoader(TensorDataset(x[te], y[te]), batch_size=58)
    net = TabNet(13, 3)
    opt = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-2)
    for epoch in range(12):
        net.train()
        for xb, yb in dl:
            loss = F.cross_entropy(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            for xb, yb in tl:
                z = net(xb)
                tl_loss, acc = F.cross_entropy(z, yb).item(), (z.argmax(1) == yb).float().mean().item()
        if epoch % 3 == 2:
            print(f"{epoch + 1:3d}: test loss {tl_loss:.3f} test acc {acc:.3f}")


main()
