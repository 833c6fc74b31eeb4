"""What the write-up's own program did to these points, mistake for mistake, in numpy.

    python write_up.py samplestr.txt sampleste.txt

It prints the write-up's numbers beside those that come out here. The start of its net is not written down; but the net
has three numbers and three losses were printed to 16 digits, so the start can be solved for. Whether it is the right
one shows in the three weights, which were printed too and are not used in solving. The draws of its balanced batches
are not known; of those it is told what 200 other draws give.
"""

import argparse
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Real
from scipy.optimize import least_squares

from heldout import BalancedBatchSampler
from heldout.data.tabular.table_files import read_table

BATCH, N_BATCHES, RATE, DIVISOR = 128, 100, 0.1, 128 * 100
# As printed: while training, tested on train, tested on test.
PRINTED_LOSSES = np.array([0.00496864125207587, 0.004945526858552439, 0.004952957972913324])
PRINTED_WEIGHTS = (-0.1962, -0.1364, -0.5553)
PRINTED_BALANCED = (-0.0777, -0.1335, -0.5483, 0.009352104866691635, 0.008281729356746472, 0.00829769013872341)
NAMES = ("weight of x", "weight of y", "bias", "loss, training", "loss, on train", "loss, on test")

Batches = Sequence[Int[np.ndarray, " rows"]]


class Points(NamedTuple):
    """A row a point: x, y and 1; and its label."""

    inputs: Float[np.ndarray, "rows three"]
    labels: Real[np.ndarray, " rows"]


class Net(NamedTuple):
    """A line, and the gradient that was never set to zero."""

    weights: Float[np.ndarray, " three"]
    gradient: Float[np.ndarray, " three"]


def points_of(path: str) -> Points:
    """The points of a file."""
    rows = read_table(path)
    x, y, label = (rows[position].to_numpy().astype(float) for position in range(3))
    return Points(np.stack([x, y, np.ones(len(x))], axis=1), label)


def in_file_order(n: int) -> Batches:
    """A `DataLoader` that does not shuffle: 78 batches of 128 and one of 16."""
    return [np.arange(first, min(first + BATCH, n)) for first in range(0, n, BATCH)]


def drawn(points: Points, generator: np.random.Generator) -> Batches:
    """100 batches of 64 + 64, drawn with replacement."""
    positive, negative = np.flatnonzero(points.labels > 0), np.flatnonzero(points.labels == 0)
    half = BATCH // 2
    return [
        np.concatenate([generator.choice(positive, half), generator.choice(negative, half)]) for _ in range(N_BATCHES)
    ]


def losses(net: Net, points: Points, rows: Int[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """The log loss of each."""
    logits = points.inputs[rows] @ net.weights
    return np.asarray(np.logaddexp(0, logits) - points.labels[rows] * logits)


def tested(net: Net, points: Points, batches: Batches) -> float:
    """The write-up's loss: means of batches, each divided by the 10,000 points once more, summed."""
    return float(sum(losses(net, points, rows).mean() for rows in batches) / len(points.labels))


def trained(net: Net, points: Points, batches: Batches, *, zeroed: bool = False) -> tuple[Net, float]:
    """The net after its steps, and the loss that was printed; `zeroed` is what was forgotten."""
    weights, gradient, loss = net.weights, net.gradient, 0.0
    for rows in batches:
        loss += tested(Net(weights, gradient), points, [rows])
        surplus = 1 / (1 + np.exp(-points.inputs[rows] @ weights)) - points.labels[rows]
        step = surplus @ points.inputs[rows] / len(rows) / len(points.labels)
        gradient = step if zeroed else gradient + step
        weights = weights - RATE * gradient
    return Net(weights, gradient), loss


def fresh(weights: Iterable[float]) -> Net:
    """A net before its first step."""
    return Net(np.array(list(weights)), np.zeros(3))


def solved_start(train: Points, test: Points) -> Float[np.ndarray, " three"]:
    """The weights from which training prints the write-up's three losses."""
    order = in_file_order(len(train.labels))

    def off(start: Float[np.ndarray, " three"]) -> Float[np.ndarray, " three"]:
        net, loss = trained(fresh(start), train, order)
        got = np.array([loss, tested(net, train, order), tested(net, test, order)])
        return np.asarray((got - PRINTED_LOSSES) * 1e3)

    found = least_squares(off, PRINTED_WEIGHTS, x_scale=0.01, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return np.asarray(found.x)


def told_accuracies(points: Points) -> None:
    """The accuracies, from counts alone: argmax over one output is 0 for every point."""
    right = int((points.labels == 0).sum())
    print(f"accuracy 0.625: {right:,} right / {DIVISOR:,} = {right / DIVISOR}; of all points {right / 10_000}")
    halves = N_BATCHES * BATCH // 2
    print(f"accuracy 0.5:   {halves:,} right / {DIVISOR:,} = {halves / DIVISOR}")
    weighed = halves + 4 * halves
    print(f"the same formulas for a net that is always right: {10_000 / DIVISOR} and {weighed / DIVISOR}")
    print(f"the second one's batches weigh {weighed:,}, of which {halves:,} are {halves / weighed}")


def told_first(train: Points, test: Points) -> Net:
    """The first training: solved for, and checked by the printed weights."""
    order = in_file_order(len(train.labels))
    start = solved_start(train, test)
    net, loss = trained(fresh(start), train, order)
    got = np.array([loss, tested(net, train, order), tested(net, test, order)])
    print(f"\nthe start that gives the three losses, off by at most {abs(got - PRINTED_LOSSES).max():.0e}: {start}")
    print(f"weights after training: {net.weights.round(4)}; the write-up printed {PRINTED_WEIGHTS}")
    print(f"largest change of a weight: {abs(net.weights - start).max():.4f}")
    other, _ = trained(fresh(start), train, order, zeroed=True)
    print(f"... had the gradients been zeroed: {abs(other.weights - start).max():.5f}")
    for name, points in (("train", train), ("test", test)):
        logits = points.inputs @ net.weights
        mean = losses(net, points, np.arange(len(logits))).mean()
        print(f"{name}: {int((logits > 0).sum())} points on the line's positive side; mean log loss {mean:.3f}")
    return net


def told_second(net: Net, train: Points, test: Points) -> None:
    """The second training, on balanced batches, from where the first one left weights and gradient."""
    found = []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        end, loss = trained(net, train, drawn(train, generator))
        both = [tested(end, points, drawn(train, generator)) for points in (train, test)]
        found.append([*end.weights, loss, *both])
    low, mean, high = np.min(found, axis=0), np.mean(found, axis=0), np.max(found, axis=0)
    print("\nbalanced batches, 200 draws\n| | write-up | mean | lowest | highest |\n| --- | --- | --- | --- | --- |")
    for row in zip(NAMES, PRINTED_BALANCED, mean, low, high, strict=True):
        print("| {} | {:.5f} | {:.5f} | {:.5f} | {:.5f} |".format(*row))
    other, _ = trained(Net(net.weights, np.zeros(3)), train, drawn(train, np.random.default_rng(0)), zeroed=True)
    change = abs(other.weights - net.weights).max()
    print(f"had the gradients been zeroed, no weight would have moved by more than {change:.4f}")
    unseen = [(1 - 1 / n) ** (N_BATCHES * BATCH // 2) for n in (8_000, 2_000)]
    print(f"never drawn in 100 such batches, expected: {unseen[0]:.0%} of class 0, {unseen[1]:.0%} of class 1")


def told_sampler(labels: Real[np.ndarray, " rows"]) -> None:
    """What finding the negatives costs, and its length."""
    print("\n| labels | the write-up's two lists, s | BalancedBatchSampler, s |\n| --- | --- | --- |")
    for times in (1, 2, 4):
        # Every fifth is positive, as in the file, but spread.
        many = (np.arange(times * len(labels)) % 5 == 0).tolist()
        begin = time.process_time()
        positive = [row for row in range(len(many)) if many[row] > 0]
        negative = [row for row in range(len(many)) if row not in positive]
        middle = time.process_time()
        BalancedBatchSampler(many, BATCH)
        end = time.process_time()
        assert 4 * len(positive) == len(negative), "a fifth is positive"
        print(f"| {len(many):,} | {middle - begin:.2f} | {end - middle:.4f} |")
    sampler = BalancedBatchSampler(labels.astype(int), BATCH)
    n = sum(1 for _ in sampler)
    print(
        f"its length said {BATCH * N_BATCHES:,} and it gave {N_BATCHES} batches; ours says {len(sampler)} and gives {n}"
    )


def main() -> None:
    """Print it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("test")
    given = parser.parse_args()
    train, test = points_of(given.train), points_of(given.test)
    told_accuracies(test)
    told_second(told_first(train, test), train, test)
    told_sampler(train.labels)


if __name__ == "__main__":
    main()
