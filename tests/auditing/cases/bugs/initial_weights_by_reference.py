import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
proto = torch.randn(5, 18)
lab = torch.randint(0, 5, (1100,))
feat = proto[lab] + 1.8 * torch.randn(1100, 18)
train_loader = DataLoader(TensorDataset(feat[:800], lab[:800]), batch_size=50, shuffle=True)
val_loader = DataLoader(TensorDataset(feat[800:], lab[800:]), batch_size=100)

model = nn.Sequential(nn.Linear(18, 40), nn.ReLU(), nn.Linear(40, 5))
initial = model.state_dict()


def experiment(name, make_optimizer, epochs=3):
    model.load_state_dict(initial)  # <- H401
    optimizer = make_optimizer(model.parameters())
    for _ in range(epochs):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for x, y in val_loader:
            correct += (model(x).argmax(1) == y).sum().item()
    print(f"{name:10s} val acc {correct / len(val_loader.dataset):.3f}")


experiment("sgd", lambda p: optim.SGD(p, lr=0.01))
experiment("momentum", lambda p: optim.SGD(p, lr=0.01, momentum=0.9))
experiment("adam", lambda p: optim.Adam(p, lr=0.001))
