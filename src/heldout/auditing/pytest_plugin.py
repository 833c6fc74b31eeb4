"""A fixture for tests that train: `heldout_watch` fails the test where a number in it is wrong."""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from heldout.auditing.context import Watching


@pytest.fixture
def heldout_watch() -> Iterator["Watching"]:
    """Watches the test; it fails where a finding is an error. Afterwards `.findings` has the milder ones too."""
    from heldout.auditing.context import watching

    with watching() as watched:
        yield watched


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: Any) -> Generator[None, Any, Any]:
    """Runs a test, and fails it where its watch found an error."""
    result = yield
    watched = pyfuncitem.funcargs.get("heldout_watch")
    if watched is not None:
        watched.close()
        if watched.audit.count("error"):
            pytest.fail(watched.summary(), pytrace=False)
    return result
