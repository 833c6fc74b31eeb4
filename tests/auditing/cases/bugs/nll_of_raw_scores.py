import torch, torch.nn as nn, torch.optim as optim
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

torch.manual_seed(1)
iris = load_iris()
Xtr, Xte, ytr, yte = train_test_split(iris.data, iris.target, test_size=.3, random_state=1, stratify=iris.target)
Xtr = torch.FloatTensor(Xtr); Xte = torch.FloatTensor(Xte)
ytr = torch.LongTensor(ytr); yte = torch.LongTensor(yte)

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 16)
        self.fc2 = nn.Linear(16, 3)
    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))

model = Model()
optimizer = optim.SGD(model.parameters(), lr=0.02)
criterion = nn.NLLLoss()
for epoch in range(60):
    optimizer.zero_grad()
    output = model(Xtr)
    loss = criterion(output, ytr)  # <- H210
    loss.backward()
    optimizer.step()
    if (epoch + 1) % 15 == 0:
        with torch.no_grad():
            correct = (model(Xte).argmax(1) == yte).sum().item()
        print('epoch {}, loss {:.3f}, test accuracy {:.1f}%'.format(epoch + 1, loss.item(), 100. * correct / len(yte)))
