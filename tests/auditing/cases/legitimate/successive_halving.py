import math
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X_rest, X_test, y_rest, y_test = train_test_split(X / 16, y, test_size=0.2, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X_rest, y_rest, test_size=0.25, random_state=0)
f = lambda a, b: TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b))
train_set, val_set, test_set = f(X_train, y_train), f(X_val, y_val), f(X_test, y_test)


def train_eval(config, epochs, seed=0):
    """Fresh weights for every configuration and budget."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, config['width']), nn.ReLU(), nn.Dropout(config['dropout']), nn.Linear(config['width'], 10))
    opt = torch.optim.AdamW(model.parameters(), lr=config['lr'])
    loader = DataLoader(train_set, batch_size=config['batch'], shuffle=True)
    for _ in range(epochs):
        model.train()
        for xb, yb in loader:
            opt.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            opt.step()
    return accuracy(model, val_set), model


def accuracy(model, data):
    model.eval()
    with torch.no_grad():
        return sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in DataLoader(data, 256)) / len(data)


def sample_config(g):
    u = torch.rand(4, generator=g).tolist()
    return dict(lr=10 ** (-4 + 2.5 * u[0]), width=2 ** int(4 + 3 * u[1]), dropout=round(0.5 * u[2], 2), batch=[32, 64, 128][int(3 * u[3])])


g = torch.Generator().manual_seed(7)
configs = [sample_config(g) for _ in range(8)]
budget = 1
while len(configs) > 1:
    scored = sorted(((train_eval(c, budget)[0], i) for i, c in enumerate(configs)), reverse=True)
    print(f'budget {budget}: ' + ' '.join(f'{s:.3f}' for s, _ in scored))
    configs = [configs[i] for _, i in scored[: math.ceil(len(configs) / 2)]]
    budget *= 2
val, model = train_eval(configs[0], budget)
print(f'winner {configs[0]}: val acc {val:.4f}, test acc {accuracy(model, test_set):.4f}')
