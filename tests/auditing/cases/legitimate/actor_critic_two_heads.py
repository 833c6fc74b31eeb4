import torch, torch.nn as nn, torch.nn.functional as F
from collections import namedtuple
from torch.distributions import Categorical

torch.manual_seed(11)
SavedAction = namedtuple('SavedAction', ['log_prob', 'value'])

# contextual bandit chain: state is a one-hot of 6; action 0 stays, action 1 goes on, and the end pays
class Chain:
    def reset(self):
        self.s = 0; self.k = 0
        return self.s
    def step(self, a):
        self.k += 1
        slip = torch.rand(()).item() < 0.1
        if a == 1 and not slip: self.s = min(5, self.s + 1)
        elif a == 0: self.s = max(0, self.s - 1)
        done = self.s == 5 or self.k >= 30
        return self.s, (1.0 if self.s == 5 else -0.01), done

class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Embedding(6, 24)
        self.action_head = nn.Linear(24, 2)
        self.value_head = nn.Linear(24, 1)
        self.saved_actions, self.rewards = [], []
    def forward(self, s):
        h = torch.tanh(self.body(s))
        return F.softmax(self.action_head(h), dim=-1), self.value_head(h)

model = ActorCritic()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)

def finish_episode():
    R, policy_losses, value_losses, returns = 0, [], [], []
    for r in model.rewards[::-1]:
        R = r + 0.95 * R
        returns.insert(0, R)
    for (log_prob, value), R in zip(model.saved_actions, returns):
        advantage = R - value.item()
        policy_losses.append(-log_prob * advantage)
        value_losses.append(F.smooth_l1_loss(value, torch.tensor([R])))
    optimizer.zero_grad()
    loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
    loss.backward()
    optimizer.step()
    del model.rewards[:], model.saved_actions[:]
    return loss.item()

env, avg = Chain(), 0.0
for ep in range(1, 101):
    s, done, G = env.reset(), False, 0.0
    while not done:
        probs, v = model(torch.tensor(s))
        m = Categorical(probs); a = m.sample()
        model.saved_actions.append(SavedAction(m.log_prob(a), v))
        s, r, done = env.step(a.item())
        model.rewards.append(r); G += r
    loss = finish_episode()
    avg = .9 * avg + .1 * G
    if ep % 25 == 0: print(f'ep {ep}\treturn {G:.2f}\tsmoothed {avg:.2f}\tloss {loss:.3f}')
