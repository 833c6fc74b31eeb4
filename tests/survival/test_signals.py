"""Ctrl-C and SIGTERM at random moments of a training, also while a checkpoint is being written."""

import os
import random
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from survival.forks import ERROR, RESULT, fork, result, train, wait, wait_at_most

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def _stopped_and_resumed(n_signals: int, wanted: Any, tmp_path: Path) -> None:
    rng = random.Random(5)
    for number in range(n_signals):
        folder = tmp_path / f"run-{number}"
        folder.mkdir()
        kind = (signal.SIGINT, signal.SIGTERM)[number % 2]
        child = fork(partial(train, folder, "full"), folder)
        while not list(folder.glob("checkpoints/*.json")) and not (folder / RESULT).exists():
            time.sleep(0.0005)  # from here on the training is under way, and its handlers are in place
        time.sleep(rng.uniform(0, 0.1))
        os.kill(child, kind)
        began = time.monotonic()
        code = wait(child)
        assert time.monotonic() - began < 5
        # 0 or a plain death: the training was over when the signal came.
        assert code in (CODES[kind], 0, -kind), (folder / ERROR).read_text()
        assert wait(fork(partial(train, folder, "full"), folder)) == 0, (folder / ERROR).read_text()
        assert result(folder) == wanted


def test_a_signal_lets_the_step_end_and_saves(undisturbed: dict[str, Any], in_memory: Path) -> None:
    _stopped_and_resumed(20, undisturbed["full"], in_memory)


@pytest.mark.slow
def test_a_hundred_signals(undisturbed: dict[str, Any], in_memory: Path) -> None:
    _stopped_and_resumed(100, undisturbed["full"], in_memory)


def test_a_second_signal_leaves_at_once_and_the_training_can_go_on(
    undisturbed: dict[str, Any], in_memory: Path
) -> None:
    def stuck() -> None:
        from heldout.training import checkpoints

        def wait_for_ever(self: Any, course: Any) -> None:
            (in_memory / "stuck").touch()
            while True:
                time.sleep(0.01)

        step = checkpoints.Checkpoints.after_step
        checkpoints.Checkpoints.after_step = lambda self, course: (  # type: ignore[method-assign]
            wait_for_ever(self, course) if course.step == 3 else step(self, course)
        )
        train(in_memory, "full")

    child = fork(stuck, in_memory)
    while not (in_memory / "stuck").exists():
        time.sleep(0.001)
    os.kill(child, signal.SIGINT)
    assert wait_at_most(child, 0.3) is None, "the first only asks"
    os.kill(child, signal.SIGINT)
    assert wait_at_most(child, 2) == -signal.SIGINT
    assert wait(fork(partial(train, in_memory, "full"), in_memory)) == 0
    assert result(in_memory) == undisturbed["full"]
