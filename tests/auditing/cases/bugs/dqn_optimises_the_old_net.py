"""DQN on a short chain of states with a replay buffer."""
import random
from collections import deque

import torch
import torch.nn as nn

random.seed(0)
torch.manual_seed(0)
N = 8


def env_step(s, a):
    s2 = max(0, s - 1) if a == 0 else min(N - 1, s + 1)
    reward = 1.0 if s2 == N - 1 else (0.05 if s2 == 0 else 0.0)
    return s2, reward, s2 == N - 1


def one_hot(s):
    return nn.functional.one_hot(torch.as_tensor(s), N).float()


def make_q():
    return nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))


class Agent:
    def __init__(self):
        self.q = make_q()
        self.opt = torch.optim.Adam(self.q.parameters(), lr=2e-3)  # <- H202
        self.target = make_q()
        self.target.load_state_dict(self.q.state_dict())
        self.buffer = deque(maxlen=2000)
        self.reset_exploration()

    def reset_exploration(self):
        self.eps = 1.0
        self.q = make_q()

    def act(self, s):
        if random.random() < self.eps:
            return random.randrange(2)
        with torch.no_grad():
            return self.q(one_hot(s)).argmax().item()

    def learn(self):
        s, a, r, s2, d = zip(*random.sample(self.buffer, 32))
        q = self.q(one_hot(s)).gather(1, torch.tensor(a)[:, None]).squeeze(1)
        with torch.no_grad():
            best = self.target(one_hot(s2)).max(1).values
        goal = torch.tensor(r) + 0.95 * best * (1 - torch.tensor(d).float())
        loss = nn.functional.smooth_l1_loss(q, goal)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss.item()


agent = Agent()
for episode in range(40):
    s, done, steps, total = 0, False, 0, 0.0
    while not done and steps < 40:
        a = agent.act(s)
        s2, r, done = env_step(s, a)
        agent.buffer.append((s, a, r, s2, float(done)))
        s, steps, total = s2, steps + 1, total + r
        if len(agent.buffer) >= 64:
            loss = agent.learn()
    agent.eps = max(0.1, agent.eps * 0.93)
    if episode % 4 == 0:
        agent.target.load_state_dict(agent.q.state_dict())
    if episode % 10 == 9:
        print(f"episode {episode + 1} return {total:.2f} steps {steps} loss {loss:.4f} eps {agent.eps:.2f}")
