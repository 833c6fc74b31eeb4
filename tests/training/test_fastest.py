import json
from pathlib import Path

import pytest
import torch

from heldout.errors import UsageError
from heldout.training.fastest import PrecisionChoice, choose_precision
from heldout.training.settings import defaults
from heldout.training.tasks import Task
from training.small import CPU, equal_states, small_task, state_of


def chosen(task: Task, asked: str, cache: Path | None, *, batch: int = 4) -> PrecisionChoice:
    inputs = torch.rand(batch, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    settings = defaults("full", {"precision": asked})
    return choose_precision(task, settings, inputs=inputs, backbone="small", cache=cache)


def test_what_is_asked_for_is_taken_unmeasured() -> None:
    assert chosen(small_task(), "float32", None) == PrecisionChoice("float32", "asked for", {})


def test_what_is_measured_is_remembered_for_the_same_network_and_batch_alone(tmp_path: Path) -> None:
    first = chosen(small_task(), "auto", tmp_path)
    assert first.reason == "measured"
    assert {"float32", "winograd"} <= set(first.seconds)
    assert first.name == min(first.seconds, key=lambda name: first.seconds[name])
    again = chosen(small_task(), "auto", tmp_path)
    assert (again.name, again.reason, again.seconds) == (first.name, "remembered", first.seconds)
    assert chosen(small_task(), "auto", tmp_path, batch=5).reason == "measured"


def test_what_another_machine_measured_is_not_taken(tmp_path: Path) -> None:
    chosen(small_task(), "auto", tmp_path)
    (record,) = (tmp_path / "precisions").iterdir()
    content = json.loads(record.read_text())
    content["machine"]["n_threads"] += 1
    record.write_text(json.dumps(content))
    assert chosen(small_task(), "auto", tmp_path).reason == "measured"


def test_measuring_leaves_the_network_and_torchs_generator_alone() -> None:
    task, generator = small_task(), torch.get_rng_state()
    before = state_of(task.net)
    assert chosen(task, "auto", None).reason == "measured"
    assert equal_states(state_of(task.net), before)
    assert all(one.grad is None for one in task.net.parameters())
    assert torch.equal(torch.get_rng_state(), generator)


def test_float16_is_refused_on_a_cpu() -> None:
    assert CPU.type == "cpu"
    with pytest.raises(UsageError, match="precision is 'float16' on cpu"):
        chosen(small_task(), "float16", None)
