"""Whole networks: published and hand values, what is not needed in training, memory, speed."""

import time
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from anatomy.small_networks import layers, small
from heldout.anatomy.counting.counting import count
from heldout.anatomy.counting.counts import Operations, Parameters, ReceptiveField
from heldout.models.resnet import RESNETS, ResNet

# Hand values


def test_the_write_ups_convolution() -> None:
    counted = count(nn.Conv2d(10, 20, 3), (10, 48, 64))
    (layer,) = counted.layers
    assert layer.output_shape == (20, 46, 62)
    assert counted.parameters == layer.parameters == Parameters(trainable=1_820)
    assert counted.forward.multiply_adds == 5_133_600 == 20 * 256_680
    assert counted.forward.additions == 5_133_600
    assert counted.forward.multiplications + counted.forward.additions == 10_267_200 == counted.forward.flops
    without = count(nn.Conv2d(10, 20, 3, bias=False), (10, 48, 64)).forward
    assert without.additions == 5_133_600 - 57_040 == 5_076_560
    assert without.multiplications + without.additions == 10_210_160


def test_padding_groups_and_transposed() -> None:
    same = count(nn.Conv2d(10, 20, 3, padding="same"), (10, 48, 64)).forward
    assert (same.multiply_adds, same.on_data) == (5_529_600, 5_396_000)
    grouped = count(nn.Conv2d(10, 20, 3, groups=10), (10, 48, 64))
    assert grouped.step.flops == 2_053_440
    assert count(nn.Conv2d(10, 20, 3, groups=10), (10, 48, 64), input_has_gradient=True).step.flops == 3_080_160
    assert count(nn.ConvTranspose2d(10, 20, 3, 2), (10, 48, 64)).forward.multiply_adds == 5_529_600


@pytest.mark.parametrize(("name", "flops"), [("resnet18", 3_628_146_688), ("resnet34", 7_327_522_816)])
def test_resnets_on_imagenet(name: str, flops: int) -> None:
    with torch.device("meta"):
        net = ResNet(RESNETS[name], 1000)
    counted = count(net, (3, 224, 224))
    assert counted.forward.flops == flops
    assert counted.notes == ()
    assert counted.parameters.total == sum(each.numel() for each in net.parameters())
    assert sum((layer.parameters for layer in counted.layers), Parameters()) == counted.parameters
    first = 236_027_904
    assert counted.step.flops == 3 * flops - first
    if name == "resnet18":
        assert counted.step.flops == 10_648_412_160
        assert counted.parameters == Parameters(trainable=11_689_512, buffers=9_620)
        assert count(net, (3, 224, 224), input_has_gradient=True).step.flops == 10_884_440_064
        # 7 and a pool of 3 at 2 make 11; four 3x3 at 4 make 43; then 1 and 3 more of a stage at 4 and 8, 8 and 16,
        # 16 and 32: 43 + 8 + 48 = 99, + 16 + 96 = 211, + 32 + 192 = 435.
        assert layers(counted)["layer4.1.conv2"].receptive_field == ReceptiveField((435, 435), (32, 32))
        assert layers(counted)["fc"].receptive_field == ReceptiveField()


def test_operations_beside_the_products_of_resnet18() -> None:
    with torch.device("meta"):
        counted = count(ResNet(RESNETS["resnet18"], 1000), (3, 224, 224))
    # Entries of all maps: the stem's, four convolutions of each stage and its shortcut.
    stem, stages = 64 * 112**2, [64 * 56**2, 128 * 28**2, 256 * 14**2, 512 * 7**2]
    normalised = stem + 4 * sum(stages) + sum(stages[1:])
    assert counted.forward.other["batch normalisation"] == 2 * normalised
    assert counted.forward_in_training.other["batch normalisation"] == 6 * normalised
    assert counted.forward.other["relu"] == stem + 4 * sum(stages)
    assert counted.forward.other["max pooling"] == 8 * 64 * 56**2
    assert counted.forward.other["element-wise"] == 2 * sum(stages)
    assert counted.forward.other["bias adds"] == 1000
    assert layers(counted)["layer1.0.relu"].n_calls == 2


def test_all_parameters_and_buffers_have_a_layer() -> None:
    for train in (None, True, False):
        counted = count(nn.BatchNorm2d(4), (4, 3, 3), train=train)
        assert counted.layers[0].parameters == counted.parameters == Parameters(trainable=8, buffers=9)


# What is needed in training


def test_nothing_goes_back_below_the_lowest_layer_that_learns() -> None:
    net = small()
    net[0].requires_grad_(False)
    found = layers(count(net, (3, 8, 8)))
    assert found["0"].backward == found["1"].backward == Operations()
    assert found["2"].backward.multiply_adds == found["2"].forward.multiply_adds
    assert found["4"].backward.multiply_adds == 2 * found["4"].forward.multiply_adds
    assert found["0"].parameters == Parameters(frozen=112)
    net.requires_grad_(False)
    assert count(net, (3, 8, 8)).backward == Operations()
    through = count(net, (3, 8, 8), input_has_gradient=True)
    assert through.backward.multiply_adds == through.forward.multiply_adds
    assert all(each.requires_grad is False for each in net.parameters())


def test_a_frozen_layer_between_learning_ones_hands_its_gradient_on() -> None:
    net = small()
    net[2].requires_grad_(False)
    found = layers(count(net, (3, 8, 8)))
    assert found["2"].backward.multiply_adds == found["2"].forward.multiply_adds
    assert found["0"].backward.multiply_adds == found["0"].forward.multiply_adds


def test_what_is_detached_or_leads_nowhere_costs_nothing_on_the_way_back() -> None:
    class Teacher(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.teacher, self.student, self.idle = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
            self.never = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            self.idle(x)
            return torch.sub(self.student(x), self.teacher(x).detach())

    counted = count(Teacher(), (8,))
    found = layers(counted)
    assert [found[name].backward.multiply_adds for name in ("teacher", "student", "idle")] == [0, 64, 0]
    assert counted.notes == ("12 parameters take no part in the pass: never.weight, never.bias.",)
    assert counted.parameters.total == 3 * 72 + 12


def test_gradients_of_what_is_used_twice_are_added() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared = nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            once = self.shared(x)
            return torch.add(self.shared(once), once)

    counted = count(Twice(), (8,))
    found = layers(counted)["shared"]
    assert found.n_calls == 2
    assert found.parameters.total == 72
    assert found.forward.multiply_adds == 2 * 64
    # Two gradients of the weight, one of the second call's input.
    assert found.backward.multiply_adds == 3 * 64
    # The weight's two gradients, the bias's two, and the two of `once`.
    assert counted.backward.other == {"gradient sums": 64 + 8 + 8}


def test_tied_weights_are_counted_where_they_are_met_first() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.scores = nn.Embedding(50, 8), nn.Linear(8, 50, bias=False)
            self.scores.weight = self.words.weight

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.scores(self.words(x))
            return scores

    counted = count(Tied(), (7,))
    assert counted.parameters == Parameters(trainable=400)
    assert [layer.parameters.total for layer in counted.layers] == [400, 0]
    assert counted.forward.multiply_adds == 7 * 8 * 50
    assert counted.notes == ("The input is taken as whole numbers: ids.",)
    assert count(Tied(), (7,), dtype="long").notes == ()


def test_training_and_evaluation() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout())
    counted = count(net, (3,))
    found = layers(counted)
    assert (found["1"].forward.other, found["1"].forward_in_training.other) == (
        {"batch normalisation": 8},
        {"batch normalisation": 24},
    )
    assert (found["2"].forward.other, found["2"].forward_in_training.other) == ({}, {"dropout": 12})
    assert found["0"].training is None
    assert counted.step == counted.forward_in_training + counted.backward
    assert count(net, (3,), train=True).forward.other["batch normalisation"] == 24
    assert count(net, (3,), train=False).step.other["batch normalisation"] < counted.step.other["batch normalisation"]
    net[1].eval()  # a part that is still, in a model that learns
    assert layers(count(net, (3,)))["1"].training is None
    net.eval()
    assert count(net, (3,)).forward_in_training.other["batch normalisation"] == 24


def test_one_example_of_one_pixel_can_be_normalised() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 8), nn.BatchNorm2d(4), nn.Flatten(), nn.BatchNorm1d(4))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        net(torch.zeros(1, 3, 8, 8))
    counted = count(net, (3, 8, 8))
    assert counted.notes == ()
    assert counted.forward_in_training.other["batch normalisation"] == 2 * 6 * 4
    assert count(nn.GroupNorm(4, 4), (4,)).forward.other == {"group normalisation": 8 * 4}


def test_layers_of_training_alone_stand_where_they_are_run() -> None:
    class Helped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.aside, self.head = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Any:
            x = torch.relu(self.body(x))
            return (self.head(x), self.aside(x).tanh()) if self.training else self.head(x)

    counted = count(Helped(), (3,))
    assert [layer.name for layer in counted.layers] == ["body", "relu", "head", "aside", "tanh"]
    assert layers(counted)["aside"].forward == Operations()
    assert layers(counted)["aside"].forward_in_training.multiply_adds == 8
    assert counted.parameters.total == sum(layer.parameters.total for layer in counted.layers)
    assert counted.forward.multiply_adds == 12 + 8


# Memory


def test_memory_of_a_network_by_hand() -> None:
    counted = count(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(144, 2)), (3, 8, 8)
    )
    assert [layer.activation_bytes for layer in counted.layers] == [4 * 144, 0, 0, 4 * 2]
    assert counted.activation_bytes == 4 * 146
    # The convolution keeps its input, the ReLU its result, which is the linear layer's input as well.
    assert counted.saved_bytes == 4 * 3 * 8 * 8 + 4 * 144
    half = count(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).half(), (3, 8, 8))
    assert [layer.activation_bytes for layer in half.layers] == [2 * 144, 2 * 144]


def test_what_is_kept_is_what_torch_keeps() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.GELU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2)
    )
    kept: dict[int, int] = {}
    own = {each.untyped_storage().data_ptr() for each in (*net.parameters(), *net.buffers())}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.numel() and tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = net(torch.randn(2, 3, 8, 8)[:1].clone())
    assert result.requires_grad
    assert count(net, (3, 8, 8)).saved_bytes == sum(kept.values())


# Speed


def chain(n: int) -> nn.Module:
    with torch.device("meta"):
        return nn.Sequential(
            *[layer for _ in range(n // 2) for layer in (nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.ReLU())]
        )


@pytest.mark.slow
def test_a_thousand_layers_take_ten_times_as_long_as_a_hundred() -> None:
    def seconds(net: nn.Module) -> float:
        start = time.process_time()
        count(net, (4, 8, 8), train=True)
        return time.process_time() - start

    short, long = chain(100), chain(1000)
    least = min(seconds(short) for _ in range(2))
    start = time.process_time()
    counted = count(long, (4, 8, 8), train=True)
    # Quadratic would be a hundred times; twice ten leaves room for a busy machine.
    assert time.process_time() - start < 20 * max(least, 0.02)
    assert len(counted.layers) == 1000
    assert counted.forward.multiply_adds == 500 * 4 * 4 * 9 * 64
