"""For every test: no network but this machine, and a cache of its own; and one converted backbone for those who ask."""

import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The same examples every time, so that nobody's change fails by chance; HYPOTHESIS_PROFILE=random looks for others.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# Before torch is imported by any test: threads that wait for one another make small work several times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that all tests share, and that is not the user's."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(session_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELDOUT_CACHE", str(session_cache))


@pytest.fixture(autouse=True)
def _this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection leaves this machine; a test that tries fails."""
    connect = socket.socket.connect

    def checked(self: socket.socket, address: Any) -> None:
        here = self.family == socket.AF_UNIX or re.fullmatch(r"127\.[\d.]+|::1|localhost", str(address[0]))
        if not here:
            raise AssertionError(f"a test connects to {address!r}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", checked)


@pytest.fixture(scope="session")
def lite0(session_cache: Path) -> Any:
    """The default backbone with its ImageNet weights, prepared once (`heldout.models.prepared.Prepared`)."""
    from heldout.models.backbones import find_backbone
    from heldout.models.weights import find_weights
    from heldout.training.materials import pretrained_backbone

    backbone = find_backbone("efficientnet-lite0")
    cache = session_cache / "1"
    file = find_weights("imagenet", backbone, cache=cache / "weights", download=False)
    assert file is not None
    return pretrained_backbone(backbone, file, cache=cache)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders of the long tests: no worker then goes on for a minute when the other is done."""
    items.sort(key=lambda item: not {"survival", "journeys"} & set(item.path.parts))
