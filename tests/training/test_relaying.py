import math
from collections.abc import Callable, Iterator
from pathlib import Path

from heldout.training.history import EpochRecord
from heldout.training.relaying import Relay, follow


class Listener:
    """Keeps everything that it is told."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def stage(self, name: str) -> None:
        self.heard.append(name)

    def progress(self, done: int, total: int, per_second: float) -> None:
        self.heard.append((done, total, per_second))

    def epoch(self, record: EpochRecord) -> None:
        self.heard.append(record)


def record(epoch: int) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        learning_rate=0.1,
        train_loss=math.inf,
        train_accuracy=0.5,
        validation_loss=1.25,
        validation_correct=3,
        n_validation=4,
        pictures_per_second=10.0,
        seconds=2.0,
    )


def test_what_is_written_is_told_in_order_and_once_while_it_grows(tmp_path: Path) -> None:
    relay, listener = Relay(tmp_path / "news"), Listener()

    def append(text: str) -> None:
        with (tmp_path / "news").open("a") as file:
            file.write(text)

    steps: Iterator[Callable[[], None]] = iter(
        [
            lambda: None,  # nobody has written yet
            lambda: relay.stage("epoch 1"),
            lambda: relay.progress(1, 3, 2.0),
            lambda: append('["stage", "half a li'),
            lambda: append('ne"]\n'),
            lambda: relay.epoch(record(1)),
        ]
    )

    def wait(seconds: float) -> bool:
        assert seconds < 1
        step = next(steps, None)
        if step is not None:
            step()
        return step is None

    follow(tmp_path / "news", listener, wait)
    assert listener.heard == ["epoch 1", (1, 3, 2.0), "half a line", record(1)]


def test_steps_are_told_now_and_then_and_the_last_always(tmp_path: Path) -> None:
    relay = Relay(tmp_path / "news")
    for done in range(1, 101):
        relay.progress(done, 100, 5.0)
    lines = (tmp_path / "news").read_text().splitlines()
    assert 2 <= len(lines) < 50
    assert lines[-1] == '["progress", [100, 100, 5.0]]'
