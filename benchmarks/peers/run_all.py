"""Times heldout and the contestants on one folder, in turn, and prints a table and a JSON file.

    python benchmarks/peers/run_all.py DATA --peers-python PEERS/bin/python --out results.json

Every run is a whole process, timed from outside from start to exit. The contestants take turns within each
repeat, so a slow minute of the machine falls on all of them; the table shows medians. Run it with the Python
of heldout's environment, on a machine that does nothing else: each run's load average is kept in the JSON.
"""

import argparse
import json
import math
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent

# Contestant -> its script and arguments, run by the peers' Python. `run_peer` adds DATA and --seed.
PEERS: Mapping[str, Sequence[str]] = {
    "recipe": ("recipe.py",),
    "fastai": ("peer_fastai.py",),
    "fastai-bn-frozen": ("peer_fastai.py", "--freeze-batch-norm"),
    "lightning": ("peer_lightning.py",),
    "hf-trainer": ("peer_hf_trainer.py",),
    "keras": ("peer_keras.py",),
}
# heldout in three states of its cache (HELDOUT_CACHE); `cache_for` makes each.
HELDOUT: Mapping[str, str] = {
    "heldout-first": "nothing cached: the first run ever, which converts the backbone",
    "heldout-converted": "the backbone is converted, these photos are new",
    "heldout-second": "the second run on the same photos",
}
# What spares eager torch most of its page faults on glibc: memory of freed tensors is kept, not returned.
TUNED_ALLOCATOR: Mapping[str, str] = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str((1 << 32) - 1),
    "MALLOC_TOP_PAD_": str(256 << 20),
}


@dataclass(frozen=True, slots=True)
class Timing:
    """What one process cost, seen from outside."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float  # the largest single process of the run, workers included
    load_before: float
    output: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one contestant; `reported` is its own JSON line, or heldout's scores."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    load_before: float
    n_correct: int
    n_test: int
    extrapolated: bool
    reported: Mapping[str, object]


class ContestantFailed(Exception):
    """A contestant's process ended badly; the message holds its last lines."""


# ---- heldout's own command: the one place that knows how it is called and where its score stands ----


def heldout_command(heldout: Path, data: Path, out: Path, seed: int) -> list[str]:
    """The command whose whole process is timed."""
    return [str(heldout), "train", str(data), "--out", str(out), "--seed", str(seed)]


def heldout_score(out: Path) -> tuple[int, int, Mapping[str, object]]:
    """Correct pictures, test pictures and the test summary of the run below `out`."""
    (file,) = out.rglob("scores.json")
    test = json.loads(file.read_text())["test"]
    (accuracy,) = (score for score in test["scores"] if score["name"] == "accuracy")
    return round(accuracy["value"] * accuracy["n"]), accuracy["n"], {"test_accuracy": accuracy}


# ---- one process ----


def timed(command: Sequence[str], environment: Mapping[str, str], limit: float) -> Timing:
    """Runs a command to its end.

    Raises:
        ContestantFailed: It ended with an error, or was stopped after `limit` seconds.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,  # so that a contestant is stopped together with its workers
        )
        stopper = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        stopper.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            stopper.cancel()
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        last_lines = "\n".join(text.splitlines()[-15:])
        raise ContestantFailed(f"{' '.join(command)}\nexit {process.returncode} after {seconds:.0f} s\n{last_lines}")
    return Timing(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, load, text)


def run_peer(name: str, arguments: argparse.Namespace, seed: int) -> Run:
    """One run of a peer or of the recipe; an extrapolated time is the contestant's own figure."""
    script, *flags = PEERS[name]
    if name == "recipe" and arguments.recipe_stop_after:
        flags += ["--stop-after", str(arguments.recipe_stop_after)]
    if arguments.epochs:
        flags += ["--epochs", str(arguments.epochs)]
    command = [str(arguments.peers_python), str(HERE / script), str(arguments.data), "--seed", str(seed), *flags]
    # Nothing may be fetched while the clock runs: a contestant that tried would fail here.
    environment = os.environ | {"HF_HUB_OFFLINE": "1"} | (TUNED_ALLOCATOR if arguments.tuned_allocator else {})
    timing = timed(command, environment, arguments.limit)
    reported = json.loads(timing.output.splitlines()[-1])
    extrapolated = bool(reported.get("extrapolated", False))
    return Run(
        name=name,
        seconds=reported["seconds_total"] if extrapolated else timing.seconds,
        cpu_seconds=timing.cpu_seconds,
        peak_megabytes=timing.peak_megabytes,
        load_before=timing.load_before,
        n_correct=reported["n_correct"],
        n_test=reported["n_test"],
        extrapolated=extrapolated,
        reported=reported,
    )


# ---- heldout in its three states ----


def make_other_photos(folder: Path) -> Path:
    """A small folder of coloured noise in two classes: converts the backbone without touching the real photos."""
    generator = np.random.default_rng(0)
    for part, n in (("train", 20), ("test", 10)):
        for shade, name in ((0, "dark"), (128, "light")):
            (folder / part / name).mkdir(parents=True)
            for index in range(n):
                pixels = generator.integers(shade, shade + 128, (240, 320, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{index:02}.jpg")
    return folder


def cache_for(state: str, folder: Path, arguments: argparse.Namespace) -> Path:
    """A cache folder in the named state; what is slow to prepare is prepared once, untimed."""
    fresh = Path(tempfile.mkdtemp(prefix=f"{state}-", dir=folder))
    if state == "heldout-first":
        return fresh
    prepared = folder / state
    if not prepared.exists():
        seen = arguments.data if state == "heldout-second" else make_other_photos(folder / "other")
        run_heldout_in(prepared, seen, folder, arguments, seed=0)
    shutil.copytree(prepared, fresh, dirs_exist_ok=True)
    return fresh


def run_heldout_in(
    cache: Path, data: Path, folder: Path, arguments: argparse.Namespace, *, seed: int
) -> tuple[Timing, Path]:
    """Runs `heldout train` with its cache in `cache`; gives the timing and the folder it wrote into."""
    cache.mkdir(exist_ok=True)
    out = Path(tempfile.mkdtemp(prefix="out-", dir=folder)) / "run"
    environment = os.environ | {"HELDOUT_CACHE": str(cache)}
    return timed(heldout_command(arguments.heldout, data, out, seed), environment, arguments.limit), out


def run_heldout(state: str, folder: Path, arguments: argparse.Namespace, seed: int) -> Run:
    """One run of heldout's own command in the named state."""
    # The second run is the same command as the first: same seed, so that everything cached is of use.
    seed = 0 if state == "heldout-second" else seed
    cache = cache_for(state, folder, arguments)
    timing, out = run_heldout_in(cache, arguments.data, folder, arguments, seed=seed)
    n_correct, n_test, reported = heldout_score(out)
    return Run(
        name=state,
        seconds=timing.seconds,
        cpu_seconds=timing.cpu_seconds,
        peak_megabytes=timing.peak_megabytes,
        load_before=timing.load_before,
        n_correct=n_correct,
        n_test=n_test,
        extrapolated=False,
        reported=reported,
    )


# ---- results ----


def wilson_interval(n_correct: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson 1927)."""
    z = statistics.NormalDist().inv_cdf(0.975)
    share = n_correct / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def table(runs: Sequence[Run]) -> str:
    """Medians by contestant, the slowest first, as a Markdown table."""
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        by_name.setdefault(run.name, []).append(run)
    order = sorted(by_name, key=lambda name: -statistics.median(run.seconds for run in by_name[name]))
    fastest = statistics.median(run.seconds for run in by_name[order[-1]])
    lines = [
        "| contestant | runs | median s | min-max s | times the fastest | CPU s | peak MB | test accuracy (95 %) |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in order:
        same = by_name[name]
        seconds = [run.seconds for run in same]
        median = statistics.median(seconds)
        middle = sorted(same, key=lambda run: run.n_correct)[len(same) // 2]
        low, high = wilson_interval(middle.n_correct, middle.n_test)
        accuracy = f"{middle.n_correct}/{middle.n_test} = {middle.n_correct / middle.n_test:.3f} ({low:.3f}-{high:.3f})"
        mark = " (extrapolated)" if any(run.extrapolated for run in same) else ""
        lines.append(
            f"| {name}{mark} | {len(same)} | {median:.1f} | {min(seconds):.1f}-{max(seconds):.1f} | "
            f"{median / fastest:.1f} | {statistics.median(run.cpu_seconds for run in same):.0f} | "
            f"{max(run.peak_megabytes for run in same):.0f} | {accuracy} |"
        )
    return "\n".join(lines)


def machine() -> dict[str, object]:
    """What the runs ran on."""
    names = [
        line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "name" in line
    ]
    return {"cpu": names[0] if names else "unknown", "n_cores": os.cpu_count(), "platform": platform.platform()}


def read_arguments() -> argparse.Namespace:
    """The command line; an unknown contestant is refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a folder with train/ and test/, each of class folders")
    parser.add_argument("--only", nargs="+", choices=[*PEERS, *HELDOUT], help="contestants (default: all)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers-python", type=Path, help="Python of the environment of requirements-peers.txt")
    parser.add_argument(
        "--heldout", type=Path, default=Path(sys.executable).parent / "heldout", help="the heldout command"
    )
    parser.add_argument("--epochs", type=int, help="epochs of every contestant but heldout (default: each one's own)")
    parser.add_argument("--recipe-stop-after", type=int, help="epochs of the recipe to run; its time is extrapolated")
    parser.add_argument(
        "--tuned-allocator", action="store_true", help="give recipe and peers an allocator that keeps freed memory"
    )
    parser.add_argument("--limit", type=float, default=3600, help="seconds after which a run is stopped")
    parser.add_argument("--out", type=Path, default=Path("peers.json"))
    arguments = parser.parse_args()
    arguments.only = arguments.only or [*PEERS, *HELDOUT]
    if arguments.peers_python is None and any(name in PEERS for name in arguments.only):
        parser.error("--peers-python is needed: see benchmarks/peers/README.md for how to make that environment")
    return arguments


def one_run(contestant: str, folder: Path, arguments: argparse.Namespace, seed: int) -> Run:
    """One run of any contestant."""
    if contestant in PEERS:
        return run_peer(contestant, arguments, seed)
    return run_heldout(contestant, folder, arguments, seed)


def write_record(arguments: argparse.Namespace, runs: Sequence[Run], failures: Mapping[str, str]) -> None:
    """Everything so far as JSON, written after each run so that a broken-off benchmark keeps its figures."""
    record = {
        "format": 1,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": arguments.data.resolve().name,
        "machine": machine(),
        "tuned_allocator": arguments.tuned_allocator,
        "states": {name: HELDOUT[name] for name in arguments.only if name in HELDOUT},
        "runs": [asdict(run) for run in runs],
        "failures": dict(failures),
    }
    arguments.out.write_text(json.dumps(record, indent=1) + "\n")


def main() -> None:
    arguments = read_arguments()
    runs: list[Run] = []
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="heldout-peers-") as folder:
        for repeat in range(arguments.repeats):
            for contestant in (name for name in arguments.only if name not in failures):
                try:
                    run = one_run(contestant, Path(folder), arguments, repeat)
                except ContestantFailed as failure:
                    failures[contestant] = str(failure)
                    print(f"{contestant}: FAILED\n{failure}", file=sys.stderr, flush=True)
                else:
                    runs.append(run)
                    right = f"{run.n_correct}/{run.n_test} right"
                    print(f"repeat {repeat + 1}, {run.name}: {run.seconds:.1f} s, {right}", file=sys.stderr, flush=True)
                write_record(arguments, runs, failures)
    if runs:
        assert len({run.n_test for run in runs}) == 1, "contestants were scored on different numbers of pictures"
        print(table(runs))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
