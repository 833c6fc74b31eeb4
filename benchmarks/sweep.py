"""What a sweep costs beside its trials: a hundred frozen trials on kept features, and the driver's own share.

    python benchmarks/sweep.py [--n 10000] [--trials 100] [--fitted]

The features are drawn, ten classes that a linear head tells apart for about nine in ten, and put into a cache of their
own under the names that pictures would have: what is timed is what `heldout sweep` does once the pictures are known.
Each trial trains the head by mini-batches at its own rate; with --fitted each fits it to its optimum, in its own fold.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from heldout.data.examples import gather
from heldout.data.folds import make_folds
from heldout.data.storage.sources import FolderSource
from heldout.models.backbones import DEFAULT
from heldout.provenance import environment
from heldout.sweeping.folded import read_folds, write_folds
from heldout.sweeping.ledger import LEDGER, append_result, read_ledger
from heldout.sweeping.runners import LocalRunner
from heldout.sweeping.space import make_space
from heldout.sweeping.sweep import SweepPlan, spread
from heldout.sweeping.trials import TrialOrder, rehearse, run_trial, trial_key
from heldout.training.materials import Part, gather_materials
from heldout.verbs.sweep_plans import plan_sweep

N_CLASSES, N_FEATURES, N_SEEDS = 10, 1280, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--fitted", action="store_true", help="fit every head to its optimum, seed after seed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        draw_features(home, arguments.n)
        print(json.dumps(timed(home, arguments), indent=1))
        print(json.dumps(environment(""), indent=1))


def draw_features(home: Path, n: int) -> None:
    """Keep features as a look would have, and deal the folds."""
    generator = np.random.default_rng(0)
    labels = np.arange(n) % N_CLASSES
    centres = generator.normal(0, 0.09, (N_CLASSES, N_FEATURES))
    materials = gather_materials(DEFAULT, weights="imagenet", regime="frozen", download=False, cache=home, device="cpu")
    store = materials.products["features"].store
    rows = [(f"{labels[number]}/{number:08d}.jpg", str(labels[number]), -1) for number in range(n)]
    examples = gather(FolderSource(home), rows, layout="class folders")
    sha256s = tuple(f"{number:064x}" for number in range(n))
    for number, label in enumerate(examples.labels):
        row = np.maximum(0, generator.normal(0.4, 0.5, N_FEATURES) + centres[label])
        store.add(sha256s[number], row.astype(np.float32))
    store.flush()
    rounds = [
        make_folds(examples.labels, np.arange(n), n_folds=N_SEEDS, generator=generator)
        for _ in range(-(-100 // N_SEEDS))
    ]
    write_folds(home, Part(examples, sha256s), np.stack(rounds, axis=1), N_SEEDS)


def planned(arguments: argparse.Namespace) -> SweepPlan:
    n_settings = 1 if arguments.fitted else -(-arguments.trials // N_SEEDS)
    rates: list[float | str] = ["default"] if arguments.fitted else list(np.geomspace(1e-3, 1, n_settings).round(6))
    return plan_sweep(
        make_space(
            regimes=["frozen"], learning_rates=[rate if isinstance(rate, str) else float(rate) for rate in rates]
        ),
        {"data.path": "drawn", "training.epochs": arguments.epochs, "training.batch_size": arguments.batch_size},
        n_seeds=arguments.trials if arguments.fitted else N_SEEDS,
    )


def timed(home: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    plan = planned(arguments)
    workers = spread(plan)
    folded = read_folds(home)
    orders = [
        TrialOrder(
            trial_key(own, seed, {"data": folded.digest(seed)}), setting, own, seed, "accuracy", "cpu", home, home
        )
        for seed in range(plan.n_seeds)
        for setting, own in plan.plans.items()
    ][: arguments.trials]
    before = [time.process_time(), 0.0]
    with LocalRunner(workers.n, workers.n_threads) as runner:
        began = time.perf_counter()
        list(runner.run(rehearse, orders[:1]))
        rehearsed = time.perf_counter()
        for _, result in runner.run(run_trial, orders):
            append_result(home / LEDGER, result)  # type: ignore[arg-type]
        ended = time.perf_counter()
        overheads = sorted(runner.overheads)
    # The workers have ended, so that their processor time is known; on a busy machine it is the more telling number.
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    results = read_ledger(home / LEDGER)
    own = sum(result.seconds for result in results)
    return {
        "examples": arguments.n,
        "trials": len(results),
        "fitted": arguments.fitted,
        "epochs": 0 if arguments.fitted else arguments.epochs,
        "batch_size": None if arguments.fitted else arguments.batch_size,
        "workers": workers.n,
        "threads": workers.n_threads,
        "seconds": round(ended - began, 2),
        "rehearsal_seconds": round(rehearsed - began, 2),
        "trial_seconds": round(own, 2),
        "processor_seconds": [round(one.ru_utime + one.ru_stime - before[n], 2) for n, one in enumerate(used)],
        "beyond_the_trials": f"{(ended - began) * workers.n / own - 1:.1%}",
        "overhead_median_seconds": round(overheads[len(overheads) // 2], 4),
        "accuracy": [round(float(np.quantile([result.score or 0 for result in results], q)), 4) for q in (0, 0.5, 1)],
    }


if __name__ == "__main__":
    main()
