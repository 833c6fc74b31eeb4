"""A whole training through the command line with less memory than it needs: told, or as a kill; resumed all the same.

What a limit meets depends on timing (each thread has memory of its own), so nothing is said of where it is met. Some
libraries of C and C++ end the process themselves where they are refused memory, with SIGABRT or SIGSEGV, and no word of
ours can be said then. That is a kill, and is survived as one.
"""

import hashlib
import resource
import signal
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from journeys.command_line import fine, heldout
from make import class_folders

pytestmark = pytest.mark.skipif(find_spec("timm") is None, reason="the smallest network is timm's")

ARGUMENTS = ("--regime", "scratch", "--backbone", "timm:test_efficientnet", "--epochs", "2", "--batch-size", "8")
PRECISION = ("--set", "training.precision=float32")
ENDED_BY_A_LIBRARY = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS)


def _limit(megabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _hash(run: Path) -> str:
    return hashlib.sha256((run / "model" / "weights.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Pictures, and the hash of the weights that a training with enough memory comes to."""
    home = tmp_path_factory.mktemp("enough")
    photos = class_folders(home / "photos", 8)
    fine(heldout("train", photos, *ARGUMENTS, *PRECISION, cwd=home))
    return photos, _hash(home / "runs" / "photos-001")


def _survives(megabytes: int, wanted: tuple[Path, str], home: Path) -> int:
    """Train with so much memory, see what is left, go on without the limit, and give the first exit code."""
    photos, weights = wanted
    outcome = heldout("train", photos, *ARGUMENTS, *PRECISION, cwd=home, before=partial(_limit, megabytes))
    code, runs = outcome.code, list(home.glob("runs/*"))
    assert code in (0, 71, *ENDED_BY_A_LIBRARY), outcome.err
    assert "Traceback" not in outcome.err, outcome.err
    if code >= 0:
        said = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
        assert [line[:33] for line in said] == (["error: there is not enough memory"] if code else []), outcome.err
        assert not list(home.rglob(".heldout-tmp-*"))
    for run in runs:
        fine(heldout("resume", run, cwd=home))
        assert _hash(run) == weights
        assert not list(run.rglob(".heldout-tmp-*"))
    return code


@pytest.mark.parametrize("megabytes", [pytest.param(300, marks=pytest.mark.slow), 800])
def test_too_little_memory_is_told_and_the_run_goes_on_where_there_is_more(
    megabytes: int, wanted: tuple[Path, str], tmp_path: Path
) -> None:
    assert _survives(megabytes, wanted, tmp_path) == 71


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_so_it_is_from_far_too_little_to_just_too_little(wanted: tuple[Path, str], tmp_path: Path) -> None:
    codes = {}
    for megabytes in range(200, 1900, 100):
        home = tmp_path / str(megabytes)
        home.mkdir()
        codes[megabytes] = _survives(megabytes, wanted, home)
    told = [code for code in codes.values() if code == 71]
    assert codes[1800] == 0, codes
    assert len(told) > sum(code < 0 for code in codes.values()), codes
