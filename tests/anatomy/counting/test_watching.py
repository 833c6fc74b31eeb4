"""Any network can be watched, and none is changed by it."""

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from anatomy.small_networks import layers, small
from heldout.anatomy.counting import watching
from heldout.anatomy.counting.counting import count
from heldout.errors import UsageError

# Nothing is left behind


class Stateful(nn.Module):
    """Has every kind of state, and changes all of it in a pass."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, momentum=0.5), nn.Dropout()
        self.frozen = nn.BatchNorm2d(4).eval()
        self.register_buffer("steps", torch.zeros(()))
        self.seen: list[int] = []
        self.n = 0

    def forward(self, x: Tensor) -> Tensor:
        self.n += 1
        self.seen.append(x.shape[0])
        assert isinstance(self.steps, Tensor)
        self.steps += 1
        with torch.no_grad():
            self.conv.weight.mul_(0.5)
        if self.n > 100:
            raise RuntimeError("called too often")
        return torch.add(self.drop(self.frozen(self.norm(self.conv(x)))), torch.rand(4, 1, 1))


def fingerprint(model: nn.Module) -> str:
    told = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        told.update(f"{name} {tensor.dtype} {tensor.device}".encode() + tensor.numpy().tobytes())
    for name, module in model.named_modules():
        told.update(f"{name} {module.training} {len(module._forward_hooks)} {len(module._forward_pre_hooks)}".encode())
    for parameter in model.parameters():
        told.update(f"{parameter.requires_grad} {parameter.grad is None} {parameter._version}".encode())
    return told.hexdigest()


@pytest.mark.parametrize("train", [None, True, False])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("looks", [False, True])
def test_the_model_is_as_before(train: bool | None, fails: bool, looks: bool) -> None:
    class Model(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            x = self[0](x)
            if looks:
                float(x.sum())  # needs numbers: a real run
            if fails:
                raise RuntimeError("on purpose")
            return x

    model = Model(Stateful())
    weights = [id(each) for each in (*model.parameters(), *model.buffers())]
    before, random_state = fingerprint(model), torch.get_rng_state()
    if fails:
        with pytest.raises(UsageError, match="on purpose"):
            count(model, (3, 8, 8), train=train)
    else:
        counted = count(model, (3, 8, 8), train=train)
        assert bool(counted.notes) is looks
    assert fingerprint(model) == before
    assert [id(each) for each in (*model.parameters(), *model.buffers())] == weights
    stateful = model[0]
    assert isinstance(stateful, Stateful)
    assert (stateful.n, stateful.seen) == (0, [])
    assert torch.equal(random_state, torch.get_rng_state())
    assert np.array_equal(model(torch.zeros(1, 3, 8, 8)).shape, (1, 4, 6, 6)) if not fails else True


def test_torch_itself_is_as_before() -> None:
    plain = nn.Linear(3, 3)
    before = {name: getattr(functional, name) for name in dir(functional)}
    dispatched = nn.Module.__call__, torch.Tensor.__add__, torch.is_grad_enabled()
    with pytest.raises(UsageError):
        count(nn.Conv2d(3, 4, 3), (5, 8, 8))
    count(plain, (3,))
    assert {name: getattr(functional, name) for name in dir(functional)} == before
    assert (nn.Module.__call__, torch.Tensor.__add__, torch.is_grad_enabled()) == dispatched
    with FlopCounterMode(display=False) as counter:
        plain(torch.zeros(1, 3))
    assert counter.get_total_flops() == 18


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_it_does_not_matter_where_one_counts(mode: Callable[[], Any]) -> None:
    expected = count(small(), (3, 8, 8))
    with mode():
        assert count(small(), (3, 8, 8)) == expected
    with torch.device("meta"):
        on_meta = small()
    assert count(on_meta, (3, 8, 8)) == expected


# Any network


def test_a_network_that_looks_at_numbers_is_run_on_a_real_copy() -> None:
    class Looks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = small()

        def forward(self, x: Tensor) -> Tensor:
            scores = self.body(x)
            n_rounds = int(torch.ones(3).sum().item()) if x.sum().item() < 1e9 else 0
            for _ in range(n_rounds):
                scores = torch.mul(scores, 2)
            return torch.clone(scores)

    counted = count(Looks(), (3, 8, 8))
    assert [layer.name for layer in counted.layers if layer.kind == "mul"] == ["mul", "mul_2", "mul_3"]
    plain = count(small(), (3, 8, 8))
    assert counted.forward.multiply_adds == plain.forward.multiply_adds
    assert counted.backward.multiply_adds == plain.backward.multiply_adds
    assert len(counted.notes) == 1
    assert counted.notes[0].startswith("A copy was run on real tensors: the network does not run without numbers")


def test_constants_of_the_network_have_numbers() -> None:
    class Constants(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = [torch.tensor(2.0)]  # where no copy of the module finds it

        def forward(self, x: Tensor) -> Tensor:
            rates = torch.linspace(0, 1, 3).tolist()
            steps = torch.arange(x.shape[-1], device=x.device) + torch.zeros(x.shape[-1], device="cpu")
            if self.scale[0].item() > 1:
                x = x * rates[1] + steps
            table = torch.zeros(8)
            table[:4] = x[0, 0, 0, :4]
            return x * table.to(x.device)

    counted = count(Constants(), (2, 8, 8))
    assert counted.notes == ()
    assert layers(counted)["mul"].forward.other == {"element-wise": 128}


def test_lazy_parametrised_compiled_and_locked_networks() -> None:
    lazy = nn.Sequential(nn.LazyConv2d(8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
    counted = count(lazy, (3, 8, 8))
    assert (counted.parameters.total, counted.forward.multiply_adds) == (224 + 1445, 36 * 8 * 27 + 288 * 5)
    assert isinstance(lazy[0], nn.LazyConv2d)

    normed = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)))
    found = count(normed, (3, 8, 8))
    assert found.parameters.total == 4 * 27 + 4 + 4 == sum(layer.parameters.total for layer in found.layers)
    assert layers(found)["0"].kind == "Conv2d"
    assert found.forward.other == {"weight normalisation": 3 * 108, "bias adds": 144}

    compiled = nn.Module()
    compiled._orig_mod = nn.Linear(3, 4)  # as torch.compile wraps it
    assert count(compiled, (3,)) == count(nn.Linear(3, 4), (3,))

    locked = small()
    locked.lock = threading.Lock()  # type: ignore[assignment]
    assert count(locked, (3, 8, 8)) == count(small(), (3, 8, 8))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_parts_count_as_what_they_were_compiled_of() -> None:
    expected = count(small(), (3, 8, 8))
    followed: Any = torch.jit.trace(small(), torch.zeros(1, 3, 8, 8))  # type: ignore[no-untyped-call]
    for compiled in (torch.jit.script(small()), followed):
        counted = count(compiled, (3, 8, 8))
        assert counted.parameters == expected.parameters
        assert (counted.forward, counted.backward) == (expected.forward, expected.backward)
        (layer,) = counted.layers
        assert (layer.name, layer.kind, layer.output_shape) == ("Sequential", "Sequential", (2,))


def test_attention_counts_the_same_on_torchs_fast_path() -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True).eval()
    learning = count(layer, (5, 16))
    layer.requires_grad_(False)
    with torch.no_grad():
        frozen = count(layer, (5, 16))
    assert frozen.forward == learning.forward
    # Four projections, scores and their mixture, two linear layers.
    assert learning.forward.multiply_adds == 5 * 16 * 16 * 4 + 2 * 5 * 5 * 16 + 2 * 5 * 16 * 32
    second = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32), 2, enable_nested_tensor=False)
    assert count(second, (5, 16)).forward.multiply_adds == 2 * learning.forward.multiply_adds


def test_layers_run_in_any_structure_give_the_same_total() -> None:
    class Groups(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)})

        def forward(self, x: Tensor) -> dict[str, Any]:
            return {"out": [part(x) for part in self.parts.values()], "n": 2}

    counted = count(Groups(), (4,))
    assert [layer.name for layer in counted.layers] == ["parts.a", "parts.b"]
    assert counted.step.multiply_adds == 4 * 16


def test_a_network_without_an_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            while True:
                x = x + 1

    monkeypatch.setattr(watching, "MAX_OPERATIONS", 1000)
    with pytest.raises(UsageError, match="1,000 operations"):
        count(Endless(), (3,))
