"""The files of a sweep folder -> one record that the figures and the page of a sweep draw from."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Any, TypedDict

from heldout.errors import RunFolderError
from heldout.records import read_json
from heldout.reporting.results import ScoreRecord
from heldout.reporting.sweep_measure import ToldMeasure
from heldout.sweeping.ledger import TrialResult, read_ledger

FORMAT = 1
# The order in which regimes are drawn and told: from what is trained least to most, the empty network first.
REGIME_ORDER = ("scratch", "frozen", "partial", "full", "linear", "mlp", "boosting")
NOT_HELPED = "no balancing"  # what a regime without a remedy for rare classes is called beside others


class PlaceRecord(TypedDict):
    """Where a setting lies in the space; a `learning_rate` of None is a head fitted to its optimum.

    Where remedies for rare classes vary, the regime is "full, weights" and the like, once it has been read.
    """

    regime: str
    backbone: str
    learning_rate: float | None
    batch_size: int | None


class DifferenceRecord(TypedDict):
    """A minus B, as a share; of costs what A saves. Above 0 A is better."""

    value: float
    low: float
    high: float
    p: float
    n: int
    method: str


class SettingRecord(TypedDict):
    """One setting as it stands in sweep.json; `scores` has one entry a seed, None where there is no score.

    A setting without a score for every seed has no rank.
    """

    name: str
    setting: PlaceRecord
    scores: list[float | None]
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    rank: int | None
    tied_with_best: bool
    versus_best: DifferenceRecord | None
    p_better: float | None
    seconds: float | None
    multiply_adds: float | None
    n_parameters: int
    n_trained: int
    n_in_vain: int
    n_diverged: int
    n_failed: int


class OptimismRecord(TypedDict):
    """How much better than it is the best of several settings is expected to look."""

    value: float
    n_settings: int
    method: str


class RecommendationRecord(TypedDict):
    """What to take, and why."""

    name: str
    text: str
    evidence: list[str]


class WinnerRecord(TypedDict):
    """What became of the best setting; `test` is None where no held-out part was opened."""

    name: str
    run: str
    validation_mean: float
    expected: float | None
    test: ScoreRecord | None
    test_openings: int


class ComparedRecord(TypedDict):
    """Two settings against each other: `difference` is a minus b."""

    a: str
    b: str
    difference: DifferenceRecord


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial as it is drawn; what is not a finite number is nan in the losses.

    Attributes:
        place: Its setting: regime, backbone, learning rate, batch size.
        seed: Which seed and fold.
        outcome: "finished", "diverged" or "failed".
        why: For the last two, in one line.
        epochs: The epochs that were recorded; none where a head was fitted.
        train_loss: After each of them.
        validation_loss: The same.
    """

    place: tuple[str, str, float | None, int | None]
    seed: int
    outcome: str
    why: str
    epochs: tuple[float, ...]
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """All that the page of a sweep shows.

    Attributes:
        name: What the sweep is called.
        metric: The score that ranks, such as "accuracy"; of "mean_cost" less is better.
        settings: Best first, without any score last.
        trials: In the order of the ledger.
        findings: The doubts, as they stand in findings.json.
        optimism: What choosing the best adds to its score; None where that is not known.
        recommendation: What to take; None where nothing has a score.
        winner: What became of it; None where there is none.
        compared: The best setting of each regime against each other.
        content: The whole of sweep.json, for counts and versions.
    """

    name: str
    metric: str
    settings: tuple[SettingRecord, ...]
    trials: tuple[Trial, ...]
    findings: list[dict[str, Any]]
    optimism: OptimismRecord | None
    recommendation: RecommendationRecord | None
    winner: WinnerRecord | None
    compared: tuple[ComparedRecord, ...]
    content: dict[str, Any]

    @property
    def measure(self) -> ToldMeasure:
        """How that score is told and drawn; sweeps of earlier versions ranked by shares alone."""
        return ToldMeasure(self.metric, float(self.content.get("highest", 1.0)))

    def trials_of(self, setting: SettingRecord) -> list[Trial]:
        """Its trials, by seed."""
        return sorted((each for each in self.trials if each.place == place_of(setting)), key=lambda each: each.seed)


def place_of(setting: SettingRecord) -> tuple[str, str, float | None, int | None]:
    """Where a setting lies, to be looked up by."""
    place = setting["setting"]
    return place["regime"], place["backbone"], place["learning_rate"], place["batch_size"]


def regimes_of(settings: Sequence[SettingRecord]) -> list[str]:
    """The regimes that occur, in the order in which they are told."""
    found = sorted({setting["setting"]["regime"] for setting in settings})
    order = {regime: number for number, regime in enumerate(REGIME_ORDER)}
    return sorted(found, key=lambda regime: order.get(regime.partition(", ")[0], len(order)))


def varied(settings: Sequence[SettingRecord]) -> tuple[bool, bool]:
    """Whether more than one backbone occurs, and more than one batch size."""
    backbones = {setting["setting"]["backbone"] for setting in settings}
    sizes = {setting["setting"]["batch_size"] for setting in settings} - {None}
    return len(backbones) > 1, len(sizes) > 1


def read_sweep(folder: Path) -> Sweep:
    """The record of a sweep.

    Raises:
        RunFolderError: A file is absent or damaged, or is of a format that this version does not know.
    """
    content: dict[str, Any] = read_json(folder / "sweep.json")
    if content.get("format") != FORMAT:
        raise RunFolderError(
            f"{folder / 'sweep.json'} has format {content.get('format')!r}",
            expected=f"format {FORMAT}, the one this version of heldout writes",
            fix="make the report with the version of heldout that made the sweep (see environment.json)",
        )
    is_helped = len({each["setting"].get("imbalance", "none") for each in content["settings"]}) > 1
    settings = [each | {"setting": _named_by_help(each["setting"], is_helped)} for each in content["settings"]]
    return Sweep(
        name=content["name"],
        metric=content["metric"],
        settings=tuple(settings),
        trials=tuple(_trial(each, is_helped) for each in read_ledger(folder / "ledger.jsonl")),
        findings=read_json(folder / "findings.json"),
        optimism=content["optimism"],
        recommendation=content["recommendation"],
        winner=content["winner"],
        compared=tuple(content["compared"]),
        content=content,
    )


def _named_by_help(place: dict[str, Any], is_helped: bool) -> dict[str, Any]:
    """The place of a setting, its regime called with its remedy for rare classes where these vary."""
    if not is_helped:
        return place
    helped = place.get("imbalance", "none")
    return place | {"regime": f"{place['regime']}, {NOT_HELPED if helped == 'none' else helped}"}


def _trial(result: TrialResult, is_helped: bool) -> Trial:
    setting = result.setting
    place = _named_by_help(setting.as_dict(), is_helped)

    def column(name: str) -> tuple[float, ...]:
        return tuple(_or_nan(row.get(name)) for row in result.history)

    return Trial(
        place=(place["regime"], setting.backbone, setting.learning_rate, setting.batch_size),
        seed=result.seed,
        outcome=result.outcome,
        why=result.why,
        epochs=column("epoch"),
        train_loss=column("train_loss"),
        validation_loss=column("validation_loss"),
    )


def _or_nan(value: float | None) -> float:
    return value if value is not None and isfinite(value) else nan
