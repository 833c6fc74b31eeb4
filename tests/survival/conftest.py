"""What an undisturbed training comes to, once for all tests of this folder."""

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
