"""A watched script does what it does without us: output, traceback, exit code, modules, processes."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from auditing.beside import Ended, plain, watched
from heldout.auditing.seen.log import Log

MANY_THINGS = Path(__file__).parents[1] / "many_things.py"
# One script for all that can be asked of a process that goes on.
LOOKS_ROUND = '''"""A script's own words."""
import argparse, inspect, json, linecache, logging, multiprocessing, pickle, sys, sysconfig, threading, warnings
import heldout
from package.part import word

class Thing:
    def __init__(self, x): self.x = x

def double(thing): return Thing(2 * thing.x)

def main():
    warnings.warn("old", DeprecationWarning)
    print(__name__, __file__, __doc__, __package__, __spec__, sys.argv, sys.path[0], sys.flags, sys.orig_argv[1:])
    print(sorted(globals()), inspect.getsource(double), inspect.getmodule(double), type(__builtins__))
    print(sysconfig.MINE, heldout.MINE, word, json.dumps(1), sys.stdin.read()[::-1])
    print(pickle.loads(pickle.dumps(Thing(3))).x, Thing.__module__, repr(Thing)[:24])
    with multiprocessing.get_context("spawn").Pool(1) as pool: print([each.x for each in pool.map(double, [Thing(4)])])
    with multiprocessing.get_context("fork").Pool(1) as pool: print([each.x for each in pool.map(double, [Thing(5)])])
    threading.Thread(target=lambda: (threading.Event().wait(0.05), print("late"))).start()
    class Tee:
        def __init__(self, stream): self.stream = stream
        def write(self, text): self.stream.write(text.upper())
        def flush(self): self.stream.flush()
    sys.stdout = Tee(sys.stdout)
    print("loud", end="")
    sys.__stdout__.buffer.write(bytes(range(256)))

class Last:
    def __del__(self): print("last")

last = Last()
if __name__ == "__main__":
    import atexit
    atexit.register(print, "leaving")
    main()
'''
SCRIPTS: Mapping[str, str] = {
    "raises": """def f(): raise ValueError("a")
try:
    f()
except ValueError as error:
    raise KeyError("b") from error
""",
    "exits_with_words": "import sys\ntry:\n    sys.exit('some words')\nfinally:\n    print('tidy')\n",
    "exits_at_once": "import os\nprint('lost')\nos._exit(7)\n",
    "cannot_be_told": """class Odd(Exception):
    def __str__(self): raise ValueError("no words")
raise Odd
""",
    "aborts": "import os\nprint('kept', flush=True)\nos.abort()\n",
    "forks": """import os, sys
print("before", flush=True)
if (pid := os.fork()) == 0:
    print("of the child")
    sys.exit(3)
print(os.waitpid(pid, 0)[1] >> 8)
""",
    "goes_away": """import os, sys, tempfile
os.remove(__file__)
os.chdir(tempfile.gettempdir())
sys.excepthook = lambda kind, error, trace: print(kind.__name__, trace.tb_frame.f_code.co_name, trace.tb_next is None)
1 / 0
""",
    "closes": "import os, sys\nprint('half', end='')\nsys.stderr.write('err')\nsys.stdout.close()\nos.close(2)\n",
    "asks": """import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", required=True)
parser.parse_args()
""",
    "encoded": "# -*- coding: latin-1 -*-\nprint('\xe4')\nraise ExceptionGroup('many', [OSError(1), TypeError()])\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in SCRIPTS.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="latin-1")
    return tmp_path


def _twice(name: str, cwd: Path, *arguments: str, kind: str = "script", stdin: bytes = b"") -> tuple[Ended, Log | None]:
    """The script's output and log, after seeing that it is what Python alone would give."""
    target = f"{name}.py" if kind == "script" else name
    expected = plain(target, *arguments, cwd=cwd, kind=kind, stdin=stdin)
    if name in SCRIPTS and kind == "script":
        (cwd / target).write_text(SCRIPTS[name], encoding="latin-1")
    ended, log = watched(target, *arguments, cwd=cwd, kind=kind, stdin=stdin)
    assert ended == expected
    return ended, log


def test_a_script_finds_itself_and_its_neighbours_as_without_us(tmp_path: Path) -> None:
    (tmp_path / "looks_round.py").write_text(LOOKS_ROUND)
    (tmp_path / "sysconfig.py").write_text("MINE = 1\n")
    (tmp_path / "heldout.py").write_text("MINE = 2\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "part.py").write_text("from . import other\nword = other.word\n")
    (tmp_path / "package" / "other.py").write_text("word = 'neighbour'\n")
    ended, log = _twice("looks_round", tmp_path, "one", "--two", stdin=b"abc\n")
    assert ended.code == 0, ended.err
    assert ended.out.endswith(b"LATE\nLEAVING\nlast\n"), ended.out
    assert log is not None
    assert (log.outcome, log.torch, log.faults) == ("finished", "", ())


@pytest.mark.parametrize(
    ("name", "code", "outcome"),
    [
        ("raises", 1, "KeyError: 'b'"),
        ("exits_with_words", 1, "exit 1"),
        ("exits_at_once", 7, "exit 7"),
        ("cannot_be_told", 1, "Odd"),
        ("aborts", -6, None),
        ("forks", 0, "finished"),
        ("goes_away", 1, "ZeroDivisionError: division by zero"),
        ("closes", 0, "finished"),
        ("asks", 2, "exit 2"),
        ("encoded", 1, "ExceptionGroup: many (2 sub-exceptions)"),
    ],
)
def test_it_ends_as_without_us(name: str, code: int, outcome: str | None, folder: Path) -> None:
    ended, log = _twice(name, folder)
    assert ended.code == code
    assert (log.outcome if log else None) == outcome


def test_a_module_runs_as_after_m(folder: Path) -> None:
    ended, log = _twice("raises", folder, kind="module")
    assert b"<frozen runpy>" in ended.err
    assert log is not None
    assert log.outcome == "KeyError: 'b'"


def test_a_symbolic_link_is_followed_for_the_neighbours_alone(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "link.py").symlink_to(folder / "shows.py")
    (folder / "shows.py").write_text("import sys, raises_not\nprint(__file__, sys.path[0])\n")
    (folder / "raises_not.py").touch()
    expected = plain("sub/../sub/link.py", cwd=folder)
    assert watched("sub/../sub/link.py", cwd=folder)[0] == expected
    assert expected.code == 0


def test_a_log_stays_small_however_much_is_printed(tmp_path: Path) -> None:
    (tmp_path / "talks.py").write_text("for i in range(25_000): print('line', i)\nprint('x' * 10**7)\n")
    ended, log = watched("talks.py", cwd=tmp_path)
    assert ended.out.count(b"\n") == 25_001
    assert (tmp_path / "the log").stat().st_size < 3e6
    assert log is not None
    assert log.printed[0].text == "line 0\n"
    assert log.printed[-2].text == "line 24999\n"
    assert log.truncated["printed"] > 9_000


@pytest.mark.slow
def test_whatever_is_done_with_torch_comes_out_the_same(tmp_path: Path) -> None:
    expected = plain(str(MANY_THINGS), cwd=tmp_path)
    ended, log = watched(str(MANY_THINGS), cwd=tmp_path)
    assert ended.out.decode() == expected.out.decode()
    assert ended.err.decode() == expected.err.decode()
    assert ended.code == expected.code == 0
    assert log is not None
    assert log.faults == ()


@pytest.mark.slow
def test_loaders_with_processes_of_their_own_work_as_without_us(tmp_path: Path) -> None:
    (tmp_path / "loads.py").write_text("""import torch
from torch.utils.data import DataLoader, Dataset

class Data(Dataset):
    def __len__(self): return 6
    def __getitem__(self, i): return torch.rand(1) + i, i % 2

if __name__ == "__main__":
    torch.manual_seed(0)
    for context in ("fork", "spawn"):
        for x, y in DataLoader(Data(), 2, num_workers=1, multiprocessing_context=context, shuffle=True):
            print(x.tolist(), y.tolist())
    print(torch.rand(1))
""")
    ended, log = _twice("loads", tmp_path)
    assert ended.code == 0, ended.err
    assert log is not None
    assert [each.fetched for each in log.passes] == [3, 3]
