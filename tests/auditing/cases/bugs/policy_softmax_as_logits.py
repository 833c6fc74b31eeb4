"""REINFORCE on a corridor: walk right to the goal."""
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(3)


class Corridor:
    def __init__(self, n=7):
        self.n = n

    def reset(self):
        self.pos, self.t = self.n // 2, 0
        return self.obs()

    def obs(self):
        o = torch.zeros(self.n)
        o[self.pos] = 1.0
        return o

    def step(self, action):
        self.pos += 1 if action == 1 else -1
        self.t += 1
        if self.pos == self.n - 1:
            return self.obs(), 1.0, True
        if self.pos == 0:
            return self.obs(), 0.0, True
        return self.obs(), -0.02, self.t >= 25


class Policy(nn.Module):
    def __init__(self, n_obs, n_act):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_obs, 24), nn.Tanh(), nn.Linear(24, n_act), nn.Softmax(dim=-1))

    def forward(self, obs):
        return self.net(obs)


env = Corridor()
policy = Policy(7, 2)
optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
returns = []
for episode in range(120):
    obs, done, logps, rewards = env.reset(), False, [], []
    while not done:
        dist = Categorical(logits=policy(obs))  # <- H210
        action = dist.sample()
        logps.append(dist.log_prob(action))
        obs, reward, done = env.step(action.item())
        rewards.append(reward)
    G, targets = 0.0, []
    for r in reversed(rewards):
        G = r + 0.98 * G
        targets.insert(0, G)
    loss = -(torch.stack(logps) * (torch.tensor(targets) - 0.4)).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    returns.append(sum(rewards))
    if episode % 40 == 39:
        print(f"episode {episode + 1}: mean return of the last 40 {sum(returns[-40:]) / 40:.3f}")
