# full-batch softmax regression with L-BFGS, strong Wolfe line search
import torch
from sklearn.datasets import load_digits

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data / 16.0)
y = torch.tensor(digits.target)
idx = torch.randperm(len(x))
x_train, y_train = x[idx[:1200]], y[idx[:1200]]
x_valid, y_valid = x[idx[1200:]], y[idx[1200:]]

model = torch.nn.Linear(64, 10).double()
optimizer = torch.optim.LBFGS(model.parameters(), lr=1, max_iter=6, line_search_fn="strong_wolfe")
l2 = 1e-3
evaluations = 0


def closure():
    global evaluations
    evaluations += 1
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x_train), y_train) + l2 * model.weight.pow(2).sum()
    loss.backward()
    return loss


for outer in range(8):
    loss = optimizer.step(closure)
    with torch.no_grad():
        valid_logits = model(x_valid)
        valid_loss = torch.nn.functional.cross_entropy(valid_logits, y_valid)
        valid_acc = (valid_logits.argmax(1) == y_valid).double().mean()
    print(f"step {outer}: objective {loss.item():.4f}, valid loss {valid_loss.item():.4f}, valid acc {valid_acc.item():.4f} ({evaluations} evaluations)")
