import torch
from sklearn.datasets import load_iris
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

torch.manual_seed(0)
torch.set_grad_enabled(False)

X, y = load_iris(return_X_y=True)
perm = torch.randperm(150)
X, y = torch.tensor(X, dtype=torch.float32)[perm], torch.tensor(y)[perm]
X = (X - X[:100].mean(0)) / X[:100].std(0)
train, test = (X[:100], y[:100]), (X[100:], y[100:])

net = nn.Sequential(nn.Linear(4, 10), nn.Tanh(), nn.Linear(10, 3))
theta = parameters_to_vector(net.parameters())
sigma, alpha, population = 0.1, 0.3, 30


def fitness(vec):
    vector_to_parameters(vec, net.parameters())
    return -nn.functional.cross_entropy(net(train[0]), train[1])


for generation in range(1, 41):
    noise = torch.randn(population, theta.numel())
    scores = torch.stack([fitness(theta + sigma * n) - fitness(theta - sigma * n) for n in noise]) / 2
    theta = theta + alpha * (scores[:, None] * noise).mean(0) / sigma
    if generation % 10 == 0:
        vector_to_parameters(theta, net.parameters())
        train_loss = nn.functional.cross_entropy(net(train[0]), train[1])
        acc = (net(test[0]).argmax(1) == test[1]).float().mean()
        print(f"generation {generation}: train loss {train_loss:.4f}, test accuracy {acc:.3f}")
