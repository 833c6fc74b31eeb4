"""Two finished runs -> their answers on the same held-out examples, or why they cannot be compared.

Examples are the same where the bytes of the picture and its label are; names and folders may differ. Nothing is opened
here and no model is asked: what both runs answered when they were scored stands in their folders.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.data.examples import some_of, things_of
from heldout.data.groups import group_numbers, joined
from heldout.data.pictures.near_duplicates import clusters, find_pairs
from heldout.data.pictures.survey import Survey
from heldout.data.problems import pixel_numbers
from heldout.errors import DamagedRun, MissingExtra, RunFolderError, UsageError
from heldout.models.backbones import find_backbone
from heldout.records import read_json, read_parquet
from heldout.run_folders import run_folder
from heldout.training.classifier import fact_store
from heldout.training.stores import FactStore

# The files of a run that are read here, which must be those that were written.
CHECKED = ("plan.toml", "scores.json", "environment.json", "split.parquet", "predictions.parquet", "thumbnails.parquet")
# The content of a picture, its label, and which of several such examples it is.
_Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One run of two, and its answers on the held-out examples.

    Attributes:
        folder: The folder of the run.
        scores: The content of scores.json.
        weights: Fingerprint of its final weights.
        ids: What it calls each held-out example.
        sha256s: Content of each.
        labels: The class of each, as an index.
        predicted: The class that it named, as an index.
        confidence: The calibrated probability of that class, 0 to 1.
        groups: The name of each one's group, empty where it has none.
        learned: Contents of its train and validation parts.
    """

    folder: Path
    scores: dict[str, Any]
    weights: str
    ids: tuple[str, ...]
    sha256s: tuple[str, ...]
    labels: Int[np.ndarray, " examples"]
    predicted: Int[np.ndarray, " examples"]
    confidence: Float[np.ndarray, " examples"]
    groups: tuple[str, ...]
    learned: frozenset[str]

    @property
    def things(self) -> str:
        """What the examples are, for messages."""
        return things_of(str(self.scores["data"]["layout"]))

    @property
    def classes(self) -> tuple[str, ...]:
        """The class map of the run."""
        return tuple(self.scores["data"]["classes"])

    @property
    def costs(self) -> Float[np.ndarray, "classes classes"] | None:
        """The costs that it decided by, true classes as rows; None where none were stated."""
        decision = (self.scores.get("imbalance") or {}).get("decision") or {}
        n = len(self.classes)
        costs = np.array(decision["costs"], np.float64) if decision.get("rule") == "costs" else np.zeros(0)
        return costs if costs.shape == (n, n) else None

    @property
    def correct(self) -> Bool[np.ndarray, " examples"]:
        """Which examples it got right."""
        return np.asarray(self.predicted == self.labels)

    @property
    def has_learned(self) -> Bool[np.ndarray, " examples"]:
        """Which held-out examples have their very content in what it was trained or chosen on."""
        return np.array([sha256 in self.learned for sha256 in self.sha256s], dtype=bool)


def read_pair(run_a: str | Path, run_b: str | Path) -> tuple[Side, Side]:
    """The answers of two finished runs, example by example in the same order.

    Raises:
        RunFolderError: One of them is no finished run, or is damaged.
        UsageError: They are one and the same, have other classes, or were not scored on the same held-out examples.
    """
    a, b = (read_side(Path(run)) for run in (run_a, run_b))
    if a.folder.resolve() == b.folder.resolve():
        raise UsageError(
            f"{a.folder} is to be compared with itself",
            expected="two runs",
            fix="name another run beside it: heldout compare RUN RUN",
        )
    _check_classes(a, b)
    places_a, places_b = _places(a), _places(b)
    if places_a.keys() != places_b.keys():
        raise _other_examples(a, b, places_a.keys(), places_b.keys())
    return a, _taken(b, [places_b[key] for key in places_a])


def read_side(path: Path) -> Side:
    """The answers of one finished run on its held-out examples.

    Raises:
        RunFolderError: It is no finished run, is damaged, or was not scored on a held-out part.
    """
    folder = run_folder(path, check=CHECKED)
    scores, environment = (read_json(folder / name) for name in ("scores.json", "environment.json"))
    split = read_parquet(folder / "split.parquet", ["id", "sha256", "part", "group"]).to_pydict()
    answers = read_parquet(
        folder / "predictions.parquet", ["id", "part", "label", "predicted", "confidence"]
    ).to_pylist()
    try:
        number = {name: index for index, name in enumerate(scores["data"]["classes"])}
        if scores["test"] is None:
            raise RunFolderError(
                f"{folder} has no held-out score", expected="a run that opened its test part", fix="train again"
            )
        _check_scores(scores)
        content = {
            name: (sha256, group or "")
            for name, sha256, part, group in zip(
                *(split[key] for key in ("id", "sha256", "part", "group")), strict=True
            )
            if part == "test"
        }
        rows = [row for row in answers if row["part"] == "test"]
        if not all(0 <= row["confidence"] <= 1 for row in rows):
            raise ValueError("a confidence in predictions.parquet is not from 0 to 1")
        if sorted(row["id"] for row in rows) != sorted(content):
            raise ValueError("predictions.parquet and split.parquet name other test examples")
        return Side(
            folder=folder,
            scores=scores,
            weights=environment["fingerprints"]["final_weights"],
            ids=tuple(row["id"] for row in rows),
            sha256s=tuple(content[row["id"]][0] for row in rows),
            labels=np.array([number[row["label"]] for row in rows], dtype=np.int64),
            predicted=np.array([number[row["predicted"]] for row in rows], dtype=np.int64),
            confidence=np.array([row["confidence"] for row in rows], dtype=np.float64),
            groups=tuple(content[row["id"]][1] for row in rows),
            learned=frozenset(
                sha256 for sha256, part in zip(split["sha256"], split["part"], strict=True) if part != "test"
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, RunFolderError):
            raise
        raise DamagedRun(
            f"the files of {folder} do not fit together: {error}",
            expected="scores.json, split.parquet and predictions.parquet of one run, as heldout wrote them",
            fix="copy the run folder again from where it is whole, or train again",
        ) from error


def _check_scores(scores: Any) -> None:
    """Raise one of the errors of a record of another shape unless what a comparison shows is there."""
    test, model = scores["test"], scores["model"]
    values = {score["name"]: (score["value"], score["low"], score["high"], score["n"]) for score in test["scores"]}
    recalls = [line["recall"]["value"] for line in test["per_class"]]
    if not {"accuracy", "balanced_accuracy"} <= values.keys() or len(recalls) != len(scores["data"]["classes"]):
        raise ValueError("scores.json lacks a score")
    if not all(isinstance(model[key], str) for key in ("backbone", "regime")) or "n_trained" not in model:
        raise ValueError("scores.json does not say what the model is")
    int(scores["data"]["test_openings"])


def _check_classes(a: Side, b: Side) -> None:
    only = [[name for name in one.classes if name not in other.classes] for one, other in ((a, b), (b, a))]
    if only[0] or only[1]:
        told = [f"{some_of(names)} only in {side.folder}" for names, side in zip(only, (a, b), strict=True) if names]
        raise UsageError(
            f"the two runs tell other classes apart: {'; '.join(told)}",
            expected="two runs with the same classes",
            fix="train both on the same data",
        )


def _places(side: Side) -> dict[_Key, int]:
    """Where each example is, by what makes it the same one in another run; in the order of its ids."""
    seen: Counter[tuple[str, str]] = Counter()
    places = {}
    for index in sorted(range(len(side.ids)), key=side.ids.__getitem__):
        pair = (side.sha256s[index], side.classes[side.labels[index]])
        places[(*pair, seen[pair])] = index
        seen[pair] += 1
    # In the order in which the run has them, so that its own arrays need no turning.
    return dict(sorted(places.items(), key=lambda entry: entry[1]))


def _other_examples(a: Side, b: Side, keys_a: Any, keys_b: Any) -> UsageError:
    n_common, only_a, only_b = len(keys_a & keys_b), keys_a - keys_b, keys_b - keys_a
    told = [f"{n_common:,} are common, {len(only_a):,} are only in {a.folder}, and {len(only_b):,} only in {b.folder}"]
    if relabelled := {key[0] for key in only_a} & {key[0] for key in only_b}:
        told.append(f"{len(relabelled):,} {a.things} bear another label in each")
    for one, other in ((a, b), (b, a)):
        if n := sum(sha256 in other.learned for sha256 in one.sha256s):
            told.append(f"{other.folder} has learned from {n:,} of the test {one.things} of {one.folder}")
    return UsageError(
        f"the two runs were not scored on the same held-out {a.things}: {'; '.join(told)}",
        expected=f"the same {a.things}, with the same labels, in the test part of both",
        fix="train both on the same data with the same --seed and the same shares; or, for other seeds, on data that "
        "brings its test part (a folder test/, or a listing with a column of parts)",
    )


def _taken(side: Side, order: Sequence[int]) -> Side:
    """The same run with its examples in another order."""
    chosen = np.array(order, dtype=np.int64)
    return Side(
        folder=side.folder,
        scores=side.scores,
        weights=side.weights,
        ids=tuple(side.ids[index] for index in order),
        sha256s=tuple(side.sha256s[index] for index in order),
        labels=side.labels[chosen],
        predicted=side.predicted[chosen],
        confidence=side.confidence[chosen],
        groups=tuple(side.groups[index] for index in order),
        learned=side.learned,
    )


def fact_stores(a: Side, b: Side, cache: Path) -> list[FactStore]:
    """Where the cache keeps what is known of the pictures of two runs; none for a backbone that is not installed."""
    stores = []
    for name in dict.fromkeys(side.scores["model"]["backbone"] for side in (a, b)):
        try:
            stores.append(fact_store(find_backbone(name), cache))
        except (MissingExtra, UsageError):
            continue
    return stores


def clusters_of_pair(a: Side, b: Side, stores: Sequence[FactStore]) -> tuple[Int[np.ndarray, " examples"], bool]:
    """What counts together in an interval: copies, and what either run calls a group.

    Args:
        a: One run.
        b: The other, in the same order.
        stores: Know the pictures, if any of them knows all.

    Returns:
        A number an example, equal where they belong together; and whether near copies could be looked for.

    Raises:
        StorageError: What is known of a picture is damaged.
    """
    together = joined(group_numbers(a.groups), group_numbers(b.groups))
    together = joined(together, group_numbers(a.sha256s))
    if a.things == "rows":
        return together, True  # rows have no near copies
    for store in stores:
        if all(sha256 in store for sha256 in a.sha256s):
            found = Survey(tuple(store.facts(a.sha256s)), ())
            near = clusters(len(a.ids), find_pairs(store.signatures(a.sha256s)))
            return joined(together, joined(pixel_numbers(found), near)), True
    return together, False
