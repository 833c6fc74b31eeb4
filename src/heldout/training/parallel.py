"""Several processes that train one network together: what they tell one another.

Each works on its piece of every batch and has the whole network. After every backward pass all add up, in one message,
their gradients and sums, and where statistics are learnt (`scratch`) the moving statistics of batch normalisation; so
all take the same step, and hold the same bits after it. As is usual, a batch normalisation that learns its statistics
normalises by those of its own piece.

torch.distributed is asked only where there is more than one process.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor

from heldout.data.batches import Share
from heldout.errors import HeldoutError, UsageError

Value = TypeVar("Value")
# How long the others may take to come. Two processes have been seen to wait for each other for ever in gloo's greeting,
# one time in some dozens after a restart; after this all begin again.
_MEETING = timedelta(seconds=60)
# How long a message may take later, while rank 0 tries something out or writes to a slow disk: torch's own limit.
_WORKING = timedelta(minutes=30)


class PeerLost(RuntimeError):
    """Another process of the group has gone, and this one cannot go on alone."""


@dataclass(frozen=True, slots=True)
class Group:
    """The processes that train together, as one of them sees it; by default it is alone.

    Attributes:
        rank: Which one this is, counted from 0; rank 0 writes, and speaks.
        world: How many they are.
    """

    rank: int = 0
    world: int = 1

    @property
    def share(self) -> Share:
        """The piece of every batch that is this one's."""
        return Share(self.rank, self.world)

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the group, in one message; the same bits come to all.

        Args:
            tensors: Of one type and on one device.
        """
        if self.world == 1:
            return
        import torch.distributed as dist

        flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
        with _talking():
            dist.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.detach().copy_(part.view(tensor.shape))

    def any(self, flag: bool) -> bool:
        """Whether the flag is set with any of them."""
        count = torch.tensor([int(flag)])
        self.add_up([count])
        return int(count) > 0

    def first(self, make: Callable[[], Value]) -> Value:
        """What rank 0 makes of it; the others wait and are told."""
        if self.world == 1:
            return make()
        import torch.distributed as dist

        told = [make() if self.rank == 0 else None]
        with _talking():
            dist.broadcast_object_list(told, src=0)
        value: Value = told[0]  # type: ignore[assignment]
        return value

    def check_same(self, text: str, what: str) -> None:
        """Make sure that the text is the same with all of them.

        Raises:
            HeldoutError: It is not.
        """
        if self.world == 1:
            return
        import torch.distributed as dist

        texts: list[str] = [""] * self.world
        with _talking():
            dist.all_gather_object(texts, text)
        if len(set(texts)) > 1:
            raise HeldoutError(
                f"{what} differ between the {self.world} workers: {', '.join(one[:16] for one in texts)}",
                expected="the same bits in all of them",
                fix="use machines and versions that are alike; with --workers 1 there is nothing to differ",
            )


ALONE = Group()


@contextmanager
def joined(rank: int, world: int, device: str) -> Iterator[Group]:
    """Within: this process is one of a group, whose others do the same.

    Where torch knows a group already, as under Ray, that one is taken.

    Args:
        rank: Which of them this is.
        world: How many they are.
        device: Where they compute; `cuda` gives each a GPU of its own, as long as there are enough.

    Raises:
        PeerLost: The others do not come.
    """
    import torch.distributed as dist
    from torch.distributed.distributed_c10d import _set_pg_timeout

    backend = "gloo"
    if device == "cuda":
        n_devices = torch.cuda.device_count()
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", rank)) % n_devices)
        backend = backend_of(device, world)
    is_ours = not dist.is_initialized()
    if is_ours:
        with _talking():
            dist.init_process_group(backend, rank=rank, world_size=world, timeout=_MEETING)
            _set_pg_timeout(_WORKING)
    yield Group(rank, world)
    # Not after an error: the others are gone, or about to be.
    if is_ours:
        dist.destroy_process_group()


def backend_of(device: str, world: int) -> str:
    """What carries the messages: NCCL between GPUs, gloo for all else, and where workers must share a GPU."""
    return "cpu:gloo,cuda:nccl" if device == "cuda" and torch.cuda.device_count() >= world else "gloo"


def check_pieces(n: int, batch_size: int, *, world: int, learns_statistics: bool) -> None:
    """Make sure that each process has enough of each batch.

    Args:
        n: Training examples.
        batch_size: The largest batch.
        world: How many processes share it.
        learns_statistics: Of one example there are none.

    Raises:
        UsageError: A piece would hold fewer than two examples.
    """
    n_batches = -(-n // batch_size)
    smallest = n // max(1, n_batches)
    if learns_statistics and world > 1 and smallest < 2 * world:
        raise UsageError(
            f"workers is {world}, and the smallest batch has {smallest} examples",
            expected="at least two examples of every batch for each worker, as batch normalisation needs them",
            fix=f"raise --batch-size, or lower --workers to {max(1, smallest // 2)}",
        )


@contextmanager
def _talking() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # all that torch.distributed raises is one
        raise PeerLost(str(error).partition("\n")[0]) from error
