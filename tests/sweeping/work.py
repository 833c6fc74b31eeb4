"""Functions for workers to call: at the top of a module, so that another process finds them."""

import os
import signal
import time
from pathlib import Path

from heldout.errors import DataError


def doubled(number: int) -> int:
    return 2 * number


def where(_: int) -> tuple[int, str]:
    time.sleep(0.3)
    return os.getpid(), os.environ["OMP_NUM_THREADS"]


def dying(path: Path) -> str:
    """Dies unless the file says how often it has died already."""
    n_left = int(path.read_text())
    if n_left:
        path.write_text(str(n_left - 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return path.name


def refusing(name: str) -> str:
    raise DataError(f"{name} is bad", expected="a good one", fix="mend it")


def noted(folder: Path) -> None:
    """Leaves its process's number and stays."""
    (folder / str(os.getpid())).touch()
    time.sleep(600)


class Stubborn(Exception):
    """Cannot be made again from what it keeps."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def stubborn(_: str) -> None:
    raise Stubborn("no way", "out")
