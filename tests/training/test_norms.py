"""The norms that a training writes down, beside its optimiser run on nothing but the decay."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from heldout.interrupting import Stop
from heldout.models.regimes import learning_parts
from heldout.provenance import Silent
from heldout.records import write_csv
from heldout.training import checkpoints as checkpoints_module
from heldout.training.balancing import EVEN
from heldout.training.by_batches import fit_by_batches
from heldout.training.checkpoints import Checkpoints, newest
from heldout.training.course import begin
from heldout.training.fitted import Job
from heldout.training.loop import Fitted, fit_network, train_epochs
from heldout.training.norm_files import NORM_COLUMNS, NORMS_FILE, decay_record
from heldout.training.norms import DecayAlone, Norms, norms_of
from heldout.training.opening import tensors_of
from heldout.training.parallel import Group
from heldout.training.settings import TrainingSettings, defaults
from heldout.training.steps import make_learner, train_step
from training import tiny_runs
from training.groups import together
from training.small import small_parts, small_task

OPTIMISERS = ("sgd", "adamw")


def settings(regime: str = "full", **changes: object) -> TrainingSettings:
    return defaults(regime, {"epochs": 3, "learning_rate": 0.05, "weight_decay": 0.5, **changes})


def trained(regime: str = "full", folder: Path | None = None, *, stop: Stop | None = None, **changes: object) -> Fitted:
    return fit_network(
        small_task(regime),
        settings(regime, **changes),
        parts=small_parts(regime),
        precision="float32",
        seed=0,
        checkpoints=Checkpoints(folder, "job", stop or Stop()) if folder else None,
    )


class NoLoss:
    """A loss that is flat: its gradient is 0 everywhere."""

    gamma = 0.0

    def loss(self, logits: Tensor, labels: Tensor, *, label_smoothing: float) -> Tensor:
        return (logits * 0).sum()

    def answers(self, logits: Tensor) -> Tensor:
        return EVEN.answers(logits)


class Late(Stop):
    """Asks to stop after so many times of being asked whether it does."""

    def __init__(self, patience: int) -> None:
        super().__init__()
        self._patience = patience

    @property
    def is_asked(self) -> bool:
        self._patience -= 1
        return self._patience < 0


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_without_a_gradient_every_norm_is_what_decay_alone_leaves(optimiser: str) -> None:
    task = replace(small_task("scratch"), balance=NoLoss())  # type: ignore[arg-type]
    plan = settings("scratch", optimiser=optimiser)
    found = fit_network(task, plan, parts=small_parts("scratch"), precision="float32", seed=0).norms
    assert found.epochs == [0, 1, 2, 3]
    assert found.alone[-1] < 0.85
    for values, alone in zip(found.values, found.alone, strict=True):
        for name, first, norm in zip(found.parameters, found.values[0].tolist(), values.tolist(), strict=True):
            left = alone if name in found.decayed else 1.0
            assert norm == pytest.approx(first * left, rel=1e-5), name


@pytest.mark.parametrize("regime", ["scratch", "partial", "full"])
def test_a_norm_is_that_of_the_tensor_after_its_epoch_and_of_all_that_learns(regime: str) -> None:
    task, plan = small_task(regime), settings(regime)
    names = list(learning_parts(task.net, regime))
    before = {name: math.sqrt(float((one.detach().double() ** 2).sum())) for name, one in task.net.named_parameters()}
    course = begin(task, plan, precision="float32")
    assert course.norms.values[0].tolist() == pytest.approx([before[name] for name in names], rel=1e-12)
    for record in train_epochs(course, plan, parts=small_parts(regime), seed=0):
        parameters = dict(task.net.named_parameters())
        expected = [math.sqrt(float((parameters[name].detach().double() ** 2).sum())) for name in names]
        assert course.norms.epochs[-1] == record.epoch
        assert course.norms.values[-1].tolist() == pytest.approx(expected, rel=1e-12)
    assert course.norms.epochs == [0, 1, 2, 3]
    assert course.norms.decayed == {name for name in names if parameters[name].ndim >= 2}


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_decay_alone_is_torchs_own_optimiser_on_a_zero_gradient(optimiser: str, momentum: float) -> None:
    rates = [0.1, 0.3, 0.2, 0.05, 0.4]
    alone = DecayAlone()
    weight = torch.ones(1, dtype=torch.float64, requires_grad=True)
    groups = [{"params": [weight], "weight_decay": 0.7}]
    own: torch.optim.Optimizer
    own = torch.optim.AdamW(groups) if optimiser == "adamw" else torch.optim.SGD(groups, momentum=momentum)
    for rate in rates:
        own.param_groups[0]["lr"] = rate
        weight.grad = torch.zeros_like(weight)
        own.step()
        alone.step(own)
        assert alone.weight == pytest.approx(weight.item(), rel=1e-14)
    if optimiser == "adamw" or momentum == 0:
        assert alone.weight == pytest.approx(math.prod(1 - 0.7 * rate for rate in rates), rel=1e-14)


def test_a_step_that_float16_leaves_out_does_not_decay() -> None:
    class Overflowed:
        """A scaler that halves its scale instead of stepping."""

        def __init__(self) -> None:
            self.at = 2.0

        def scale(self, loss: Tensor) -> Tensor:
            return loss

        def step(self, optimiser: torch.optim.Optimizer) -> None:
            pass

        def update(self) -> None:
            self.at /= 2

        def get_scale(self) -> float:
            return self.at

    task = small_task("full")
    learner = replace(make_learner(task, settings(), precision="float32"), scaler=Overflowed())  # type: ignore[arg-type]
    train_step(learner, torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 2, 0]), learning_rate=0.1)
    assert learner.decay_alone == DecayAlone(1.0, 0.0)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_record_of_a_training_that_is_stopped_anywhere_is_the_same_bit_for_bit(
    optimiser: str, tmp_path: Path
) -> None:
    wanted = trained(optimiser=optimiser, epochs=2).norms.rows()
    for patience in (1, 5, 8):
        folder = tmp_path / str(patience)
        with pytest.raises(KeyboardInterrupt):
            trained(folder=folder, optimiser=optimiser, epochs=2, stop=Late(patience))
        assert trained(folder=folder, optimiser=optimiser, epochs=2).norms.rows() == wanted, f"stopped at {patience}"


def test_a_checkpoint_of_an_older_version_ends_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(Norms, "tensors", lambda self: {})
        with pytest.raises(KeyboardInterrupt):
            trained(folder=tmp_path, stop=Late(5))
    assert (saved := newest(tmp_path)) is not None
    assert not [name for name in saved.state if name.startswith("norms.")]
    monkeypatch.setattr(checkpoints_module, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(checkpoints_module, "SHARE", 1e9)
    assert trained(folder=tmp_path).norms.rows() == [], "half a record tells nothing"


def test_all_of_a_group_write_down_the_same(tmp_path: Path) -> None:
    def work(group: Group) -> list[dict[str, str]]:
        torch.set_num_threads(1)
        parts = replace(small_parts("scratch"), group=group)
        plan = settings("scratch", epochs=1)
        return fit_network(small_task("scratch"), plan, parts=parts, precision="float32", seed=0).norms.rows()

    first, second = together(2, work, tmp_path)
    assert first == second
    assert {row["epoch"] for row in first} == {"0", "1"}


def test_the_file_is_read_back_as_what_was_written(tmp_path: Path) -> None:
    found = trained()
    write_csv(tmp_path / NORMS_FILE, found.norms.rows())
    write_csv(tmp_path / "history.csv", [{"epoch": 0, "best": "false"}, {"epoch": 2, "best": "true"}])
    record = decay_record(tmp_path)
    assert record is not None
    assert (record.epochs, record.kept, record.row) == ((0, 1, 2, 3), 2, 2)
    assert [tensor.name for tensor in record.tensors] == list(found.norms.parameters)
    assert {tensor.name for tensor in record.decayed} == found.norms.decayed
    for column, tensor in enumerate(record.tensors):
        assert list(tensor.norms) == [values[column].item() for values in found.norms.values]
        assert list(tensor.alone) == (found.norms.alone if tensor.is_decayed else [1.0] * 4)


def test_no_decay_is_written_down_as_none() -> None:
    net = nn.Linear(2, 2)
    optimiser = torch.optim.SGD([{"params": [net.weight], "weight_decay": 0.0}], lr=0.1)
    norms = norms_of(dict(net.named_parameters()), optimiser, DecayAlone())
    assert norms.decayed == frozenset()
    assert [tuple(row) for row in norms.rows()] == [NORM_COLUMNS] * 2
    assert {row["decay_alone"] for row in norms.rows()} == {"1.0"}


def test_a_run_folder_holds_the_norms_of_the_weights_that_were_kept(tmp_path: Path) -> None:
    materials, parts = tiny_runs.prepared(tmp_path / "photos", tmp_path / "cache", 4)
    plan = {"epochs": 2, "batch_size": 6, "precision": "float32", "augment": "none", "weight_decay": 0.1}
    job = Job("scratch", defaults("scratch", plan), 0)
    folder = tmp_path / "run"
    folder.mkdir()
    fitted = fit_by_batches(job, None, parts=parts, materials=materials, folder=folder, watcher=Silent())
    record = decay_record(folder)
    assert record is not None
    assert (record.epochs, record.kept, record.is_decayed) == ((0, 1, 2), fitted.best_epoch, True)
    kept = {name: np.linalg.norm(value.astype(np.float64)) for name, value in tensors_of(fitted.classifier).items()}
    row = record.epochs.index(fitted.best_epoch)
    shared = [tensor for tensor in record.tensors if tensor.name in kept]
    assert len(shared) > 10
    for tensor in shared:
        assert tensor.norms[row] == pytest.approx(kept[tensor.name], rel=1e-6, abs=1e-12), tensor.name
