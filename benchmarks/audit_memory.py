"""What the fingerprints of samples take: the highest resident memory of a script, watched and unwatched.

    python benchmarks/audit_memory.py [--samples 10000000]

Each way of giving samples to a model runs in whole processes, one after the other: unwatched and watched, with all
samples and with a hundredth of them. The bytes a sample are what the watch adds, less what it adds to the small run
(modules that it imports and the like), by the number of samples; the peak over the whole process, in which the log is
written at its end, counts. The process that reads the log and judges it is measured by itself, likewise. Rewrites its
section of `audit.md`.

    loader    one epoch over a data set that holds its rows, in batches of 65,536 that it gives out whole
    views     the same, and an evaluation of as many rows again from a second data set, of which what a model was
              shown is kept besides: counted by the rows of both
    split     one data set by `random_split`: nine tenths learned from, one tenth evaluated in a second loader
    by hand   slices of one tensor, without a loader
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from audit_measured import CHILD, ENVIRONMENT, circumstances, rewrite_section

SCRIPT = """
import sys
import torch
from torch.utils.data import DataLoader, Dataset, random_split

way, n = sys.argv[1], int(sys.argv[2])
torch.manual_seed(0)

class Rows(Dataset):
    def __init__(self, n): self.x = torch.rand(n, 2); self.y = torch.zeros(n, dtype=torch.uint8)
    def __len__(self): return len(self.x)
    def __getitem__(self, number): return self.x[number], self.y[number]
    def __getitems__(self, numbers): return self.x[numbers], self.y[numbers]

model = torch.nn.Linear(2, 2)
optimizer = torch.optim.SGD(model.parameters(), 0.1)

def learn(x, y):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y.long()).backward()
    optimizer.step()

def loader(data): return DataLoader(data, 2**16, collate_fn=lambda batch: batch)

def evaluate(batches):
    model.eval()
    with torch.no_grad():
        print(sum(int((model(x).argmax(1) == y).sum()) for x, y in batches))

train = Rows(n)
if way == "by hand":
    for start in range(0, n, 2**16):
        learn(train.x[start:start + 2**16], train.y[start:start + 2**16])
elif way == "split":
    part, rest = random_split(train, [n - n // 10, n // 10])
    for x, y in loader(part): learn(x, y)
    evaluate(loader(rest))
else:
    for x, y in loader(train): learn(x, y)
    if way == "views": evaluate(loader(Rows(n)))
"""
WAYS = ("loader", "views", "split", "by hand")
READS = "import sys; from pathlib import Path; from heldout.auditing.auditor import audit_of\n"
READS += "from heldout.auditing.seen.log import read_log; from heldout.auditing.process.targets import find_target\n"
READS += "audit_of(read_log(Path(sys.argv[1])), find_target(sys.argv[2]))"


def peak(command: list[str]) -> int:
    """The highest resident memory of a process, in bytes."""
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, f"{command[:6]}: status {status}"
    return used.ru_maxrss * 1024


def added(script: Path, way: str, n: int) -> tuple[int, int, int]:
    """What a watch adds, what the reader of its log takes, and the log's bytes."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        plain = peak([sys.executable, str(script), way, str(n)])
        watched = peak([sys.executable, str(CHILD), str(log), "0", "0", "script", str(script), way, str(n)])
        reader = peak([sys.executable, "-c", READS, str(log), str(script)])
        found = watched - plain, reader, log.stat().st_size
    print(way, n, *found, file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    asked = parser.parse_args()
    lines = [
        f"`python benchmarks/audit_memory.py --samples {asked.samples}`; {circumstances()}",
        "",
        "Goal: at most 16 bytes a sample. Highest resident memory, watched less unwatched, less the same of a run a "
        "hundredth as large; samples are distinct rows that a model was given.",
        "",
        "| way | samples | bytes a sample, script | bytes a sample, reading the log | log, bytes a sample |",
        "| --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "gives_samples.py"
        script.write_text(SCRIPT)
        for way in asked.ways:
            n = asked.samples * (2 if way == "views" else 1)
            small, large = added(script, way, asked.samples // 100), added(script, way, asked.samples)
            each = [(more - less) / (0.99 * n) for more, less in zip(large, small, strict=True)]
            lines.append(f"| {way} | {n:,} | {each[0]:.1f} | {each[1]:.1f} | {each[2]:.1f} |")
    rewrite_section("Memory: fingerprints of samples", lines)


if __name__ == "__main__":
    main()
