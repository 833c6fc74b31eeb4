"""The files of a run folder -> one record that the figures and the page draw from."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float, Int

from heldout.arrow_arrays import arrow_words, numbers_in
from heldout.data.examples import things_of
from heldout.errors import RunFolderError
from heldout.measuring.boundary import Boundary
from heldout.measuring.boundary_files import read_boundary
from heldout.records import read_json, read_parquet

FORMAT = 1
# The columns that are drawn; the files have more.
HISTORY_COLUMNS = (
    "epoch",
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "validation_accuracy_low",
    "validation_accuracy_high",
    "best",
)
RATE_COLUMNS = ("rate", "loss", "smoothed", "chosen")
PATH_COLUMNS = ("l2", "train_loss", "validation_loss", "validation_accuracy", "chosen")


class ScoreRecord(TypedDict):
    """One score as it stands in scores.json."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str


class ClassRecord(TypedDict):
    """The scores of one class."""

    name: str
    n: int
    recall: ScoreRecord
    precision: ScoreRecord
    f1: float | None


class BinRecord(TypedDict):
    """One bin of the reliability diagram."""

    low: float
    high: float
    n: int
    mean_confidence: float | None
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None


class SummaryRecord(TypedDict):
    """Every number of one part. `confusion` has a row a true class and a column a predicted class."""

    n: int
    scores: list[ScoreRecord]
    per_class: list[ClassRecord]
    confusion: list[list[int]]
    reliability: list[BinRecord]
    ece: float
    ece_null: tuple[float, float]
    temperature: float
    average_precision_baseline: NotRequired[float]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the model answered on the examples of one part.

    Attributes:
        part: "test", or "validation" where no test part was opened.
        ids: One id an example.
        labels: The true class of each, as an index.
        predicted: The class the model named, as an index.
        confidence: The probability it gave that class, 0 to 1.
    """

    part: str
    ids: tuple[str, ...]
    labels: Int[np.ndarray, " examples"]
    predicted: Int[np.ndarray, " examples"]
    confidence: Float[np.ndarray, " examples"]


@dataclass(frozen=True, slots=True)
class Sample:
    """A training picture: the file, and the crop the network is given, both as JPEG."""

    id: str
    label: str
    original: bytes
    seen: bytes


class SuspicionRecord(TypedDict):
    """What scores.json says of doubted labels."""

    n: int
    n_suspects: int
    n_not_judged: int
    ceiling: ScoreRecord
    confirmed_share: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """A doubted label; the pictures are JPEG: its own, and the clearest of both classes, empty where none was kept."""

    id: str
    part: str
    label: str
    suggested: str
    p_label: float
    p_suggested: float
    jpeg: bytes
    jpeg_like_label: bytes
    jpeg_like_suggested: bytes


@dataclass(frozen=True, slots=True)
class Drawable:
    """What the figures are drawn from.

    Attributes:
        classes: The names, in the order of the class map.
        leading: The numbers of the part that the report leads with.
        history: `HISTORY_COLUMNS` of history.csv; None where nothing was trained by epochs.
        head_path: `PATH_COLUMNS` of head_path.csv; None where the head was not fitted by itself.
        rate_test: `RATE_COLUMNS` of learning_rate.csv; None where the learning rate was not searched for.
        noun: What an example is called.
        imbalance: Decision, curves, coverage and sets, as in scores.json; None where the run has none.
        boundary: Where the answer changes; None where that was not drawn.
    """

    classes: tuple[str, ...]
    leading: SummaryRecord
    history: dict[str, list[float]] | None
    head_path: dict[str, list[float]] | None
    rate_test: dict[str, list[float]] | None = None
    noun: str = "picture"
    imbalance: dict[str, Any] | None = None
    boundary: Boundary | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """All that a report shows of one run.

    Attributes:
        name: The name of the run folder.
        classes: The class names in index order.
        test: The numbers of the held-out test part; None where it was not opened.
        validation: The numbers of the part that choices were made on.
        without_leaks: Of the test part without copies of other parts' pictures; None where it has none.
        baselines: The scores of models that anyone could have had for nothing.
        data: Counts and layout, as in scores.json.
        model: Backbone, regime and sizes, as in scores.json.
        environment: Versions, hardware, times, fingerprints and the command.
        findings: The doubts, as they stand in findings.json.
        plan: The text of plan.toml.
        history: `HISTORY_COLUMNS` of history.csv; None where nothing was trained by epochs.
        head_path: `PATH_COLUMNS` of head_path.csv; None where the head was not fitted by itself.
        answers: What the model answered on the part that leads the report.
        thumbnails: JPEG bytes of the pictures that can be shown, by id.
        samples: Training pictures for the sample grid.
        suspicion: What is said of doubted labels; None where none was judged.
        suspects: Those whose pictures were kept, the most doubted first.
        rate_test: `RATE_COLUMNS` of learning_rate.csv; None where the learning rate was not searched for.
        imbalance: Decision, curves, coverage and sets, as in scores.json; None where the run has none.
        boundary: Where the answer changes; None where that was not drawn.
        arithmetic: Sections on what the network computes and how its weights decayed: `title` and `parts`, each with
            `text`, `formula` or a table's `columns` and `rows`. Empty where an older version made the run.
    """

    name: str
    classes: tuple[str, ...]
    test: SummaryRecord | None
    without_leaks: SummaryRecord | None
    validation: SummaryRecord
    baselines: dict[str, ScoreRecord]
    data: dict[str, Any]
    model: dict[str, Any]
    environment: dict[str, Any]
    findings: list[dict[str, Any]]
    plan: str
    history: dict[str, list[float]] | None
    head_path: dict[str, list[float]] | None
    answers: Answers
    thumbnails: dict[str, bytes]
    samples: tuple[Sample, ...]
    suspicion: SuspicionRecord | None
    suspects: tuple[Suspect, ...]
    rate_test: dict[str, list[float]] | None = None
    imbalance: dict[str, Any] | None = None
    boundary: Boundary | None = None
    arithmetic: tuple[dict[str, Any], ...] = ()

    @property
    def noun(self) -> str:
        """What an example of this run is called, wherever the page speaks of one."""
        return noun_of(self.data)

    @property
    def leading(self) -> SummaryRecord:
        """The numbers the page leads with: the test part, or validation where there is none."""
        return self.test if self.test is not None else self.validation

    @property
    def drawable(self) -> Drawable:
        """What the figures are drawn from."""
        return Drawable(
            self.classes,
            self.leading,
            self.history,
            self.head_path,
            self.rate_test,
            self.noun,
            self.imbalance,
            self.boundary,
        )


def noun_of(data: Mapping[str, Any]) -> str:
    """What an example is called, by the `data` of scores.json.

    Example:
        >>> noun_of({"layout": "table"}), noun_of({"layout": "class folders"})
        ('row', 'picture')
    """
    return things_of(str(data.get("layout", ""))).removesuffix("s")


def read_results(folder: Path) -> Results:
    """The record of a finished run.

    Raises:
        RunFolderError: A file is absent or damaged, or is of a format that this version does not know.
    """
    scores = _read_scores(folder)
    classes = tuple(scores["data"]["classes"])
    part = "test" if scores["test"] is not None else "validation"
    has_pictures = noun_of(scores["data"]) == "picture"
    thumbnails, samples = _read_thumbnails(folder / "thumbnails.parquet") if has_pictures else ({}, ())
    return Results(
        name=folder.resolve().name,
        classes=classes,
        test=scores["test"],
        without_leaks=scores.get("test_without_leaks"),
        validation=scores["validation"],
        baselines={name: score for name, score in scores["baselines"].items() if score is not None},
        data=scores["data"],
        model=scores["model"],
        environment=read_json(folder / "environment.json"),
        findings=read_json(folder / "findings.json"),
        plan=_read_text(folder / "plan.toml"),
        history=_read_columns(folder / "history.csv", HISTORY_COLUMNS),
        head_path=_read_columns(folder / "head_path.csv", PATH_COLUMNS),
        answers=_read_answers(folder / "predictions.parquet", part, classes),
        thumbnails=thumbnails,
        samples=samples,
        suspicion=scores.get("suspects"),
        suspects=_read_suspects(folder / "suspects.parquet") if scores.get("suspects") else (),
        rate_test=_read_columns(folder / "learning_rate.csv", RATE_COLUMNS),
        imbalance=scores.get("imbalance"),
        boundary=read_boundary(folder),
        arithmetic=tuple(read_json(folder / "arithmetic.json")) if (folder / "arithmetic.json").is_file() else (),
    )


def read_drawable(folder: Path) -> Drawable:
    """What the figures are drawn from, which is there before the rest of a report.

    Raises:
        RunFolderError: As in `read_results`.
    """
    scores = _read_scores(folder)
    return Drawable(
        classes=tuple(scores["data"]["classes"]),
        leading=scores["test"] if scores["test"] is not None else scores["validation"],
        history=_read_columns(folder / "history.csv", HISTORY_COLUMNS),
        head_path=_read_columns(folder / "head_path.csv", PATH_COLUMNS),
        rate_test=_read_columns(folder / "learning_rate.csv", RATE_COLUMNS),
        noun=noun_of(scores["data"]),
        imbalance=scores.get("imbalance"),
        boundary=read_boundary(folder),
    )


def _read_scores(folder: Path) -> dict[str, Any]:
    scores: dict[str, Any] = read_json(folder / "scores.json")
    if scores.get("format") != FORMAT:
        raise RunFolderError(
            f"{folder / 'scores.json'} has format {scores.get('format')!r}",
            expected=f"format {FORMAT}, the one this version of heldout writes",
            fix="make the report with the version of heldout that made the run (see environment.json)",
        )
    return scores


def _not_whole(path: Path, why: str) -> RunFolderError:
    return RunFolderError(
        f"{path} {why}",
        expected="a run folder as `heldout train` leaves it",
        fix="finish the run with `heldout resume`, or train again",
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _not_whole(path, "is absent") from None


def _read_columns(path: Path, names: Sequence[str]) -> dict[str, list[float]] | None:
    """The named columns of a CSV of numbers; None when there is no such file or no row in it."""
    if not path.exists():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        return None
    try:
        return {name: [_number(row.get(name)) for row in rows] for name in names}
    except ValueError as error:
        raise _not_whole(path, f"is damaged: {error}") from None


def _number(text: str | None) -> float:
    """A cell as a number: true and false become 1 and 0, an empty cell is not a number.

    Raises:
        ValueError: It is no number, or the row has no such cell.
    """
    if text is None:
        raise ValueError("a column or a cell is absent")
    marks = {"": float("nan"), "true": 1.0, "false": 0.0}
    lowered = text.strip().lower()
    return marks[lowered] if lowered in marks else float(lowered)


def _read_answers(path: Path, part: str, classes: tuple[str, ...]) -> Answers:
    table = read_parquet(path, ["id", "part", "label", "predicted", "confidence"])
    table = table.filter(pc.equal(table["part"], arrow_words([part])[0]))
    known = arrow_words(classes).cast(pa.string())
    labels, predicted = (pc.index_in(table[name].cast(pa.string()), value_set=known) for name in ("label", "predicted"))
    if labels.null_count or predicted.null_count:
        raise _not_whole(path, "names a class that scores.json does not have")
    return Answers(
        part=part,
        ids=tuple(table["id"].to_pylist()),
        labels=numbers_in(labels).astype(np.int64),
        predicted=numbers_in(predicted).astype(np.int64),
        confidence=numbers_in(table["confidence"], empty=np.nan).astype(np.float64),
    )


def _read_thumbnails(path: Path) -> tuple[dict[str, bytes], tuple[Sample, ...]]:
    table = read_parquet(path, ["id", "label", "jpeg", "seen"])
    rows = table.to_pylist()
    samples = tuple(
        Sample(id=row["id"], label=row["label"], original=row["jpeg"], seen=row["seen"])
        for row in rows
        if row["seen"] is not None
    )
    return {row["id"]: row["jpeg"] for row in rows}, samples


def _read_suspects(path: Path) -> tuple[Suspect, ...]:
    names = [field.name for field in fields(Suspect)]
    rows = read_parquet(path, names).to_pylist()
    return tuple(Suspect(**row) for row in rows if row["jpeg"])
