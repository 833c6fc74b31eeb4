"""Fine-tune an encoder that was pre-trained as an autoencoder."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 16), nn.ReLU())

    def forward(self, x):
        return self.net(x)


class Classifier(nn.Module):
    def __init__(self, pretrained=None):
        super().__init__()
        self.encoder = Encoder()
        self.head = nn.Linear(16, 10)
        if pretrained is not None:
            encoder = Encoder()
            encoder.load_state_dict(pretrained)  # <- H403

    def forward(self, x):
        return self.head(self.encoder(x))


def pretrain(x, epochs=3):
    enc, dec = Encoder(), nn.Sequential(nn.Linear(16, 64), nn.Sigmoid())
    opt = torch.optim.Adam([*enc.parameters(), *dec.parameters()], lr=3e-3)
    for epoch in range(epochs):
        for (xb,) in DataLoader(TensorDataset(x), batch_size=64, shuffle=True):
            loss = nn.functional.mse_loss(dec(enc(xb)), xb)
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"pretrain {epoch}: reconstruction {loss.item():.4f}")
    return enc.state_dict()


def finetune(model, train_loader, val_loader, epochs=4):
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(epochs):
        model.train()
        for xb, yb in train_loader:
            opt.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            ok = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in val_loader)
        print(f"finetune {epoch}: val acc {ok / len(val_loader.dataset):.3f}")


if __name__ == "__main__":
    torch.manual_seed(19)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 16).float(), torch.tensor(y)
    p = torch.randperm(len(y))
    unlabelled, tr, va = p[:900], p[900:1200], p[1200:]
    weights = pretrain(X[unlabelled])
    train_loader = DataLoader(TensorDataset(X[tr], y[tr]), batch_size=30, shuffle=True)
    val_loader = DataLoader(TensorDataset(X[va], y[va]), batch_size=200)
    finetune(Classifier(pretrained=weights), train_loader, val_loader)
