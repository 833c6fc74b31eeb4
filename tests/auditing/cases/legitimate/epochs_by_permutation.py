import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split


def iterate_minibatches(inputs, targets, batchsize, shuffle=False):
    assert len(inputs) == len(targets)
    indices = np.arange(len(inputs))
    if shuffle:
        np.random.shuffle(indices)
    for start in range(0, len(inputs), batchsize):
        excerpt = indices[start:start + batchsize]
        yield inputs[excerpt], targets[excerpt]


def main(num_epochs=30):
    np.random.seed(10)
    torch.manual_seed(10)
    X, y = load_wine(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=10, stratify=y)
    X_train, X_val, y_train, y_val = train_test_split(X_train, y_train, test_size=0.2, random_state=10, stratify=y_train)
    lo, hi = X_train.min(0), X_train.max(0)
    X_train, X_val, X_test = [((a - lo) / (hi - lo)).astype(np.float32) for a in (X_train, X_val, X_test)]

    net = torch.nn.Sequential(torch.nn.Linear(13, 20), torch.nn.ReLU(), torch.nn.Linear(20, 3))
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True)

    def run(inputs, targets):
        out = net(torch.from_numpy(inputs))
        t = torch.from_numpy(targets)
        return torch.nn.functional.cross_entropy(out, t), (out.argmax(1) == t).sum().item()

    for epoch in range(num_epochs):
        net.train()
        train_err = 0
        for inputs, targets in iterate_minibatches(X_train, y_train, 25, shuffle=True):
            loss, _ = run(inputs, targets)
            opt.zero_grad()
            loss.backward()
            opt.step()
            train_err += loss.item() * len(targets)

        net.eval()
        val_err, val_hits = 0, 0
        with torch.no_grad():
            for inputs, targets in iterate_minibatches(X_val, y_val, 25):
                loss, hits = run(inputs, targets)
                val_err += loss.item() * len(targets)
                val_hits += hits
        if (epoch + 1) % 10 == 0:
            print("Epoch {} of {}".format(epoch + 1, num_epochs))
            print("  training loss:\t\t{:.6f}".format(train_err / len(y_train)))
            print("  validation loss:\t\t{:.6f}".format(val_err / len(y_val)))
            print("  validation accuracy:\t\t{:.2f} %".format(val_hits / len(y_val) * 100))

    test_hits = 0
    with torch.no_grad():
        for inputs, targets in iterate_minibatches(X_test, y_test, 25):
            test_hits += run(inputs, targets)[1]
    print("Final results:\n  test accuracy:\t\t{:.2f} %".format(test_hits / len(y_test) * 100))


if __name__ == '__main__':
    main()
