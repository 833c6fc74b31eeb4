import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)
d = load_digits()
images = torch.tensor(d.images).float().unsqueeze(1) / 16.0
target = torch.tensor(d.target)
perm = torch.randperm(len(images))
images, target = images[perm], target[perm]
loaders = {
    "train": DataLoader(TensorDataset(images[:1200], target[:1200]), batch_size=100, shuffle=True),
    "val": DataLoader(TensorDataset(images[1200:], target[1200:]), batch_size=100),
}


class ConvNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = torch.nn.Conv2d(1, 12, 3)
        self.c2 = torch.nn.Conv2d(12, 24, 3)
        self.fc = torch.nn.Linear(24 * 4, 10)

    def forward(self, x):
        x = torch.relu(self.c1(x))
        x = torch.max_pool2d(torch.relu(self.c2(x)), 2)
        return self.fc(x.flatten(1))


net = ConvNet()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
seen = {"train": 0, "val": 0}

for epoch in range(4):
    line = [f"epoch {epoch}"]
    for phase in ("train", "val"):
        net.train() if phase == "train" else net.eval()
        correct = 0
        for x, y in loaders[phase]:
            with torch.set_grad_enabled(phase == "train"):
                out = net(x)
                loss = torch.nn.functional.cross_entropy(out, y)
            if phase == "train":
                opt.zero_grad()
                loss.backward()
                opt.step()
            correct += (out.argmax(1) == y).sum().item()
            seen[phase] += len(y)
        line.append(f"{phase} acc {correct / seen[phase]:.3f}")
    print(" | ".join(line))  # <- H303
