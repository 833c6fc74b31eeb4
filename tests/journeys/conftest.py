"""One data set and one trained run, shared by all journeys."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from heldout.models.choosing import open_engine
from heldout.models.prepared import Prepared
from journeys.command_line import fine, heldout
from make import class_folders


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished run, what it printed, and where it was started."""

    home: Path
    photos: Path
    folder: Path
    printed: dict[str, Any]
    progress: str


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures of three classes; no test changes them."""
    return class_folders(tmp_path_factory.mktemp("data") / "photos", 20)


@pytest.fixture(scope="session")
def lite0_ready(session_cache: Path, lite0: Prepared) -> Path:
    """The cache in which the default backbone lies converted, and the fastest engine has been found."""
    open_engine(lite0, "features", cache=session_cache / "1")
    return session_cache


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, photos: Path, lite0_ready: Path) -> Trained:
    """The photos, trained on through the command line with everything at its default; no test changes the run."""
    home = tmp_path_factory.mktemp("home")
    environment = {"HELDOUT_CACHE": str(lite0_ready)}
    outcome = fine(heldout("train", photos, "--json", cwd=home, environment=environment, is_fresh=True))
    printed = outcome.json()
    return Trained(home, photos, home / printed["run"], printed, outcome.err)
