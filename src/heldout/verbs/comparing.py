"""Two finished runs -> which of the two models is better on the same held-out pictures, if these can tell.

What both answered when they were scored is compared picture by picture; no model is asked again, nothing is opened, and
nothing is written into the folders of the runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from jaxtyping import Bool, Int

from heldout.errors import UsageError
from heldout.findings import MAX_NAMED, Finding, by_severity
from heldout.measuring.balanced_difference import balanced_difference
from heldout.measuring.comparison import Comparison, Difference, compare_paired
from heldout.measuring.cost_difference import cost_difference
from heldout.randomness import stream
from heldout.records import cache_folder, read_parquet, to_json, write_atomic
from heldout.reporting.compare_page import compare_page
from heldout.reporting.compare_words import words_of_comparison
from heldout.run_folders import fresh_folder
from heldout.training.stores import FactStore
from heldout.verbs.pairing import Side, clusters_of_pair, fact_stores, read_pair
from heldout.verbs.sweeps import Sweep, read_sweep, sweep_folder

_FILES = ("compare.html", "compare.json")  # in the order in which they are written
# One of the two is called better where p is below this and the interval leaves 0 out.
LEVEL = 0.05
# So many pictures that only one gets right are named in compare.json, of each kind (assumed: 3 MB of it at most).
MAX_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class ClassDifference:
    """One class: how many of its examples only one of the two gets right, and the difference of the recalls."""

    name: str
    n: int
    n_only_a: int
    n_only_b: int
    difference: Difference | None


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Two fitted models on the same held-out pictures.

    Attributes:
        a: One run, with its answers.
        b: The other, with its answers in the same order.
        comparison: The table of both, only A, only B and neither; difference, test and power.
        balanced: The difference of the balanced accuracies; None where the classes are of like size.
        costs: What A saves an example, where both decided by the same stated costs; else None.
        per_class: The same class by class, in the order of the class map.
        only_a: Index of each picture that only A gets right, those first of which B was surest.
        only_b: The same for B.
        findings: What weakens the comparison, gravest first.
        folder: Where compare.html and compare.json lie; None where nothing was written.
    """

    a: Side
    b: Side
    comparison: Comparison
    balanced: Difference | None
    costs: Difference | None
    per_class: tuple[ClassDifference, ...]
    only_a: tuple[int, ...]
    only_b: tuple[int, ...]
    findings: tuple[Finding, ...]
    folder: Path | None

    @property
    def better(self) -> str:
        """Which of the two is better: "a", "b", or nothing where these examples cannot tell.

        By what their answers cost where both decided by the same costs; else by balanced accuracy where that leads the
        scores of either run, as it does where classes are unlike in size.
        """
        return better_of(self.costs or self.balanced or self.comparison.difference)

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        content: dict[str, Any] = {
            "format": 1,
            "things": self.a.things,
            "a": _facts_of(self.a),
            "b": _facts_of(self.b),
            "classes": list(self.a.classes),
            "better": self.better or None,
            "comparison": self.comparison.as_dict(),
            "balanced_accuracy": self.balanced.as_dict() if self.balanced else None,
            "mean_cost": self.costs.as_dict() if self.costs else None,
            "per_class": [_class_record(each, self.a, self.b, number) for number, each in enumerate(self.per_class)],
            "n_only_a": len(self.only_a),
            "n_only_b": len(self.only_b),
            "only_a": [_answers_on(self.a, self.b, index) for index in self.only_a[:MAX_LISTED]],
            "only_b": [_answers_on(self.a, self.b, index) for index in self.only_b[:MAX_LISTED]],
            "test_openings": max(int(side.scores["data"]["test_openings"]) for side in (self.a, self.b)),
            "findings": [finding.as_dict() for finding in self.findings],
            "page": str(self.folder / "compare.html") if self.folder else None,
        }
        return content | {"words": words_of_comparison(content)}


@overload
def compare(run_a: str | Path, run_b: str | Path, *, out: str | Path | None = "comparisons") -> Compared: ...
@overload
def compare(run_a: str | Path, run_b: None = None, *, out: str | Path | None = "comparisons") -> Sweep: ...
def compare(
    run_a: str | Path, run_b: str | Path | None = None, *, out: str | Path | None = "comparisons"
) -> Compared | Sweep:
    """Which of two models is better on the same held-out pictures; or where the settings of a sweep stand.

    Args:
        run_a: The folder of a finished run; or, alone, that of a finished sweep.
        run_b: The folder of another run that was scored on the same held-out pictures.
        out: Where a folder with compare.html and compare.json is made; None writes nothing. Of a sweep, which has a
            page of its own, nothing is written.

    Raises:
        UsageError: The two are one, tell other classes apart, or were not scored on the same pictures.
        RunFolderError: A folder is no finished run or sweep, or is damaged.
        StorageError: The disk refused.

    Example:
        >>> heldout.compare("runs/photos-001", "runs/photos-002").comparison.difference.p  # doctest: +SKIP
        0.039
    """
    sweeps = [sweep_folder(Path(run)) for run in (run_a, run_b) if run is not None]
    if run_b is None and sweeps[0] is not None:
        return read_sweep(sweeps[0])
    if run_b is None or any(sweeps):
        raise UsageError(
            f"{run_a} is compared with nothing" if run_b is None else "a sweep is compared with something else",
            expected="two runs, or one sweep alone",
            fix="heldout compare RUN RUN, or heldout compare SWEEP",
        )
    a, b = read_pair(run_a, run_b)
    stores = fact_stores(a, b, cache_folder())
    found = compared(a, b, stores)
    return found if out is None else _written(found, Path(out), stores)


def compared(a: Side, b: Side, stores: list[FactStore]) -> Compared:
    """Everything that follows from the answers of two runs.

    Args:
        a: One run.
        b: The other, in the same order.
        stores: What the cache knows of the pictures.
    """
    clusters, is_looked_up = clusters_of_pair(a, b, stores)
    groups = clusters if len(np.unique(clusters)) < len(clusters) else None
    right_a, right_b = a.correct, b.correct
    generator = stream(0, "bootstrap")
    n_classes = len(a.classes)
    balanced = None
    if any(side.scores["test"]["scores"][0]["name"] == "balanced_accuracy" for side in (a, b)):
        gains = right_a.astype(np.int64) - right_b
        balanced = balanced_difference(a.labels, gains, n_classes=n_classes, groups=groups, generator=generator)
    only_a, only_b = right_a & ~right_b, right_b & ~right_a
    return Compared(
        a=a,
        b=b,
        comparison=compare_paired(right_a, right_b, groups=groups, generator=generator),
        balanced=balanced,
        costs=_cost_difference(a, b, groups, generator),
        per_class=tuple(
            _class_difference(a, b, label, groups=groups, generator=generator) for label in range(n_classes)
        ),
        only_a=_surest_first(only_a, b),
        only_b=_surest_first(only_b, a),
        findings=tuple(by_severity(doubts(a, b, is_looked_up=is_looked_up))),
        folder=None,
    )


def _cost_difference(
    a: Side, b: Side, groups: Int[np.ndarray, " examples"] | None, generator: np.random.Generator
) -> Difference | None:
    """What A saves an example; None unless both decided by the same costs."""
    costs = a.costs
    if costs is None or b.costs is None or not np.array_equal(costs, b.costs):
        return None
    saved = costs[b.labels, b.predicted] - costs[a.labels, a.predicted]
    return cost_difference(saved, highest=float(costs.max()), groups=groups, generator=generator)


def better_of(difference: Difference) -> str:
    """Which of the two is better: "a", "b", or nothing where the test set cannot tell.

    Both the test and the interval must say so: where examples come in groups the two rest on other assumptions.
    """
    if not difference.p < LEVEL or difference.low <= 0 <= difference.high:
        return ""
    return "a" if difference.value > 0 else "b"


def _class_difference(
    a: Side, b: Side, label: int, *, groups: Int[np.ndarray, " examples"] | None, generator: np.random.Generator
) -> ClassDifference:
    of_class = np.flatnonzero(a.labels == label)
    name = a.classes[label]
    if not len(of_class):
        return ClassDifference(name, 0, 0, 0, None)
    kin = None if groups is None else groups[of_class]
    found = compare_paired(a.correct[of_class], b.correct[of_class], groups=kin, generator=generator)
    return ClassDifference(name, found.n, found.n_only_a, found.n_only_b, found.difference)


def _surest_first(chosen: Bool[np.ndarray, " examples"], wrong: Side) -> tuple[int, ...]:
    """The chosen examples, those first of which the run that is wrong on them was surest."""
    return tuple(
        sorted(np.flatnonzero(chosen).tolist(), key=lambda index: (-wrong.confidence[index], wrong.ids[index]))
    )


def doubts(a: Side, b: Side, *, is_looked_up: bool) -> list[Finding]:
    """What weakens a comparison of two runs.

    Args:
        a: One run.
        b: The other, in the same order.
        is_looked_up: Whether near copies among the pictures could be looked for.
    """
    findings = []
    learned = [side.has_learned for side in (a, b)]
    if n_learned := int((learned[0] | learned[1]).sum()):
        where = np.flatnonzero(learned[0] | learned[1])[:MAX_NAMED]
        findings.append(
            Finding(
                code="compared-on-training-data",
                severity="error",
                what=f"{n_learned:,} of {len(a.ids):,} held-out {a.things} are, byte for byte, also ones that a run "
                f"was trained or chosen on ({int(learned[0].sum()):,} for A, {int(learned[1].sum()):,} for B)",
                why="What a model has met it answers better than what it has not: the difference is then one of "
                "memory.",
                fix="Remove the copies from train and validation, train both again, and compare those.",
                where=tuple(a.ids[index] for index in where),
            )
        )
    if a.weights == b.weights:
        findings.append(
            Finding(
                code="equal-models",
                severity="warning",
                what="The two runs ended with the very same weights, bit for bit",
                why="They are one model, so that every difference is zero and nothing is learned from it.",
                fix="Look in plan.toml of both for what should have differed.",
            )
        )
    elif n_other := len(a.learned ^ b.learned):
        findings.append(
            Finding(
                code="other-training-data",
                severity="note",
                what=f"{n_other:,} {a.things} are in train or validation of one run alone ({len(a.learned):,} "
                f"different ones for A, {len(b.learned):,} for B)",
                why="The two models differ by what they have learned from as well as by how.",
                fix="Train both on the same data to compare the recipes alone.",
            )
        )
    findings += _other_costs(a, b)
    if not is_looked_up:
        findings.append(
            Finding(
                code="near-copies-not-looked-for",
                severity="note",
                what="Near copies among the held-out pictures were not looked for: the cache does not know them all",
                why="Copies rise and fall together; where there are any, the interval is too narrow and p too small.",
                fix="Compare on the machine of one of the runs, or look at the data here first: heldout check DATA "
                f"--backbone {a.scores['model']['backbone']}.",
            )
        )
    return findings


def _other_costs(a: Side, b: Side) -> list[Finding]:
    """A Finding where the two decided by different costs, or one of them by none."""
    of_a, of_b = a.costs, b.costs
    if of_a is None and of_b is None:
        return []
    if of_a is not None and of_b is not None:
        different = np.argwhere(of_a != of_b).tolist()
        if not different:
            return []
        true, answered = different[0]
        what = (
            f"The two runs decided by different costs, of {len(different):,} kinds of mistake: {a.classes[true]!r} "
            f"taken for {a.classes[answered]!r} costs {of_a[true, answered]:g} for A and {of_b[true, answered]:g} for B"
        )
    else:
        first, second = ("A", "B") if of_a is not None else ("B", "A")
        what = f"{first} decided by stated costs and {second} did not"
    return [
        Finding(
            code="other-costs",
            severity="warning",
            what=what,
            why="Each made the mistakes that were cheap for it. What is compared here counts all mistakes alike, which "
            "neither was asked for, so the better one here may be the dearer one in use.",
            fix="Train both with the same --costs; then they are compared by what their answers cost.",
        )
    ]


def _facts_of(side: Side) -> dict[str, Any]:
    model = side.scores["model"]
    scores = {score["name"]: score for score in side.scores["test"]["scores"]}
    return {
        "run": str(side.folder),
        "name": side.folder.resolve().name,
        "regime": model["regime"],
        "backbone": model["backbone"],
        "n_trained": model["n_trained"],
        "final_weights": side.weights,
        "accuracy": scores["accuracy"],
        "balanced_accuracy": scores["balanced_accuracy"],
    }


def _class_record(each: ClassDifference, a: Side, b: Side, number: int) -> dict[str, Any]:
    recalls = [side.scores["test"]["per_class"][number]["recall"] for side in (a, b)]
    return {
        "name": each.name,
        "n": each.n,
        "recall_a": recalls[0],
        "recall_b": recalls[1],
        "n_only_a": each.n_only_a,
        "n_only_b": each.n_only_b,
        "difference": each.difference.as_dict() if each.difference else None,
    }


def _answers_on(a: Side, b: Side, index: int) -> dict[str, Any]:
    """What both said about one picture."""
    answers = {
        name: {"predicted": side.classes[side.predicted[index]], "confidence": float(side.confidence[index])}
        for name, side in (("a", a), ("b", b))
    }
    return {"id": a.ids[index], "sha256": a.sha256s[index], "label": a.classes[a.labels[index]], **answers}


def _written(found: Compared, out: Path, stores: list[FactStore]) -> Compared:
    """The same comparison, after its page and its record were written."""
    name = f"{found.a.folder.resolve().name}-with-{found.b.folder.resolve().name}"
    kept = _kept_thumbnails(found.a, found.b)

    def thumbnail(sha256: str) -> bytes | None:
        return kept.get(sha256) or next((store.thumbnail(sha256) for store in stores if sha256 in store), None)

    with fresh_folder(out, name, files=_FILES) as folder:
        placed = Compared(
            **{field: getattr(found, field) for field in Compared.__slots__ if field != "folder"}, folder=folder
        )
        content = placed.as_dict()
        write_atomic(folder / "compare.html", compare_page(content, name=folder.name, thumbnail=thumbnail))
        write_atomic(folder / "compare.json", to_json(content))
    return placed


def _kept_thumbnails(a: Side, b: Side) -> Mapping[str, bytes]:
    """The small pictures that the runs themselves have kept, by content."""
    kept: dict[str, bytes] = {}
    for side in (a, b):
        if side.things == "rows":
            continue
        content = dict(zip(side.ids, side.sha256s, strict=True))
        table = read_parquet(side.folder / "thumbnails.parquet", ["id", "jpeg"]).to_pydict()
        kept |= {content[name]: jpeg for name, jpeg in zip(table["id"], table["jpeg"], strict=True) if name in content}
    return kept
