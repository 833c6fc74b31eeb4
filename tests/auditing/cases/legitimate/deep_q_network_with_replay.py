import math
import random
from collections import deque, namedtuple
from itertools import count

import torch
import torch.nn as nn

random.seed(3)
torch.manual_seed(3)

Transition = namedtuple("Transition", ("state", "action", "next_state", "reward", "done"))


class GridWorld:
    size = 5

    def reset(self):
        self.xy = [0, 0]
        self.steps = 0
        return self.obs()

    def obs(self):
        grid = torch.zeros(self.size * self.size)
        grid[self.xy[0] * self.size + self.xy[1]] = 1.0
        return grid

    def step(self, a):
        dx, dy = [(0, 1), (1, 0), (0, -1), (-1, 0)][a]
        self.xy = [min(4, max(0, self.xy[0] + dx)), min(4, max(0, self.xy[1] + dy))]
        self.steps += 1
        if self.xy == [2, 2]:
            return self.obs(), -1.0, True
        if self.xy == [4, 4]:
            return self.obs(), 1.0, True
        return self.obs(), -0.02, self.steps >= 40


class ReplayMemory:
    def __init__(self, capacity):
        self.memory = deque([], maxlen=capacity)

    def push(self, *args):
        self.memory.append(Transition(*args))

    def sample(self, batch_size):
        return random.sample(self.memory, batch_size)

    def __len__(self):
        return len(self.memory)


BATCH_SIZE, GAMMA, TAU = 32, 0.95, 0.02
policy_net = nn.Sequential(nn.Linear(25, 48), nn.ReLU(), nn.Linear(48, 4))
target_net = nn.Sequential(nn.Linear(25, 48), nn.ReLU(), nn.Linear(48, 4))
target_net.load_state_dict(policy_net.state_dict())
optimizer = torch.optim.AdamW(policy_net.parameters(), lr=3e-3, amsgrad=True)
memory = ReplayMemory(2000)
steps_done = 0


def select_action(state):
    global steps_done
    eps_threshold = 0.05 + 0.85 * math.exp(-steps_done / 300)
    steps_done += 1
    if random.random() > eps_threshold:
        with torch.no_grad():
            return policy_net(state.unsqueeze(0)).max(1).indices.item()
    return random.randrange(4)


def optimize_model():
    if len(memory) < BATCH_SIZE:
        return
    batch = Transition(*zip(*memory.sample(BATCH_SIZE)))
    states = torch.stack(batch.state)
    actions = torch.tensor(batch.action).unsqueeze(1)
    rewards = torch.tensor(batch.reward)
    nonfinal = 1.0 - torch.tensor(batch.done, dtype=torch.float32)
    q = policy_net(states).gather(1, actions).squeeze(1)
    with torch.no_grad():
        target = rewards + GAMMA * nonfinal * target_net(torch.stack(batch.next_state)).max(1).values
    loss = nn.SmoothL1Loss()(q, target)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()


def soft_update():
    target_state, policy_state = target_net.state_dict(), policy_net.state_dict()
    for key in policy_state:
        target_state[key] = policy_state[key] * TAU + target_state[key] * (1 - TAU)
    target_net.load_state_dict(target_state)


env = GridWorld()
durations, returns = [], []
for i_episode in range(60):
    state, total = env.reset(), 0.0
    for t in count():
        action = select_action(state)
        next_state, reward, done = env.step(action)
        memory.push(state, action, next_state, reward, done)
        state = next_state
        total += reward
        optimize_model()
        soft_update()
        if done:
            durations.append(t + 1)
            returns.append(total)
            break
    if i_episode % 15 == 14:
        print(f"episode {i_episode + 1}: mean return of the last 15 {sum(returns[-15:]) / 15:.3f}, steps {sum(durations[-15:]) / 15:.1f}")

state, total, done = env.reset(), 0.0, False
while not done:
    with torch.no_grad():
        state, reward, done = env.step(policy_net(state.unsqueeze(0)).argmax(1).item())
    total += reward
print(f"greedy return {total:.3f}")
