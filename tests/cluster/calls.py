"""What the workers of a cluster are asked to do in tests; they import it by name."""

import os
import signal
import time
from pathlib import Path

from heldout.errors import UsageError


def where(item: int) -> tuple[str, str]:
    """The node's address, and how many threads a library would use."""
    import ray

    time.sleep(0.5)
    return ray.util.get_node_ip_address(), os.environ["OMP_NUM_THREADS"]


def die_once(marks: str) -> str:
    """Be killed the first time; `never` is killed each time."""
    mark = Path(marks)
    if mark.name == "never" or not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return mark.name


def refuse(item: int) -> int:
    """An error of ours."""
    raise UsageError(f"item {item} will not do", expected="another", fix="choose another")


def slow(mark: str) -> str:
    """Say that it has begun, on which node, and end a little later."""
    import ray

    address: str = ray.util.get_node_ip_address()
    with Path(mark).open("a") as file:
        file.write(f"{address}\n")
    time.sleep(3)
    return address
