"""Sweep: the verb that compares recipes, and opens the held-out part once, for the winner."""

import glob
import hashlib
import logging
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from heldout import experiment
from heldout.data.examples import Examples
from heldout.data.storage.remote import local_path
from heldout.errors import Diverged, StorageError
from heldout.locking import locked
from heldout.manifest import MANIFEST, check_whole, write_manifest
from heldout.plan_text import merged_settings
from heldout.provenance import Clock, Silent, Watcher, environment
from heldout.records import cache_folder, read_json, remove_strays, to_json
from heldout.run_folders import fresh_run_folder
from heldout.sweeping.advising import find_doubts
from heldout.sweeping.runners import LocalRunner, Runner
from heldout.sweeping.space import make_space
from heldout.sweeping.sweep import SweepPlan, Swept, Workers, carry_out, spread
from heldout.verbs.running import Run, as_path, resume, train_as_planned
from heldout.verbs.sweep_plans import plan_sweep
from heldout.verbs.sweep_records import overheads_of, winner_diverged, write_record
from heldout.verbs.sweeps import Sweep, read_sweep

log = logging.getLogger(__name__)
PLAN = "sweep.toml"


def sweep(  # noqa: PLR0913 -- a keyword each for what people change; the rest goes through `settings`
    data: str | Path | object,
    *,
    target: str | None = None,
    test: str | Path | object = None,
    models: Sequence[str] | None = None,
    regimes: Sequence[str] | None = None,
    learning_rates: Sequence[float | str] | None = None,
    seeds: int | None = None,
    backbones: Sequence[str] | None = None,
    batch_sizes: Sequence[int] | None = None,
    imbalance: Sequence[str] | None = None,
    costs: str | Path | None = None,
    trials: int | None = None,
    halving: bool = False,
    engine: str = "local",
    workers: int | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    skip_bad: bool | None = None,
    group_by: str | None = None,
    out: str | Path | None = None,
    plan: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    watcher: Watcher | None = None,
) -> Sweep:
    """Regimes x learning rates x seeds, fresh every time; the held-out part is opened once, for the winner.

    Each trial has fresh weights, its own optimiser and its own random numbers. A seed is a fold of the examples outside
    the test part, initial weights and an order, all together. The winner is trained again as an ordinary run, beside
    the sweep's folder. The same call again does what is missing, and no more.

    Args:
        data: As for `heldout.train`.
        target: As for `heldout.train`.
        test: As for `heldout.train`.
        models: Of a table: of `linear`, `mlp` and `boosting`; all where they are not named.
        regimes: Of `scratch`, `frozen`, `partial`, `full`; frozen, partial and full where they are not named.
        learning_rates: Numbers, or the word `default`: the regime's own rate, and for `frozen` a head fitted to its
            optimum. `default` alone where none is named.
        seeds: Trials a setting; 5 where it is not given.
        backbones: Networks to compare.
        batch_sizes: Examples a step.
        imbalance: Of `none`, `weights`, `balanced-batch` and `focal`; boosting knows the first two.
        costs: As for `heldout.train`; settings are then ranked by what their answers cost, the lowest mean first.
        trials: Draw so many settings at random, between the lowest and the highest rate, instead of all combinations.
        halving: Drop the worse half of the settings whenever the number of seeds has doubled.
        engine: `local`, or `ray`.
        workers: Trials at a time; as many as cores and memory allow where it is not given.
        epochs: Of every training by mini-batches.
        seed: The first of the seeds, and of the split.
        skip_bad: As for `heldout.train`.
        group_by: As for `heldout.train`.
        out: Where the folder is made.
        plan: As for `heldout.train`.
        settings: As for `heldout.train`.
        watcher: Is told how it goes.

    Raises:
        HeldoutError: The data, the settings, the weights or the disk do not allow it.
    """
    merged = merged_settings(settings or {}, file=Path(plan) if plan else None)
    folder = Path(out or merged.get("out", "runs"))
    named: dict[str, Any] = {
        "data.path": as_path(data, folder),
        "data.target": target,
        "data.test": None if test is None else as_path(test, folder),
        "data.skip_bad": skip_bad,
        "data.group_by": group_by,
        "training.epochs": epochs,
        "decision.costs": costs,
        "seed": seed,
        "out": out,
    }
    space = make_space(
        regimes=regimes,
        models=models,
        backbones=backbones,
        learning_rates=learning_rates,
        batch_sizes=batch_sizes,
        imbalances=imbalance,
        is_table=bool(target or merged.get("data.target")),
        n_drawn=trials,
    )
    planned = plan_sweep(
        space,
        {**named, **(settings or {})},
        file=Path(plan) if plan else None,
        n_seeds=seeds,
        halving=halving,
        engine=engine,
        n_workers=workers,
    )
    return sweep_as_planned(planned, watcher=watcher)


def sweep_as_planned(plan: SweepPlan, *, command: str = "", watcher: Watcher | None = None) -> Sweep:
    """Carry out what of a sweep is not done yet, open the held-out part for the winner, and make the report.

    Args:
        plan: What to do.
        command: How the sweep was started.
        watcher: Is told how it goes.

    Raises:
        DamagedRun: The sweep is finished, and a file is not the one that was written.
        Locked: Another process works on it.
    """
    watcher = watcher or Silent()
    examples = experiment.find_examples(plan.first)
    remove_strays(cache_folder())
    with _own_folder(plan, examples, command) as folder:
        if (folder / MANIFEST).is_file():
            check_whole(folder)
            finished = read_sweep(folder)
            if not finished.content["n_failed"]:
                log.info("this sweep is finished: nothing is left to do")
                return finished
            (folder / MANIFEST).unlink()  # what failed is done again
        record = read_json(folder / "environment.json")
        workers = Workers(spread(plan).n, int(record["threads"]))
        clock = Clock(watcher)
        with _told_how_to_go_on(folder), _runner(plan, workers, folder) as runner:
            swept = carry_out(plan, examples, folder, runner=runner, n_threads=workers.n_threads, watcher=watcher)
            record |= {"workers": runner.n_workers, "overheads": overheads_of(runner)}
        findings = [*swept.data.prepared.findings, *find_doubts(swept.judgement, swept.results, n_seeds=plan.n_seeds)]
        try:
            with _told_how_to_go_on(folder):
                winner = _winner(plan, swept, folder, watcher)
        except Diverged as error:
            winner = None
            findings.append(winner_diverged(error))
        write_record(folder, plan, swept, findings, winner=winner, record=record)
        with clock("write the report"):
            from heldout.reporting.sweep_page import write_sweep_report

            write_sweep_report(folder)
        write_manifest(folder)
    return read_sweep(folder)


@contextmanager
def _own_folder(plan: SweepPlan, examples: Examples, command: str) -> Iterator[Path]:
    """The folder in which this very sweep of these very examples was begun, or a new one; locked."""
    out, name = Path(plan.first.out), f"{plan.first.name}-sweep"
    identity = (plan.identity() + f'\n[examples]\nsha256 = "{_digest_of(examples)}"\n').encode()
    for begun in sorted(out.glob(f"{glob.escape(name)}-[0-9]*/{PLAN}")):
        if begun.read_bytes() == identity:
            with locked(begun.parent):
                remove_strays(begun.parent)
                yield begun.parent
            return
    workers = spread(plan)
    record = environment(command or _command_of(plan))
    record |= {"engine": plan.engine, "workers": workers.n, "threads": workers.n_threads, "host": os.uname().nodename}
    first = {PLAN: identity, "environment.json": to_json(record)}
    with fresh_run_folder(out, name, first=first) as folder:
        yield folder


def _digest_of(examples: Examples) -> str:
    """SHA-256 of where the examples lie, their names, classes, parts and groups; not of their content."""
    place = local_path(examples.source.name)
    content = (str(place.resolve()) if place else examples.source.name, examples.ids, examples.classes)
    numbers = (examples.labels.tolist(), examples.given.tolist(), examples.groups)
    return hashlib.sha256(repr((content, numbers)).encode()).hexdigest()


@contextmanager
def _told_how_to_go_on(folder: Path) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit, StorageError, MemoryError):
        log.warning("%s keeps the trials that are done; the same command goes on with it", folder)
        raise


def _runner(plan: SweepPlan, workers: Workers, folder: Path) -> Runner:
    if plan.engine == "ray":
        from heldout.sweeping.on_ray import RayRunner

        return RayRunner(plan.n_workers, workers.n_threads, shared=[folder, cache_folder()])
    return LocalRunner(workers.n, workers.n_threads)


def _winner(plan: SweepPlan, swept: Swept, folder: Path, watcher: Watcher) -> Run | None:
    """The run of the winning setting, trained now or taken up where it was left."""
    best = swept.judgement.best
    if best is None:
        return None
    name = f"{folder.name}-winner"
    wanted = replace(plan.plans[best.setting], name=name)
    watcher.stage(f"train the winner, {best.name}")
    for begun in sorted(folder.parent.glob(f"{glob.escape(name)}-[0-9]*/plan.toml")):
        if begun.read_text(encoding="utf-8") == wanted.to_toml():
            return resume(begun.parent, watcher=watcher)
    return train_as_planned(wanted, watcher=watcher)


def _command_of(plan: SweepPlan) -> str:
    return f"heldout.sweep({shlex.quote(plan.first.as_dict()['data']['path'])}, ...)"
