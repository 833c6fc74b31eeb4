import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
accelerator = Accelerator(cpu=True)

x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x, dtype=torch.float32) / 16, torch.tensor(y)
perm = torch.randperm(len(y))
train_dataloader = DataLoader(TensorDataset(x[perm[:1400]], y[perm[:1400]]), shuffle=True, batch_size=64)
test_dataloader = DataLoader(TensorDataset(x[perm[1400:]], y[perm[1400:]]), batch_size=128)

model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
model, optimizer, train_dataloader, test_dataloader = accelerator.prepare(model, optimizer, train_dataloader, test_dataloader)

for epoch in range(5):
    model.train()
    for source, targets in train_dataloader:
        output = model(source)
        loss = torch.nn.functional.cross_entropy(output, targets)
        accelerator.backward(loss)  # <- H201
        optimizer.step()
    model.eval()
    hits = 0
    for source, targets in test_dataloader:
        with torch.no_grad():
            hits += (model(source).argmax(1) == targets).sum().item()
    accelerator.print(f"epoch {epoch + 1}: test accuracy {hits / len(test_dataloader.dataset):.4f}")
