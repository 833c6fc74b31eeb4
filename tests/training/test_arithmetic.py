import pytest
import torch
from torch import Tensor, nn

from heldout.models.regimes import set_mode
from heldout.training.arithmetic import candidates, computing_by, is_depthwise, make_arithmetic
from heldout.training.tasks import Task
from training.small import CPU, SmallNetwork, random_statistics, small_network, small_task

PRECISIONS = ["float32", "winograd", "bfloat16", "selective"]


def with_statistics(task: Task) -> Task:
    """The task with normalisations that are no identity."""
    random_statistics(task.net)
    return task


def made_of(precision: str, regime: str) -> dict[str, torch.dtype]:
    """In which type each layer's output is computed."""
    task, found = small_task(regime), {}
    arithmetic = make_arithmetic(precision, task)
    hooks = [
        module.register_forward_hook(lambda _, __, out, name=name: found.update({name: out.dtype}))
        for name, module in task.net.named_children()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    with computing_by(arithmetic):
        task.net(torch.rand(2, 3, 8, 8))
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("regime", ["scratch", "full"])
def test_bfloat16_computes_convolutions_and_the_head_in_16_bits(regime: str) -> None:
    assert set(made_of("bfloat16", regime).values()) == {torch.bfloat16}


@pytest.mark.parametrize("regime", ["scratch", "full"])
def test_selective_keeps_depthwise_convolutions_in_32_bits(regime: str) -> None:
    found = made_of("selective", regime)
    assert found.pop("depthwise") == torch.float32
    assert set(found.values()) == {torch.bfloat16}


@pytest.mark.parametrize("precision", ["float32", "winograd"])
def test_the_precisions_of_32_bits_compute_in_32_bits(precision: str) -> None:
    assert set(made_of(precision, "full").values()) == {torch.float32}


@pytest.mark.parametrize("regime", ["scratch", "full", "partial"])
@pytest.mark.parametrize("precision", ["float32", "winograd"])
def test_outputs_and_all_gradients_are_those_of_the_plain_layers(precision: str, regime: str) -> None:
    task = with_statistics(small_task(regime))
    set_mode(task.net, regime, training=True)
    task.net.get_submodule("drop").eval()
    inputs = torch.rand(*task.example.shape, generator=torch.Generator().manual_seed(3))

    def with_gradients() -> tuple[Tensor, dict[str, Tensor]]:
        task.net.zero_grad()
        out = task.logits(task.net, inputs)
        (out**2).sum().backward()  # type: ignore[no-untyped-call]
        return out.detach(), {name: one.grad for name, one in task.net.named_parameters() if one.grad is not None}

    wanted, slopes = with_gradients()
    arithmetic = make_arithmetic(precision, task)
    set_mode(task.net, regime, training=True)
    task.net.get_submodule("drop").eval()
    with computing_by(arithmetic):
        found, again = with_gradients()
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    assert again.keys() == slopes.keys()
    for name, slope in slopes.items():
        torch.testing.assert_close(again[name], slope, rtol=1e-3, atol=1e-4 * float(slope.abs().max()))
    if precision == "winograd":
        assert not torch.equal(again["last.weight"], slopes["last.weight"])  # it is another arithmetic


@pytest.mark.parametrize(("regime", "folded"), [("full", {"bn", "norm"}), ("partial", {"norm"}), ("scratch", set())])
def test_normalisations_whose_statistics_stay_are_left_to_the_convolution_before(regime: str, folded: set[str]) -> None:
    task = small_task(regime)
    forwards = make_arithmetic("float32", task).forwards
    found = {name for name, module in task.net.named_modules() if module in forwards}
    assert {name for name in found if name in ("bn", "norm")} == folded


class Twice(SmallNetwork):
    """A convolution whose output is used beside its normalisation."""

    def rest(self, x: Tensor) -> Tensor:
        x = self.last(x)
        features: Tensor = (x + self.norm(x)).mean(dim=(2, 3))
        return features


def test_what_is_also_used_before_its_normalisation_is_computed_plainly() -> None:
    task = with_statistics(small_task())
    task.net.__class__ = Twice
    assert not make_arithmetic("float32", task).forwards


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_network_is_as_before_afterwards(precision: str) -> None:
    task, inputs = small_task(), torch.rand(2, 3, 8, 8)
    before = task.net.eval()(inputs)
    with pytest.raises(ZeroDivisionError), computing_by(make_arithmetic(precision, task)):  # noqa: PT012
        task.net(inputs)
        raise ZeroDivisionError
    assert torch.equal(task.net(inputs), before)
    assert all("forward" not in vars(module) for module in task.net.modules())


def test_weights_and_their_gradients_stay_in_32_bits() -> None:
    task = small_task()
    with computing_by(make_arithmetic("selective", task)):
        out = task.net(torch.rand(2, 3, 8, 8))
    out.float().sum().backward()
    assert {one.grad.dtype for one in task.net.parameters() if one.grad is not None} == {torch.float32}


def test_candidates_are_what_this_machine_and_this_network_can_gain_from() -> None:
    found = candidates(small_network(), CPU)
    assert found[:2] == ("float32", "winograd")
    assert ("bfloat16" in found) == bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    assert candidates(nn.Sequential(nn.Conv2d(3, 8, 1)), CPU)[0] == "float32"
    assert "winograd" not in candidates(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False)), CPU)


def test_depthwise_means_one_filter_set_a_channel() -> None:
    assert is_depthwise(nn.Conv2d(8, 8, 3, groups=8))
    assert is_depthwise(nn.Conv2d(8, 16, 3, groups=8))
    assert not is_depthwise(nn.Conv2d(8, 8, 3, groups=4))
    assert not is_depthwise(nn.Conv2d(1, 8, 3))
