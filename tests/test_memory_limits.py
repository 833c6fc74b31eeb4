import os
import resource
import sys
from pathlib import Path

import pytest

from heldout import memory_limits
from heldout.memory_limits import can_be_refused, has_room
from journeys.command_line import fine, heldout

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of an address space hold on Linux")


def _limited_to(n_bytes: int, kind: int) -> tuple[bool, bool, bool]:
    """In a child that may have so much more: is there room for half of it, for twice, and can it be refused?"""
    child = os.fork()
    if not child:
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(kind, (mapped + n_bytes,) * 2)
        os._exit(has_room(n_bytes // 2) + 2 * has_room(2 * n_bytes + mapped) + 4 * can_be_refused())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return bool(code & 1), bool(code & 2), bool(code & 4)


@pytest.mark.parametrize("kind", [resource.RLIMIT_AS, resource.RLIMIT_DATA])
def test_room_ends_at_the_limit(kind: int) -> None:
    assert _limited_to(2**26, kind) == (True, False, True)


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
