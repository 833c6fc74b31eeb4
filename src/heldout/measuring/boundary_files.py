"""A boundary <-> two files of a run folder.

boundary.parquet  one table of the grid and of the points, told apart by `what`:
                  `what` ("grid" or "point"), `x` and `y` (where it is drawn), `label` (of a point its true class,
                  null on the grid), `predicted` (of a point what was answered, on the grid what would be),
                  `probability` (on the grid that of the answer there, null for points);
                  the grid comes first, row by row from the lowest y, each from the lowest x
boundary.json     the attributes of `Boundary` that are no arrays, `format`, and `grid`: its columns and rows;
                  `line` is its three numbers, or null
"""

from pathlib import Path
from typing import Any

import numpy as np

from heldout.arrow_arrays import arrow_numbers, arrow_rows, arrow_words, numbers_in
from heldout.errors import DamagedRun
from heldout.measuring.boundary import Boundary, Line
from heldout.records import read_json, read_parquet, to_json, write_atomic, write_parquet

PARQUET, JSON = "boundary.parquet", "boundary.json"
FORMAT = 1
_PLAIN = ("kind", "titles", "words", "share", "classes", "part")
_COUNTED = ("n", "n_mistakes", "n_drawn", "n_mistakes_drawn", "n_outside", "agreement")
_TOLD = (*_PLAIN, *_COUNTED)


def write_boundary(folder: Path, boundary: Boundary) -> None:
    """Write boundary.parquet and boundary.json into a run folder.

    Raises:
        StorageError: The disk refused.
    """
    import pyarrow as pa

    n_cells, n_points = boundary.decided.size, len(boundary.labels)
    names = arrow_words(boundary.classes).cast(pa.string())
    grid_x, grid_y = (each.ravel() for each in np.meshgrid(boundary.x, boundary.y))
    labels = names.take(arrow_rows(boundary.labels))
    columns = {
        "what": ["grid"] * n_cells + ["point"] * n_points,
        "x": np.concatenate([grid_x, boundary.points[:, 0]]),
        "y": np.concatenate([grid_y, boundary.points[:, 1]]),
        "label": pa.concat_arrays([pa.nulls(n_cells, pa.string()), labels]),
        "predicted": names.take(arrow_rows(np.concatenate([boundary.decided.ravel(), boundary.predicted]))),
        **{
            name: pa.concat_arrays(
                [arrow_numbers(getattr(boundary, name).ravel().astype(np.float32)), pa.nulls(n_points, pa.float32())]
            )
            for name in ("probability", "margin")
        },
    }
    told = {name: getattr(boundary, name) for name in _TOLD}
    line = boundary.line and [boundary.line.x_weight, boundary.line.y_weight, boundary.line.constant]
    write_parquet(folder / PARQUET, columns)
    # Last: where it stands, the other is whole.
    content = {"format": FORMAT, **told, "line": line, "grid": [len(boundary.x), len(boundary.y)]}
    write_atomic(folder / JSON, to_json(content))


def read_boundary(folder: Path) -> Boundary | None:
    """What `write_boundary` wrote; None where a run has none.

    Raises:
        DamagedRun: A file is not whole, or of a format that this version does not know.
    """
    if not (folder / JSON).exists():
        return None
    content: dict[str, Any] = read_json(folder / JSON)
    table = read_parquet(folder / PARQUET, ["what", "x", "y", "label", "predicted", "probability", "margin"])
    try:
        return _restored(content, table)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedRun(
            f"{folder / JSON} and {PARQUET} do not belong together: {error!r}",
            expected=f"format {FORMAT}, as this version of heldout writes it",
            fix="train again, or make the report with the version of heldout that made the run",
        ) from error


def _restored(content: dict[str, Any], table: Any) -> Boundary:
    """The record from its two files.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: They do not fit.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']!r}")
    n_columns, n_rows = content["grid"]
    n_cells = n_columns * n_rows
    names = arrow_words(content["classes"]).cast(pa.string())
    if set(table["what"][:n_cells].to_pylist()) != {"grid"}:
        raise ValueError(f"fewer than {n_cells} points of the grid")
    predicted = pc.index_in(table["predicted"], value_set=names)
    labels = pc.index_in(table["label"][n_cells:], value_set=names)
    if predicted.null_count or labels.null_count:
        raise ValueError("a class that is not named")
    answers = numbers_in(predicted).astype(np.int64)
    drawn = np.stack([numbers_in(table[name], empty=np.nan) for name in ("x", "y")], axis=1)
    told = {name: content[name] for name in _TOLD}
    probability, margin = (
        numbers_in(table[name][:n_cells], empty=np.nan).astype(np.float64).reshape(n_rows, n_columns)
        for name in ("probability", "margin")
    )
    return Boundary(
        **told | {"titles": tuple(told["titles"]), "classes": tuple(told["classes"])},
        line=Line(*content["line"]) if content["line"] else None,
        x=drawn[:n_columns, 0],
        y=drawn[:n_cells:n_columns, 1],
        decided=answers[:n_cells].reshape(n_rows, n_columns),
        probability=probability,
        margin=margin,
        points=drawn[n_cells:],
        labels=numbers_in(labels).astype(np.int64),
        predicted=answers[n_cells:],
    )
