import torch
from sklearn.datasets import load_iris
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix

torch.manual_seed(4)
iris = load_iris()
x = torch.tensor(iris.data, dtype=torch.float32)
x = (x - torch.tensor([5.8, 3.0, 3.7, 1.2])) / torch.tensor([0.8, 0.4, 1.8, 0.8])
dataset = TensorDataset(x, torch.tensor(iris.target))
train_set, val_set = random_split(dataset, [110, 40])
loaders = {"train": DataLoader(train_set, 10, shuffle=True), "val": DataLoader(val_set, 16)}

net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()
meters = {phase: (MeanMetric(), MulticlassAccuracy(num_classes=3, average="micro")) for phase in loaders}
confusion = MulticlassConfusionMatrix(num_classes=3)

for epoch in range(10):
    for phase, loader in loaders.items():
        loss_meter, acc_meter = meters[phase]
        loss_meter.reset()
        acc_meter.reset()
        net.train(phase == "train")
        for inputs, targets in loader:
            with torch.set_grad_enabled(phase == "train"):
                outputs = net(inputs)
                loss = loss_fn(outputs, targets)
            if phase == "train":
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
            loss_meter.update(loss.detach(), weight=len(targets))
            acc_meter.update(outputs, targets)
    print(f"{epoch:2d} " + "  ".join(f"{p}: loss {m[0].compute():.4f} acc {m[1].compute():.4f}" for p, m in meters.items()))

net.eval()
with torch.no_grad():
    for inputs, targets in loaders["val"]:
        confusion.update(net(inputs), targets)
print(confusion.compute())
