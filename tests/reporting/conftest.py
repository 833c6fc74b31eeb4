"""One report of each kind of run, made once for all tests of this folder; and a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heldout.reporting.page import write_report
from reporting.browsing import started_browser
from reporting.run_folders import (
    flower_run,
    hostile_run,
    large_run,
    perfect_run,
    unequal_run,
    untested_run,
)
from reporting.table_runs import rare_run, table_run

RUNS: dict[str, Callable[[Path], Path]] = {
    "flowers": flower_run,
    "large": large_run,
    "hostile": hostile_run,
    "perfect": perfect_run,
    "untested": untested_run,
    "unequal": unequal_run,
    "table": table_run,
    "rare": rare_run,
}


@pytest.fixture(scope="session")
def run_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind of run by name, each with its report."""
    base = tmp_path_factory.mktemp("runs")
    folders = {name: make(base / name) for name, make in RUNS.items()}
    for folder in folders.values():
        write_report(folder)
    return folders


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One headless Chromium for all tests of a file."""
    driver = started_browser(tmp_path_factory.mktemp("browser"))
    yield driver
    driver.quit()
