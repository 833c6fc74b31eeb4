"""Train, resume, and make a report again: the verbs that end in a page. Python and the command line call the same."""

import hashlib
import logging
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from heldout import experiment
from heldout.data.examples import Examples
from heldout.data.storage.remote import without_secrets
from heldout.errors import StorageError
from heldout.locking import locked
from heldout.manifest import (
    CHECKPOINTS,
    MANIFEST,
    check_whole,
    damaged_run,
    find_damages,
    renew_manifest,
    write_manifest,
)
from heldout.plan import Plan, make_plan, plan_of
from heldout.plan_text import merged_settings
from heldout.provenance import Clock, Silent, Watcher
from heldout.records import cache_folder, read_json, remove_strays, write_atomic
from heldout.run_folders import LEARNED, fresh_run_folder, is_finished, run_folder, started_run
from heldout.training.materials import Materials
from heldout.training.row_classifier import RowClassifier
from heldout.training.table_materials import TableMaterials
from heldout.verbs.predicting import Prediction, predict
from heldout.verbs.sweeps import read_sweep, sweep_folder

log = logging.getLogger(__name__)
# What `report` makes again, whatever has become of it.
_MADE_AGAIN = ("report.html", "figures/")


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

    def predict(
        self, paths: Iterable[str | Path], *, not_sure: float | None = None, prediction_sets: float | None = None
    ) -> list[Prediction]:
        """Labels and calibrated probabilities of pictures, as `heldout.predict` gives them."""
        return predict(self.folder, paths, not_sure=not_sure, prediction_sets=prediction_sets)

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
    data: str | Path | object,
    *,
    target: str | None = None,
    test: str | Path | object = None,
    model: str | None = None,
    regime: str | None = None,
    backbone: str | None = None,
    weights: str | None = None,
    epochs: int | None = None,
    learning_rate: float | Literal["find"] | None = None,
    batch_size: int | None = None,
    imbalance: str | None = None,
    threshold: str | float | None = None,
    costs: str | Path | None = None,
    workers: int | None = None,
    engine: str | None = None,
    seed: int | None = None,
    skip_bad: bool | None = None,
    group_by: str | None = None,
    out: str | Path | None = None,
    plan: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Labelled pictures, or a table -> a trained classifier, honest numbers, and a page that shows them.

    Args:
        data: A folder of class folders, a folder with train/ val/ test/, a listing, or the official Flowers-102; an
            archive (.zip, .tar, .tar.gz) of any of them; or the address of one, such as s3://bucket/photos, as a str.
            With `target`, a table: a file (CSV, Parquet, Arrow, text), or what speaks Arrow, such as a data frame,
            which is then written beside the run folders as a Parquet file, so that the run can be resumed.
        target: The column of a table that holds the labels: its name, or without names its position from 1, or `last`.
        test: Rows that are the held-out part, as `data`; drawn from `data` where it is not given.
        model: Of a table: `linear` (the default), `mlp` or `boosting`.
        regime: `frozen` (the default), `partial`, `full` or `scratch`.
        backbone: `efficientnet-lite0` (the default), another name of `heldout doctor`, or `timm:NAME`.
        weights: `imagenet` (the default), `none`, or a file.
        epochs: How often every training example is seen. With `frozen`, this or any setting of training trains the head
            by mini-batches instead of fitting it to its optimum.
        learning_rate: The highest of the schedule; `find` has a range test choose it.
        batch_size: Examples a step.
        imbalance: How rare classes are helped: `none` (the default), `weights`, `balanced-batch` or `focal`.
        threshold: Where to decide: `likeliest`, `balanced`, `balanced_accuracy`, `f1`, `mcc`, or a probability.
        costs: What mistakes cost, such as `sick:well=10`, or a file.
        workers: Processes that train together, each on its piece of every batch; 1 unless you say otherwise.
        engine: `local` (the default), or `ray`: workers of a Ray cluster, which looks at the pictures too.
        seed: Of every random number of the run.
        skip_bad: Leave unreadable files out, and record it, instead of refusing.
        group_by: A column of the listing, or a regular expression on the path, that names what must not be parted.
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
    folder = Path(out or merged_settings(settings or {}, file=Path(plan) if plan else None).get("out", "runs"))
    named = {
        "data.path": as_path(data, folder),
        "data.target": target,
        "data.test": None if test is None else as_path(test, folder),
        "data.skip_bad": skip_bad,
        "data.group_by": group_by,
        "model.name": model,
        "model.regime": regime,
        "model.backbone": backbone,
        "model.weights": weights,
        "training.epochs": epochs,
        "training.learning_rate": learning_rate,
        "training.batch_size": batch_size,
        "imbalance": imbalance,
        "decision.threshold": threshold,
        "decision.costs": costs,
        "workers": workers,
        "engine": engine,
        "seed": seed,
        "out": out,
    }
    planned = make_plan(named | dict(settings or {}), file=Path(plan) if plan else None)
    return train_as_planned(planned, watcher=watcher)


def as_path(data: str | Path | object, out: Path) -> str:
    """Where data lies: a path as it is; rows that a program holds are written into `out`/tables, named by content.

    Raises:
        UsageError: It is nothing that rows can be read from.
        StorageError: The disk refused.
    """
    if isinstance(data, str | Path):
        return str(data)
    import pyarrow as pa
    import pyarrow.parquet as pq

    from heldout.data.tabular.table_files import read_table

    sink = pa.BufferOutputStream()
    pq.write_table(read_table(data), sink)
    content = sink.getvalue().to_pybytes()
    file = out / "tables" / f"table-{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    if not file.is_file():
        write_atomic(file, content)
    return str(file)


def train_as_planned(plan: Plan, *, command: str = "", watcher: Watcher | None = None) -> Run:
    """Train as planned and make the report.

    Args:
        plan: What to do.
        command: How the run was started; a command that does the same where this is empty.
        watcher: Is told how it goes.
    """
    watcher = watcher or Silent()
    clock = Clock(watcher)
    with clock("find the examples"):
        examples = experiment.find_examples(plan)
    remove_strays(cache_folder())
    first = experiment.first_files(plan, command or _command_of(plan))
    with fresh_run_folder(Path(plan.out), plan.name, first=first) as folder, _told_how_to_resume(folder):
        return _to_the_end(plan, examples, folder, clock=clock, watcher=watcher)


def resume(run: str | Path, *, watcher: Watcher | None = None) -> Run:
    """Go on with a run that was killed, stopped, or short of disk or memory, as if nothing had happened.

    The numbers are bit for bit those of a run that was left alone, on the same machine with the same number of
    threads; elsewhere a Finding says in what it differs. The run is carried out in the folder in which it was started,
    so that its relative paths mean the same. A finished run is checked and given as it is.

    Args:
        run: The folder of a run.
        watcher: Is told how it goes.

    Raises:
        RunFolderError: There is no run, or its plan was changed.
        DamagedRun: The run is finished, and a file is not the one that was written.
        Locked: Another process works on the run.
        DataError: The pictures are no longer those that the run was started with.
    """
    watcher = watcher or Silent()
    folder = started_run(Path(run))
    with locked(folder):
        remove_strays(folder)
        if is_finished(folder):
            if (folder / MANIFEST).is_file():
                check_whole(folder)
            shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
            return Run(folder)
        remove_strays(cache_folder())
        plan, clock, absolute = plan_of(folder), Clock(watcher), folder.resolve()
        with _told_how_to_resume(folder), chdir(working_folder(folder)):
            with clock("find the examples"):
                examples = experiment.find_examples(plan)
            _to_the_end(plan, examples, absolute, clock=clock, watcher=watcher)
    return Run(folder)


def working_folder(folder: Path) -> Path:
    """Where the relative paths of a run start: where it lies now, as its plan says, or else where it was started.

    Where neither can be told it is where we are.
    """
    out = Path(plan_of(folder).out)
    absolute = folder.resolve()
    if not out.is_absolute() and ".." not in out.parts and absolute.parent.parts[-len(out.parts) :] == out.parts:
        return absolute.parents[len(out.parts)]
    started = Path(read_json(folder / "environment.json").get("working_folder", "."))
    return started if started.is_dir() else Path()


def _to_the_end(plan: Plan, examples: Examples, folder: Path, *, clock: Clock, watcher: Watcher) -> Run:
    from heldout.explaining.in_report import keep_arithmetic
    from heldout.reporting.page import write_report
    from heldout.reporting.painting import Painter
    from heldout.reporting.results import read_drawable
    from heldout.reporting.thumbnails import keep_thumbnails

    with Painter() as painter:
        finished = experiment.train(plan, examples, folder=folder, clock=clock, watcher=watcher)
        _keep_boundary(folder, finished)
        painter.paint(read_drawable(folder))
        keep_arithmetic(folder, plan)
        test, materials = finished.test, finished.materials
        if isinstance(materials, Materials):
            keep_thumbnails(folder, finished.train, test.part, test.predictions, materials)
        write_report(folder, painter)
    write_manifest(folder)  # last: its presence says that the run is whole
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return Run(folder)


def _keep_boundary(folder: Path, finished: experiment.Finished) -> None:
    """Write where a model of rows decides for what; the page has not got the model."""
    classifier, materials = finished.classifier, finished.materials
    if isinstance(classifier, RowClassifier) and isinstance(materials, TableMaterials):
        from heldout.boundaries import keep_boundary

        validation, test = finished.validation, finished.test
        keep_boundary(folder, classifier, materials, validation=validation, test=test, seed=finished.seed)


@contextmanager
def _told_how_to_resume(folder: Path) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit, StorageError, MemoryError) as error:
        is_kept = not isinstance(error, Exception) or any((folder / name).exists() for name in LEARNED)
        if is_kept:
            log.warning("the run is kept; to go on with it: heldout resume %s", shlex.quote(str(folder)))
        raise


def report(run: str | Path) -> Path:
    """Make report.html of a run, or of a sweep, again, from the files of its folder alone, and give its path.

    Raises:
        RunFolderError: There is no finished run or sweep.
        DamagedRun: A file that the report is made from is not the one that was written.
        Locked: Another process works on the run.
    """
    from heldout.reporting.page import write_report
    from heldout.reporting.sweep_page import write_sweep_report

    sweep = sweep_folder(Path(run))
    folder = read_sweep(sweep).folder if sweep else run_folder(Path(run))
    with locked(folder):
        if (folder / MANIFEST).is_file():
            damages = find_damages(folder)
            if grave := [damage for damage in damages if not damage.name.startswith(_MADE_AGAIN)]:
                raise damaged_run(folder, grave)
            for damage in damages:
                log.warning("%s %s: it is made again", folder / damage.name, damage.reason)
        page = write_sweep_report(folder) if sweep else write_report(folder)
        renew_manifest(folder, _MADE_AGAIN)
    return page


def _command_of(plan: Plan) -> str:
    return f"heldout train {shlex.quote(without_secrets(plan.data.path))} --plan plan.toml"
