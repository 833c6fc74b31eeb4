"""Sweep: the verb that compares recipes, and opens the held-out part once, for the winner."""

import glob
import hashlib
import logging
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from heldout import experiment
from heldout.data.examples import Examples
from heldout.data.storage.remote import local_path
from heldout.errors import Diverged, StorageError, UsageError
from heldout.findings import Finding, by_severity
from heldout.locking import locked
from heldout.manifest import MANIFEST, check_whole, write_manifest
from heldout.plan import Plan, make_plan
from heldout.plan_text import merged_settings
from heldout.provenance import Clock, Silent, Watcher, environment
from heldout.records import cache_folder, read_json, remove_strays, to_json, write_atomic
from heldout.run_folders import fresh_run_folder
from heldout.sweeping.advising import find_doubts, recommend
from heldout.sweeping.choosing import compare_regimes, standing_record
from heldout.sweeping.runners import LocalRunner, Runner
from heldout.sweeping.space import Space, make_space, settings_of
from heldout.sweeping.sweep import SweepPlan, Swept, Workers, carry_out, spread
from heldout.training.settings import NEEDS_BATCHES
from heldout.verbs.running import Run, as_path, resume, train_as_planned
from heldout.verbs.sweeps import RECORD, Sweep, read_sweep

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


def plan_sweep(
    space: Space,
    named: Mapping[str, Any],
    *,
    file: Path | None = None,
    assignments: Sequence[str] = (),
    n_seeds: int | None = None,
    halving: bool = False,
    engine: str = "local",
    n_workers: int | None = None,
) -> SweepPlan:
    """The plan of a sweep, every setting of it checked.

    Args:
        space: What is varied.
        named: What all settings have in common, by its name in a plan.
        file: A plan in TOML with the same names.
        assignments: As `make_plan` takes them.
        n_seeds: Trials a setting.
        halving: Drop the worse half now and then.
        engine: `local` or `ray`.
        n_workers: Trials at a time.

    Raises:
        UsageError: A name or value that cannot be meant.
    """
    common = merged_settings(named, file=file, assignments=assignments)
    for name in _varied(space):
        if name in common:
            flag = _FLAGS[name]
            raise UsageError(
                f"{name} is set to {common[name]!r} for all settings, and is what the sweep varies",
                expected="one or the other",
                fix=f"take {name} out of the plan or --set, and name its values with {flag}",
            )

    def make(values: Mapping[str, Any]) -> Plan:
        meant_for_others: str | None = None
        kind = values.get("model.name") or values["model.regime"]
        needs_batches = values.get("imbalance", common.get("imbalance")) in NEEDS_BATCHES
        is_fitted = kind in ("frozen", "linear") and "training.learning_rate" not in values and not needs_batches
        if is_fitted or kind == "boosting":
            meant_for_others = "training."  # without mini-batches
        elif kind == "scratch":
            meant_for_others = "model.weights"
        own = {
            name: value
            for name, value in common.items()
            if not (meant_for_others and name.startswith(meant_for_others))
        }
        return make_plan({**own, **values})

    plans = settings_of(space, make, seed=int(common.get("seed", 0)))
    n_seeds = 5 if n_seeds is None else n_seeds
    return SweepPlan(space=space, plans=plans, n_seeds=n_seeds, halving=halving, engine=engine, n_workers=n_workers)


# A setting by its name in a plan -> the flag that names several values of it.
_FLAGS = {
    "model.regime": "--regimes",
    "model.name": "--models",
    "imbalance": "--imbalance",
    "model.backbone": "--backbones",
    "training.learning_rate": "--learning-rates",
    "training.batch_size": "--batch-sizes",
}


def _varied(space: Space) -> list[str]:
    """The settings, by their names in a plan, that the space has values for."""
    axes = (
        space.regimes,
        space.models,
        space.imbalances,
        space.backbones,
        space.learning_rates,
        space.batch_sizes,
    )
    return [name for name, values in zip(_FLAGS, axes, strict=True) if values]


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
            record |= {"workers": runner.n_workers, "overheads": _overheads(runner)}
        findings = [*swept.data.prepared.findings, *find_doubts(swept.judgement, swept.results, n_seeds=plan.n_seeds)]
        try:
            with _told_how_to_go_on(folder):
                winner = _winner(plan, swept, folder, watcher)
        except Diverged as error:
            winner = None
            findings.append(_winner_diverged(error))
        _write(folder, plan, swept, findings, winner=winner, record=record)
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


def _overheads(runner: Runner) -> dict[str, float] | None:
    """What a trial costs beside its own work, seconds; None where none was done."""
    found = sorted(runner.overheads)
    return {"median": round(found[len(found) // 2], 4), "most": round(found[-1], 4)} if found else None


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


def _winner_diverged(error: Diverged) -> Finding:
    return Finding(
        code="winner-diverged",
        severity="error",
        what=f"the winner was trained again on the split of the data, and diverged there: {error.what}",
        why="Its trials went well by luck: it is at the edge of what can be trained. The held-out part stays sealed.",
        fix="Take the next setting of the ranking, or a lower learning rate, with `heldout train`.",
    )


def _write(
    folder: Path,
    plan: SweepPlan,
    swept: Swept,
    findings: Sequence[Finding],
    *,
    winner: Run | None,
    record: Mapping[str, Any],
) -> None:
    judgement, results = swept.judgement, swept.results
    counts = {outcome: sum(result.outcome == outcome for result in results) for outcome in _OUTCOMES}
    content = {
        "format": 1,
        "name": folder.name,
        "metric": swept.data.measure.metric,
        "highest": swept.data.measure.highest,
        "data": swept.data.prepared.facts,
        "n_trials": len(results),
        **{f"n_{outcome}": n for outcome, n in counts.items()},
        "n_seeds": plan.n_seeds,
        "n_folds": swept.data.folded.n_folds,
        "halving": plan.halving,
        "engine": plan.engine,
        "workers": record["workers"],
        "threads": record["threads"],
        "overheads": record["overheads"],
        "seconds": round(swept.seconds, 3),
        "trial_seconds": round(sum(result.seconds for result in results), 3),
        "n_done_now": swept.n_done,
        "settings": [standing_record(standing, judgement) for standing in judgement.standings],
        "optimism": asdict(judgement.optimism) if judgement.optimism else None,
        "recommendation": advice.as_dict() if (advice := recommend(judgement)) else None,
        "winner": _winner_record(swept, winner),
        "compared": [
            {"a": a.name, "b": b.name, "difference": difference.as_dict()}
            for a, b, difference in compare_regimes(judgement)
        ],
        "command": record["command"],
        "versions": record["packages"],
    }
    write_atomic(folder / "findings.json", to_json([one.as_dict() for one in by_severity(list(findings))]))
    write_atomic(folder / RECORD, to_json(content))


_OUTCOMES = ("finished", "diverged", "failed")


def _winner_record(swept: Swept, run: Run | None) -> dict[str, Any] | None:
    best = swept.judgement.best
    if run is None or best is None:
        return None
    mean = float(best.scores.mean())
    optimism = swept.judgement.optimism
    scores = run.scores
    test = next(score for score in scores["test"]["scores"] if score["name"] == swept.data.measure.metric)
    return {
        "name": best.name,
        "run": run.folder.name,
        "validation_mean": mean,
        "expected": mean - optimism.value if optimism else None,
        "test": test,
        "test_openings": scores["data"]["test_openings"],
    }


def _command_of(plan: SweepPlan) -> str:
    return f"heldout.sweep({shlex.quote(plan.first.as_dict()['data']['path'])}, ...)"
