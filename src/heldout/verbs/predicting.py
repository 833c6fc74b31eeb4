"""A run and some files or rows -> labels and calibrated probabilities; a file that cannot be read is told with why."""

import csv
import io
import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from heldout.data.examples import some_of
from heldout.data.layouts.photos import open_data
from heldout.data.pictures.decoding import MAX_PIXELS
from heldout.data.storage.archives import is_archive
from heldout.data.storage.remote import is_address
from heldout.data.storage.sources import FolderSource, Source, pictures_below
from heldout.data.tabular.tables import table_of
from heldout.devices import chosen_device
from heldout.doubting import CHECKED as FILES_OF_DOUBT
from heldout.doubting import Doubt, SetRule, doubt_of
from heldout.errors import DataError, UsageError
from heldout.measuring.predictions import log_softmax
from heldout.provenance import Silent, Watcher
from heldout.records import cache_folder, write_atomic, write_parquet
from heldout.run_folders import run_folder
from heldout.scoring import AnyClassifier
from heldout.training.classifier import Answers, ask
from heldout.training.opening import open_classifier
from heldout.training.row_classifier import RowClassifier

log = logging.getLogger(__name__)
FORMATS = ("csv", "jsonl", "parquet")


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier says about one file.

    Attributes:
        path: The file as it was named, or of a table the file and the number of the row.
        label: The class that is decided for, the likeliest unless the run has another rule; empty where the file cannot
            be read.
        confidence: Its calibrated probability, 0 to 1.
        probabilities: Of every class.
        error: Why the file cannot be read; empty where it can.
        sure: Whether the label is to be relied on; None where that was not asked for, or the file cannot be read.
        prediction_set: The classes that cannot be excluded, in the order of the class map, perhaps none; None where
            they were not asked for, or the file cannot be read.
    """

    path: str
    label: str = ""
    confidence: float | None = None
    probabilities: dict[str, float] | None = None
    error: str = ""
    sure: bool | None = None
    prediction_set: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON; `sure` and `prediction_set` are in it where they were asked for."""
        asked = {
            "sure": self.sure,
            "prediction_set": None if self.prediction_set is None else list(self.prediction_set),
        }
        return {
            "path": self.path,
            "label": self.label or None,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "error": self.error or None,
            **{name: value for name, value in asked.items() if value is not None},
        }


def predict(
    run: str | Path,
    paths: Iterable[str | Path] | object,
    *,
    not_sure: float | None = None,
    prediction_sets: float | None = None,
    device: str = "auto",
    max_pixels: int = MAX_PIXELS,
    watcher: Watcher | None = None,
) -> list[Prediction]:
    """Labels and calibrated probabilities of pictures, or of the rows of tables, in the order in which they were named.

    Args:
        run: The folder of a finished run.
        paths: Files, and folders, archives and addresses, whose pictures are taken with all that lie below them. Of a
            run on a table: files of tables, or in their place whatever speaks Arrow, such as a data frame.
        not_sure: This share of the sure answers may be wrong: says of each answer whether it is sure.
        prediction_sets: This share of the sets may miss the true class: gives each answer such a set of classes.
        device: `auto`, `cpu` or `cuda`.
        max_pixels: Larger pictures are not read.
        watcher: Is told how it goes.

    Raises:
        RunFolderError: `run` is no finished run, is damaged, or has not kept what doubt is measured by.
        DataError: A folder, archive or address has no pictures in it, or cannot be read; a table has not got the
            columns that the run learned from.
        UsageError: A share is out of range, or validation cannot tell what would keep it.
    """
    asked = open_asked(run, not_sure=not_sure, prediction_sets=prediction_sets)
    return answers_of(asked, paths, device=device, max_pixels=max_pixels, watcher=watcher)


@dataclass(frozen=True, slots=True)
class Asked:
    """A classifier that was opened to be asked, and what doubt is to be told of its answers."""

    classifier: AnyClassifier
    doubt: Doubt


def open_asked(run: str | Path, *, not_sure: float | None = None, prediction_sets: float | None = None) -> Asked:
    """The classifier of a finished run, with what `predict` is to say of doubt.

    Args:
        run: As for `predict`.
        not_sure: As for `predict`.
        prediction_sets: As for `predict`.

    Raises:
        RunFolderError: As `predict`.
        UsageError: As `predict`.
    """
    folder = run_folder(Path(run))
    if not_sure is not None or prediction_sets is not None:
        folder = run_folder(folder, check=FILES_OF_DOUBT)
    classifier = open_classifier(folder, cache=cache_folder())
    classes, decision = classifier.classes, classifier.decision
    return Asked(classifier, doubt_of(folder, classes, decision, not_sure=not_sure, prediction_sets=prediction_sets))


def answers_of(
    asked: Asked,
    paths: Iterable[str | Path] | object,
    *,
    device: str = "auto",
    max_pixels: int = MAX_PIXELS,
    watcher: Watcher | None = None,
) -> list[Prediction]:
    """What `predict` gives, of a run that is open already.

    Args:
        asked: As `open_asked` gives it.
        paths: As for `predict`.
        device: As for `predict`.
        max_pixels: As for `predict`.
        watcher: As for `predict`.

    Raises:
        DataError: As `predict`.
    """
    watcher = watcher or Silent()
    cache, classifier = cache_folder(), asked.classifier
    if isinstance(classifier, RowClassifier):
        watcher.stage("look at the rows")
        return [one for data in _tables_among(paths) for one in _of_rows(asked, classifier, data)]
    watcher.stage("look at the pictures")
    predictions = []
    assert isinstance(paths, Iterable), "pictures are named by their paths"
    for named in expanded(paths):
        answers = ask(
            classifier,
            named.source,
            named.names,
            cache=cache,
            device=chosen_device(device),
            max_pixels=max_pixels,
            progress=watcher.progress,
        )
        predictions += _predictions(asked, named, answers)
    return predictions


def _predictions(asked: Asked, named: "Named", answers: Answers) -> list[Prediction]:
    reasons = {bad.id: bad.reason for bad in answers.survey.unreadable}
    names = [named.prefix + named.names[index] for index in answers.readable]
    decided = dict(zip(answers.readable, _decided(asked, names, answers.logits), strict=True))
    predictions = []
    for index, name in enumerate(named.names):
        file = named.prefix + name
        if index not in decided:
            predictions.append(Prediction(file, error=reasons[name]))
            continue
        predictions.append(decided[index])
    return predictions


def _decided(asked: Asked, names: Sequence[str], logits: Float[np.ndarray, "examples classes"]) -> list[Prediction]:
    """The answers of a run: the classes that it decides for, which need not be the likeliest."""
    if not len(names):
        return []
    classifier, doubt = asked.classifier, asked.doubt
    logs, decision = log_softmax(logits, classifier.temperature), classifier.decision
    best = logs.argmax(axis=1) if decision is None else decision.decide(logs)
    classes, probabilities = classifier.classes, np.exp(logs)
    nothing: list[None] = [None] * len(names)
    sure = doubt.not_sure.is_sure(probabilities).tolist() if doubt.not_sure else nothing
    sets = _sets_of(doubt.sets, classes, probabilities) if doubt.sets else nothing
    return [
        Prediction(
            name, classes[at], row[at], dict(zip(classes, row, strict=True)), sure=is_sure, prediction_set=in_set
        )
        for name, at, row, is_sure, in_set in zip(names, best.tolist(), probabilities.tolist(), sure, sets, strict=True)
    ]


def _sets_of(
    rule: SetRule, classes: Sequence[str], probabilities: Float[np.ndarray, "examples classes"]
) -> list[tuple[str, ...]]:
    """The names of the classes in the set of each example."""
    return [tuple(classes[at] for at in np.flatnonzero(row).tolist()) for row in rule.in_set(probabilities)]


def _tables_among(paths: object) -> list[object]:
    """The tables that are named: paths in a list, or one thing that holds rows."""
    if isinstance(paths, list | tuple):
        return list(paths)
    return [paths]


def _of_rows(asked: Asked, classifier: RowClassifier, data: object) -> list[Prediction]:
    rows = table_of(data, classifier.encoder, target=classifier.target)
    if rows.ignored:
        log.info("columns that the run did not learn from are ignored: %s", some_of(rows.ignored))
    return _decided(asked, rows.ids, classifier.logits(classifier.encoder.encode(rows.table)))


@dataclass(frozen=True, slots=True)
class Named:
    """Files of one source; `prefix` stands before their names in the answer."""

    source: Source
    names: list[str]
    prefix: str = ""


def expanded(paths: Iterable[str | Path]) -> list[Named]:
    """Every file that is named, and the pictures of every folder, archive and address, sorted within each.

    Files of this machine that follow one another are taken together, whatever their folders.

    Raises:
        DataError: A folder, archive or address has no pictures in it, or cannot be read.
    """
    found: list[Named] = []
    for path in paths:
        if is_address(path) or (is_archive(str(path)) and Path(path).is_file()):
            source, name = open_data(path)
            found.append(Named(source, [name] if name else _pictures_of(source), source.path_of("")))
            continue
        if not found or found[-1].prefix:
            found.append(Named(FolderSource(Path()), []))
        is_folder = Path(path).is_dir()
        names = _pictures_of(FolderSource(Path(path))) if is_folder else []
        found[-1].names.extend(sorted(str(Path(path) / name) for name in names) if is_folder else [str(Path(path))])
    return found


def _pictures_of(source: Source) -> list[str]:
    names, _ = pictures_below(source)
    if not names:
        raise DataError(
            f"the folder {source.name!r} has no pictures in it",
            expected="JPEG, PNG, WebP, GIF, BMP or TIFF files, in it or below it",
            fix="name another folder, or the files themselves",
        )
    return sorted(names)


def to_bytes(predictions: Sequence[Prediction], classes: Sequence[str], file_format: str) -> bytes:
    """Predictions as a CSV or JSON-lines file.

    CSV has the columns path, label, confidence, error, and `p:CLASS` for every class; after confidence, where they were
    asked for, `sure` (true or false) and `prediction_set` (a JSON list, as names may hold any sign).
    """
    if file_format == "jsonl":
        # The one thing that UTF-8 cannot hold is a byte of a file name that is none; JSON has an escape for it.
        lines = (json.dumps(one.as_dict(), ensure_ascii=False) + "\n" for one in predictions)
        return "".join(lines).encode("utf-8", "backslashreplace")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    doubts = _asked_for(predictions)
    writer.writerow(["path", "label", "confidence", *doubts, "error", *(f"p:{name}" for name in classes)])
    for one in predictions:
        values = [""] * len(classes) if one.probabilities is None else [one.probabilities[name] for name in classes]
        confidence = "" if one.confidence is None else one.confidence
        told = [_in_csv(getattr(one, name)) for name in doubts]
        writer.writerow([one.path, one.label, confidence, *told, one.error, *values])
    return text.getvalue().encode("utf-8", "surrogateescape")


def _asked_for(predictions: Sequence[Prediction]) -> list[str]:
    """Which of the columns of doubt there are."""
    return [name for name in ("sure", "prediction_set") if any(getattr(one, name) is not None for one in predictions)]


def _in_csv(value: bool | tuple[str, ...] | None) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def write_predictions(predictions: Sequence[Prediction], classes: Sequence[str], out: Path) -> Path:
    """Write predictions to a file; its suffix, .csv, .jsonl or .parquet, says how.

    Raises:
        UsageError: Another suffix.
        StorageError: The disk refused.
    """
    file_format = format_of(out)
    if file_format != "parquet":
        return write_atomic(out, to_bytes(predictions, classes, file_format))
    columns: dict[str, list[Any]] = {
        # Parquet holds UTF-8 alone: other bytes of a file name are written as \xNN.
        "path": [os.fsencode(one.path).decode("utf-8", "backslashreplace") for one in predictions],
        "label": [one.label or None for one in predictions],
        "confidence": [one.confidence for one in predictions],
        **{name: [getattr(one, name) for one in predictions] for name in _asked_for(predictions)},
        "error": [one.error or None for one in predictions],
    }
    for name in classes:
        columns[f"p:{name}"] = [one.probabilities[name] if one.probabilities else None for one in predictions]
    return write_parquet(out, columns)


def format_of(out: Path) -> str:
    """What a file's suffix says it holds.

    Raises:
        UsageError: It says nothing that we write.
    """
    suffix = out.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise UsageError(
            f"--out {str(out)!r} ends in {out.suffix!r}",
            expected="a file that ends in .csv, .jsonl or .parquet",
            fix=f"such as --out {out.stem or 'predictions'}.csv",
        )
    return suffix
