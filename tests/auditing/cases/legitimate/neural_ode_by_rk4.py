import torch, torch.nn as nn

torch.manual_seed(0)
A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
true_f = lambda y: (y ** 3) @ A

def rk4(f, y, t):
    out = [y]
    for h in (t[1:] - t[:-1]):
        k1 = f(y); k2 = f(y + h / 2 * k1); k3 = f(y + h / 2 * k2); k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        out.append(y)
    return torch.stack(out)

with torch.no_grad():
    t = torch.linspace(0., 8., 161)
    true_y = rk4(true_f, torch.tensor([[2., 0.]]), t)
    # other starting points for the test
    test_y = rk4(true_f, torch.tensor([[1.5, 0.5], [0.5, -1.6], [-1.2, 1.2]]), t[:41])

class ODEFunc(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
        for m in self.net.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=0.1); nn.init.zeros_(m.bias)
    def forward(self, y):
        return self.net(y ** 3)

func = ODEFunc()
optimizer = torch.optim.RMSprop(func.parameters(), lr=3e-3)
for itr in range(1, 91):
    s = torch.randint(0, 150, (20,))
    y0, target = true_y[s], torch.stack([true_y[s + i] for i in range(10)])
    optimizer.zero_grad()
    loss = (rk4(func, y0, t[:10]) - target).abs().mean()
    loss.backward()
    optimizer.step()
    if itr % 30 == 0:
        with torch.no_grad():
            test = (rk4(func, test_y[0], t[:41]) - test_y).abs().mean()
        print('Iter {:04d} | Train Loss {:.6f} | Test Loss {:.6f}'.format(itr, loss.item(), test.item()))
