import random
from collections import deque

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical

SEED = 543
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)


class Corridor:
    """Walk to the goal at either end; the observation says where the goal lies."""

    def __init__(self, n=9):
        self.n = n

    def reset(self):
        self.pos = self.n // 2
        self.goal = random.choice([0, self.n - 1])
        self.t = 0
        return self._obs()

    def _obs(self):
        return np.array([self.pos / self.n, 1.0 if self.goal else -1.0, self.t / 20], dtype=np.float32)

    def step(self, action):
        self.pos = min(self.n - 1, max(0, self.pos + (1 if action == 1 else -1)))
        self.t += 1
        done = self.pos == self.goal or self.t >= 20
        reward = 1.0 if self.pos == self.goal else -0.05
        return self._obs(), reward, done


class Policy(nn.Module):
    def __init__(self):
        super(Policy, self).__init__()
        self.affine1 = nn.Linear(3, 32)
        self.dropout = nn.Dropout(p=0.1)
        self.affine2 = nn.Linear(32, 2)
        self.saved_log_probs = []
        self.rewards = []

    def forward(self, x):
        x = self.dropout(self.affine1(x))
        return F.softmax(self.affine2(F.relu(x)), dim=1)


policy = Policy()
optimizer = optim.Adam(policy.parameters(), lr=1e-2)
eps = np.finfo(np.float32).eps.item()


def select_action(state):
    probs = policy(torch.from_numpy(state).float().unsqueeze(0))
    m = Categorical(probs)
    action = m.sample()
    policy.saved_log_probs.append(m.log_prob(action))
    return action.item()


def finish_episode(gamma=0.97):
    R = 0
    returns = deque()
    for r in policy.rewards[::-1]:
        R = r + gamma * R
        returns.appendleft(R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std(unbiased=False) + eps)
    loss = torch.cat([-lp * R for lp, R in zip(policy.saved_log_probs, returns)]).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    del policy.rewards[:]
    del policy.saved_log_probs[:]


def evaluate(env, episodes=20):
    policy.eval()
    total = 0.0
    with torch.no_grad():
        for _ in range(episodes):
            state, done = env.reset(), False
            while not done:
                action = policy(torch.from_numpy(state).unsqueeze(0)).argmax(dim=1).item()
                state, reward, done = env.step(action)
                total += reward
    policy.train()
    return total / episodes


def main():
    env = Corridor()
    running_reward = 0
    for i_episode in range(1, 121):
        state, ep_reward, done = env.reset(), 0, False
        while not done:
            state, reward, done = env.step(select_action(state))
            policy.rewards.append(reward)
            ep_reward += reward
        running_reward = 0.05 * ep_reward + (1 - 0.05) * running_reward
        finish_episode()
        if i_episode % 30 == 0:
            print("Episode {}\tLast reward: {:.2f}\tAverage reward: {:.2f}".format(i_episode, ep_reward, running_reward))
    print("greedy evaluation, mean return over 20 episodes: {:.2f}".format(evaluate(env)))


if __name__ == "__main__":
    main()
