"""Two nodes, once for all tests of this folder."""

import importlib.util
from collections.abc import Iterator

import pytest

from cluster.nodes import ADDRESSES, Nodes


@pytest.fixture(scope="session")
def installed() -> None:
    """Skips where Ray is not installed; does not import it."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("heldout[ray] is not installed")


@pytest.fixture(scope="session")
def two_nodes(installed: None) -> Iterator[Nodes]:
    """A cluster of two nodes."""
    nodes = Nodes()
    with pytest.MonkeyPatch.context() as patched:  # for the whole session: Ray reads it once, when it is imported
        for name, value in nodes.secret.items():
            patched.setenv(name, value)
        try:
            nodes.add(ADDRESSES[1])
            yield nodes
        finally:
            nodes.end()


@pytest.fixture
def cluster(two_nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    """The cluster that RAY_ADDRESS names."""
    monkeypatch.setenv("RAY_ADDRESS", two_nodes.address)
    return two_nodes
