import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def experiment(seed=0, epochs=8, batch_size=32):
    torch.manual_seed(seed)

    def load():
        x, y = load_breast_cancer(return_X_y=True)
        x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.25, random_state=seed)
        centre, spread = x_tr.mean(0), x_tr.std(0)

        def wrap(a, b, shuffle):
            a = torch.tensor((a - centre) / spread, dtype=torch.float32)
            return DataLoader(TensorDataset(a, torch.tensor(b)), batch_size=batch_size, shuffle=shuffle)

        return wrap(x_tr, y_tr, True), wrap(x_te, y_te, False)

    train_dl, test_dl = load()
    model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    def make_train_step(model, criterion, optimizer):
        def train_step(x, y):
            model.train()
            yhat = model(x)
            loss = criterion(yhat, y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            return loss.item(), (yhat.argmax(1) == y).sum().item()

        return train_step

    def make_eval_step(model, criterion):
        @torch.no_grad()
        def eval_step(x, y):
            model.eval()
            yhat = model(x)
            return criterion(yhat, y).item(), (yhat.argmax(1) == y).sum().item()

        return eval_step

    def mini_batch(loader, step):
        loss = hits = n = 0
        for x, y in loader:
            batch_loss, batch_hits = step(x, y)
            loss += batch_loss * len(y)
            hits += batch_hits
            n += len(y)
        return loss / n, hits / n

    train_step = make_train_step(model, criterion, optimizer)
    eval_step = make_eval_step(model, criterion)
    for epoch in range(epochs):
        loss, acc = mini_batch(train_dl, train_step)
        test_loss, test_acc = mini_batch(test_dl, eval_step)
        print(f"{epoch=} {loss=:.4f} {acc=:.4f} {test_loss=:.4f} {test_acc=:.4f}")
    return test_acc


if __name__ == "__main__":
    experiment()
