import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
Xtr, Xva, ytr, yva = train_test_split(*load_digits(return_X_y=True), test_size=.25, random_state=0)
tensorize = lambda X, y: TensorDataset(torch.tensor(X / 16., dtype=torch.float), torch.tensor(y))
dl = {'train': DataLoader(tensorize(Xtr, ytr), 50, shuffle=True), 'val': DataLoader(tensorize(Xva, yva), 50)}

body = nn.Sequential(nn.Linear(64, 80), nn.ReLU())
head = nn.Linear(80, 10)
# slow SGD for the body, fast Adam for the head, each with its own schedule
opts = [torch.optim.SGD(body.parameters(), lr=.05, momentum=.9), torch.optim.Adam(head.parameters(), lr=5e-3)]
scheds = [torch.optim.lr_scheduler.StepLR(opts[0], 3, .5), torch.optim.lr_scheduler.ExponentialLR(opts[1], .9)]

for epoch in range(8):
    for phase in ['train', 'val']:
        body.train(phase == 'train'); head.train(phase == 'train')
        running_loss, running_corrects = 0.0, 0
        for inputs, labels in dl[phase]:
            for o in opts: o.zero_grad()
            with torch.set_grad_enabled(phase == 'train'):
                outputs = head(body(inputs))
                _, preds = torch.max(outputs, 1)
                loss = nn.functional.cross_entropy(outputs, labels)
                if phase == 'train':
                    loss.backward()
                    for o in opts: o.step()
            running_loss += loss.item() * inputs.size(0)
            running_corrects += torch.sum(preds == labels.data)
        if phase == 'train':
            for s in scheds: s.step()
        epoch_loss = running_loss / len(dl[phase].dataset)
        epoch_acc = running_corrects.double() / len(dl[phase].dataset)
        print('{} {} Loss: {:.4f} Acc: {:.4f}'.format(epoch, phase, epoch_loss, epoch_acc))
