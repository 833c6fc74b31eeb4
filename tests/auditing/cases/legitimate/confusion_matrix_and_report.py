import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from sklearn import metrics
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


class DigitDataset(Dataset):
    def __init__(self, x, y):
        self.x = torch.from_numpy(x).float()
        self.y = torch.from_numpy(y).long()

    def __getitem__(self, i):
        return {"x": self.x[i], "y": self.y[i]}

    def __len__(self):
        return self.x.shape[0]


torch.manual_seed(1234)
np.random.seed(1234)
X, y = load_digits(return_X_y=True)
X = X / 16.
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=1234)
trainloader = DataLoader(DigitDataset(X_train, y_train), batch_size=32, shuffle=True, num_workers=0)
testloader = DataLoader(DigitDataset(X_test, y_test), batch_size=32, shuffle=False, num_workers=0)

net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(p=0.2), nn.Linear(64, 10))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)

for epoch in range(6):
    net.train()
    running_loss = 0.0
    for i, data in enumerate(trainloader, 0):
        inputs, labels = data["x"], data["y"]
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        if i % 20 == 19:
            print('[%d, %5d] loss: %.3f' % (epoch + 1, i + 1, running_loss / 20))
            running_loss = 0.0
print('Finished Training')

net.eval()
all_preds = torch.tensor([], dtype=torch.long)
all_labels = torch.tensor([], dtype=torch.long)
with torch.no_grad():
    for data in testloader:
        outputs = net(data["x"])
        all_preds = torch.cat((all_preds, outputs.argmax(dim=1)))
        all_labels = torch.cat((all_labels, data["y"]))

cm = metrics.confusion_matrix(all_labels.numpy(), all_preds.numpy())
print(cm)
print("Accuracy:", metrics.accuracy_score(all_labels, all_preds))
print("Accuracy from the matrix: %.4f" % (np.trace(cm) / cm.sum()))
print(metrics.classification_report(all_labels, all_preds, digits=4))
for k in range(10):
    print('Accuracy of %d : %.1f %%' % (k, 100 * cm[k, k] / cm[k].sum()))
