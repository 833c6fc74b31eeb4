"""Balanced batches: what building a sampler costs in time and memory, and what an index drawn from it costs.

    python benchmarks/sampler.py [--numbers 10000,100000,1000000] [--large 100000000] [--peers-python PYTHON]

A tenth of the labels is 1, the others are 0; batches hold 32. Each contestant runs at each number in a process of its
own: heldout, the write-up's own sampler, torch's WeightedRandomSampler with its BatchSampler, and, from an environment
that has them (`pip install torch torchsampler imbalanced-learn`), torchsampler and imbalanced-learn's
RandomOverSampler. At the large number only heldout runs: the others refuse it, or need hours or tens of gigabytes.

Build is from labels in memory to the first batch being drawn; memory is the highest resident during that, less what
was resident before. Drawing goes on for as many epochs as two million
indices or ten seconds take, and gives a list of 32 Python numbers a batch, as a `DataLoader` takes them. Seconds are of
the processor.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import numpy as np

BATCH_SIZE = 32
MOST_DRAWN = 2_000_000
MOST_SECONDS = 10.0
AT_ONCE = 500  # batches between two looks at the clock
# The write-up's way takes n^2 steps to build: 0.1 s, 22 s, 40 minutes.
MOST_FOR_SQUARES = 100_000
# torchsampler and imbalanced-learn need some hundred bytes a label.
MOST_FOR_PEERS = 1_000_000


def labels_of(number: int, dtype: str) -> np.ndarray:
    """A tenth of ones in disorder, made in pieces."""
    generator = np.random.default_rng(0)
    labels = np.empty(number, dtype)
    for start in range(0, number, 10**6):
        piece = labels[start : start + 10**6]
        piece[:] = generator.random(len(piece)) < 0.1
    return labels


def heldout_sampler(labels: np.ndarray) -> Iterable[list[int]]:
    """Ours."""
    from heldout.data.balance.balanced_batches import BalancedBatchSampler

    return BalancedBatchSampler(labels, BATCH_SIZE)


def write_ups_sampler(labels: np.ndarray) -> Iterable[list[int]]:
    """As the write-up finds its negatives, and draws: with replacement, from lists, for ever."""
    dataset = labels.tolist()
    positive = [row for row in range(len(dataset)) if dataset[row] > 0]
    negative = [row for row in range(len(dataset)) if row not in positive]

    def batches() -> Iterator[list[int]]:
        half = BATCH_SIZE // 2
        while True:
            yield np.random.choice(positive, half).tolist() + np.random.choice(negative, half).tolist()  # noqa: NPY002

    return batches()


def torch_sampler(labels: np.ndarray) -> Iterable[list[int]]:
    """Rows drawn with replacement by weight: batches that are balanced on average."""
    import torch
    from torch.utils.data import BatchSampler, WeightedRandomSampler

    given = torch.from_numpy(labels)
    weights = (1.0 / torch.bincount(given).double())[given.long()]
    return BatchSampler(WeightedRandomSampler(weights, min(len(labels), MOST_DRAWN)), BATCH_SIZE, drop_last=True)  # type: ignore[arg-type]


def torchsampler_sampler(labels: np.ndarray) -> Iterable[list[int]]:
    """The same law, with pandas in between."""
    sys.path.insert(0, str(Path(__file__).parent / "peers"))
    import torchvision_shim  # noqa: F401  (before torchvision, which torchsampler imports)
    from torch.utils.data import BatchSampler
    from torchsampler import ImbalancedDatasetSampler

    return BatchSampler(ImbalancedDatasetSampler(labels, labels=labels.tolist()), BATCH_SIZE, drop_last=True)


def imblearn_sampler(labels: np.ndarray) -> Iterable[list[int]]:
    """Rows of the rare class repeated until there are as many, then shuffled: balanced over the epoch only."""
    from imblearn.over_sampling import RandomOverSampler

    rows = np.arange(len(labels))[:, None]
    resampled = RandomOverSampler(random_state=0).fit_resample(rows, labels)[0].ravel()

    def batches() -> Iterator[list[int]]:
        generator = np.random.default_rng(0)
        while True:
            order = generator.permutation(resampled)
            for start in range(0, len(order), BATCH_SIZE):
                yield order[start : start + BATCH_SIZE].tolist()

    return batches()


CONTESTANTS: dict[str, Callable[[np.ndarray], Iterable[list[int]]]] = {
    "heldout": heldout_sampler,
    "write-up": write_ups_sampler,
    "WeightedRandomSampler": torch_sampler,
    "torchsampler": torchsampler_sampler,
    "imbalanced-learn": imblearn_sampler,
}
PEERS = ("torchsampler", "imbalanced-learn")


def resident(which: str) -> int:
    """Bytes that are resident now ("VmRSS"), or were at most ("VmHWM")."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which)) * 1024


def measured(name: str, number: int, dtype: str) -> dict[str, Any]:
    """One contestant at one number of labels."""
    make = CONTESTANTS[name]
    next(iter(make(labels_of(1000, dtype))))  # what is imported and set up once is no part of it
    labels = labels_of(number, dtype)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the highest is counted from here on
    before = resident("VmRSS")
    start = time.process_time()
    sampler = make(labels)
    built = time.process_time() - start
    more = resident("VmHWM") - before
    batches = chain.from_iterable(repeat(sampler))
    n_drawn, drawing = 0, 0.0
    start = time.process_time()
    while n_drawn < MOST_DRAWN and drawing < MOST_SECONDS:
        deque(islice(batches, AT_ONCE), maxlen=0)  # nothing is done with a batch: the loop is no part of it
        n_drawn += AT_ONCE * BATCH_SIZE
        drawing = time.process_time() - start
    return {
        "sampler": name,
        "labels": number,
        "dtype": dtype,
        "build_seconds": round(built, 5),
        "bytes_a_label": round(more / number, 2),
        "drawn": n_drawn,
        "ns_an_index": round(1e9 * drawing / n_drawn, 1),
    }


def run(python: str, name: str, number: int, dtype: str, n_times: int) -> dict[str, Any]:
    """The best of so many processes, printed."""
    command = [python, __file__, "one", name, str(number), dtype]
    found = [
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(n_times)
    ]
    least = {key: min(each[key] for each in found) for key in ("build_seconds", "bytes_a_label", "ns_an_index")}
    print(json.dumps(found[0] | least), flush=True)
    return found[0] | least


def compared(numbers: list[int], large: int, peers_python: str, n_times: int) -> None:
    """Print every contestant at every number, and how many times what heldout needs the others need."""
    for number in numbers:
        ours = run(sys.executable, "heldout", number, "int64", n_times)
        for name in CONTESTANTS:
            is_peer = name in PEERS
            if name == "heldout" or (is_peer and (not peers_python or number > MOST_FOR_PEERS)):
                continue
            if name == "write-up" and number > MOST_FOR_SQUARES:
                continue
            slow = name == "write-up" and number >= MOST_FOR_SQUARES
            other = run(peers_python if is_peer else sys.executable, name, number, "int64", 1 if slow else n_times)
            times = {f"times_{key}": round(other[key] / ours[key], 1) for key in ("build_seconds", "ns_an_index")}
            print(json.dumps({"sampler": name, "labels": number} | times), flush=True)
    for dtype in ("int8", "int64") if large else ():
        run(sys.executable, "heldout", large, dtype, n_times)


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(measured(sys.argv[2], int(sys.argv[3]), sys.argv[4])))
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--numbers", default="10000,100000,1000000,10000000")
        parser.add_argument("--large", type=int, default=10**8)
        parser.add_argument("--times", type=int, default=3, help="processes of each, of which the best counts")
        parser.add_argument("--peers-python", default="", help="an interpreter that has torchsampler, imbalanced-learn")
        chosen = parser.parse_args()
        compared([int(each) for each in chosen.numbers.split(",")], chosen.large, chosen.peers_python, chosen.times)
