"""Run folders whose classes are very unequal: on a table with a moved threshold, and on pictures of many classes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float

from heldout.measuring.boundary import boundary_of, exact_line
from heldout.measuring.boundary_files import write_boundary
from heldout.measuring.decisions import Decision, balanced
from heldout.measuring.imbalance_facts import imbalance_facts
from heldout.measuring.planes import plane_of_components, plane_of_inputs
from heldout.measuring.predictions import Predictions, log_softmax
from heldout.measuring.summary import summarise
from heldout.measuring.thresholds import ThresholdCurve, choose_threshold
from reporting.run_folders import Shape, make_run, rows_of, write_json

WEIGHTS, BIASES = np.array([[0.0, 0.0], [1.5, -0.8]]), np.array([0.0, -2.1])
MEAN, SCALE = np.array([52.0, 1.4]), np.array([11.0, 0.35])
COLUMNS = [
    {"name": "age", "kind": "number", "n_missing": 0, "words": "mean 52, standard deviation 11"},
    {"name": "dose <b>", "kind": "number", "n_missing": 12, "words": "median 1.4 where it is missing, and a mark"},
]
RARE = ("ant", "bee", "cat", "dog", "emu", "fox", "gnu", "hen", "ibis", "jay", "koi", "lynx")


def linear(values: Float[np.ndarray, "examples inputs"]) -> Float[np.ndarray, "examples classes"]:
    """Log probabilities of a linear model of two inputs."""
    return log_softmax(values @ WEIGHTS.T + BIASES)


def table_run(folder: Path) -> Path:
    """A linear model of two columns, one class in five, with a threshold chosen on validation."""
    make_run(folder, Shape(classes=("healthy", "sick"), shares=(0.8, 0.2), findings=(), n_suspects=None))
    generator = np.random.default_rng(7)
    values = {part: generator.normal(size=(n, 2)) for part, n in (("validation", 400), ("test", 700))}
    parts = {part: _drawn(each, part, generator) for part, each in values.items()}
    decision, curve = choose_threshold(parts["validation"], metric="balanced_accuracy", positive=1)
    decided = {part: each.with_decision(decision) for part, each in parts.items()}
    scores = _scores_of(folder, decided)
    scores["imbalance"] = _facts(parts, decision, curve)
    scores["data"] |= {"layout": "table", "columns": COLUMNS, "made": ["validation", "test"]}
    rows = [{"feature": "age", "values": [1.5]}, {"feature": "dose <b>", "values": [-0.8]}]
    scores["model"] |= {
        "backbone": "",
        "regime": "linear",
        "weights": "zero",
        "n_parameters": 3,
        "n_trained": 3,
        "n_bytes": 24,
        "input": "2 features of 2 columns",
        "coefficients": {
            "heads": ["log-odds of sick"],
            "weights": rows,
            "words": "What one standard deviation more of an input adds to the log-odds.",
        },
    }
    write_json(folder / "scores.json", scores)
    environment = json.loads((folder / "environment.json").read_bytes())
    seconds = {"find the examples": 0.1, "look at the rows": 0.2, "fit": 0.3, "measure": 0.2}
    write_json(folder / "environment.json", environment | {"engine": "", "seconds": seconds})
    (folder / "thumbnails.parquet").unlink()
    plane = plane_of_inputs(("age", "dose <b>"), mean=MEAN, scale=SCALE)
    line = exact_line(WEIGHTS, BIASES, plane=plane, decision=decision)
    write_boundary(
        folder,
        boundary_of(
            values["test"], decided["test"], plane=plane, answer=linear, generator=np.random.default_rng(0), line=line
        ),
    )
    return folder


def rare_run(folder: Path) -> Path:
    """Pictures of twelve classes from common to rare, each answered relative to its share."""
    shares = np.geomspace(1, 0.04, len(RARE))
    shares /= shares.sum()
    make_run(folder, Shape(classes=RARE, shares=tuple(shares), n_test=900, margin=6.0))
    parts = {part: _read(folder, part) for part in ("validation", "test")}
    decision = balanced(shares)
    decided = {part: each.with_decision(decision) for part, each in parts.items()}
    scores = _scores_of(folder, decided)
    scores["imbalance"] = _facts(parts, decision, None)
    write_json(folder / "scores.json", scores)
    hidden = parts["test"].logits
    plane = plane_of_components(hidden, what="the last hidden layer")
    write_boundary(
        folder,
        boundary_of(
            hidden, decided["test"], plane=plane, answer=log_softmax, generator=np.random.default_rng(0), part="test"
        ),
    )
    return folder


def _drawn(values: Float[np.ndarray, "examples inputs"], part: str, generator: np.random.Generator) -> Predictions:
    """Labels as probable as the model says."""
    told = linear(values)
    labels = (generator.random(len(values)) < np.exp(told[:, 1])).astype(np.int64)
    ids = tuple(f"patients-{part}.csv:{row + 1:04}" for row in range(len(values)))
    return Predictions(ids, labels, told, ("healthy", "sick"))


def _read(folder: Path, part: str) -> Predictions:
    """The answers of a run that was made, at a temperature of 1."""
    table = pq.read_table(folder / "predictions.parquet")
    rows = [row for row in table.to_pylist() if row["part"] == part]
    labels = np.array([RARE.index(row["label"]) for row in rows])
    logits = np.log(np.array([row["probabilities"] for row in rows]).clip(1e-9))
    return Predictions(tuple(row["id"] for row in rows), labels, logits, RARE)


def _scores_of(folder: Path, parts: dict[str, Predictions]) -> dict[str, Any]:
    """scores.json with the numbers of these answers, which become the run's."""
    scores: dict[str, Any] = json.loads((folder / "scores.json").read_bytes())
    for part, each in parts.items():
        scores[part] = summarise(each, temperature=1.0, generator=np.random.default_rng(0)).as_dict()
        scores["data"]["counts"][part] = np.bincount(each.labels, minlength=len(each.classes)).tolist()
        scores["data"][f"n_{part}"] = len(each)
    pq.write_table(
        pa.concat_tables([rows_of(part, each) for part, each in parts.items()]), folder / "predictions.parquet"
    )
    return scores


def _facts(parts: dict[str, Predictions], decision: Decision, curve: ThresholdCurve | None) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    facts = imbalance_facts(parts["validation"], parts["test"], decision=decision, curve=curve, generator=generator)
    return json.loads(json.dumps(facts))  # type: ignore[no-any-return]
