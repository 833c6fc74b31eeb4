"""The write-up's points again: a line four ways, and two models that bend.

    python run.py samplestr.txt sampleste.txt

Lines of `x y label`, without a header; the second file is the held-out part. Each model is one `heldout.train` with a
run folder of its own under runs/. Written into the working folder: report.html (of the line on balanced batches),
boundaries.svg and boundaries.png (all models side by side) and scores.json; the table is printed.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

import heldout
from heldout.data.tabular.table_files import read_table
from heldout.measuring.boundary_files import read_boundary
from heldout.reporting.boundary_figure import Panel, write_boundaries

# Title in figure and table, name of the run, and what `heldout.train` is told besides the files.
MODELS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("line, no remedy", "none", {}),
    ("line, class weights", "weights", {"imbalance": "weights"}),
    ("line, balanced batches", "balanced-batch", {"imbalance": "balanced-batch"}),
    ("line, threshold moved", "threshold", {"threshold": "balanced_accuracy"}),
    ("mlp, no remedy", "mlp", {"model": "mlp"}),
    ("boosting, no remedy", "boosting", {"model": "boosting"}),
)
SHOWN = "balanced-batch"
# What the write-up called positive_weight: an example of class 1 counts as four.
POSITIVE_WEIGHT = 4.0


def percent(score: dict[str, Any]) -> str:
    """Such as `62.50 % [61.43, 63.56]`."""
    value, low, high = (100 * score[name] for name in ("value", "low", "high"))
    return f"{value:.2f} % [{low:.2f}, {high:.2f}]"


def scores_of(run: heldout.Run) -> dict[str, Any]:
    """The numbers of the table: those of the test part, by name."""
    content = run.scores
    test = content["test"]
    recalls = {each["name"]: each["recall"] for each in test["per_class"]}
    decision = content["imbalance"]["decision"]
    chosen = {each["name"]: each for each in test["scores"]}
    names = ("accuracy", "balanced_accuracy", "weighted_accuracy", "average_precision", "negative_log_likelihood")
    return {
        "true_positive_rate": recalls["1"],
        "true_negative_rate": recalls["0"],
        **{name: chosen[name] for name in names},
        "area_under_roc": content["imbalance"]["curves"]["classes"][0]["roc_auc"],
        "expected_calibration_error": test["ece"],
        "threshold": decision["threshold"],
        "confusion": test["confusion"],
    }


def best_line(points: Float[np.ndarray, "rows two"], is_positive: np.ndarray) -> tuple[float, float, float]:
    """The highest balanced accuracy that a line can have on these points, its angle in degrees, and its offset.

    Every offset is tried at each of 3,600 angles: positive is where x cos + y sin is at least the offset.
    """
    best = (0.0, 0.0, 0.0)
    shares = np.where(is_positive, 1 / is_positive.sum(), -1 / (~is_positive).sum())
    for angle in np.linspace(0, 2 * np.pi, 3600, endpoint=False):
        along = points @ np.array([np.cos(angle), np.sin(angle)])
        order = np.argsort(-along)
        # Recall less false alarms, when the first k along the direction are called positive.
        lead = np.cumsum(shares[order])
        place = int(lead.argmax())
        best = max(best, ((1 + float(lead[place])) / 2, float(np.degrees(angle)), float(along[order[place]])))
    return best


def main() -> None:
    """Train every model, print the table, and write the page, the figure and the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("test")
    given = parser.parse_args()
    panels, numbers = [], {}
    print(
        "| | threshold | true positive rate | true negative rate | balanced accuracy | accuracy | average precision |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for title, name, settings in MODELS:
        named = {"name": name, "decision.positive_weight": POSITIVE_WEIGHT}
        run = heldout.train(given.train, target="last", test=given.test, out="runs", settings=named, **settings)
        found = numbers[name] = scores_of(run)
        rates = found["true_positive_rate"], found["true_negative_rate"]
        cells = [percent(each) for each in (*rates, found["balanced_accuracy"], found["accuracy"])]
        cells.append(percent(found["average_precision"]))
        print(f"| {title} | {found['threshold']:.3g} | {' | '.join(cells)} |")
        boundary = read_boundary(run.folder)
        assert boundary is not None, "a model of two columns has a plane"
        note = "\n".join(f"{word} {percent(rate)}" for word, rate in zip(("TPR", "TNR"), rates, strict=True))
        panels.append(Panel(title, boundary, note))
        if name == SHOWN:
            shutil.copyfile(run.folder / "report.html", "report.html")
    write_boundaries(panels, Path("boundaries"))
    rows = read_table(given.test)
    points = np.stack([rows[position].to_numpy() for position in (0, 1)], axis=1)
    highest, angle, offset = best_line(points, rows[2].to_numpy() == 1)
    print(f"no line does better on the test points than {100 * highest:.2f} % (at {angle:.0f} degrees, {offset:.2f})")
    numbers["best_line"] = {"balanced_accuracy": highest, "angle": angle, "offset": offset}
    Path("scores.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
