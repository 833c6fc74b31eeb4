"""Groups of forked processes that train together: torch is imported once, in the parent."""

import os
import pickle
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from heldout.training.parallel import Group, joined

Value = TypeVar("Value")


def together(world: int, work: Callable[[Group], Value], folder: Path) -> list[Value]:
    """What the work gives in each process of a group, by rank; what is raised there is raised here.

    Args:
        world: How many processes.
        work: What each does.
        folder: Where they leave what it gave.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    children = [_fork(rank, world, work, port, folder) for rank in range(world)]
    for child in children:
        os.waitpid(child, 0)
    outcomes = [pickle.loads((folder / f"outcome-{rank}").read_bytes()) for rank in range(world)]
    for _, error in outcomes:
        if error is not None:
            raise error
    return [value for value, _ in outcomes]


def _fork(rank: int, world: int, work: Callable[[Group], Value], port: int, folder: Path) -> int:
    child = os.fork()
    if child:
        return child
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    outcome: tuple[Value | None, BaseException | None]
    try:
        with joined(rank, world, "cpu") as group:
            outcome = (work(group), None)
    except BaseException as error:
        traceback.print_exc()
        outcome = (None, error)
    (folder / f"outcome-{rank}").write_bytes(pickle.dumps(outcome))
    os._exit(0)
