"""What the text of a script tells of orders, tables of classes and scalers (H110, H111, H112)."""

import textwrap
from pathlib import Path

import pytest

from heldout.auditing.reading.scripts import read

# The line at fault ends with `# HERE`.
BAD = {
    "H110 the pictures alone": """
        perm = torch.randperm(len(x))
        x = x[perm]  # HERE
        data = TensorDataset(x, y)
    """,
    "H110 the labels alone": """
        y = y[np.random.permutation(len(y))]  # HERE
        data = TensorDataset(x, y)
    """,
    "H110 two shuffles": """
        X, y = load()
        np.random.shuffle(X)  # HERE
        np.random.shuffle(y)
        X_train, y_train = X[:80], y[:80]
        data = Pictures(X_train, y_train)
    """,
    "H110 batches by hand": """
        for epoch in range(3):
            order = rng.permutation(len(images))
            for i in range(0, len(images), 32):
                xb = torch.tensor(images[order[i:i + 32]])  # HERE
                yb = torch.tensor(labels[i:i + 32])
                out = net(xb)
                loss = criterion(out, yb)
    """,
    "H110 a generator of batches": """
        def batches(x, y):
            idx = torch.randperm(len(x))
            for i in range(0, len(x), 8):
                yield x[idx[i:i + 8]], y[i:i + 8]  # HERE
    """,
    "H110 split apart": """
        x_tr, x_te = train_test_split(x, test_size=0.2)  # HERE
        y_tr, y_te = train_test_split(y, test_size=0.2)
        data = TensorDataset(x_tr, y_tr)
    """,
    "H110 one listing sorted": """
        images = sorted(glob("images/*.png"))
        masks = glob("masks/*.png")  # HERE
        data = Pairs(images, masks)
    """,
    "H111 two lists": """
        NAMES = ["cat", "dog", "frog"]
        LABELS = ["dog", "cat", "frog"]  # HERE
        y = [NAMES.index(each) for each in words]
        print(LABELS[model(x).argmax()])
    """,
    "H111 a list and a dict": """
        label_of = {"cat": 0, "dog": 1}
        y = [label_of[each] for each in words]
        names = ["dog", "cat"]  # HERE
        print(names[int(model(x) > 0)])
    """,
    "H112 a scaler of its own": """
        X_train = StandardScaler().fit_transform(X_train)
        X_test = StandardScaler().fit_transform(X_test)  # HERE
    """,
}
GOOD = {
    "the same order": """
        perm = torch.randperm(len(x))
        x, y = x[perm], y[perm]
        data = TensorDataset(x, y)
    """,
    "parts of the same order": """
        perm = np.random.permutation(len(x))
        tr, te = perm[:80], perm[80:]
        train = TensorDataset(torch.tensor(x[tr]), torch.tensor(y[tr]))
        test = TensorDataset(torch.tensor(x[te]), torch.tensor(y[te]))
    """,
    "the same seed": """
        random.Random(4).shuffle(files)
        random.Random(4).shuffle(labels)
        data = Pictures(files, labels)
    """,
    "the same seed again": """
        np.random.seed(0)
        np.random.shuffle(x)
        np.random.seed(0)
        np.random.shuffle(y)
        data = TensorDataset(x, y)
    """,
    "split with one seed": """
        x_tr, x_te = train_test_split(x, random_state=0)
        y_tr, y_te = train_test_split(y, random_state=0)
        data = TensorDataset(x_tr, y_tr)
    """,
    "split together": """
        x_tr, x_te, y_tr, y_te = train_test_split(x, y)
        data = TensorDataset(x_tr, y_tr)
    """,
    "shuffled together": """
        x, y = shuffle(x, y)
        data = TensorDataset(x, y)
    """,
    "labels made of permuted samples": """
        x = x[torch.randperm(len(x))]
        y = (x.sum(1) > 0).long()
        data = TensorDataset(x, y)
    """,
    "mixup": """
        perm = torch.randperm(len(x))
        mixed = lam * x + (1 - lam) * x[perm]
        y_a, y_b = y, y[perm]
        out = model(mixed)
        loss = lam * criterion(out, y_a) + (1 - lam) * criterion(out, y_b)
    """,
    "mutual information": """
        joint = critic(x, y)
        marginal = critic(x[torch.randperm(len(x))], y)
    """,
    "a control": """
        y_permuted = y[torch.randperm(len(y))]
        control = TensorDataset(x, y_permuted)
    """,
    "importance by permutation": """
        x_hat = x.clone()
        x_hat[:, 3] = x_hat[torch.randperm(len(x)), 3]
        drop = accuracy(model, x_hat, y)
    """,
    "both sorted": """
        images = sorted(glob("images/*.png"))
        masks = glob("masks/*.png")
        masks.sort()
        data = Pairs(images, masks)
    """,
    "tables translated": """
        OURS = ["cat", "dog"]
        THEIRS = ["dog", "cat"]
        to_ours = [OURS.index(name) for name in THEIRS]
        print(OURS[to_ours[model(x).argmax()]], THEIRS[y])
    """,
    "an order to draw in": """
        NAMES = ["cat", "dog"]
        for name in ["dog", "cat"]:
            plot(name)
        columns = ["dog", "cat"]
        print(frame[columns], NAMES[y])
    """,
    "fitted once": """
        scaler = StandardScaler()
        X_train = scaler.fit_transform(X_train)
        X_test = scaler.transform(X_test)
        y_train = StandardScaler().fit_transform(y_train)
    """,
}


def _codes(text: str, folder: Path) -> list[tuple[str, int]]:
    script = folder / "script.py"
    script.write_text(textwrap.dedent(text))
    return [(each.code, each.place.line) for each in read(script) if each.code in {"H110", "H111", "H112"}]


@pytest.mark.parametrize("name", BAD)
def test_the_line_at_fault_is_told(name: str, tmp_path: Path) -> None:
    lines = textwrap.dedent(BAD[name]).splitlines()
    (line,) = (number for number, each in enumerate(lines, 1) if each.endswith("# HERE"))
    assert _codes(BAD[name], tmp_path) == [(name.split(maxsplit=1)[0], line)]


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_not_told(name: str, tmp_path: Path) -> None:
    assert _codes(GOOD[name], tmp_path) == []
