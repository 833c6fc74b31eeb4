"""What a watch costs: scripts watched and unwatched, in turns. Rewrites its part of `audit.md`.

    python benchmarks/audit_speed.py [--data FOLDER] [--cases FOLDER] [--rounds 9] [--only tiny epoch]

`--data` holds `train/` and `val/` of class folders of pictures; `--cases` holds `clean/`, `bugs/` and `writeups/` of
scripts. Every run is a process of its own, forked off one that has imported torch, numpy, what torch imports later by
itself, and the watch's modules, so that no import is timed. The figures are of the processor (user and system, all
threads) and of the clock, to the end of the process. What the import of the watch takes is told besides; writing the
log counts apart, and so does judging it, which the parent process does.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from audit_measured import CHILD, ENVIRONMENT, circumstances, rewrite_section, run

SHARED = Path(__file__).resolve().parents[2] / "shared"
EPOCH = Path(__file__).with_name("audit_epoch.py")
# What both contestants have imported before the clocks start. The fourth is what an optimiser imports when it is first
# made.
IMPORTED = ("torch", "torch.utils.data", "numpy", "torch._dynamo", "heldout.auditing.process.as_main")
WATCH = ("data", "frameworks", "functions", "held_samples", "loading", "training")
IMPORTED += tuple(f"heldout.auditing.watch.{name}" for name in WATCH)

# Run as `python -c`: imports, and then forks a process for every line that it reads, which starts the clocks, runs the
# script or the watch with the script, and writes the clocks at its end.
SERVER = """
import atexit, importlib, json, os, runpy, sys, time
child, *modules = sys.argv[1:]
imports = 0.0
for name in modules:
    begun = time.process_time()
    importlib.import_module(name)
    imports += time.process_time() - begun if "heldout" in name else 0.0
print(json.dumps(imports), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    pid = os.fork()
    if not pid:
        break
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(json.dumps(code), flush=True)
else:
    os._exit(0)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.dup2(os.open(asked["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
script, log = asked["script"], asked["log"]
written = []
def told(begun=(time.process_time(), time.monotonic())):
    spent, passed = time.process_time() - begun[0], time.monotonic() - begun[1]
    open(asked["clocks"], "w").write(json.dumps([spent, passed, sum(written)]))
atexit.register(told)
if log:
    # The clock of the writing: the watch's own function, timed.
    from heldout.auditing.watch import watcher, watching
    write = watcher.write_log
    def timed(*arguments):
        begun = time.process_time()
        write(*arguments)
        written.append(time.process_time() - begun)
    watcher.write_log = watching.write_log = timed
    sys.argv = [child, log, "0", "0", "script", script, *asked["own"]]
    sys.path[0] = os.path.dirname(child)
    runpy.run_path(child, run_name="__main__")
else:
    sys.argv = [script, *asked["own"]]
    sys.path[0] = os.path.dirname(script)
    runpy.run_path(script, run_name="__main__")
"""


class Server:
    """A process that has imported everything, and forks off one for each run."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", SERVER, str(CHILD), *IMPORTED]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        self.importing = self._answer()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, script: Path, own: Sequence[str], log: Path | None) -> tuple[list[float], tuple[int, bytes]]:
        """Seconds of the processor and the clock, of these for writing the log; the exit code and the output."""
        with tempfile.TemporaryDirectory() as folder:
            clocks, out = Path(folder) / "clocks.json", Path(folder) / "out"
            asked = {"script": str(script), "own": own, "log": str(log or ""), "clocks": str(clocks), "out": str(out)}
            assert self._process.stdin is not None
            print(json.dumps(asked), file=self._process.stdin, flush=True)
            code = int(self._answer())
            if code:
                print(f"{script.name}: exit code {code}", file=sys.stderr)
            return json.loads(clocks.read_text()), (code, out.read_bytes())

    def _answer(self) -> float:
        assert self._process.stdout is not None
        return float(json.loads(self._process.stdout.readline()))


def compared(server: Server, script: Path, own: Sequence[str] = (), *, rounds: int) -> dict[str, Any]:
    """The medians of a script's runs, watched and unwatched in turns."""
    plain, watched = [], []
    same = True
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        for _ in range(rounds):
            clocks, alone = server.run(script, own, None)
            plain.append(clocks)
            clocks, beside = server.run(script, own, log)
            watched.append(clocks)
            same = same and alone == beside
        judging, size = judged(script, log)
    before, after = ([statistics.median(each) for each in zip(*runs, strict=True)] for runs in (plain, watched))
    found = {
        "name": f"{script.parent.name}/{script.stem}",
        "plain": before[0],
        "watched": after[0] - after[2],
        "clock": before[1],
        "clock_watched": after[1] - after[2],
        "writing": after[2],
        "judging": judging,
        "bytes": size,
        "same": same,
    }
    print(found, file=sys.stderr, flush=True)
    return found


def judged(script: Path, log: Path) -> tuple[float, int]:
    """Seconds of the processor for judging a log and reading the script, and the log's size."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "import heldout.auditing.rules.every, heldout.auditing.reading.scripts\n"
        "from heldout.auditing.auditor import audit_of; from heldout.auditing.seen.log import read_log\n"
        "from heldout.auditing.process.targets import find_target\n"
        "begun = time.process_time(); audit_of(read_log(Path(sys.argv[1])), find_target(sys.argv[2]))\n"
        "print(time.process_time() - begun)"
    )
    ended = run([sys.executable, "-c", code, log, script])
    if ended.code:
        print(ended.err, file=sys.stderr)
    return (float(ended.out.splitlines()[-1]) if not ended.code else float("nan")), log.stat().st_size


def tiny(server: Server, cases: Path, rounds: int) -> list[str]:
    scripts = [
        each
        for part in ("clean", "bugs", "writeups")
        for each in sorted((cases / part).glob("*.py"))
        if each.stem != "common"
    ]
    rows = [compared(server, each, rounds=rounds) for each in scripts]
    ratios = [row["watched"] / row["plain"] for row in rows]
    worst = max(range(len(rows)), key=ratios.__getitem__)
    longer = [ratio for ratio, row in zip(ratios, rows, strict=True) if row["plain"] >= 0.5]
    extra = statistics.median(row["watched"] - row["plain"] for row in rows)
    total = sum(row["watched"] for row in rows) / sum(row["plain"] for row in rows)
    writing, judging = (statistics.median(row[name] for row in rows) for name in ("writing", "judging"))
    return [
        f"{len(rows)} scripts, {rounds} rounds each, medians; goal: less than 2 times. Processor time: median ratio "
        f"**{statistics.median(ratios):.2f}**, all together **{total:.2f}**, worst **{ratios[worst]:.2f}** "
        f"({rows[worst]['name']}); of those that take half a second or more ({len(longer)}) the worst is "
        f"{max(longer, default=float('nan')):.2f}. {sum(ratio < 2 for ratio in ratios)} of {len(rows)} are below 2. "
        f"The median script takes {extra:.2f} s longer. Besides, its log is written in {1000 * writing:.0f} ms and "
        f"judged, with the script read, in {judging:.2f} s, and the watch's own modules are imported in "
        f"{1000 * server.importing:.0f} ms. Output and exit code were the same in "
        f"{sum(row['same'] for row in rows)} of {len(rows)}; those that set no seed print other numbers each time.",
        "",
        *table(rows),
    ]


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    lines = [
        "| script | processor s | watched | ratio | ratio by the clock | writing ms | judging s | log kB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        ratio, clock = row["watched"] / row["plain"], row["clock_watched"] / row["clock"]
        lines.append(
            f"| {row['name']} | {row['plain']:.3f} | {row['watched']:.3f} | {ratio:.2f} | {clock:.2f} "
            f"| {1000 * row['writing']:.0f} | {row['judging']:.2f} | {row['bytes'] / 1000:.0f} |"
        )
    return lines


def epochs(server: Server, data: Path, rounds: int) -> list[str]:
    whole = compared(server, EPOCH, [str(data), "--pixels", "64"], rounds=rounds)
    large = compared(server, EPOCH, [str(data), "--pixels", "224", "--batches", "3"], rounds=rounds)
    whole["name"], large["name"] = "64 pixels, the whole epoch and validation", "224 pixels, 3 batches of each"
    return [
        "`benchmarks/audit_epoch.py`: ResNet-18 from random weights, plain PyTorch, pictures decoded by PIL in the "
        f"`DataLoader`, batches of 32; {rounds} rounds, medians; goal: less than 1.3 times.",
        "",
        *table([whole, large]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "catdog")
    parser.add_argument("--cases", type=Path, default=SHARED / "audit_cases")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", choices=("tiny", "epoch"), default=("tiny", "epoch"))
    asked = parser.parse_args()
    told = f"`python benchmarks/audit_speed.py --rounds {asked.rounds}`; "
    with Server() as server:
        if "epoch" in asked.only:
            lines = epochs(server, asked.data, asked.rounds)
            rewrite_section("Slow-down: an epoch of ResNet-18", [told + circumstances(), "", *lines])
        if "tiny" in asked.only:
            lines = tiny(server, asked.cases, asked.rounds)
            rewrite_section("Slow-down: tiny scripts", [told + circumstances(), "", *lines])


if __name__ == "__main__":
    main()
