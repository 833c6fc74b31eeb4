from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
import torch, torch.nn as nn

X, y = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X / 16, y, test_size=.2)
Xtr, Xte = torch.FloatTensor(Xtr), torch.FloatTensor(Xte)
ytr, yte = torch.LongTensor(ytr), torch.LongTensor(yte)

dl = torch.utils.data.DataLoader(list(zip(Xtr, ytr)), batch_size=64, shuffle=True)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(model.parameters(), 1e-2)

for ep in range(5):
    for xb, yb in dl:
        loss = nn.CrossEntropyLoss()(model(xb), yb)
        opt.zero_grad(); loss.backward(); opt.step()
    with torch.no_grad():
        print(ep, 'loss', loss.item(), 'test acc', (model(Xte).argmax(1) == yte).float().mean().item())
