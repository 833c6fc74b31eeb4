"""Tables: a linear model on a file larger than memory, CSV at pyarrow's speed, and the whole job on 10,000 points.

    python benchmarks/tables.py stream [--rows 10000000] [--file KEPT.parquet]
    python benchmarks/tables.py csv [--rows 1000000]
    python benchmarks/tables.py points FOLDER          # with samplestr.txt and sampleste.txt

`stream` writes a Parquet file of 20 float64 columns and a label into a temporary folder, and compares with
`heldout.training.streaming.fit_stream` what no fit can do without: reading all columns once, batch by batch, and one
pass of arithmetic, as it is written down in numpy: standardise, multiply, sigmoid, gradient. `fit` is with 1,000
held-out rows, whose scores cost next to nothing, `fit and scores` with the 100,000 of the default.

Each number is of a process of its own, in turn, and the median of them; seconds are of the processor, for the machine
may be busy, and those on the wall stand beside. Memory is the highest resident of the whole process, imports included.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

N_COLUMNS = 20
PIECE = 500_000


def write_stream_file(path: Path, n_rows: int) -> None:
    """Numbers of unlike scales, two of them correlated, and a label that hangs on all; 168 bytes a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    weights = np.random.default_rng(7).normal(size=N_COLUMNS) / np.sqrt(N_COLUMNS) * 1.5
    names = [f"x{number}" for number in range(N_COLUMNS)]
    schema = pa.schema([*((name, pa.float64()) for name in names), ("y", pa.int64())])
    with pq.ParquetWriter(path, schema) as writer:
        for begin in range(0, n_rows, PIECE):
            generator = np.random.default_rng([1, begin])
            numbers = generator.standard_normal((N_COLUMNS, min(PIECE, n_rows - begin)))
            numbers[1] = 0.6 * numbers[0] + 0.8 * numbers[1]
            chance = 1 / (1 + np.exp(1 - weights @ numbers))
            label = (generator.random(len(chance)) < chance).astype(np.int64)
            columns = [number * (place + 1) + place for place, number in enumerate(numbers)]
            writer.write_table(pa.Table.from_arrays([pa.array(each) for each in (*columns, label)], schema=schema))


def read_alone(path: str) -> dict[str, Any]:
    """Every column, batch by batch, as `fit_stream` reads them."""
    for _ in _batches(path):
        pass
    return {}


def arithmetic_alone(path: str) -> dict[str, Any]:
    """Seconds of the arithmetic of one pass, without those of reading."""
    gradient, seconds, wall = np.zeros(N_COLUMNS), 0.0, 0.0
    weights, mean, scale = np.ones(N_COLUMNS) / N_COLUMNS, np.arange(N_COLUMNS), np.arange(1, N_COLUMNS + 1)
    for _, table in _batches(path):
        start, start_wall = time.process_time(), time.perf_counter()
        features = np.empty((N_COLUMNS, table.num_rows))
        for number in range(N_COLUMNS):
            features[number] = table.column(number).to_numpy()
        features -= mean[:, None]
        features /= scale[:, None]
        chance = 1 / (1 + np.exp(-(weights @ features)))
        gradient += features @ (chance - table.column("y").to_numpy())
        seconds += time.process_time() - start
        wall += time.perf_counter() - start_wall
    assert np.isfinite(gradient).all()
    return {"cpu_seconds": seconds, "wall_seconds": wall}


def fit_alone(path: str) -> dict[str, Any]:
    """The fit, and as few scores as can be."""
    return _fit(path, test_rows=1_000)


def fit_and_scores(path: str) -> dict[str, Any]:
    """All that `fit_stream` does."""
    return _fit(path, test_rows=100_000)


def _fit(path: str, *, test_rows: int) -> dict[str, Any]:
    from heldout.training.streaming import fit_stream

    found = fit_stream(path, "y", test_rows=test_rows)
    accuracy = found.test.scores[0]
    words = f"{accuracy.value:.4f} [{accuracy.low:.4f}, {accuracy.high:.4f}] of {accuracy.n:,}"
    return {"passes": len(found.passes), "accuracy": words}


def _batches(path: str) -> Any:
    from heldout.training.stream_rows import open_stream

    stream = open_stream(path, "y", n_test=1, n_validation=1, seed=0)
    return stream.batches([*stream.columns, "y"])


def our_csv(path: str) -> dict[str, Any]:
    """As `heldout train` reads it."""
    from heldout.data.tabular.table_files import read_table

    return {"rows": read_table(path, as_text=["y"]).num_rows}


def pyarrow_csv(path: str) -> dict[str, Any]:
    """Its defaults."""
    from pyarrow import csv

    return {"rows": csv.read_csv(path).num_rows}


MEASURED: dict[str, Callable[[str], dict[str, Any]]] = {
    "read": read_alone,
    "arithmetic": arithmetic_alone,
    "fit": fit_alone,
    "fit and scores": fit_and_scores,
    "csv, heldout": our_csv,
    "csv, pyarrow": pyarrow_csv,
}


def measured(name: str, path: str) -> dict[str, Any]:
    """One of them, in this process; what it says of its own seconds counts."""
    import pyarrow.csv
    import pyarrow.parquet

    import heldout.training.streaming  # noqa: F401  (what is imported is no part of it)

    # By this pyarrow imports pandas where that is installed: 0.3 s.
    pyarrow.chunked_array([[1.0]]).to_numpy()

    start, start_wall = time.process_time(), time.perf_counter()
    found = MEASURED[name](path)
    seconds = {"cpu_seconds": time.process_time() - start, "wall_seconds": time.perf_counter() - start_wall}
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return seconds | found | {"peak_mb": peak / 1024}


def in_turn(names: list[str], path: Path, n_times: int) -> dict[str, dict[str, Any]]:
    """The medians of so many processes of each, printed."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(n_times):
        for name in names:
            command = [sys.executable, __file__, "one", name, str(path)]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            runs[name].append(json.loads(output))
    medians = {}
    for name, found in runs.items():
        numbers = ("cpu_seconds", "wall_seconds", "peak_mb")
        middle = {key: round(statistics.median(each[key] for each in found), 2) for key in numbers}
        middle["cpu_of_each"] = [round(each["cpu_seconds"], 2) for each in found]
        medians[name] = found[0] | middle
        print(json.dumps({"what": name} | medians[name]), flush=True)
    return medians


def stream_part(n_rows: int, kept: str, n_times: int) -> None:
    """How many times reading and one pass of arithmetic the fit takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(kept) if kept else Path(folder) / "rows.parquet"
        if not path.exists():
            write_stream_file(path, n_rows)
        print(json.dumps({"file_mb": round(path.stat().st_size / 1e6), "rows": n_rows, "columns": N_COLUMNS}))
        found = in_turn(["read", "arithmetic", "fit", "fit and scores"], path, n_times)
    least = found["read"]["cpu_seconds"] + found["arithmetic"]["cpu_seconds"]
    for name in ("fit", "fit and scores"):
        times = round(found[name]["cpu_seconds"] / least, 2)
        print(json.dumps({"what": name, "times_read_and_arithmetic": times}))


def csv_part(n_rows: int, n_times: int) -> None:
    """How many times what pyarrow takes heldout does."""
    import pyarrow.parquet as pq
    from pyarrow import csv

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        write_stream_file(path.with_suffix(".parquet"), n_rows)
        table = pq.read_table(path.with_suffix(".parquet"))
        # The names without quotes, as most programs write them; pyarrow would put some.
        with path.open("wb") as file:
            file.write(",".join(table.schema.names).encode() + b"\n")
            csv.write_csv(table, file, csv.WriteOptions(include_header=False))
        print(json.dumps({"file_mb": round(path.stat().st_size / 1e6), "rows": n_rows, "columns": N_COLUMNS}))
        found = in_turn(["csv, pyarrow", "csv, heldout"], path, n_times)
    times = round(found["csv, heldout"]["cpu_seconds"] / found["csv, pyarrow"]["cpu_seconds"], 2)
    print(json.dumps({"what": "csv", "times_pyarrow": times}))


def points_part(folder: Path, n_times: int) -> None:
    """Whole processes, from start to exit, caches of heldout empty; compiled, as pip leaves an installed package."""
    import resource

    runs = []
    compiled = tempfile.TemporaryDirectory()
    compiling = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    compiling["PYTHONPYCACHEPREFIX"] = compiled.name
    for _ in range(n_times + 1):  # the first compiles, and does not count
        with tempfile.TemporaryDirectory() as out:
            command = [str(Path(sys.executable).parent / "heldout"), "train", str(folder / "samplestr.txt")]
            command += ["--target", "last", "--test", str(folder / "sampleste.txt"), "--out", out]
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            environment = compiling | {"HELDOUT_CACHE": f"{out}/cache"}
            subprocess.run(command, capture_output=True, check=True, env=environment)
            wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
            runs.append((wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    print(" ".join(["heldout", *command[1:]]))
    compiled.cleanup()
    for name, seconds in zip(("wall_seconds", "cpu_seconds"), zip(*runs[1:], strict=True), strict=True):
        print(
            json.dumps(
                {"what": name, "median": round(statistics.median(seconds), 2), "each": np.round(seconds, 2).tolist()}
            )
        )


def circumstances() -> str:
    """The machine and the versions, in one line."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pyarrow"))
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores of {model}, load {load:.1f} before, Python {platform.python_version()}, {versions}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(measured(sys.argv[2], sys.argv[3])))
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("part", choices=("stream", "csv", "points"))
        parser.add_argument("folder", nargs="?", type=Path, help="where the points are")
        parser.add_argument("--rows", type=int, default=0)
        parser.add_argument("--file", default="", help="of stream: written if it is not there, and kept")
        parser.add_argument("--times", type=int, default=3)
        chosen = parser.parse_args()
        print(f"python {' '.join(sys.argv)}\n{circumstances()}")
        if chosen.part == "stream":
            stream_part(chosen.rows or 10**7, chosen.file, chosen.times)
        elif chosen.part == "csv":
            csv_part(chosen.rows or 10**6, chosen.times)
        else:
            points_part(chosen.folder or parser.error("points needs the folder"), chosen.times)
