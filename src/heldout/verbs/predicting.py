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

from heldout.data.archives import is_archive
from heldout.data.decoding import MAX_PIXELS
from heldout.data.examples import some_of
from heldout.data.photos import open_data
from heldout.data.remote import is_address
from heldout.data.sources import FolderSource, Source, pictures_below
from heldout.data.tables import table_of
from heldout.devices import chosen_device
from heldout.errors import DataError, UsageError
from heldout.measuring.predictions import log_softmax
from heldout.provenance import Silent, Watcher
from heldout.records import cache_folder, write_atomic, write_parquet
from heldout.run_folders import run_folder
from heldout.scoring import AnyClassifier
from heldout.training.classifier import Answers, Classifier, ask
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
    """

    path: str
    label: str = ""
    confidence: float | None = None
    probabilities: dict[str, float] | None = None
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {
            "path": self.path,
            "label": self.label or None,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "error": self.error or None,
        }


def predict(
    run: str | Path,
    paths: Iterable[str | Path] | object,
    *,
    device: str = "auto",
    max_pixels: int = MAX_PIXELS,
    watcher: Watcher | None = None,
) -> list[Prediction]:
    """Labels and calibrated probabilities of pictures, or of the rows of tables, in the order in which they were named.

    Args:
        run: The folder of a finished run.
        paths: Files, and folders, archives and addresses, whose pictures are taken with all that lie below them. Of a
            run on a table: files of tables, or in their place whatever speaks Arrow, such as a data frame.
        device: `auto`, `cpu` or `cuda`.
        max_pixels: Larger pictures are not read.
        watcher: Is told how it goes.

    Raises:
        RunFolderError: `run` is no finished run, or is damaged.
        DataError: A folder, archive or address has no pictures in it, or cannot be read; a table has not got the
            columns that the run learned from.
    """
    watcher = watcher or Silent()
    cache = cache_folder()
    classifier = open_classifier(run_folder(Path(run)), cache=cache)
    if isinstance(classifier, RowClassifier):
        watcher.stage("look at the rows")
        return [one for data in _tables_among(paths) for one in _of_rows(classifier, data)]
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
        predictions += _predictions(classifier, named, answers)
    return predictions


def _predictions(classifier: Classifier, named: "Named", answers: Answers) -> list[Prediction]:
    reasons = {bad.id: bad.reason for bad in answers.survey.unreadable}
    names = [named.prefix + named.names[index] for index in answers.readable]
    decided = dict(zip(answers.readable, _decided(classifier, names, answers.logits), strict=True))
    predictions = []
    for index, name in enumerate(named.names):
        file = named.prefix + name
        if index not in decided:
            predictions.append(Prediction(file, error=reasons[name]))
            continue
        predictions.append(decided[index])
    return predictions


def _decided(
    classifier: AnyClassifier, names: Sequence[str], logits: Float[np.ndarray, "examples classes"]
) -> list[Prediction]:
    """The answers of a run: the classes that it decides for, which need not be the likeliest."""
    if not len(names):
        return []
    logs, decision = log_softmax(logits, classifier.temperature), classifier.decision
    best = logs.argmax(axis=1) if decision is None else decision.decide(logs)
    classes = classifier.classes
    return [
        Prediction(name, classes[at], row[at], dict(zip(classes, row, strict=True)))
        for name, at, row in zip(names, best.tolist(), np.exp(logs).tolist(), strict=True)
    ]


def _tables_among(paths: object) -> list[object]:
    """The tables that are named: paths in a list, or one thing that holds rows."""
    if isinstance(paths, list | tuple):
        return list(paths)
    return [paths]


def _of_rows(classifier: RowClassifier, data: object) -> list[Prediction]:
    rows = table_of(data, classifier.encoder, target=classifier.target)
    if rows.ignored:
        log.info("columns that the run did not learn from are ignored: %s", some_of(rows.ignored))
    return _decided(classifier, rows.ids, classifier.logits(classifier.encoder.encode(rows.table)))


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

    CSV has the columns path, label, confidence, error, and `p:CLASS` for every class.
    """
    if file_format == "jsonl":
        # The one thing that UTF-8 cannot hold is a byte of a file name that is none; JSON has an escape for it.
        lines = (json.dumps(one.as_dict(), ensure_ascii=False) + "\n" for one in predictions)
        return "".join(lines).encode("utf-8", "backslashreplace")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "label", "confidence", "error", *(f"p:{name}" for name in classes)])
    for one in predictions:
        values = [""] * len(classes) if one.probabilities is None else [one.probabilities[name] for name in classes]
        confidence = "" if one.confidence is None else one.confidence
        writer.writerow([one.path, one.label, confidence, one.error, *values])
    return text.getvalue().encode("utf-8", "surrogateescape")


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
