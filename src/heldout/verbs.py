"""Train, and make a report again: the two verbs that end in a page. Python and the command line call the same."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heldout import experiment
from heldout.plan import Plan, make_plan
from heldout.predicting import Prediction, predict
from heldout.provenance import Watcher
from heldout.records import read_json, run_folder


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        folder: Where it lies.
    """

    folder: Path

    @property
    def scores(self) -> dict[str, Any]:
        """The content of scores.json: every number with its interval and n."""
        content: dict[str, Any] = read_json(self.folder / "scores.json")
        return content

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What weakens the numbers, gravest first."""
        content: list[dict[str, Any]] = read_json(self.folder / "findings.json")
        return content

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the model's outputs."""
        return tuple(read_json(self.folder / "model" / "classes.json"))

    def predict(self, paths: Iterable[str | Path]) -> list[Prediction]:
        """Labels and calibrated probabilities of pictures, as `heldout.predict` gives them."""
        return predict(self.folder, paths)

    def report(self) -> Path:
        """Make report.html again and give its path."""
        return report(self.folder)


def open_run(folder: str | Path) -> Run:
    """The finished run in a folder.

    Raises:
        RunFolderError: There is none.
    """
    return Run(run_folder(Path(folder)))


def train(  # noqa: PLR0913 -- a keyword each for what people change; the rest goes through `settings`
    data: str | Path,
    *,
    regime: str | None = None,
    backbone: str | None = None,
    weights: str | None = None,
    epochs: int | None = None,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    skip_bad: bool | None = None,
    out: str | Path | None = None,
    plan: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Labelled pictures -> a trained classifier, honest numbers, and a page that shows them.

    Args:
        data: A folder of class folders, a folder with train/ val/ test/, a listing, or the official Flowers-102.
        regime: `frozen` (the default), `partial`, `full` or `scratch`.
        backbone: `efficientnet-lite0` (the default), another name of `heldout doctor`, or `timm:NAME`.
        weights: `imagenet` (the default), `none`, or a file.
        epochs: How often every training example is seen; not for `frozen`.
        learning_rate: The highest of the schedule; not for `frozen`.
        batch_size: Examples a step; not for `frozen`.
        seed: Of every random number of the run.
        skip_bad: Leave unreadable files out, and record it, instead of refusing.
        out: Where the run folder is made.
        plan: A TOML file of settings, which the keywords beat.
        settings: Any setting of the plan by its full name, such as `{"training.weight_decay": 0.01}`.
        watcher: Is told how it goes.

    Raises:
        HeldoutError: The data, the settings, the weights or the disk do not allow it.

    Example:
        >>> heldout.train("photos", regime="full", epochs=3)  # doctest: +SKIP
        Run(folder=PosixPath('runs/photos-001'))
    """
    named = {
        "data.path": str(data),
        "data.skip_bad": skip_bad,
        "model.regime": regime,
        "model.backbone": backbone,
        "model.weights": weights,
        "training.epochs": epochs,
        "training.learning_rate": learning_rate,
        "training.batch_size": batch_size,
        "seed": seed,
        "out": out,
    }
    planned = make_plan(named | dict(settings or {}), file=Path(plan) if plan else None)
    return train_as_planned(planned, watcher=watcher)


def train_as_planned(plan: Plan, *, command: str = "", watcher: Watcher | None = None) -> Run:
    """Train as planned and make the report.

    Args:
        plan: What to do.
        command: How the run was started; a command that does the same where this is empty.
        watcher: Is told how it goes.
    """
    from heldout.reporting.thumbnails import keep_thumbnails

    finished = experiment.train(plan, command=command or _command_of(plan), watcher=watcher)
    scored = finished.test
    keep_thumbnails(finished.folder, finished.train, scored.part, scored.predictions, finished.materials)
    report(finished.folder)
    return Run(finished.folder)


def report(run: str | Path) -> Path:
    """Make report.html of a run again, from the files of the run alone, and give its path.

    Raises:
        RunFolderError: There is no finished run.
    """
    from heldout.reporting.page import write_report

    return write_report(run_folder(Path(run)))


def _command_of(plan: Plan) -> str:
    return f"heldout train {shlex.quote(plan.data.path)} --plan plan.toml"
