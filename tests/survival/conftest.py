"""What an undisturbed training comes to, once for all tests of this folder."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from survival import forks

REGIMES = ("scratch", "partial", "full")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """By regime. It is run in this process, so that what torch imports late is there when children are forked."""
    found = {}
    for regime in REGIMES:
        folder = tmp_path_factory.mktemp(regime)
        forks.train(folder, regime)
        found[regime] = forks.result(folder)
    return found


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder that need not reach a disk, which takes as long as the training: a kill, unlike a power failure, loses
    nothing that was written.
    """
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free < 2**28:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="heldout-tests-") as folder:
        yield Path(folder)
