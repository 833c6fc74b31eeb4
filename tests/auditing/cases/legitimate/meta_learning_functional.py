"""MAML on sine waves with torch.func: second order, one inner step."""
import torch
from torch import nn
from torch.func import functional_call

torch.manual_seed(1)
model = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
meta_opt = torch.optim.Adam(model.parameters(), lr=3e-3)
mse = nn.MSELoss()
INNER_LR = 0.05


def task(generator):
    amplitude = 0.5 + 2 * torch.rand(1, generator=generator)
    phase = 3.14 * torch.rand(1, generator=generator)

    def draw(k):
        x = 10 * torch.rand(k, 1, generator=generator) - 5
        return x, amplitude * torch.sin(x + phase)

    return draw


def adapt(params, x, y, steps, create_graph):
    for _ in range(steps):
        loss = mse(functional_call(model, params, (x,)), y)
        grads = torch.autograd.grad(loss, tuple(params.values()), create_graph=create_graph)
        params = {k: p - INNER_LR * g for (k, p), g in zip(params.items(), grads)}
    return params


train_gen = torch.Generator().manual_seed(10)
for it in range(1, 201):
    meta_loss = 0.0
    for _ in range(4):
        draw = task(train_gen)
        xs, ys = draw(10)
        xq, yq = draw(10)
        fast = adapt(dict(model.named_parameters()), xs, ys, 1, create_graph=True)
        meta_loss = meta_loss + mse(functional_call(model, fast, (xq,)), yq)
    meta_loss = meta_loss / 4
    meta_opt.zero_grad()
    meta_loss.backward()
    meta_opt.step()
    if it % 50 == 0:
        print(f"iteration {it:4d} meta loss {meta_loss.item():.3f}")

# tasks that were never met, five points each
test_gen = torch.Generator().manual_seed(77)
before = after = 0.0
for _ in range(20):
    draw = task(test_gen)
    xs, ys = draw(10)
    xq, yq = draw(100)
    base = {k: p.detach().requires_grad_() for k, p in model.named_parameters()}
    fast = adapt(base, xs, ys, 3, create_graph=False)
    with torch.no_grad():
        before += mse(functional_call(model, base, (xq,)), yq).item()
        after += mse(functional_call(model, fast, (xq,)), yq).item()
print(f"test tasks: mse before adaptation {before / 20:.3f}, after {after / 20:.3f}")
