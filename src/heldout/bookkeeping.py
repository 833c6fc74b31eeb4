"""What a run writes down about its data, its model and its answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from heldout.arrow_arrays import arrow_lists
from heldout.data.examples import PARTS, Examples, some_of
from heldout.data.groups import group_numbers
from heldout.data.splits import Split
from heldout.data.tabular.encoding import Column, Encoder
from heldout.errors import DamagedRun, DataError
from heldout.findings import Finding, by_severity
from heldout.measuring.predictions import Predictions
from heldout.models.table_models import Layers
from heldout.plan import Plan
from heldout.records import read_parquet, to_json, write_atomic, write_parquet
from heldout.training.classifier import Classifier
from heldout.training.fitted import Fitted
from heldout.training.materials import Materials
from heldout.training.row_classifier import RowClassifier
from heldout.training.stores import FactStore
from heldout.training.suspecting import Suspicion
from heldout.training.table_materials import TableMaterials

# Pictures of so many doubted labels, and of two clear examples beside each, are kept for the page: about 0.3 MB.
N_SHOWN_SUSPECTS = 24


def write_split(folder: Path, examples: Examples, split: Split, sha256s: Sequence[str]) -> None:
    """Write split.parquet: one row an example, with its content, class, part and group (empty where it has none).

    Raises:
        DataError: The run was killed and is taken up again, and the data is no longer what it was.
    """
    columns = {
        "id": list(examples.ids),
        "sha256": list(sha256s),
        "class": [examples.classes[label] for label in examples.labels.tolist()],
        "part": [PARTS[part] for part in split.parts.tolist()],
        "made": [PARTS[part] in split.made for part in split.parts.tolist()],
        "group": list(examples.groups or [""] * len(examples)),
    }
    if (folder / "split.parquet").is_file():
        _check_unchanged(folder, columns)
    else:
        write_parquet(folder / "split.parquet", columns)


def _check_unchanged(folder: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    before = read_parquet(folder / "split.parquet", list(columns)).to_pydict()
    rows = [set(zip(*(table[name] for name in columns), strict=True)) for table in (before, columns)]
    if differing := sorted({str(row[0]) for row in rows[0] ^ rows[1]}):
        raise DataError(
            f"the data was changed since the run began: {len(differing)} of {len(columns['id'])} examples differ from "
            f"{folder / 'split.parquet'}, such as {differing[0]!r}",
            expected="the examples and labels that the run was started with",
            fix="put them back as they were, or start a new run with `heldout train`",
        )


def write_findings(folder: Path, findings: Sequence[Finding]) -> None:
    """Write findings.json, the gravest first."""
    write_atomic(folder / "findings.json", to_json([finding.as_dict() for finding in by_severity(list(findings))]))


def part_of_content(run: Path) -> dict[str, str]:
    """In which part of a run each file's content (SHA-256, hexadecimal) was.

    Raises:
        RunFolderError: split.parquet is absent or damaged.
    """
    table = read_parquet(run / "split.parquet", ["sha256", "part"])
    return dict(zip(table["sha256"].to_pylist(), table["part"].to_pylist(), strict=True))


def n_in_split(run: Path) -> int:
    """How many examples a run has.

    Raises:
        RunFolderError: split.parquet is absent or damaged.
    """
    return int(read_parquet(run / "split.parquet", ["part"]).num_rows)


def groups_learned_from(run: Path) -> frozenset[str]:
    """The names of the groups of a run's train and validation parts; none where it was trained without groups."""
    try:
        table = read_parquet(run / "split.parquet", ["group", "part"]).to_pydict()
    except DamagedRun:
        return frozenset()  # of a version that knew no groups: `part_of_content` has seen that it is whole
    pairs = zip(table["group"], table["part"], strict=True)
    return frozenset(group for group, part in pairs if group and part != "test")


def write_predictions(folder: Path, parts: Mapping[str, Predictions]) -> None:
    """Write predictions.parquet: one row an example of the validation and test parts."""
    columns: dict[str, Any] = {name: [] for name in ("id", "part", "label", "predicted", "confidence", "correct")}
    for part, predictions in parts.items():
        columns["id"] += predictions.ids
        columns["part"] += [part] * len(predictions)
        columns["label"] += [predictions.classes[label] for label in predictions.labels.tolist()]
        columns["predicted"] += [predictions.classes[label] for label in predictions.predicted.tolist()]
        columns["confidence"] += predictions.confidence.tolist()
        columns["correct"] += predictions.correct.tolist()
    columns["probabilities"] = arrow_lists(np.concatenate([each.probabilities for each in parts.values()]))
    write_parquet(folder / "predictions.parquet", columns)


def write_suspects(folder: Path, suspicion: Suspicion, sha256s: Mapping[str, str], facts: FactStore) -> None:
    """Write suspects.parquet: one row a doubted label, the most doubted first, with pictures of the first rows.

    Args:
        folder: The run folder.
        suspicion: What was found.
        sha256s: Of each file, by id.
        facts: Have the thumbnails.
    """
    rows = suspicion.suspects
    columns: dict[str, list[Any]] = {
        name: [getattr(row, name) for row in rows]
        for name in ("id", "part", "label", "suggested", "p_label", "p_suggested", "like_label", "like_suggested")
    }
    for name, of in (("jpeg", "id"), ("jpeg_like_label", "like_label"), ("jpeg_like_suggested", "like_suggested")):
        shown = [sha256s.get(place) for place in columns[of][:N_SHOWN_SUSPECTS]]
        pictures = [facts.thumbnail(sha256) if sha256 else b"" for sha256 in shown]
        columns[name] = pictures + [b""] * (len(rows) - len(pictures))
    write_parquet(folder / "suspects.parquet", columns)


def data_facts(examples: Examples, split: Split, n_left_out: int) -> dict[str, Any]:
    """Counts a class and part, and how the data lay, for scores.json."""
    n_classes = len(examples.classes)
    counts = {part: np.bincount(examples.labels[split.indices(part)], minlength=n_classes).tolist() for part in PARTS}
    return {
        "n": len(examples),
        "n_train": sum(counts["train"]),
        "n_validation": sum(counts["validation"]),
        "n_test": sum(counts["test"]),
        "classes": list(examples.classes),
        "counts": counts,
        "layout": examples.layout,
        "made": list(split.made),
        "groups": group_facts(examples.groups),
        "n_left_out": n_left_out,
        "passed_over": [[thing.name, thing.reason] for thing in examples.passed_over[:100]],
    }


def group_facts(names: Sequence[str]) -> dict[str, int] | None:
    """How many groups there are and how large the largest is; None where there are none."""
    if not names:
        return None
    sizes = np.bincount(group_numbers(names))
    return {"n": len(sizes), "largest": int(sizes.max()), "n_unnamed": sum(not name for name in names)}


def column_facts_of(materials: Materials | TableMaterials) -> dict[str, Any]:
    """What became of each column of a table, and the name of that with the labels; nothing of pictures."""
    if not isinstance(materials, TableMaterials):
        return {}
    return {"columns": column_records(materials.fitted), "target": materials.source.target}


def column_records(encoder: Encoder) -> list[dict[str, Any]]:
    """What became of each column: its kind, the rows without a value, and what a model reads of it."""
    columns: list[dict[str, Any]] = [
        {"name": one.name, "kind": one.kind, "n_missing": one.n_missing, "words": _column_words(one)}
        for one in encoder.columns
    ]
    dropped = [{"name": one.name, "kind": "not used", "n_missing": 0, "words": one.reason} for one in encoder.dropped]
    return columns + dropped


def _column_words(column: Column) -> str:
    """What a model reads of a column."""
    if column.kind == "category":
        others = f", {column.n_others:,} others together" if column.n_others else ""
        return f"{len(column.categories):,} categories: {some_of(column.categories)}{others}"
    kind = "seconds since 1970, " if column.kind == "date" else ""
    return f"{kind}mean {column.mean:.4g}, standard deviation {column.scale:.4g}"


def model_facts(plan: Plan, fitted: Fitted, materials: Materials | TableMaterials, folder: Path) -> dict[str, Any]:
    """What the model is, for scores.json."""
    file = None if isinstance(materials, TableMaterials) else materials.weights
    return {
        "backbone": "" if isinstance(materials, TableMaterials) else materials.backbone.name,
        "regime": plan.model.regime,
        "weights": file.source if file else "random",
        "n_parameters": fitted.n_parameters,
        "n_trained": fitted.n_trained,
        **_rate_facts(plan, fitted),
        "n_bytes": (folder / "model" / "weights.safetensors").stat().st_size,
        "input": _input_words(materials),
        **_coefficient_facts(fitted.classifier),
    }


def _coefficient_facts(classifier: Classifier | RowClassifier) -> dict[str, Any]:
    """The weights of a linear model of rows, which are few enough to read; nothing of other models."""
    if not isinstance(classifier, RowClassifier) or classifier.name != "linear":
        return {}
    assert isinstance(classifier.scorer, Layers), "a linear model is one layer"
    weight, classes = classifier.scorer.weights[0].astype(np.float64), classifier.classes
    if len(classes) == 2:
        heads, weight = [f"{classes[1]} against {classes[0]}"], weight[1:] - weight[:1]
    else:
        heads, weight = list(classes), weight - weight.mean(axis=0)
    names = classifier.encoder.feature_names
    return {
        "coefficients": {
            "heads": heads,
            "weights": [
                {"feature": name, "values": values} for name, values in zip(names, weight.T.tolist(), strict=True)
            ],
            "words": "What one standard deviation of a number, or a category, adds to the logarithm of the odds"
            + ("." if len(classes) == 2 else ", beside the mean of all classes."),
        }
    }


def _input_words(materials: Materials | TableMaterials) -> str:
    if isinstance(materials, TableMaterials):
        encoder = materials.fitted
        return f"{len(encoder.feature_names):,} features of {len(encoder.columns):,} columns"
    return f"3x{materials.backbone.crop}x{materials.backbone.crop}"


def _rate_facts(plan: Plan, fitted: Fitted) -> dict[str, Any]:
    """The learning rate and how it came about; nulls where a head was fitted to its optimum, which needs none."""
    if plan.training is None:
        return {"learning_rate": None, "learning_rate_reason": None}
    if fitted.rate_test is None:
        return {"learning_rate": plan.training.rate, "learning_rate_reason": "as planned"}
    return {"learning_rate": fitted.rate_test.learning_rate, "learning_rate_reason": fitted.rate_test.reason}
