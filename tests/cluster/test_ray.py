"""On a real Ray cluster of two nodes: trials, a training by two workers, and looking at pictures in shards."""

import os
import pickle
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest

import heldout as library
from cluster.calls import die_once, refuse, slow, where
from cluster.nodes import ADDRESSES, TESTS, Nodes
from heldout.data.layouts.photos import find_photos
from heldout.errors import StorageError, UsageError
from heldout.manifest import CHECKPOINTS
from heldout.provenance import Silent, n_cores
from heldout.sweeping.on_ray import RayRunner
from heldout.sweeping.runners import Lost
from heldout.training import on_ray
from heldout.training.group_worker import train_by
from heldout.training.looking import look_at
from heldout.training.materials import Materials, gather_materials
from make import class_folders
from training import tiny_runs
from training.groups import together

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Ray, about itself, when its trainer is imported
]


def test_items_are_worked_on_by_both_nodes(cluster: Nodes, tmp_path: Path) -> None:
    with RayRunner(None, 1, shared=[tmp_path]) as runner:
        assert runner.n_workers == 4
        found = dict(runner.run(where, range(12)))
    assert set(found) == set(range(12))
    places = {outcome for outcome in found.values() if not isinstance(outcome, Lost)}
    assert places == {(address, "1") for address in ADDRESSES}
    assert len(runner.overheads) == 12
    assert 0 < runner.start_seconds < 120
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_is_killed_costs_its_item_alone(
    cluster: Nodes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    items = [str(tmp_path / name) for name in ("a", "b", "never", "c")]
    with RayRunner(2, 1) as runner:
        found = dict(runner.run(die_once, items))
        assert [found[item] for item in items if not item.endswith("never")] == ["a", "b", "c"]
        lost = found[items[2]]
        assert isinstance(lost, Lost)
        assert lost.why.startswith("its worker died 3 times: ")
        assert caplog.text.count("what it did is done again") == 3 + 2
        with pytest.raises(UsageError, match="item 1 will not do"):
            list(runner.run(refuse, [1]))


def test_what_the_cluster_can_never_do_is_refused_at_once(cluster: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"needs 1 times 64 CPUs at once, and the Ray cluster counts 2 at 127\.0\.0\."):
        RayRunner(1, 64).__enter__()
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UsageError, match=r"there is no Ray cluster to connect to at '127\.0\.0\.1:1'"):
        RayRunner(1, 1).__enter__()


def _kill_a_training_worker(when: Path, killed: list[int]) -> None:
    """As soon as there is a checkpoint, end one of the processes that train."""
    end = time.monotonic() + 400
    while time.monotonic() < end and not list(when.glob("*.json")):
        time.sleep(0.01)
    for process in psutil.process_iter(["cmdline"]):
        if "RayTrainWorker" in " ".join(process.info["cmdline"] or ()):
            killed.append(process.pid)
            process.send_signal(signal.SIGKILL)
            return


def test_a_training_whose_worker_is_killed_gives_the_bits_of_an_undisturbed_one_without_ray(
    cluster: Nodes, tmp_path: Path
) -> None:
    materials, parts = tiny_runs.prepared(tmp_path / "photos", tmp_path / "cache")
    run, killed = tmp_path / "run", list[int]()
    hand = threading.Thread(target=_kill_a_training_worker, args=(run / CHECKPOINTS, killed))
    hand.start()
    watcher = tiny_runs.Listening()
    fitted = tiny_runs.fitted(materials, parts, run, engine="ray", watcher=watcher, epochs=24)
    hand.join()
    assert len(killed) == 1
    order = tiny_runs.order_of(run, tmp_path / "undisturbed")
    together(2, lambda group: train_by(pickle.loads(order.read_bytes()), group), tmp_path)
    assert tiny_runs.final_weights(run) == tiny_runs.final_weights(tmp_path / "undisturbed")
    assert [one.epoch for one in fitted.history] == list(range(1, 25))
    assert {one.epoch for one in watcher.epochs} == set(range(1, 25))


def test_pictures_looked_at_in_shards_are_as_looked_at_here(
    cluster: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = find_photos(class_folders(tmp_path / "photos", 14), "")
    model = ("efficientnet-lite0", "imagenet", "frozen", False)
    local, shared = tmp_path / "local", tmp_path / "shared"

    def opened(cache: Path) -> Materials:
        name, weights, regime, download = model
        return gather_materials(name, weights=weights, regime=regime, download=download, cache=cache, device="cpu")

    opened(local)  # the fastest engine is measured once
    shutil.copytree(local, shared)
    monkeypatch.setattr(on_ray, "SHARD", 16)
    n = on_ray.look_on_ray(
        examples.source, examples.ids, opened(shared), model=model, max_pixels=10**8, watcher=Silent()
    )
    assert n == -(-len(examples) // 16)
    rows = []
    for cache, n_decoded in ((shared, 0), (local, len(examples))):
        materials = opened(cache)
        look = look_at(examples.source, examples.ids, list(materials.products.values()), materials.facts)
        assert look.n_decoded == n_decoded
        rows.append(materials.products["features"].store.rows([one.sha256 for one in look.survey.facts if one]).all())
    assert rows[0].tobytes() == rows[1].tobytes()


def test_a_sweep_on_the_cluster_writes_the_ledger_of_one_on_this_machine(
    cluster: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = class_folders(tmp_path / "photos", 10)
    monkeypatch.setenv("HELDOUT_CACHE", str(tmp_path / "cache"))
    ledgers = []
    for engine in ("local", "ray"):
        found = library.sweep(
            photos,
            regimes=["frozen"],
            learning_rates=["default", 0.05],
            seeds=2,
            epochs=2,
            engine=engine,
            workers=n_cores(),  # of one thread each, as Ray's are
            out=tmp_path / engine,
        )
        assert (found.content["engine"], found.content["n_done_now"]) == (engine, 4)
        assert found.content["overheads"]["median"] > 0
        ledgers.append({one.key: one.content() for one in found.trials})
    assert ledgers[0] == ledgers[1]
    assert len({one["final"] for one in ledgers[0].values()}) == 4


def test_a_node_that_goes_costs_what_it_worked_on_alone(cluster: Nodes, tmp_path: Path) -> None:
    items = [str(tmp_path / str(number)) for number in range(8)]
    found = {}
    with RayRunner(None, 1) as runner:
        for item, outcome in runner.run(slow, items):
            found[item] = outcome
            if len(found) == 2:
                cluster.remove(ADDRESSES[1])
    cluster.add(ADDRESSES[1])
    assert set(found) == set(items)
    assert not [one for one in found.values() if isinstance(one, Lost)]
    attempts = [Path(item).read_text().split() for item in items]
    assert sum(map(len, attempts)) > len(items), "nothing was under way on the node"
    assert all(places[-1] == found[item] for places, item in zip(attempts, items, strict=True))


def test_a_node_that_does_not_see_a_folder_is_named(cluster: Nodes, tmp_path: Path) -> None:
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this process may not give another a file system of its own")
    seen, hidden = tmp_path / "seen", tmp_path / "hidden"
    seen.mkdir()
    hidden.mkdir()
    cluster.add("127.0.0.4", hidden)
    try:
        with RayRunner(1, 1, shared=[seen]):
            pass
        with pytest.raises(StorageError, match=r"the node 127\.0\.0\.4 of the Ray cluster does not see .*hidden"):
            RayRunner(1, 1, shared=[seen, hidden]).__enter__()
    finally:
        cluster.remove("127.0.0.4")
    assert list(seen.iterdir()) == list(hidden.iterdir()) == []


@pytest.mark.usefixtures("installed")
def test_where_no_cluster_is_named_one_is_begun_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("PYTHONPATH", TESTS)
    before = set(psutil.Process().children(recursive=True))
    with RayRunner(1, 1) as runner:
        assert runner.n_workers == 1
        assert len(dict(runner.run(where, [1, 2]))) == 2
    end = time.monotonic() + 20
    while time.monotonic() < end and (left := set(psutil.Process().children(recursive=True)) - before):
        time.sleep(0.1)
    assert not left
    assert os.environ.get("RAY_ADDRESS") is None
