"""Logistic regression on a Parquet file that need not fit into memory, with a held-out part and numbers that say so.

    a pass over the labels -> classes and counts
    a glimpse of train     -> how rows become features, and a first point
    a pass over all rows   -> the slope there; the rows of test and validation, and a sample of train, are kept
    the sample             -> the penalty, the curvature, and where the slope leads
    more passes            -> where the first point was too far off, or the glimpse not like the sample
    validation, then test  -> temperature, scores with intervals

What is in memory is a batch, the rows that are kept and the model, whatever the size of the file.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from threadpoolctl import threadpool_limits

from heldout.arrow_arrays import arrow_words
from heldout.data.balance.imbalance import class_weights
from heldout.data.tabular.encoding import Encoder
from heldout.data.tabular.table_problems import find_table_problems
from heldout.data.tabular.tables import find_table
from heldout.errors import UsageError, one_of
from heldout.findings import Finding, by_severity
from heldout.manifest import write_manifest
from heldout.measuring.baselines import majority
from heldout.measuring.calibration import fit_temperature
from heldout.measuring.decisions import balanced
from heldout.measuring.predictions import Predictions
from heldout.measuring.prior import prior_of, prior_shift
from heldout.measuring.summary import Summary, summarise
from heldout.models.table_models import Layers
from heldout.randomness import stream
from heldout.records import to_json, write_atomic
from heldout.training.probe import PathPoint
from heldout.training.row_classifier import RowClassifier, save_rows
from heldout.training.stream_fit import Found, fit_rows
from heldout.training.stream_kept import Kept, taken
from heldout.training.stream_optimum import Pass, wanted_distance
from heldout.training.stream_rows import TEST, TRAIN, VALIDATION, Labelling, RowStream, label, open_stream

REMEDIES = ("none", "weights")
_VALIDATION_ROWS = 20_000
_JUDGED_ROWS = 6_000  # of each part, which columns are judged by


@dataclass(frozen=True, slots=True)
class StreamFit:
    """A classifier that was fitted to a file row by row, and what it scores on rows that it never learned from.

    Attributes:
        classifier: What `heldout predict` asks.
        test: Its scores on the held-out rows, with intervals.
        validation: Its scores on the rows that penalty and temperature were chosen on.
        baseline: Accuracy of always naming the commonest class of train, on test.
        findings: What weakens the scores, gravest first; columns are judged by a sample.
        counts: Training rows of each class.
        n_rows: Rows of the file, those without a label too.
        n_unlabelled: Rows without a label, which were left out.
        n_sample: Rows of train that stood for the curvature of all.
        l2: The penalty, of all training rows.
        path: The penalties that were tried with fewer rows.
        passes: Those over all rows for the optimum.
    """

    classifier: RowClassifier
    test: Summary
    validation: Summary
    baseline: dict[str, Any]
    findings: tuple[Finding, ...]
    counts: Int[np.ndarray, " classes"]
    n_rows: int
    n_unlabelled: int
    n_sample: int
    l2: float
    path: tuple[PathPoint, ...]
    passes: tuple[Pass, ...]

    @property
    def scores(self) -> dict[str, Any]:
        """Every number with its interval and n, ready for JSON."""
        classes = self.classifier.classes
        return {
            "format": "stream 1",
            "data": {
                "layout": "table",
                "classes": list(classes),
                "target": self.classifier.target,
                "n_rows": self.n_rows,
                "n_left_out": self.n_unlabelled,
                "n_train": int(self.counts.sum()),
                "n_validation": self.validation.n,
                "n_test": self.test.n,
                "train_counts": dict(zip(classes, self.counts.tolist(), strict=True)),
            },
            "test": self.test.as_dict(),
            "validation": self.validation.as_dict(),
            "baselines": {"majority": self.baseline},
            "fit": {
                "n_sample": self.n_sample,
                "l2": self.l2,
                "path": [asdict(point) for point in self.path],
                "passes": [asdict(one) for one in self.passes],
            },
        }

    def save(self, folder: str | Path) -> Path:
        """Write it as a folder that `heldout predict` opens: the model, scores.json, findings.json, manifest.json.

        Raises:
            UsageError: There is something in the folder already.
            StorageError: The disk refused.
        """
        folder = Path(folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{str(folder)!r} is there already", expected="a new or an empty folder", fix="choose another name"
            )
        save_rows(self.classifier, folder / "model")
        write_atomic(folder / "scores.json", to_json(self.scores))
        write_atomic(folder / "findings.json", to_json([finding.as_dict() for finding in self.findings]))
        write_manifest(folder)
        return folder


def fit_stream(
    path: str | Path,
    target: str,
    *,
    imbalance: str = "none",
    test_rows: int = 100_000,
    sample_rows: int = 200_000,
    skip_bad: bool = False,
    seed: int = 0,
) -> StreamFit:
    """Logistic regression on all rows of a Parquet file, in memory that does not grow with it, and its scores.

    In memory are a batch, `sample_rows` + `test_rows` + 20,000 rows as they are stored, and the encoded sample.

    The features are those of `Encoder`, learned from rows of train: the first of some row groups, or where these are
    not like the others from a sample of all, in which rare classes are more frequent than in the file. A category that
    the sample does not have, such as one of three rows in a million, has no feature of its own. The penalty is chosen
    on validation with 20,000 rows and made weaker in proportion to all rows, as a prior would be, but not below the
    weakest that is ever tried.

    Args:
        path: The file (.parquet, .pq).
        target: The column of the labels.
        imbalance: `none`, or `weights` for classes that all weigh the same; probabilities are moved back to the true
            prior, and the class is decided on by `balanced`.
        test_rows: About so many rows are held out, at most a fifth of all; 20,000 more are for validation, at most a
            tenth. Which ones, a hash of the row's number and the seed says.
        sample_rows: About so many rows of train are kept. What is left to the optimum after a pass goes with 1 / rows:
            with 20 features and 200,000 rows one pass is enough for 5 x 10^7 rows of train.
        skip_bad: Leave rows without a label out instead of refusing.
        seed: Of the parts.

    Raises:
        UsageError: An unknown remedy, or no row to be held out.
        DataError: There is no such file or column, labels are missing or no classes, or no column can be learned from.

    Assumes: rows that are independent of each other; copies of a row, and rows of one person or place, fall into
        different parts here. `heldout.train` keeps them together.
    Breaks when: the order of the rows is that of time and the world changes with it: test is spread over all of it.
    Checked by: tests/training/test_streaming.py
    """
    if imbalance not in REMEDIES:
        raise one_of("imbalance", imbalance, REMEDIES)
    if min(test_rows, sample_rows) < 1:
        raise UsageError(
            f"test_rows is {test_rows}, sample_rows is {sample_rows}", expected="1 or more rows", fix="leave them out"
        )
    rows = open_stream(path, target, n_test=test_rows, n_validation=_VALIDATION_ROWS, seed=seed)
    labelling = label(rows, skip_bad=skip_bad)
    counts, is_levelled = labelling.counts, imbalance == "weights"
    # What all rows of a class weigh together.
    shares = counts / counts.sum() * (class_weights(counts) if is_levelled else 1.0)
    # What is multiplied at one time is too small for two threads.
    with threadpool_limits(1, user_api="blas"):
        found = fit_rows(rows, labelling, shares, n_sample=sample_rows)
        scorer = Layers((found.point.weight.astype(np.float32),), (found.point.bias.astype(np.float32),))
        scorer = scorer.shifted(prior_shift(counts)) if is_levelled else scorer
        classifier = RowClassifier("linear", rows.target, found.encoder, scorer, labelling.classes)
        classifier, validation, test = _judged(classifier, found.kept, counts, is_levelled=is_levelled, seed=seed)
    findings = _judge(rows, labelling, found.kept, found.encoder) + _doubts(found, int(counts.sum()))
    commonest = np.array([counts.argmax()])
    return StreamFit(
        classifier=classifier,
        test=test,
        validation=validation,
        baseline=majority(commonest, found.kept.labels[found.kept.of(TEST)], len(counts)).as_dict(),
        findings=tuple(by_severity(findings)),
        counts=counts,
        n_rows=rows.n_rows,
        n_unlabelled=labelling.n_unlabelled,
        n_sample=found.n_sample,
        l2=found.l2,
        path=found.path,
        passes=found.passes,
    )


def _judge(rows: RowStream, labelling: Labelling, kept: Kept, encoder: Encoder) -> list[Finding]:
    """What a few rows of each part say of the columns."""
    import pyarrow as pa

    words = arrow_words(labelling.classes)
    parts = []
    for part in (TRAIN, VALIDATION, TEST):
        chosen = kept.of(part)[:: max(1, len(kept.of(part)) // _JUDGED_ROWS)]
        labels = pa.table([words], names=[rows.target])
        labels = taken(labels, kept.labels[chosen]).column(0)
        parts.append(taken(kept.table, chosen).append_column(rows.target, labels))
    examples = find_table(parts[0], rows.target, validation=parts[1], test=parts[2])
    seen = f"of a sample of {len(examples):,} rows, in which copies are rarer than in the file: "
    return [replace(one, what=seen + one.what) for one in find_table_problems(examples, None, encoder)]


def _judged(
    classifier: RowClassifier, kept: Kept, counts: Int[np.ndarray, " classes"], *, is_levelled: bool, seed: int
) -> tuple[RowClassifier, Summary, Summary]:
    """The classifier with its temperature and decision, and its scores on validation and on test."""
    answers = {part: _predictions(classifier, kept, part) for part in (VALIDATION, TEST)}
    temperature = fit_temperature(answers[VALIDATION].logits, answers[VALIDATION].labels)
    decision = balanced(prior_of(counts)) if is_levelled else None
    summaries = [
        summarise(each.with_decision(decision), temperature=temperature, generator=stream(seed, "bootstrap", part))
        for part, each in answers.items()
    ]
    return replace(classifier, temperature=temperature, decision=decision), summaries[0], summaries[1]


def _predictions(classifier: RowClassifier, kept: Kept, part: int) -> Predictions:
    of_part = kept.of(part)
    logits = classifier.logits(classifier.encoder.encode(kept.table, of_part))
    ids = tuple(map(str, (kept.rows[of_part] + 1).tolist()))
    return Predictions(ids, kept.labels[of_part], logits, classifier.classes)


def _doubts(found: Found, n_train: int) -> list[Finding]:
    """What the course of the fit says against its result."""
    n_parameters = (len(found.point.bias) - 1) * (found.point.weight.shape[1] + 1)
    if found.passes[-1].left <= wanted_distance(n_parameters, n_train):
        return []
    doubt = Finding(
        code="optimum-not-reached",
        severity="warning",
        what=f"{len(found.passes)} passes over {n_train:,} rows did not reach the best {n_parameters:,} parameters",
        why="A better fit to the same rows is possible. The scores are those of this one, and are right for it.",
        fix="Keep more rows in the sample with sample_rows; leave out columns that say the same as others.",
    )
    return [doubt]
