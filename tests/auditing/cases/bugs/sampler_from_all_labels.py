import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset, WeightedRandomSampler

SEED = 99
torch.manual_seed(SEED)

digits = load_digits()
keep = np.flatnonzero((digits.target < 5) | (np.arange(len(digits.target)) % 4 == 0))   # rare upper digits
images = torch.tensor(digits.data[keep], dtype=torch.float32) / 16
targets = torch.tensor(digits.target[keep])
dataset = TensorDataset(images, targets)

train_ids, test_ids = train_test_split(np.arange(len(dataset)), test_size=0.3, random_state=SEED, stratify=targets)
train_set, test_set = Subset(dataset, train_ids), Subset(dataset, test_ids)

# weights that level the classes
class_counts = torch.bincount(targets)
weights = (1.0 / class_counts)[targets]
sampler = WeightedRandomSampler(weights[: len(train_set)], num_samples=len(train_set), replacement=True)

train_loader = DataLoader(train_set, batch_size=50, sampler=sampler)
test_loader = DataLoader(test_set, batch_size=200)

model = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.004)
criterion = nn.CrossEntropyLoss()

for epoch in range(6):
    model.train()
    for data, label in train_loader:  # <- H107
        optimizer.zero_grad()
        loss = criterion(model(data), label)
        loss.backward()
        optimizer.step()

    model.eval()
    confusion = torch.zeros(10, 10, dtype=torch.long)
    with torch.no_grad():
        for data, label in test_loader:
            for t, p in zip(label, model(data).argmax(1)):
                confusion[t, p] += 1
    recall = confusion.diag() / confusion.sum(1)
    print("epoch {}: balanced test accuracy {:.3f} (worst class {:.3f})".format(epoch, recall.mean(), recall.min()))
