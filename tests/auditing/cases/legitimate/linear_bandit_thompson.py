# neural bandit: the reward model is retrained on everything seen so far after each block of rounds
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
ARMS, DIM, BLOCKS, ROUNDS = 4, 6, 8, 50
theta = torch.randn(ARMS, DIM)
history_x, history_r, regret = [], [], 0.0
model = nn.Sequential(nn.Linear(DIM + ARMS, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)

for block in range(BLOCKS):
    contexts = torch.randn(ROUNDS, DIM)
    block_regret = 0.0
    model.eval()
    for c in contexts:
        inputs = torch.cat([c.expand(ARMS, DIM), torch.eye(ARMS)], 1)
        with torch.no_grad():
            guess = model(inputs).squeeze(1)
        arm = torch.randint(0, ARMS, ()).item() if torch.rand(()) < 0.5 / (block + 1) else guess.argmax().item()
        means = theta @ c
        history_x.append(inputs[arm])
        history_r.append(means[arm] + 0.1 * torch.randn(()))
        block_regret += (means.max() - means[arm]).item()
    regret += block_regret
    model.train()
    dl = DataLoader(TensorDataset(torch.stack(history_x), torch.stack(history_r)), batch_size=32, shuffle=True)
    for _ in range(10):
        for x, r in dl:
            opt.zero_grad()
            loss = nn.functional.mse_loss(model(x).squeeze(1), r)
            loss.backward()
            opt.step()
    print(f"block {block}: mean regret {block_regret / ROUNDS:.3f}, total {regret:.1f}, last loss {loss.item():.3f}")
