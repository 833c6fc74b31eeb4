"""Workers of a Ray cluster: for a group that trains together, and for looking at pictures in shards.

Ray begins the processes and begins them again when one has died. What they do is what they do under torch's elastic
agent, and what lasts lies in the run folder and the cache, which every node must see.
"""

import logging
import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from heldout.data.storage.sources import Source
from heldout.errors import OutOfMemory, UsageError
from heldout.provenance import Watcher, thread_variables
from heldout.ray_cluster import Cluster, Died, call_each, check_cpus, connected
from heldout.records import write_atomic
from heldout.training.launching import MAX_RESTARTS, Order, threads_each
from heldout.training.looking import look_at
from heldout.training.materials import Materials, gather_materials
from heldout.training.parallel import PeerLost, backend_of

# Pictures of one task: some seconds of work, so that a lost worker costs little and the tasks are worth their way. A
# multiple of every engine's batch, so that batches are those of a look without Ray.
SHARD = 512
# A shard whose worker died so often is given up.
_MAX_ATTEMPTS = 3


def launch_on_ray(order: Order, file: Path) -> None:
    """Workers on a Ray cluster, begun again from the newest checkpoint when one has died.

    Raises:
        MissingExtra: Ray is not installed.
        UsageError: The cluster is not there, or has too few CPUs or GPUs.
        StorageError: A node does not see the run folder or the cache.
        RuntimeError: The workers failed again and again.
    """
    n = order.job.workers
    with connected(n, shared=(order.folder, order.cache)) as cluster:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer

        check_cpus(cluster, n, 1, f"training with {n} workers")
        _check_gpus(cluster, order)
        for name in ("ray.train", "ray.data", "ray"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        order = replace(order, n_threads=threads_each(n, cluster.n_cpus))
        write_atomic(file, pickle.dumps(order))
        trainer = TorchTrainer(
            _work,
            train_loop_config={"file": str(file)},
            torch_config=TorchConfig(backend=backend_of(order.device, n)),
            scaling_config=ScalingConfig(
                num_workers=n, use_gpu=order.device == "cuda", resources_per_worker={"CPU": 1}
            ),
            run_config=RunConfig(
                name=order.folder.name,
                storage_path=str(file.parent / "ray"),  # of Ray's own notes, which nobody reads
                failure_config=FailureConfig(max_failures=MAX_RESTARTS),
                worker_runtime_env={"env_vars": thread_variables(order.n_threads)},
            ),
        )
        trainer.fit()


def _work(config: dict[str, Any]) -> None:
    """What Ray has each worker do."""
    from ray import train

    from heldout.training.group_worker import take_part

    context = train.get_context()
    if take_part(Path(config["file"]), context.get_world_rank(), context.get_world_size()):
        raise PeerLost("another worker has gone")


def _check_gpus(cluster: Cluster, order: Order) -> None:
    if order.device == "cuda" and cluster.gpus < order.job.workers:
        raise UsageError(
            f"training with {order.job.workers} workers needs a GPU for each, and the Ray cluster has {cluster.gpus:g}",
            expected="as many GPUs as workers",
            fix="lower --workers, or choose --device cpu",
        )


@dataclass(frozen=True, slots=True)
class _Shard:
    """Pictures that one task looks at. It can be pickled."""

    source: Source
    ids: tuple[str, ...]
    model: tuple[str, str, str, bool, str, str]
    max_pixels: int


def look_on_ray(
    source: Source,
    ids: Sequence[str],
    materials: Materials,
    *,
    model: tuple[str, str, str, bool],
    max_pixels: int,
    watcher: Watcher,
) -> int:
    """Have the workers of a cluster leave in the cache what is wanted of each picture, and say how many shards it was.

    What they kept is found by stores that are opened afterwards. Shards and batches are the same on every cluster.

    Args:
        source: Where the files are; every node must see them.
        ids: The files.
        materials: As opened here: which engine is the fastest has been measured.
        model: Backbone, weights, regime and whether weights may be fetched, as `gather_materials` takes them.
        max_pixels: Pictures with more are unreadable.
        watcher: Is told how it goes.

    Raises:
        MissingExtra: Ray is not installed.
        UsageError: The cluster is not there, or has no CPU, or the files cannot be read by several processes.
        StorageError: A node does not see the cache.
        OutOfMemory: A shard killed its worker again and again.
    """
    _check_sendable(source)
    given = (*model, str(materials.cache.resolve()), materials.device)
    shards = [
        _Shard(source, tuple(ids[begin : begin + SHARD]), given, max_pixels) for begin in range(0, len(ids), SHARD)
    ]
    with connected(shared=(materials.cache,)) as cluster:
        check_cpus(cluster, 1, 1, "looking at pictures")
        done, began = 0, time.monotonic()
        calls = call_each(look_at_shard, shards, n_at_once=cluster.n_cpus, n_threads=1, max_attempts=_MAX_ATTEMPTS)
        for shard, outcome in calls:
            if isinstance(outcome, Died):
                raise OutOfMemory(
                    f"{len(shard.ids)} pictures from {shard.ids[0]!r} on cannot be looked at: {outcome.why}",
                    expected="memory for one picture and the network in each worker",
                    fix="begin the nodes with fewer CPUs, or remove the picture that is too large",
                )
            done += len(shard.ids)
            watcher.progress(done, len(ids), done / max(time.monotonic() - began, 1e-9))
    return len(shards)


def _check_sendable(source: Source) -> None:
    try:
        pickle.dumps(source)
    except TypeError as error:  # a stream that one process reads from its beginning
        raise UsageError(
            "the pictures are in an archive that one process alone can read, from its beginning",
            expected="a folder, a .zip or a .tar for workers of a Ray cluster",
            fix="unpack it first, or leave --engine ray out",
        ) from error


def look_at_shard(shard: _Shard) -> int:
    """Look at the pictures of one shard, and say how many had to be decoded."""
    materials = _opened(shard.model)
    products = list(materials.products.values())
    return look_at(shard.source, shard.ids, products, materials.facts, max_pixels=shard.max_pixels).n_decoded


@lru_cache(maxsize=1)
def _opened(model: tuple[str, str, str, bool, str, str]) -> Materials:
    """The backbone and its stores, once a process."""
    name, weights, regime, download, cache, device = model
    return gather_materials(name, weights=weights, regime=regime, download=download, cache=Path(cache), device=device)
