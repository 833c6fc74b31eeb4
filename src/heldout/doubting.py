"""Where a finished run says "not sure", and which classes it cannot exclude, by what it answered on validation.

All of that stands in predictions.parquet, so any share of mistakes can be asked for of any run. No model is asked here,
nothing is opened, and nothing is chosen by the held-out part: what it answered there only checks what was chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.data.groups import group_numbers, joined
from heldout.errors import DamagedRun, RunFolderError, UsageError
from heldout.measuring.conformal import PredictionSets, conformal_sets, least_needed, least_probabilities
from heldout.measuring.coverage import CoveragePoint, at_confidence, confidence_for, coverage_curve, sureness_of
from heldout.measuring.decisions import Decision
from heldout.measuring.imbalance_facts import is_promised_by_class
from heldout.measuring.predictions import Predictions
from heldout.records import read_parquet

# The files of a run that are read here, which must be those that were written.
CHECKED = ("predictions.parquet", "split.parquet")
# An example that was chosen by must reach what was chosen by it, though its logits are computed a second time.
_ROUNDING = 1e-9
# How the command line writes a share, and of what it is one.
_NOT_SURE, _OF_SURE = "--not-sure ", "the sure answers that may be wrong"
_SETS, _OF_SETS = "--prediction-sets ", "the sets that may miss the true class"


@final
@dataclass(frozen=True, slots=True, eq=False)
class NotSure:
    """From which confidence on a run is sure of its answers.

    Attributes:
        share: Of the sure answers this share may be wrong.
        confidence: The smallest that is sure, as `sureness` has it; chosen on validation.
        decision: How the run decides; None for the likeliest class.
        on_validation: What it comes to where it was chosen.
        on_test: What it comes to on the held-out part, which it was not chosen on.
    """

    share: float
    confidence: float
    decision: Decision | None
    on_validation: CoveragePoint
    on_test: CoveragePoint

    def is_sure(self, probabilities: Float[np.ndarray, "examples classes"]) -> Bool[np.ndarray, " examples"]:
        """Which examples are answered."""
        return is_sure(probabilities, self.decision, self.confidence)

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        points = {"validation": self.on_validation.as_dict(), "test": self.on_test.as_dict()}
        return {"share": self.share, "confidence": self.confidence, **points}


@final
@dataclass(frozen=True, slots=True, eq=False)
class SetRule:
    """How probable a class must be to be in a prediction set.

    Attributes:
        share: Of the sets this share may miss the true class.
        least: The least probability of each class; chosen on validation.
        on_test: How sets fare on the held-out part, which they were not sized on.
    """

    share: float
    least: Float[np.ndarray, " classes"]
    on_test: PredictionSets

    def in_set(self, probabilities: Float[np.ndarray, "examples classes"]) -> Bool[np.ndarray, "examples classes"]:
        """Which classes are in the set of each example."""
        return in_sets(probabilities, self.least)

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {"share": self.share, "least_probabilities": self.least.tolist(), "test": self.on_test.as_dict()}


@final
@dataclass(frozen=True, slots=True)
class Doubt:
    """What is added to answers on request; None where it was not asked for."""

    not_sure: NotSure | None = None
    sets: SetRule | None = None

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON, of what was asked for."""
        asked = {"not_sure": self.not_sure, "prediction_sets": self.sets}
        return {name: each.as_dict() for name, each in asked.items() if each is not None}


def doubt_of(
    folder: Path,
    classes: Sequence[str],
    decision: Decision | None,
    *,
    not_sure: float | None = None,
    prediction_sets: float | None = None,
) -> Doubt:
    """From which confidence on a run is sure, and how large its prediction sets are, for stated shares of mistakes.

    Args:
        folder: Of a finished run.
        classes: Its class map.
        decision: How it decides; None for the likeliest class.
        not_sure: This share of the sure answers may be wrong; None where that is not asked.
        prediction_sets: This share of the sets may miss the true class; None where that is not asked.

    Raises:
        UsageError: A share is not above 0 and at most 0.5, or validation is too small or too often wrong for it.
        RunFolderError: The run has not got its answers on validation and on the held-out part.

    Assumes, breaks when, checked by: as `confidence_for` and `least_probabilities`.
    """
    if not_sure is None and prediction_sets is None:
        return Doubt()
    if not_sure is not None:  # before anything is read
        _check_share(not_sure, _OF_SURE, _NOT_SURE)
    if prediction_sets is not None:
        _check_share(prediction_sets, _OF_SETS, _SETS)
    validation, test = (read_answers(folder, part, classes, decision) for part in ("validation", "test"))
    kin = _kin(folder, test.ids)
    return Doubt(
        None if not_sure is None else _not_sure(validation, test, not_sure, kin),
        None if prediction_sets is None else _set_rule(validation, test, prediction_sets, kin),
    )


def sure_from(validation: Predictions, share: float, *, asked: str = _NOT_SURE) -> float:
    """From which confidence on a classifier is sure of its answers.

    Args:
        validation: Its answers there, at their temperature and with their decision.
        share: Of the sure answers this share may be wrong.
        asked: How whoever asks writes the share.

    Raises:
        UsageError: The share is not above 0 and at most 0.5, or validation too often wrong for it.

    Assumes, breaks when, checked by: as `confidence_for`.
    """
    _check_share(share, _OF_SURE, asked)
    confidence = confidence_for(validation, accuracy=1 - share)
    if confidence is not None:
        return confidence
    best = max(coverage_curve(validation), key=lambda point: point.accuracy)
    raise UsageError(
        f"at no confidence are only {share:.3g} of the answers on validation wrong: of the surest {best.n:,} of "
        f"{len(validation):,} it is {1 - best.accuracy:.3g}",
        expected="a share that some of the validation answers meet",
        fix=f"such as {asked}{np.ceil(100 * (1 - best.accuracy)) / 100:.2g}, or a better model",
    )


def least_in_sets(validation: Predictions, share: float, *, asked: str = _SETS) -> Float[np.ndarray, " classes"]:
    """How probable each class must be to be in a prediction set.

    Args:
        validation: Answers there, at their temperature.
        share: Of the sets this share may miss the true class: of each class where there are examples enough of it.
        asked: How whoever asks writes the share.

    Raises:
        UsageError: The share is not above 0 and at most 0.5, or validation is too small for it.

    Assumes, breaks when, checked by: as `least_probabilities`.
    """
    _check_share(share, _OF_SETS, asked)
    n, n_needed = len(validation), least_needed(share)
    if n >= n_needed:
        return least_probabilities(validation, alpha=share, by_class=is_promised_by_class(validation, share))
    raise UsageError(
        f"{n:,} validation examples cannot say what may be left out of sets of which {share:.3g} may miss: every "
        "set would hold every class",
        expected=f"{n_needed:,} validation examples at least, 1 / share - 1",
        fix=f"such as {asked}{np.ceil(100 / (n + 1)) / 100:.2g}, or train with more validation examples",
    )


def is_sure(
    probabilities: Float[np.ndarray, "examples classes"], decision: Decision | None, confidence: float
) -> Bool[np.ndarray, " examples"]:
    """Which examples are answered, by a confidence of `sure_from`."""
    return np.asarray(sureness_of(probabilities, decision) >= confidence * (1 - _ROUNDING))


def in_sets(
    probabilities: Float[np.ndarray, "examples classes"], least: Float[np.ndarray, " classes"]
) -> Bool[np.ndarray, "examples classes"]:
    """Which classes are in the set of each example, by the least probabilities of `least_in_sets`."""
    return np.asarray(probabilities >= least * (1 - _ROUNDING))


def read_answers(folder: Path, part: str, classes: Sequence[str], decision: Decision | None) -> Predictions:
    """What a finished run answered on its `validation` or `test` part.

    Raises:
        RunFolderError: It has not got these answers, as runs of the first versions, or they are damaged.
    """
    file = folder / "predictions.parquet"
    try:
        table = read_parquet(file, ["id", "part", "label", "probabilities"])
        rows = table.take(np.flatnonzero(np.array(table["part"].to_pylist()) == part))
        number = {name: index for index, name in enumerate(classes)}
        labels = np.array([number[name] for name in rows["label"].to_pylist()], dtype=np.int64)
        flat = rows["probabilities"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        probabilities = np.asarray(flat, np.float64).reshape(len(labels), len(classes))
        # What underflowed to 0 has a logarithm that is as good as its own.
        logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
        return Predictions(tuple(rows["id"].to_pylist()), labels, logits, tuple(classes), decision=decision)
    except (DamagedRun, UsageError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFolderError(
            f"{folder} has not got what it answered on its {part} part: {error}",
            expected=f"{file} with the probabilities of every example of validation and test",
            fix=f"train it again with this version: heldout train DATA --plan {folder / 'plan.toml'}",
        ) from error


def _check_share(share: float, of_what: str, asked: str) -> None:
    if 0 < share <= 0.5:
        return
    raise UsageError(
        f"{asked.strip('- =').replace('-', '_')} is {share}",
        expected=f"the share of {of_what}: above 0, and at most 0.5",
        fix=f"such as {asked}" + (f"{1 - share:.3g}" if 0.5 < share < 1 else "0.05"),
    )


def _not_sure(
    validation: Predictions, test: Predictions, share: float, groups: Int[np.ndarray, " examples"] | None
) -> NotSure:
    confidence = sure_from(validation, share)
    found = (
        at_confidence(part, confidence * (1 - _ROUNDING), groups=kin)
        for part, kin in ((validation, None), (test, groups))
    )
    return NotSure(share, confidence, validation.decision, *found)


def _set_rule(
    validation: Predictions, test: Predictions, share: float, groups: Int[np.ndarray, " examples"] | None
) -> SetRule:
    least = least_in_sets(validation, share)
    by_class = is_promised_by_class(validation, share)
    return SetRule(share, least, conformal_sets(validation, test, alpha=share, by_class=by_class, groups=groups))


def _kin(folder: Path, ids: Sequence[str]) -> Int[np.ndarray, " examples"] | None:
    """What counts together in intervals of the held-out part: groups, and equal content where it says something."""
    try:
        split = read_parquet(folder / "split.parquet", ["id", "sha256", "group", "part"]).to_pydict()
    except DamagedRun:
        return None  # of a version that knew no groups
    contents, names = split["sha256"], split["group"]
    place = {name: at for at, (name, part) in enumerate(zip(split["id"], split["part"], strict=True)) if part == "test"}
    if not all(name in place for name in ids):
        return None
    groups = group_numbers([names[place[name]] or "" for name in ids])
    # In a table of few discrete values equal rows are expected, and are no copies.
    if 2 * len(set(contents)) < len(contents):
        return groups
    return joined(groups, group_numbers([contents[place[name]] for name in ids]))
