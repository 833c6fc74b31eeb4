"""What the trials of a sweep see: the examples outside the test part, and the fold of each; of a table, the rows too.

SWEEP/folds.parquet      ids, content and labels, and the fold of each example in every round of cross-validation
SWEEP/folds.json         the class map, and how many folds and rounds
SWEEP/rows.parquet       the rows of a table; in the place of each row of the test part stands an empty one
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from heldout.data.examples import Examples
from heldout.data.storage.sources import FolderSource, Source
from heldout.data.tabular.tables import TableSource
from heldout.records import read_json, read_parquet, to_json, write_atomic, write_parquet
from heldout.training.materials import Part

FOLDS, FACTS, ROWS = "folds.parquet", "folds.json", "rows.parquet"
_LABELS = "label "  # beside the features, whose names have no blank at their end


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """The examples outside the test part and their folds.

    Attributes:
        part: All of them, as one part.
        folds: A column a round of cross-validation: the fold of each example.
        n_folds: Folds a round.
    """

    part: Part
    folds: Int[np.ndarray, "examples rounds"]
    n_folds: int

    @property
    def n_seeds(self) -> int:
        """For how many seeds there are folds."""
        return int(self.folds.shape[1]) * self.n_folds

    def is_validation(self, seed: int) -> Bool[np.ndarray, " examples"]:
        """Which examples the trials of this seed are judged on; they learn from the others."""
        return np.asarray(self.folds[:, seed // self.n_folds] == seed % self.n_folds)

    def digest(self, seed: int) -> str:
        """SHA-256 of the examples and of which part each is in with this seed."""
        examples = self.part.examples
        content = (examples.ids, self.part.sha256s, examples.classes, examples.labels.tolist())
        return hashlib.sha256(repr((content, self.is_validation(seed).tolist())).encode()).hexdigest()

    def parts(self, seed: int) -> tuple[Part, Part]:
        """Train and validation of this seed."""
        judged = self.is_validation(seed)
        return _some(self.part, ~judged), _some(self.part, judged)


def _some(part: Part, chosen: Bool[np.ndarray, " examples"]) -> Part:
    indices = np.flatnonzero(chosen)
    return Part(part.examples.take(indices), tuple(part.sha256s[index] for index in indices))


def write_folds(folder: Path, part: Part, folds: Int[np.ndarray, "examples rounds"], n_folds: int) -> None:
    """Write folds.parquet, and folds.json with the class map."""
    examples = part.examples
    columns: dict[str, Sequence[object]] = {
        "id": examples.ids,
        "sha256": part.sha256s,
        "class": [examples.classes[label] for label in examples.labels],
    }
    columns |= {f"round_{number}": column.tolist() for number, column in enumerate(folds.T)}
    write_parquet(folder / FOLDS, columns)
    facts: dict[str, Any] = {"classes": list(examples.classes), "n_folds": n_folds, "n_rounds": folds.shape[1]}
    if isinstance(examples.source, TableSource):
        facts["table"] = _write_rows(folder, examples.source, examples.ids)
    write_atomic(folder / FACTS, to_json(facts))


def read_folds(folder: Path) -> Folded:
    """What `write_folds` wrote; read once as long as the file stays the same.

    Raises:
        RunFolderError: A file is absent or damaged.
    """
    place = folder.resolve()
    found = (place / FOLDS).stat() if (place / FOLDS).is_file() else None
    return _read_folds(place, (found.st_mtime_ns, found.st_size, found.st_ino) if found else None)


@lru_cache(maxsize=2)
def _read_folds(folder: Path, stamp: tuple[int, ...] | None) -> Folded:
    facts = read_json(folder / FACTS)
    classes, n_folds = tuple(facts["classes"]), int(facts["n_folds"])
    rounds = [f"round_{number}" for number in range(facts["n_rounds"])]
    table = read_parquet(folder / FOLDS, ["id", "sha256", "class", *rounds])
    folds = np.stack([table[name].to_numpy() for name in rounds], axis=1)
    index = {name: number for number, name in enumerate(classes)}
    ids, sha256s = table["id"].to_pylist(), table["sha256"].to_pylist()
    labels = np.array([index[name] for name in table["class"].to_pylist()], np.int64)
    given = np.full(len(ids), -1, np.int8)
    # Of pictures names and labels alone: whatever a trial needs of them was kept when they were looked at.
    is_table = "table" in facts
    source: Source = _read_rows(folder, facts["table"]) if is_table else FolderSource(folder)
    examples = Examples(source, tuple(ids), labels, classes, given, "table" if is_table else "kept")
    return Folded(Part(examples, tuple(sha256s)), folds, n_folds)


def _write_rows(folder: Path, source: TableSource, ids: Sequence[str]) -> dict[str, Any]:
    """Write rows.parquet and say what else makes a source of it."""
    import pyarrow as pa

    is_seen = np.zeros(source.table.num_rows, bool)
    is_seen[source.rows_of(ids)] = True
    places = pa.array(np.arange(len(is_seen)), mask=~is_seen)
    rows = source.table.append_column(_LABELS, source.labels).take(places)
    write_parquet(folder / ROWS, {name: rows.column(name) for name in rows.schema.names})
    return {"name": source.name, "target": source.target, "files": source.files, "n_digits": source.n_digits}


def _read_rows(folder: Path, facts: dict[str, Any]) -> TableSource:
    import pyarrow.parquet as pq

    with pq.ParquetFile(folder / ROWS) as file:
        table = file.read().combine_chunks()
    return TableSource(
        name=facts["name"],
        table=table.drop_columns([_LABELS]),
        labels=table.column(_LABELS),
        target=facts["target"],
        files=tuple((prefix, int(begin)) for prefix, begin in facts["files"]),
        n_digits=int(facts["n_digits"]),
    )
