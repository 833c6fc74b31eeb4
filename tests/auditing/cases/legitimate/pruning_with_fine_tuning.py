import torch
import torch.nn.utils.prune as prune
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(100)
d = load_digits()
ds = TensorDataset(torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target))
idx = torch.randperm(len(ds))
trainloader = DataLoader(Subset(ds, idx[:1500]), batch_size=75, shuffle=True)
testloader = DataLoader(Subset(ds, idx[1500:]), batch_size=99, shuffle=False)

model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
criterion = nn.CrossEntropyLoss()


def train(epochs, lr):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    model.train()
    for _ in range(epochs):
        for inputs, labels in trainloader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()


def test():
    correct = total = 0
    model.eval()
    with torch.no_grad():
        for images, labels in testloader:
            _, predicted = torch.max(model(images).data, 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    return 100 * correct / total


train(6, 0.1)
print('dense: accuracy on the test images: %.2f %%' % test())

layers = [(m, 'weight') for m in model if isinstance(m, nn.Linear)]
for step in range(3):
    prune.global_unstructured(layers, pruning_method=prune.L1Unstructured, amount=0.5)
    zero = sum(float((m.weight == 0).sum()) for m, _ in layers) / sum(m.weight.nelement() for m, _ in layers)
    before = test()
    train(2, 0.02)
    print('sparsity %.1f %%: accuracy on the test images: %.2f %% before, %.2f %% after fine-tuning' % (100 * zero, before, test()))
for m, name in layers:
    prune.remove(m, name)
print('pruning made permanent: %.2f %%' % test())
