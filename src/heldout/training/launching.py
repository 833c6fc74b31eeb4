"""A training that is carried out by several processes: begun, watched, and brought back as files in the run folder.

    RUN/checkpoints/group-order.pickle      what to train, for every worker; written by the process that begins them
    RUN/checkpoints/group-progress.jsonl    how it goes; appended by rank 0, read while it grows
    RUN/checkpoints/group-answer.pickle     how it ended; written last, by rank 0 or by who had an error
    RUN/checkpoints/000012.json ...         the training itself, as of any run

Whoever begins the workers, torch's elastic agent here or Ray (`on_ray.py`), they call `group_worker.take_part`. When
one of them dies all begin again from the newest checkpoint.
"""

import logging
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from heldout.data.storage.sources import FolderSource
from heldout.errors import OutOfMemory, StorageError
from heldout.manifest import CHECKPOINTS
from heldout.models.heads import Head
from heldout.models.regimes import has_fixed_statistics
from heldout.models.weights import WeightsFile
from heldout.provenance import Watcher, n_cores
from heldout.records import write_atomic
from heldout.training.fitted import Job
from heldout.training.materials import Materials, Part
from heldout.training.parallel import check_pieces
from heldout.training.relaying import EVERY, follow

log = logging.getLogger(__name__)
# A group is begun again so often after the death of a worker; what kills it each time is not chance.
MAX_RESTARTS = 3
# How long a file may take to be seen on another machine, seconds.
_PATIENCE = 90.0
ORDER, PROGRESS, ANSWER = "group-order.pickle", "group-progress.jsonl", "group-answer.pickle"
# Who tells at length what they do, and what became of each process.
_TALKATIVE = (
    "torch.distributed.launcher.api",
    "torch.distributed.elastic.agent.server.api",
    "torch.distributed.elastic.multiprocessing.api",
)


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """What every worker of a group is told. It can be pickled.

    Attributes:
        job: What learns, and how.
        head: What the network's head starts from; None draws it.
        parts: Training and validation examples.
        backbone: Which network.
        weights: The file that its weights come from; None for random ones.
        product: What is kept of each picture for it to learn from; where, of which shape and type.
        cache: The cache folder of heldout.
        device: `cpu` or `cuda`.
        folder: The run folder.
        circumstances: What else must be the same for the same bits.
        n_threads: That each worker computes with.
        log_level: From which on a worker says something.
    """

    job: Job
    head: Head | None
    parts: tuple[Part, Part]
    backbone: str
    weights: WeightsFile | None
    product: tuple[str, Path, tuple[int, ...], str]
    cache: Path
    device: str
    folder: Path
    circumstances: Mapping[str, str]
    n_threads: int
    log_level: int


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """How the training of a group ended.

    Attributes:
        error: Why it did not end well; None where it did.
        saving_seconds: What writing checkpoints took.
        circumstances: Those of its last checkpoint.
        checkpoint: The name of that, whose JSON is in the run folder.
    """

    error: BaseException | None
    saving_seconds: float = 0.0
    circumstances: Mapping[str, Any] | None = None
    checkpoint: str = ""


def train_in_group(
    job: Job,
    head: Head | None,
    *,
    parts: tuple[Part, Part],
    materials: Materials,
    product: str,
    folder: Path,
    watcher: Watcher,
) -> Answer:
    """Train by the workers of the job; the finished training lies in the checkpoints of the run folder.

    Arguments and errors are those of `by_batches.fit_by_batches`; `product` names what the network learns from.
    """
    assert job.settings is not None, "this head is fitted, not trained"
    check_pieces(
        len(parts[0].labels),
        job.settings.batch_size,
        world=job.workers,
        learns_statistics=not has_fixed_statistics(job.regime),
    )
    order = _order(job, head, parts, materials, product, folder.resolve())
    place = order.folder / CHECKPOINTS
    for name in (PROGRESS, ANSWER):
        (place / name).unlink(missing_ok=True)
    file = write_atomic(place / ORDER, pickle.dumps(order))
    watcher.stage(f"begin {job.workers} workers")
    with _followed(place / PROGRESS, watcher):
        _launch(order, file)
    _await(place, ANSWER)
    answer: Answer = pickle.loads((place / ANSWER).read_bytes())
    if answer.error is not None:
        raise answer.error
    _await(place, answer.checkpoint)
    return answer


def _await(folder: Path, name: str) -> None:
    """Wait until a file that another machine has written is listed here: shared disks take up to a minute for it."""
    end = time.monotonic() + _PATIENCE
    while name not in {path.name for path in folder.iterdir()}:
        if time.monotonic() > end:
            raise StorageError(
                f"{folder / name} was written by a worker, and is not to be seen here after {_PATIENCE:.0f} s",
                expected="a run folder that every worker and this process share",
                fix="choose such a place with --out",
            )
        time.sleep(EVERY)


def _launch(order: Order, file: Path) -> None:
    """Begin the workers, and return when all have ended."""
    if order.job.engine == "ray":
        from heldout.training.on_ray import launch_on_ray

        launch_on_ray(order, file)
    else:
        launch_here(order, file)


def _order(
    job: Job, head: Head | None, parts: tuple[Part, Part], materials: Materials, product: str, folder: Path
) -> Order:
    store, weights = materials.products[product].store, materials.weights
    store.flush()
    here = FolderSource(Path.cwd())  # no picture is opened any more, and not every source can be sent
    train, validation = (replace(part, examples=replace(part.examples, source=here)) for part in parts)
    return Order(
        job=job,
        head=head,
        parts=(train, validation),
        backbone=materials.backbone.name,
        weights=weights and replace(weights, path=weights.path.resolve()),
        product=(product, store.folder.resolve(), store.row_shape, store.dtype.str),
        cache=materials.cache.resolve(),
        device=materials.device,
        folder=folder,
        circumstances={"engine": materials.engine_words},
        n_threads=threads_each(job.workers, n_cores()),
        log_level=logging.getLogger("heldout").getEffectiveLevel(),
    )


def threads_each(workers: int, cores: int) -> int:
    """How many threads each of several workers computes with: as `OMP_NUM_THREADS` says, or its share of the cores."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) > 0 else max(1, cores // workers)


def launch_here(order: Order, file: Path) -> None:
    """Workers on this machine, by torch's elastic agent, which begins them again when one has died.

    Raises:
        KeyboardInterrupt: Ctrl-C; the workers have saved.
        SystemExit: SIGTERM; the same.
        OutOfMemory: The system ended workers again and again.
        RuntimeError: They failed again and again, and have said why.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=order.job.workers,
        run_id=order.folder.name,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=MAX_RESTARTS,
        signals_to_handle="SIGTERM,SIGINT",
    )
    with _own_signals():
        try:
            elastic_launch(config, sys.executable)(
                "-m", "heldout.training.group_worker", str(file), str(order.n_threads), str(os.getpid())
            )
        except SignalException as stop:
            error = KeyboardInterrupt() if stop.sigval == signal.SIGINT else SystemExit(128 + stop.sigval)
            raise error from None
        except ChildFailedError as failed:
            rank, first = failed.get_first_failure()
            if first.exitcode == -signal.SIGKILL:
                raise OutOfMemory(
                    f"workers were killed {MAX_RESTARTS + 1} times, as the system does when memory runs out",
                    expected=f"memory for the network, its optimiser and a batch, {order.job.workers} times",
                    fix="lower --workers or --batch-size, then start again",
                ) from failed
            raise RuntimeError(f"worker {rank} failed again and again, at last with code {first.exitcode}") from None


@contextmanager
def _own_signals() -> Iterator[None]:
    """Within: the agent may set handlers of its own, which it does not take back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _followed(file: Path, watcher: Watcher) -> Iterator[None]:
    """Within: the watcher is told what rank 0 writes down, from a thread."""
    over = threading.Event()
    thread = threading.Thread(target=follow, args=(file, watcher, over.wait), name="heldout-follow", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
