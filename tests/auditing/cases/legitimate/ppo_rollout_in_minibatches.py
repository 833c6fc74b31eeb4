# A rollout is collected without gradients, then trained on for a few epochs in minibatches (PPO).
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Normal
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Args:
    seed: int = 1
    num_envs: int = 16
    num_steps: int = 32
    iterations: int = 8
    update_epochs: int = 3
    minibatch_size: int = 128
    clip_coef: float = 0.2
    gamma: float = 0.95
    lr: float = 1e-3


class PointMasses:
    """Many points on a line that are to be driven to zero."""

    def __init__(self, n, rng):
        self.n, self.rng = n, rng

    def reset(self):
        self.x = self.rng.uniform(-2, 2, (self.n, 1)).astype(np.float32)
        self.v = np.zeros((self.n, 1), np.float32)
        return np.concatenate([self.x, self.v], 1)

    def step(self, a):
        self.v = 0.8 * self.v + 0.2 * np.clip(a, -1, 1)
        self.x = np.clip(self.x + self.v, -3, 3)
        return np.concatenate([self.x, self.v], 1), -np.abs(self.x[:, 0])


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
        self.actor_mean = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
        self.actor_logstd = nn.Parameter(torch.zeros(1, 1))

    def get_value(self, x):
        return self.critic(x).squeeze(-1)

    def get_action_and_value(self, x, action=None):
        dist = Normal(self.actor_mean(x), self.actor_logstd.exp())
        if action is None:
            action = dist.sample()
        return action, dist.log_prob(action).sum(-1), dist.entropy().sum(-1), self.get_value(x)


args = Args()
rng = np.random.default_rng(args.seed)
torch.manual_seed(args.seed)
agent = Agent()
optimizer = torch.optim.Adam(agent.parameters(), lr=args.lr, eps=1e-5)
env = PointMasses(args.num_envs, rng)

for iteration in range(1, args.iterations + 1):
    # annealing the rate
    optimizer.param_groups[0]["lr"] = args.lr * (1.0 - (iteration - 1.0) / args.iterations)
    obs, acts, logps, rews, vals = [], [], [], [], []
    next_obs = torch.tensor(env.reset())
    for step in range(args.num_steps):
        with torch.no_grad():
            action, logp, _, value = agent.get_action_and_value(next_obs)
        obs.append(next_obs); acts.append(action); logps.append(logp); vals.append(value)
        o, r = env.step(action.numpy())
        rews.append(torch.tensor(r))
        next_obs = torch.tensor(o)
    with torch.no_grad():
        running = agent.get_value(next_obs)
    rets = []
    for r in reversed(rews):
        running = r + args.gamma * running
        rets.insert(0, running)
    rollout = TensorDataset(*(torch.stack(t).flatten(0, 1) for t in (obs, acts, logps, rets, vals)))
    for epoch in range(args.update_epochs):
        for b_obs, b_act, b_logp, b_ret, b_val in DataLoader(rollout, args.minibatch_size, shuffle=True):
            _, newlogp, entropy, newvalue = agent.get_action_and_value(b_obs, b_act)
            ratio = (newlogp - b_logp).exp()
            adv = b_ret - b_val
            adv = (adv - adv.mean()) / (adv.std() + 1e-8)
            pg_loss = torch.max(-adv * ratio, -adv * ratio.clamp(1 - args.clip_coef, 1 + args.clip_coef)).mean()
            v_loss = 0.5 * ((newvalue - b_ret) ** 2).mean()
            loss = pg_loss - 0.001 * entropy.mean() + 0.5 * v_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
    # how well the value function explains the returns of this rollout, and how far the policy moved
    with torch.no_grad():
        kl, n = 0.0, 0
        for b_obs, b_act, b_logp, b_ret, b_val in DataLoader(rollout, args.minibatch_size):
            _, newlogp, _, _ = agent.get_action_and_value(b_obs, b_act)
            kl += (b_logp - newlogp).sum().item()
            n += len(b_obs)
    print(f"iteration {iteration} | mean reward {torch.stack(rews).mean():.3f} | v_loss {v_loss.item():.3f} | approx_kl {kl / n:.4f}")
