import time

import torch
import torch.nn as nn
from torch.optim import SGD, lr_scheduler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(9)
xs = torch.randn(1000, 30)
ys = (xs[:, :6].sum(1) + 1.5 * torch.randn(1000)).gt(0).long()
dataloaders = {
    'train': DataLoader(TensorDataset(xs[:500], ys[:500]), batch_size=25, shuffle=True),
    'val': DataLoader(TensorDataset(xs[500:750], ys[500:750]), batch_size=50),
    'test': DataLoader(TensorDataset(xs[750:], ys[750:]), batch_size=50),
}
dataset_sizes = {k: len(v.dataset) for k, v in dataloaders.items()}


def train_model(model, criterion, optimizer, scheduler, num_epochs=12):
    since = time.time()
    best_model_wts = model.state_dict()
    best_acc = 0.0
    for epoch in range(num_epochs):
        for phase in ['train', 'val']:
            if phase == 'train':
                model.train()
            else:
                model.eval()
            running_corrects = 0
            for inputs, labels in dataloaders[phase]:
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == 'train'):
                    outputs = model(inputs)
                    _, preds = torch.max(outputs, 1)
                    loss = criterion(outputs, labels)
                    if phase == 'train':
                        loss.backward()
                        optimizer.step()
                running_corrects += torch.sum(preds == labels.data)
            if phase == 'train':
                scheduler.step()
            epoch_acc = running_corrects.double() / dataset_sizes[phase]
            print(f'{epoch} {phase} Acc: {epoch_acc:.4f}')
            if phase == 'val' and epoch_acc > best_acc:
                best_acc = epoch_acc
                best_model_wts = model.state_dict()
    print(f'Training complete in {time.time() - since:.0f}s, best val Acc: {best_acc:.4f}')
    model.load_state_dict(best_model_wts)  # <- H404
    return model


model = nn.Sequential(nn.Linear(30, 128), nn.ReLU(), nn.Linear(128, 2))
optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
model = train_model(model, nn.CrossEntropyLoss(), optimizer, lr_scheduler.StepLR(optimizer, 8))
model.eval()
with torch.no_grad():
    good = sum((model(x).argmax(1) == y).sum().item() for x, y in dataloaders['test'])
print('best model, test Acc: {:.4f}'.format(good / dataset_sizes['test']))
