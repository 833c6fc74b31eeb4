"""What each remedy does to probabilities and to decisions, on tables whose true probabilities are known.

    python known.py [--tables 5]

One row in twenty is of class 1. Two columns are normal in each class, with equal spread and means (0, 0) and (1.5, 1),
so the true probability of class 1 is a logistic curve of both: the linear model is the right one, and what is off is
off because of the remedy. 20,000 rows to learn from and 50,000 held out in each of several tables, drawn by different
seeds. Means over the tables, with the standard error of each; everything is of the held-out rows. Runs go into runs/.
"""

import argparse
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float

import heldout
from heldout.records import read_parquet

SHARE, MEANS = 0.05, np.array([1.5, 1.0])
N_TRAIN, N_TEST = 20_000, 50_000
REMEDIES = ("none", "weights", "balanced-batch", "focal")
# What is decided by, on the probabilities that `none` learned; mistakes of the last cost 20 and 1.
DECISIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("likeliest", {"threshold": "likeliest"}),
    ("balanced", {"threshold": "balanced"}),
    ("balanced_accuracy", {"threshold": "balanced_accuracy"}),
    ("f1", {"threshold": "f1"}),
    ("mcc", {"threshold": "mcc"}),
    ("costs 1:0=20,0:1=1", {"costs": "1:0=20,0:1=1"}),
)
SCORES = ("balanced_accuracy", "macro_f1", "mcc", "accuracy", "average_precision", "negative_log_likelihood")


def draw(n: int, generator: np.random.Generator) -> pa.Table:
    """Rows of both columns and the label, each of class 1 with probability `SHARE`."""
    label = (generator.random(n) < SHARE).astype(np.int64)
    inputs = generator.normal(size=(n, 2)) + label[:, None] * MEANS
    return pa.table({"x": inputs[:, 0], "y": inputs[:, 1], "label": label})


def true_probability(rows: pa.Table) -> Float[np.ndarray, " rows"]:
    """Of class 1, by Bayes' rule."""
    inputs = np.stack([rows["x"].to_numpy(), rows["y"].to_numpy()], axis=1)
    logits = inputs @ MEANS - MEANS @ MEANS / 2 + np.log(SHARE / (1 - SHARE))
    return np.asarray(1 / (1 + np.exp(-logits)))


def measured(run: heldout.Run, truth: Float[np.ndarray, " rows"], *, of: str = "") -> dict[str, float]:
    """Scores, recalls and precisions as decided, or `of` "likeliest"; and how far probabilities are from the truth."""
    content = run.scores
    decided = content["test"]
    if of == "likeliest":
        decided = content["imbalance"]["at_likeliest"] or decided
    found = {each["name"]: each["value"] for each in decided["scores"] if each["name"] in SCORES}
    for each in decided["per_class"]:
        found[f"recall of {each['name']}"] = each["recall"]["value"]
        found[f"precision of {each['name']}"] = each["precision"]["value"] or 0.0
    (n_right_0, n_alarms), (n_missed, _) = decided["confusion"]
    found["mean cost"] = (20 * n_missed + n_alarms) / (n_right_0 + n_alarms + sum(decided["confusion"][1]))
    rows = read_parquet(run.folder / "predictions.parquet", ["part", "probabilities"])
    rows = rows.filter(pa.compute.equal(rows["part"], "test"))
    told = np.stack(rows["probabilities"].to_numpy())[:, 1]
    assert len(told) == len(truth), "one answer a row, in the order of the file"
    found |= compared(told, truth)
    found["threshold"] = content["imbalance"]["decision"]["threshold"]
    return found


def compared(told: Float[np.ndarray, " rows"], truth: Float[np.ndarray, " rows"]) -> dict[str, float]:
    """How far probabilities of class 1 are from the true ones."""
    return {"mean probability": float(told.mean()), "mean distance": float(abs(told - truth).mean())}


def not_moved_back(run: heldout.Run, truth: Float[np.ndarray, " rows"]) -> dict[str, float]:
    """What a model says that learned with class weights or on balanced batches, if it is left as it is."""
    content = run.scores
    rows = read_parquet(run.folder / "predictions.parquet", ["part", "probabilities"])
    told = np.stack(rows.filter(pa.compute.equal(rows["part"], "test"))["probabilities"].to_numpy())
    logit = content["test"]["temperature"] * (np.log(told[:, 1]) - np.log(told[:, 0]))
    others, rare = content["data"]["counts"]["train"]
    return compared(1 / (1 + np.exp(-logit - np.log(others / rare))), truth)


def told(found: list[dict[str, float]], name: str) -> str:
    """Mean and standard error, in hundredths but for the loss and the cost."""
    values = [each[name] for each in found]
    error = stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    if name in ("negative_log_likelihood", "mean cost", "threshold"):
        return f"{mean(values):.4f} ± {error:.4f}"
    digits = 3 if name in ("mean distance", "mean probability") else 1
    return f"{100 * mean(values):.{digits}f} ± {100 * error:.{digits}f}"


def print_table(rows: dict[str, list[dict[str, float]]], names: tuple[str, ...]) -> None:
    """As Markdown."""
    print(f"\n| | {' | '.join(names)} |\n|{' --- |' * (len(names) + 1)}")
    for title, found in rows.items():
        print(f"| {title} | {' | '.join(told(found, name) for name in names)} |")


def main() -> None:
    """Draw the tables, train on each in every way, print three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=5)
    n_tables = parser.parse_args().tables
    by_remedy: dict[str, list[dict[str, float]]] = {}
    by_decision: dict[str, list[dict[str, float]]] = {}
    probabilities: dict[str, list[dict[str, float]]] = {}
    for seed in range(n_tables):
        generator = np.random.default_rng(seed)
        train, test = draw(N_TRAIN, generator), draw(N_TEST, generator)
        files = [Path(f"{name}-{seed}.parquet") for name in ("train", "test")]
        for rows, file in zip((train, test), files, strict=True):
            pq.write_table(rows, file)
        truth = true_probability(test)

        def run(name: str, settings: dict[str, Any], files: list[Path] = files, seed: int = seed) -> heldout.Run:
            options: dict[str, Any] = {"target": "label", "test": files[1], "seed": seed, "out": "runs"} | settings
            return heldout.train(files[0], settings={"name": name}, **options)

        for remedy in REMEDIES:
            done = run(remedy, {"imbalance": remedy, "threshold": "balanced"})
            for of in ("likeliest", "balanced"):
                by_remedy.setdefault(f"{remedy}, {of}", []).append(measured(done, truth, of=of))
            probabilities.setdefault(remedy, []).append(measured(done, truth))
            if remedy in ("weights", "balanced-batch"):
                probabilities.setdefault(f"{remedy}, not moved back", []).append(not_moved_back(done, truth))
        for title, settings in DECISIONS:
            by_decision.setdefault(title, []).append(measured(run("decided", settings), truth))
    rates = ("recall of 1", "recall of 0", "precision of 1", "balanced_accuracy", "macro_f1")
    print_table(by_remedy, (*rates, "average_precision", "negative_log_likelihood"))
    print_table(probabilities, ("mean probability", "mean distance"))
    print_table(by_decision, ("threshold", *rates, "accuracy", "mean cost"))


if __name__ == "__main__":
    main()
