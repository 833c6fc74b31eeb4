import json
from datetime import UTC, datetime

import pytest

from heldout.provenance import Clock, Silent, environment, installed, version


class Told(Silent):
    def __init__(self) -> None:
        self.names: list[str] = []

    def stage(self, name: str) -> None:
        self.names.append(name)


def test_a_clock_tells_each_stage_and_adds_up_what_is_timed_twice() -> None:
    told = Told()
    clock = Clock(told)
    for name in ("a", "b", "a"):
        with clock(name):
            pass
    assert told.names == ["a", "b", "a"]
    assert set(clock.seconds) == {"a", "b"}
    assert all(0 <= seconds < 5 for seconds in clock.seconds.values())


def test_a_stage_that_fails_is_timed_too() -> None:
    clock = Clock(Silent())
    with pytest.raises(ValueError, match="mine"), clock("a"):
        raise ValueError("mine")
    assert "a" in clock.seconds


def test_the_environment_is_json_and_says_where_the_numbers_come_from() -> None:
    found = json.loads(json.dumps(environment("heldout train photos")))
    assert found["command"] == "heldout train photos"
    assert found["heldout"] == version()
    assert found["n_cores"] >= 1
    assert found["cpu"]
    assert {"numpy", "torch", "pillow"} <= set(installed())
    assert abs((datetime.now(UTC) - datetime.fromisoformat(found["started"])).total_seconds()) < 60
