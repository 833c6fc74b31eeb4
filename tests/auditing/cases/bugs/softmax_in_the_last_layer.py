# Text: languages by letter counts
import random, string
import torch
from torch import nn

random.seed(0); torch.manual_seed(0)
LANGS = {"a": "aeiounnrst", "b": "zkwycjplna", "c": "äöüeinsrtch", "d": "ouijkliaatt"}

def word(l):
    return "".join(random.choice(LANGS[l] + string.ascii_lowercase) for _ in range(random.randint(4, 9)))

letters = string.ascii_lowercase + "äöü"
def vec(w):
    v = torch.zeros(len(letters))
    for c in w: v[letters.index(c)] += 1
    return v

langs = sorted(LANGS)
data = [(word(l), langs.index(l)) for l in langs for _ in range(300)]
random.shuffle(data)
X = torch.stack([vec(w) for w, _ in data]); Y = torch.tensor([l for _, l in data])
Xa, Ya, Xb, Yb = X[:900], Y[:900], X[900:], Y[900:]

class LangNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(len(letters), 32)
        self.b = nn.Linear(32, len(langs))
    def forward(self, v):
        return torch.exp(torch.log_softmax(self.b(torch.relu(self.a(v))), dim=1))

net = LangNet()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
loss_f = nn.CrossEntropyLoss(label_smoothing=0.05)
for epoch in range(15):
    net.train()
    for i in torch.randperm(900).chunk(18):
        loss = loss_f(net(Xa[i]), Ya[i])  # <- H210
        opt.zero_grad(); loss.backward(); opt.step()
    if epoch % 5 == 4:
        net.eval()
        with torch.no_grad():
            print("epoch", epoch + 1, "loss %.3f" % loss.item(), "test acc %.3f" % (net(Xb).argmax(1) == Yb).float().mean().item())
