"""One worker of a group that trains a network together.

    python -m heldout.training.group_worker ORDER N_THREADS PARENT

Who it is stands in the environment, as torch's elastic agent writes it (RANK, WORLD_SIZE and so on).
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heldout.training.launching import Answer, Order
    from heldout.training.parallel import Group

# What ends a worker whose fellow has died: the agent begins all of them again.
EXIT_PEER_LOST = 3


def main(order: str, n_threads: int, parent: int) -> None:
    """Take part in the training of an order, on this machine alone."""
    from heldout.allocator import keep_freed_memory
    from heldout.interrupting import follow_parent
    from heldout.provenance import thread_variables

    follow_parent(parent)
    keep_freed_memory()  # before torch is imported, as the next two
    os.environ |= thread_variables(n_threads)
    if sys.platform == "linux":
        os.environ["GLOO_SOCKET_IFNAME"] = "lo"  # and not whatever the machine's name stands for
    sys.exit(take_part(Path(order), int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])))


def take_part(file: Path, rank: int, world: int) -> int:
    """Train with the others, write down how it ended, and give an exit code: 0 where nothing needs to be done again.

    An error of ours and a wish to stop end the whole group: they are written down first, so that those who find their
    fellow gone know that there is nothing to begin again.

    Args:
        file: Holds the order.
        rank: Which worker this is; rank 0 writes.
        world: How many there are.
    """
    import logging
    import pickle

    import torch

    from heldout.errors import HeldoutError
    from heldout.records import write_atomic
    from heldout.training.launching import ANSWER, Answer, Order
    from heldout.training.parallel import PeerLost, joined

    order: Order = pickle.loads(file.read_bytes())
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("heldout").setLevel(order.log_level if rank == 0 else logging.ERROR)
    torch.set_num_threads(order.n_threads)
    place = file.parent / ANSWER
    try:
        with joined(rank, world, order.device) as group:
            answer = train_by(order, group)
            if rank == 0:
                write_atomic(place, pickle.dumps(answer))
    except (HeldoutError, KeyboardInterrupt, SystemExit) as error:
        if not place.exists():
            write_atomic(place, pickle.dumps(Answer(error)))
    except PeerLost as error:
        if place.exists():
            return 0
        logging.getLogger(__name__).error("worker %d of %d lost its fellows: %s", rank, world, error)
        return EXIT_PEER_LOST
    return 0


def train_by(order: "Order", group: "Group") -> "Answer":
    """Train as one of a group; the finished training lies in the checkpoints of the run folder.

    Raises:
        Diverged: The loss was not finite.
        HeldoutError: As `by_batches.fit_by_batches`.
    """
    from heldout.models.backbones import find_backbone
    from heldout.training.by_batches import checkpointed, train_network
    from heldout.training.classifier import fact_store, pixel_path
    from heldout.training.launching import Answer
    from heldout.training.looking import Product
    from heldout.training.materials import Materials
    from heldout.training.stores import ArrayStore

    backbone = find_backbone(order.backbone)
    name, folder, row_shape, dtype = order.product
    # Without the engines: what the network learns from is kept already.
    products = {name: Product(ArrayStore(folder, row_shape, dtype), pixel_path(backbone), None)}
    facts = fact_store(backbone, order.cache)
    materials = Materials(backbone, order.weights, None, products, facts, order.cache, order.device)
    with checkpointed(
        order.job, order.parts, materials, order.folder, group=group, circumstances=order.circumstances
    ) as checkpoints:
        trained = train_network(
            order.job,
            order.head,
            parts=order.parts,
            materials=materials,
            checkpoints=checkpoints,
            watcher=_relay(order, group),
        )
    if trained.diverged is not None:
        raise trained.diverged
    last = max((path.name for path in checkpoints.folder.glob("*.json")), default="")
    return Answer(None, checkpoints.seconds, checkpoints.circumstances, last)


def _relay(order: "Order", group: "Group") -> Any:
    """What rank 0 has to say goes to the file that the process which began the group reads; the others are silent."""
    from heldout.manifest import CHECKPOINTS
    from heldout.provenance import Silent
    from heldout.training.launching import PROGRESS
    from heldout.training.relaying import Relay

    return Silent() if group.rank else Relay(order.folder / CHECKPOINTS / PROGRESS)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
