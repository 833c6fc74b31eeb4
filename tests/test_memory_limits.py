import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout import memory_limits
from heldout.cli.main import broken
from heldout.memory_limits import can_be_refused, has_room
from journeys.command_line import fine, heldout

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of an address space hold on Linux")


def _limited_to(n_bytes: int, kind: int, what: Callable[[], int]) -> int:
    """What it gives in a child that may have so many bytes more than it has mapped."""
    child = os.fork()
    if not child:
        resource.setrlimit(kind, (_mapped() + n_bytes,) * 2)
        os._exit(what())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _mapped() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


@pytest.mark.parametrize("kind", [resource.RLIMIT_AS, resource.RLIMIT_DATA])
def test_room_ends_at_the_limit(kind: int) -> None:
    n_bytes = 2**26
    assert _limited_to(n_bytes, kind, lambda: has_room(n_bytes // 2)) == 1
    assert _limited_to(n_bytes, kind, lambda: has_room(2 * n_bytes + _mapped())) == 0
    assert _limited_to(n_bytes, kind, can_be_refused) == 1


def test_an_error_that_nothing_explains_is_want_of_memory_where_next_to_none_is_left() -> None:
    # What Python 3.11 raised from an import under a limit: the error was lost for want of memory.
    error = SystemError("error return without exception set")
    assert _limited_to(2**26, resource.RLIMIT_AS, lambda: broken(error)) == 71
    assert _limited_to(2**30, resource.RLIMIT_AS, lambda: broken(error)) == 70


def test_asking_for_room_takes_none() -> None:
    before = Path("/proc/self/statm").read_text().split()[1]
    assert all(has_room(2**30) for _ in range(100))
    assert int(Path("/proc/self/statm").read_text().split()[1]) - int(before) < 2**20 // resource.getpagesize()


def test_without_limits_only_a_strict_kernel_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (resource.RLIM_INFINITY,) * 2)
    for mode, can in (("0\n", False), ("1\n", False), ("2\n", True)):
        (tmp_path / "overcommit").write_text(mode)
        monkeypatch.setattr(memory_limits, "_OVERCOMMIT", tmp_path / "overcommit")
        assert can_be_refused() is can
    monkeypatch.setattr(memory_limits, "_OVERCOMMIT", tmp_path / "absent")
    assert can_be_refused()


@pytest.mark.parametrize("megabytes", [250, 550])
def test_too_little_to_begin_with_is_told_before_anything_is_loaded(megabytes: int, tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20,) * 2)

    outcome = heldout("check", "photos", "--json", cwd=tmp_path, before=limited)
    assert outcome.code == 71, outcome.err
    assert outcome.err.startswith("error: there is not enough memory to begin with: "), outcome.err
    assert "610 MB" in outcome.json()["error"]["expected"]
    assert fine(heldout("check", "--help", cwd=tmp_path, before=limited)).out


def test_torch_is_looked_for_anywhere_and_loaded_only_where_there_is_room(tmp_path: Path) -> None:
    code = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]) * 2**20,) * 2)
from heldout.errors import OutOfMemory
from heldout.memory_limits import begin_within_limits
begin_within_limits()
begin_within_limits()
import importlib.util
assert importlib.util.find_spec("torch")
try:
    import torch
except OutOfMemory as error:
    print(error.what)
else:
    print(torch.__loader__.path == torch.__spec__.loader.path == torch.__file__, torch.ones(2).sum().item())
"""
    told = [_python(code, megabytes, tmp_path) for megabytes in (650, 2500)]
    assert told == ["there is not enough memory for torch: this process is refused what its libraries need", "True 2.0"]


def _python(code: str, megabytes: int, folder: Path) -> str:
    command, environment = [sys.executable, "-c", code, str(megabytes)], os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()
