"""A finished run, carried out again from the start and compared: what `heldout resume --verify` does.

The replay is made in a temporary folder, with the plan, the pictures and the arithmetic of the run. Its opening of the
held-out part is written down there and goes with it: it shows no number that the run has not shown already.
"""

import csv
import hashlib
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from heldout import experiment
from heldout.findings import Finding
from heldout.locking import locked
from heldout.plan import Plan, plan_of
from heldout.provenance import Clock, Silent, Watcher
from heldout.records import read_json, write_atomic
from heldout.run_folders import run_folder
from heldout.training.norm_files import NORMS_FILE
from heldout.verbs.running import working_folder

# What is measured, and differs between two runs that are otherwise the same.
_MEASURED = ("pictures_per_second", "seconds")
_CIRCUMSTANCES = ("heldout", "cpu", "n_threads", "packages")


@dataclass(frozen=True, slots=True)
class Replay:
    """How a replay compares with its run.

    Attributes:
        differing: Files whose numbers differ; empty where the replay gave the same bits.
        circumstances: What else is different here, such as `n_threads 2, was 1`.
    """

    differing: tuple[str, ...]
    circumstances: tuple[str, ...]

    def finding(self) -> Finding | None:
        """What it means; None where the replay gave the same bits."""
        if not self.differing:
            return None
        elsewhere = f"; this is not where it was run: {'; '.join(self.circumstances)}" if self.circumstances else ""
        return Finding(
            code="replay-differs",
            severity="error",
            what=f"a replay of the run gives other numbers in {', '.join(self.differing)}{elsewhere}",
            why="A run that cannot be had again was either changed after it had ended, or computed in other "
            "circumstances.",
            fix="Verify it where it was run, with as many threads and the same versions."
            if elsewhere
            else "Do not rely on the run; train again, and look for what changed its files.",
            where=self.differing,
        )


def replay(run: str | Path, *, watcher: Watcher | None = None) -> Replay:
    """Carry a finished run out again and compare weights, history, predictions and scores bit by bit.

    Args:
        run: The folder of a finished run.
        watcher: Is told how it goes.

    Raises:
        RunFolderError: There is no finished run.
        DataError: The pictures are no longer those of the run.
    """
    watcher = watcher or Silent()
    folder = run_folder(Path(run)).resolve()
    plan, record = plan_of(folder), read_json(folder / "environment.json")
    with locked(folder), TemporaryDirectory(prefix="heldout-replay-") as temporary, chdir(working_folder(folder)):
        again = Path(temporary) / folder.name
        _carry_out(_as_it_was(plan, record), folder, again, watcher)
        differing = tuple(name for name, content in _COMPARED.items() if _differs(folder / name, again / name, content))
        here = read_json(again / "environment.json")
    return Replay(differing, tuple(_differences(record, here)))


def _as_it_was(plan: Plan, record: dict[str, Any]) -> Plan:
    """The plan with what the run had chosen by itself."""
    training = plan.training and replace(plan.training, precision=record["precision"])
    return replace(plan, training=training, device=record["device"])


def _carry_out(plan: Plan, folder: Path, again: Path, watcher: Watcher) -> None:
    again.mkdir()
    for name, content in experiment.first_files(plan, "").items():
        write_atomic(again / name, content)
    # With the run's split beside it, other pictures are refused and not called a difference.
    write_atomic(again / "split.parquet", (folder / "split.parquet").read_bytes())
    clock = Clock(watcher)
    with clock("find the examples"):
        examples = experiment.find_examples(plan)
    experiment.train(plan, examples, folder=again, clock=clock, watcher=watcher)


def _differences(record: dict[str, Any], here: dict[str, Any]) -> list[str]:
    found = []
    for name in (*_CIRCUMSTANCES, "engine"):
        now, before = here.get(name), record.get(name)
        if isinstance(before, dict) and isinstance(now, dict):
            found += [f"{key} {now.get(key)}, was {value}" for key, value in before.items() if now.get(key) != value]
        elif before is not None and now != before:
            found.append(f"{name} {now}, was {before}")
    return found


def _differs(first: Path, second: Path, content: Callable[[Path], Any]) -> bool:
    if first.name == NORMS_FILE and not first.exists():
        return False  # the run is of an older version, which wrote none
    if not first.exists() or not second.exists():
        return first.exists() != second.exists()
    return bool(content(first) != content(second))


def _bytes(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: cell for name, cell in row.items() if name not in _MEASURED} for row in csv.DictReader(file)]


def _scores(path: Path) -> Any:
    """All of scores.json but the count of openings, which other runs on the same pictures raise."""
    scores = read_json(path)
    return scores | {"data": {name: value for name, value in scores["data"].items() if name != "test_openings"}}


def _table(path: Path) -> Any:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return file.read().to_pydict()


_COMPARED: dict[str, Callable[[Path], Any]] = {
    "model/weights.safetensors": _bytes,
    "model/preprocess.json": _bytes,
    "model/classes.json": _bytes,
    "head_path.csv": _bytes,
    "learning_rate.csv": _bytes,
    "history.csv": _rows,
    NORMS_FILE: _bytes,
    "predictions.parquet": _table,
    "scores.json": _scores,
}
