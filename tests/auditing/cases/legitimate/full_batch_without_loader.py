import torch
from sklearn.datasets import load_iris

torch.manual_seed(42)
iris = load_iris()
X = torch.tensor(iris.data, dtype=torch.float32)
y = torch.tensor(iris.target, dtype=torch.long)

perm = torch.randperm(150)
X_train, X_test = X[perm[:120]], X[perm[120:]]
y_train, y_test = y[perm[:120]], y[perm[120:]]


class Model(torch.nn.Module):
    def __init__(self, in_features=4, h1=8, h2=9, out_features=3):
        super().__init__()
        self.fc1 = torch.nn.Linear(in_features, h1)
        self.fc2 = torch.nn.Linear(h1, h2)
        self.out = torch.nn.Linear(h2, out_features)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.out(x)


model = Model()
criterion = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)

losses = []
for i in range(120):
    y_pred = model(X_train)
    loss = criterion(y_pred, y_train)
    losses.append(loss.detach().numpy())
    if i % 20 == 0:
        print(f'Epoch: {i} and loss: {loss}')
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with torch.no_grad():
    y_eval = model(X_test)
    loss = criterion(y_eval, y_test)
print('test loss', loss.item())

correct = 0
with torch.no_grad():
    for i, data in enumerate(X_test):
        y_val = model(data)
        if y_val.argmax().item() == y_test[i]:
            correct += 1
print(f'We got {correct} correct of {len(X_test)}')

new_iris = torch.tensor([4.7, 3.2, 1.3, 0.2])
with torch.no_grad():
    print(iris.target_names[model(new_iris).argmax().item()])
