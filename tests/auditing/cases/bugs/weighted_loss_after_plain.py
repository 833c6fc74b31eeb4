# Imbalanced classes: does weighting the loss help?
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(44)
y = (torch.rand(1600) < 0.12).long()
x = torch.randn(1600, 8) + 0.9 * y[:, None] * torch.tensor([1., 1, 1, 0, 0, 0, 0, 0])
trainset, testset = TensorDataset(x[:1200], y[:1200]), TensorDataset(x[1200:], y[1200:])
trainloader = DataLoader(trainset, batch_size=60, shuffle=True)
testloader = DataLoader(testset, batch_size=100)

net = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)


def train(criterion, epochs):
    net.train()
    for epoch in range(epochs):
        for inputs, labels in trainloader:
            optimizer.zero_grad()
            loss = criterion(net(inputs), labels)
            loss.backward()
            optimizer.step()


def recall_and_accuracy():
    net.eval()
    tp = pos = right = 0
    with torch.no_grad():
        for inputs, labels in testloader:
            pred = net(inputs).argmax(1)
            tp += ((pred == 1) & (labels == 1)).sum().item()
            pos += (labels == 1).sum().item()
            right += (pred == labels).sum().item()
    return tp / pos, right / len(testset)


print("--- experiment 1: plain cross entropy ---")
train(nn.CrossEntropyLoss(), 4)
recall, acc = recall_and_accuracy()
print("recall of the rare class %.3f, test accuracy %.3f" % (recall, acc))

print("--- experiment 2: weighted cross entropy ---")
train(nn.CrossEntropyLoss(weight=torch.tensor([1.0, 7.0])), 4)  # <- missed H401
recall, acc = recall_and_accuracy()
print("recall of the rare class %.3f, test accuracy %.3f" % (recall, acc))
