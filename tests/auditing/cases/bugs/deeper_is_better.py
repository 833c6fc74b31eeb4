"""Ablation: does depth pay on the digits?  Each depth is trained once."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


def mlp(depth, width=48):
    layers = [nn.Linear(64, width), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


class Experiment:
    def __init__(self, depth, train_set, test_set):
        self.model = mlp(depth)
        self.train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
        self.test_loader = DataLoader(test_set, batch_size=128)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=2e-3)
        self.criterion = nn.CrossEntropyLoss()

    def train(self, epochs=8):
        for _ in range(epochs):
            self.model.train()
            for images, labels in self.train_loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(images), labels)
                loss.backward()
                self.optimizer.step()
        return self

    def test(self):
        self.model.eval()
        correct = 0
        with torch.no_grad():
            for images, labels in self.test_loader:
                correct += (self.model(images).argmax(1) == labels).sum().item()
        return 100.0 * correct / len(self.test_loader.dataset)


if __name__ == "__main__":
    torch.manual_seed(42)
    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.data / 16).float(), torch.tensor(digits.target))
    order = torch.randperm(len(data)).tolist()
    train_set, test_set = Subset(data, order[:1500]), Subset(data, order[1500:])
    results = {}
    for depth in (1, 2, 3):
        results[depth] = Experiment(depth, train_set, test_set).train().test()
        print(f"depth {depth}: test accuracy {results[depth]:.2f}%")
    winner = max(results, key=results.get)
    print(f"The winner is depth {winner} with {results[winner]:.2f}%")  # <- H407
