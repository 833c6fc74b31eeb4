"""What the trials of a sweep on a table see: the rows outside the test part under their own names, and no others."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from heldout.data.tabular.tables import TableSource, find_table
from heldout.sweeping.folded import ROWS, read_folds, write_folds
from heldout.training.materials import Part


def test_rows_of_the_test_part_are_not_in_the_folder_and_the_others_are_the_same(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    columns = {"size": generator.normal(size=40), "colour": ["red", "blue"] * 20, "kind": list("aabb") * 10}
    examples = find_table(columns, "kind")
    seen = examples.take(np.flatnonzero(np.arange(40) % 4 > 0))
    source = examples.source
    assert isinstance(source, TableSource)
    part = Part(seen, tuple(source.sha256s(seen.ids)))
    write_folds(tmp_path, part, (np.arange(30) % 3)[:, None], 3)

    kept = pq.read_table(tmp_path / ROWS)
    hidden = set(range(40)) - set(source.rows_of(seen.ids).tolist())
    assert all(kept[name][row].as_py() is None for name in kept.column_names for row in hidden)

    train, validation = read_folds(tmp_path).parts(1)
    assert len(train.labels) == 20
    assert len(validation.labels) == 10
    again = train.examples.source
    assert isinstance(again, TableSource)
    assert again.sha256s(train.examples.ids) == list(train.sha256s)
    assert again.sha256s(train.examples.ids) == source.sha256s(train.examples.ids)
    assert (again.target, train.examples.layout) == ("kind", "table")
