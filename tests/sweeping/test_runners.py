"""Worker processes: every item once, whoever dies; nobody outlives whoever began them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heldout.errors import DataError
from heldout.sweeping.runners import MAX_ATTEMPTS, LocalRunner, Lost
from sweeping.work import doubled, dying, refusing, stubborn, where


def test_every_item_has_its_result_once() -> None:
    with LocalRunner(2, 1) as runner:
        assert sorted(runner.run(doubled, list(range(20)))) == [(number, 2 * number) for number in range(20)]
        assert list(runner.run(doubled, [])) == []


def test_items_are_worked_on_side_by_side_with_the_threads_that_were_asked_for() -> None:
    with LocalRunner(2, 3) as runner:
        found = [result for _, result in runner.run(where, [1, 2, 3, 4])]
    assert {threads for _, threads in found} == {"3"}  # type: ignore[misc]
    assert len({process for process, _ in found}) == 2  # type: ignore[misc]


def test_a_worker_that_dies_costs_another_attempt_and_then_the_item(tmp_path: Path) -> None:
    deaths = {"never": 0, "once": 1, "always": MAX_ATTEMPTS}
    for name, n in deaths.items():
        (tmp_path / name).write_text(str(n))
    with LocalRunner(2, 1) as runner:
        found = {item.name: result for item, result in runner.run(dying, [tmp_path / name for name in deaths])}
        assert found["never"] == "never"
        assert found["once"] == "once"
        assert isinstance(found["always"], Lost)
        assert "killed" in found["always"].why
        assert list(runner.run(doubled, [4])) == [(4, 8)], "the runner goes on"


def test_an_error_of_ours_comes_through_whole() -> None:
    with LocalRunner(1, 1) as runner, pytest.raises(DataError, match="photo is bad") as caught:
        list(runner.run(refusing, ["photo"]))
    assert (caught.value.expected, caught.value.fix, caught.value.exit_code) == ("a good one", "mend it", 2)


def test_an_error_that_cannot_be_sent_is_told_all_the_same() -> None:
    with LocalRunner(1, 1) as runner, pytest.raises(RuntimeError, match="Stubborn: no way out") as caught:
        list(runner.run(stubborn, ["photo"]))
    assert "work.py" in str(caught.value)


def test_workers_end_with_the_runner(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from heldout.sweeping.runners import LocalRunner\n"
        "from sweeping.work import noted\n"
        "with LocalRunner(2, 1) as runner: list(runner.run(noted, [Path(sys.argv[1])] * 2))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    driver = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], env=environment)
    try:
        workers = _workers(tmp_path)
    finally:
        driver.kill()
        driver.wait()
    deadline = time.monotonic() + 30
    while any(_is_alive(worker) for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived the process that began it"
        time.sleep(0.05)


def _workers(folder: Path) -> list[int]:
    deadline = time.monotonic() + 60
    while len(found := [int(path.name) for path in folder.iterdir()]) < 2:
        assert time.monotonic() < deadline, "the workers did not begin"
        time.sleep(0.05)
    return found


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
