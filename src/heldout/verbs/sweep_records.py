"""A sweep that is over -> its record and its Findings, as files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from heldout.errors import Diverged
from heldout.findings import Finding, by_severity
from heldout.records import to_json, write_atomic
from heldout.sweeping.advising import recommend
from heldout.sweeping.choosing import compare_regimes, standing_record
from heldout.sweeping.runners import Runner
from heldout.sweeping.sweep import SweepPlan, Swept
from heldout.verbs.running import Run
from heldout.verbs.sweeps import RECORD

_OUTCOMES = ("finished", "diverged", "failed")


def overheads_of(runner: Runner) -> dict[str, float] | None:
    """What a trial costs beside its own work, seconds; None where none was done."""
    found = sorted(runner.overheads)
    return {"median": round(found[len(found) // 2], 4), "most": round(found[-1], 4)} if found else None


def winner_diverged(error: Diverged) -> Finding:
    """The Finding of a winner that could not be trained again."""
    return Finding(
        code="winner-diverged",
        severity="error",
        what=f"the winner was trained again on the split of the data, and diverged there: {error.what}",
        why="Its trials went well by luck: it is at the edge of what can be trained. The held-out part stays sealed.",
        fix="Take the next setting of the ranking, or a lower learning rate, with `heldout train`.",
    )


def write_record(
    folder: Path,
    plan: SweepPlan,
    swept: Swept,
    findings: Sequence[Finding],
    *,
    winner: Run | None,
    record: Mapping[str, Any],
) -> None:
    """Write the record of a sweep and its Findings into its folder.

    Args:
        folder: The sweep's.
        plan: What was to be done.
        swept: What came of it.
        findings: What weakens it.
        winner: The run of the winning setting; None where there is none.
        record: With what it was done.
    """
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
        "expected": swept.data.measure.less_optimism(mean, optimism.value) if optimism else None,
        "test": test,
        "test_openings": scores["data"]["test_openings"],
    }
