"""Pictures a second of one training step with all layers learning: heldout against the write-ups' recipe.

    python benchmarks/training_step.py [--networks resnet18 efficientnet-lite0] [--rounds 5] [--threads 2]

Each contestant runs in a process of its own, one after the other in each round, so that a change in the machine's load
meets all of them; the medians over rounds are compared. In every round the machine's 32-bit matrix-multiply peak
(3072 x 3072, as many threads) is measured in the same way. Floating-point operations are those of the plain network,
three times the forward pass, whatever arithmetic a contestant uses.

    recipe       plain PyTorch: float32, NCHW, batches of 4, SGD 0.001, glibc's own allocator, pixels ready in memory
    recipe, 32   the same with batches of 32
    heldout      what `heldout train --regime full` computes for each batch of 32: canvases cut, changed in colour and
                 normalised, then the step in the precision that was measured as the fastest here
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

# GFLOP of one forward pass at 224 pixels, a multiplication and an addition counted as two (torch's FlopCounterMode).
GFLOP = {"resnet18": 3.63, "resnet34": 7.33, "efficientnet-lite0": 0.768}
CONTESTANTS = ("recipe", "recipe, 32", "heldout")
# A process runs untimed steps until the allocator has come to rest, then for at least so long.
N_WARM, SECONDS = 3, 12.0
N_CLASSES = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["resnet18", "efficientnet-lite0"], choices=GFLOP)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--precision", default="auto", help="of heldout's step")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        name, network = asked.worker
        print(json.dumps(work(name, network, n_threads=asked.threads, precision=asked.precision)))
        return
    for network in asked.networks:
        rounds = [
            {name: in_process(name, network, asked) for name in ("peak", *CONTESTANTS)} for _ in range(asked.rounds)
        ]
        print(report(network, rounds, asked.threads), flush=True)


def in_process(name: str, network: str, asked: argparse.Namespace) -> dict[str, float | str]:
    command = [sys.executable, __file__, "--worker", name, network, "--threads", str(asked.threads)]
    command += ["--precision", asked.precision]
    environment = os.environ | {"OMP_NUM_THREADS": str(asked.threads)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {network}, {name}: {found}", file=sys.stderr, flush=True)
    return found


def report(network: str, rounds: list[dict[str, dict[str, float | str]]], n_threads: int) -> str:
    peak = statistics.median(float(one["peak"]["speed"]) for one in rounds)
    speeds = {name: [float(one[name]["speed"]) for one in rounds] for name in CONTESTANTS}
    base = statistics.median(speeds["recipe"])
    lines = [
        f"\n{network}, {n_threads} threads, {len(rounds)} rounds; 32-bit matrix multiplication {peak:.0f} GFLOP/s",
        "| contestant | pictures/s, median (min to max) | x recipe | share of the peak | memory, MB | precision |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in speeds.items():
        middle = statistics.median(found)
        memory = max(float(one[name]["megabytes"]) for one in rounds)
        lines.append(
            f"| {name} | {middle:.2f} ({min(found):.2f} to {max(found):.2f}) | {middle / base:.2f} "
            f"| {100 * 3 * GFLOP[network] * middle / peak:.0f} % | {memory:.0f} | {rounds[-1][name]['precision']} |"
        )
    return "\n".join(lines)


def work(name: str, network: str, *, n_threads: int, precision: str) -> dict[str, float | str]:
    """In a process of its own: how fast one contestant is."""
    import resource

    if name == "heldout":
        from heldout.allocator import keep_freed_memory

        keep_freed_memory()
    import torch

    torch.set_num_threads(n_threads)
    if name == "peak":
        return {"speed": matrix_multiply_peak()}
    if name == "heldout":
        step, batch_size, precision = heldout_step(network, precision)
    else:
        step, batch_size, precision = recipe_step(network, 32 if name.endswith("32") else 4)
    for _ in range(N_WARM):
        step()
    times = [timed(step) for _ in range(3)]
    while sum(times) < SECONDS:
        times.append(timed(step))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"speed": batch_size / statistics.median(times), "megabytes": megabytes, "precision": precision}


def timed(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def matrix_multiply_peak(size: int = 3072) -> float:
    import torch

    first, second = torch.randn(size, size), torch.randn(size, size)
    fastest = min(timed(lambda: first @ second) for _ in range(8))
    return 2 * size**3 / fastest / 1e9


def recipe_step(network: str, batch_size: int) -> tuple[Callable[[], object], int, str]:
    import torch

    from heldout.models.build import random_network

    net = random_network(network, N_CLASSES, generator=torch.Generator().manual_seed(0)).train()
    inputs, labels = torch.randn(batch_size, 3, 224, 224), torch.randint(0, N_CLASSES, (batch_size,))
    optimiser = torch.optim.SGD(net.parameters(), lr=0.001)
    criterion = torch.nn.CrossEntropyLoss()

    def step() -> float:
        optimiser.zero_grad()
        loss = criterion(net(inputs), labels)
        loss.backward()
        optimiser.step()
        return float(loss.detach())

    return step, batch_size, "float32"


def heldout_step(network: str, precision: str) -> tuple[Callable[[], object], int, str]:
    import numpy as np
    import torch

    from heldout.data.batches import Batch
    from heldout.data.pictures.decoding import PixelPath
    from heldout.models.backbones import find_backbone
    from heldout.models.build import random_network
    from heldout.models.regimes import set_mode
    from heldout.training.fastest import choose_precision
    from heldout.training.settings import defaults
    from heldout.training.steps import make_learner, train_step
    from heldout.training.tasks import pixel_task

    about, settings = find_backbone(network), defaults("full", {"precision": precision})
    path = PixelPath(about.resize, about.crop, about.interpolation, about.mean, about.std)
    net = random_network(network, N_CLASSES, generator=torch.Generator().manual_seed(0))
    task = pixel_task(net, "full", path=path, augmentation=settings.augment, seed=0, device=torch.device("cpu"))
    generator = np.random.default_rng(0)
    canvases = generator.integers(0, 256, (settings.batch_size, about.resize, about.resize, 3), dtype=np.uint8)
    labels = generator.integers(0, N_CLASSES, settings.batch_size)
    batch = Batch(canvases, labels, np.arange(settings.batch_size), epoch=1, step=0)
    choice = choose_precision(task, settings, inputs=task.training_inputs(batch), backbone=network, cache=None)
    learner = make_learner(task, settings, precision=choice.name)
    set_mode(net, "full", training=True)

    def step() -> float:
        inputs = task.training_inputs(batch)
        return float(train_step(learner, inputs, torch.from_numpy(labels), learning_rate=0.01).loss)

    return step, settings.batch_size, choice.name


if __name__ == "__main__":
    main()
