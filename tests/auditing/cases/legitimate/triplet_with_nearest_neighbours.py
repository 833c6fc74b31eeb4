import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

torch.manual_seed(12)
x, y = load_digits(return_X_y=True)
x = torch.tensor(x, dtype=torch.float32) / 16
y = torch.tensor(y)
order = torch.randperm(len(y))
xtr, ytr, xte, yte = x[order[:1300]], y[order[:1300]], x[order[1300:]], y[order[1300:]]

embed = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8))
optimizer = torch.optim.Adam(embed.parameters(), lr=1e-3)
triplet = nn.TripletMarginLoss(margin=0.5)


def draw_triplets(n):
    anchor = torch.randint(len(ytr), (n,))
    same = ytr[anchor][:, None] == ytr[None, :]
    same[torch.arange(n), anchor] = False
    positive = torch.multinomial(same.float(), 1).squeeze(1)
    negative = torch.multinomial((ytr[anchor][:, None] != ytr[None, :]).float(), 1).squeeze(1)
    return xtr[anchor], xtr[positive], xtr[negative]


embed.train()
for step in range(1, 151):
    a, p, n = draw_triplets(64)
    optimizer.zero_grad()
    loss = triplet(embed(a), embed(p), embed(n))
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step:4d} triplet loss {loss.item():.4f}")

embed.eval()
with torch.no_grad():
    train_emb, test_emb = embed(xtr), embed(xte)
knn = KNeighborsClassifier(5).fit(train_emb.numpy(), ytr.numpy())
print(f"kNN on the embedding, test accuracy: {knn.score(test_emb.numpy(), yte.numpy()):.4f}")
