import os
import signal
from pathlib import Path

import pytest

from heldout.reporting.figures import draw_figures
from heldout.reporting.painting import Painter
from heldout.reporting.results import read_drawable, read_results


def test_the_process_draws_what_would_be_drawn_here(run_folders: dict[str, Path]) -> None:
    drawable = read_drawable(run_folders["flowers"])
    assert drawable == read_results(run_folders["flowers"]).drawable
    with Painter() as painter:
        painter.paint(drawable)
        assert painter.figures() == draw_figures(drawable)


@pytest.mark.parametrize("when", ["before", "after"])
def test_figures_come_even_if_the_process_dies(run_folders: dict[str, Path], when: str) -> None:
    drawable = read_drawable(run_folders["flowers"])
    with Painter() as painter:
        process = painter._process
        assert process is not None
        if when == "before":
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        painter.paint(drawable)
        if when == "after":
            os.kill(process.pid, signal.SIGKILL)
        assert painter.figures() == draw_figures(drawable)


def test_nothing_is_left_running_when_a_run_ends_early() -> None:
    with pytest.raises(ZeroDivisionError), Painter() as painter:
        raise ZeroDivisionError
    assert painter._process is not None
    assert painter._process.returncode == -signal.SIGKILL
