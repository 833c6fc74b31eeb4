import json
import logging
import math
import random
import resource
import shutil
import signal
from pathlib import Path

import pytest
import torch

from heldout.errors import HeldoutError, RunFolderError, StorageError
from heldout.interrupting import Stop
from heldout.training import checkpoints as module
from heldout.training.checkpoints import Checkpoints, newest
from heldout.training.course import Course, begin
from heldout.training.history import EpochRecord
from heldout.training.loop import Fitted, fit_network, train_epochs
from heldout.training.settings import TrainingSettings, defaults
from training.small import equal_states, small_parts, small_task


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every step."""
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(module, "SHARE", 1e9)


def settings(regime: str = "full", **changes: object) -> TrainingSettings:
    return defaults(regime, {"epochs": 2, "learning_rate": 0.05, **changes})


def fitted(folder: Path, regime: str = "full", *, stop: Stop | None = None, **changes: object) -> Fitted:
    return fit_network(
        small_task(regime),
        settings(regime, **changes),
        parts=small_parts(regime),
        precision="float32",
        seed=0,
        checkpoints=Checkpoints(folder, "job", stop or Stop()),
    )


def begun() -> Course:
    return begin(small_task(), settings(), precision="float32")


class Late(Stop):
    """Asks to stop after so many times of being asked whether it does."""

    def __init__(self, patience: int) -> None:
        super().__init__()
        self._patience = patience

    @property
    def is_asked(self) -> bool:
        self._patience -= 1
        return self._patience < 0


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
@pytest.mark.parametrize("regime", ["scratch", "partial"])
def test_a_training_that_is_stopped_anywhere_goes_on_bit_for_bit(optimiser: str, regime: str, tmp_path: Path) -> None:
    wanted = fitted(tmp_path / "alone", regime, optimiser=optimiser)
    for patience in (0, 1, 4, 5, 7, 9):
        folder = tmp_path / str(patience)
        with pytest.raises(KeyboardInterrupt):
            fitted(folder, regime, optimiser=optimiser, stop=Late(patience))
        found = fitted(folder, regime, optimiser=optimiser)
        assert equal_states(found.state, wanted.state), f"stopped at {patience}"
        assert [one.validation_loss for one in found.history] == [one.validation_loss for one in wanted.history]
        assert [one.train_loss for one in found.history][1:] == [one.train_loss for one in wanted.history][1:]


@pytest.mark.usefixtures("often")
def test_two_generations_are_kept_and_nothing_else(tmp_path: Path) -> None:
    fitted(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name for name in names if name.endswith(".json")] == ["000011.json", "000012.json"]
    assert 4 <= len([name for name in names if name.endswith(".safetensors")]) + 1 <= 5
    content = json.loads((tmp_path / "000012.json").read_text())
    assert (content["epoch"], content["step"]) == (3, 0)
    assert content["circumstances"]["threads"] == torch.get_num_threads()


@pytest.mark.usefixtures("often")
def test_any_damage_to_the_newer_generation_falls_back_to_the_older(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fitted(tmp_path / "run")
    rng = random.Random(0)
    for name in ("000012.json", "000012-state.safetensors"):
        content = (tmp_path / "run" / name).read_bytes()
        damaged = [content[: rng.randrange(len(content))] for _ in range(10)]
        for _ in range(40):
            place = rng.randrange(len(content))
            flipped = bytes([content[place] ^ (1 << rng.randrange(8))])
            damaged.append(content[:place] + flipped + content[place + 1 :])
        for bad in damaged:
            (tmp_path / "run" / name).write_bytes(bad)
            found = newest(tmp_path / "run")
            # White space alone may differ: what the file says is then what was written.
            assert found is not None
            assert found.generation == 11 or json.loads(bad) == json.loads(content)
        assert "checkpoint 12" in caplog.text
        assert "trying the one before it" in caplog.text
        (tmp_path / "run" / name).unlink()
        found = newest(tmp_path / "run")
        assert found is not None
        assert found.generation == 11
        (tmp_path / "run" / name).write_bytes(content)


@pytest.mark.usefixtures("often")
def test_a_training_without_any_whole_checkpoint_starts_again_and_ends_the_same(tmp_path: Path) -> None:
    wanted = fitted(tmp_path)
    for path in tmp_path.glob("*.json"):
        path.write_bytes(b"{")
    assert newest(tmp_path) is None
    assert equal_states(fitted(tmp_path).state, wanted.state)


@pytest.mark.usefixtures("often")
def test_another_jobs_checkpoint_is_refused(tmp_path: Path) -> None:
    fitted(tmp_path)
    with pytest.raises(RunFolderError, match="belongs to another plan"):
        Checkpoints(tmp_path, "other", Stop())


@pytest.mark.usefixtures("often")
def test_other_circumstances_are_told_and_remembered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = Checkpoints(tmp_path, "job", Stop(), {"engine": "a"})
    first.save(begun())
    for engines in (("b", "engine b, was a"), ("b", ""), ("c", "engine c, was b")):
        caplog.clear()
        again = Checkpoints(tmp_path, "job", Stop(), {"engine": engines[0]})
        course = begun()
        again.restore(course)
        assert (f"not bit-identical: {engines[1]}" in caplog.text) == bool(engines[1])
        again.save(course)
    assert again.elsewhere == ["engine b, was a", "engine c, was b"]


def test_numbers_that_are_none_come_back(tmp_path: Path) -> None:
    course = begun()
    record = next(train_epochs(course, settings(), parts=small_parts(), seed=0))
    course.history.append(
        EpochRecord(**{name: getattr(record, name) for name in record.__slots__} | {"validation_loss": math.inf})
    )
    Checkpoints(tmp_path, "job", Stop()).save(course)
    found = newest(tmp_path)
    assert found is not None
    assert math.isnan(found.history[0].train_loss)
    assert found.history[1].validation_loss == math.inf
    assert found.precision == "float32"


@pytest.mark.usefixtures("often")
def test_a_disk_that_is_full_at_any_size_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    course, kept = begun(), Checkpoints(tmp_path, "job", Stop())
    kept.save(course)
    largest = max(path.stat().st_size for path in tmp_path.iterdir())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for size in [*range(0, 3000, 250), *range(3000, largest, largest // 20)]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
            with pytest.raises(StorageError, match=r"cannot write .*\([\d,]+ bytes\): File too large") as caught:
                kept.save(course)
            assert caught.value.exit_code == 74
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            found = newest(tmp_path)
            assert found is not None
            assert found.generation == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    kept.save(course)
    assert not list(tmp_path.glob(".heldout-tmp-*"))


def test_a_disk_without_room_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(HeldoutError, match=r"it needs [\d,]+ bytes, and 10 are free"):
        Checkpoints(tmp_path, "job", Stop()).save(begun())
    assert list(tmp_path.iterdir()) == []


def test_saving_takes_a_small_share_of_the_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    kept = Checkpoints(tmp_path, "job", Stop())
    course = begun()
    for _ in range(1000):
        kept.after_step(course)
        kept.after_epoch(course)
    assert len(list(tmp_path.glob("*.json"))) <= 1, "a thousand steps of no time are worth one checkpoint at most"
