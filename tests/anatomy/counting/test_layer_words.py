"""Layers and shapes in words, and what is said to words that cannot be meant."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from heldout.anatomy.counting.layer_words import LayerWords, layer_of, parse_layer, parse_shape, shape_words
from heldout.errors import UsageError


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        ("3x224x224", (3, 224, 224)),
        (" 1 x 64 X 64 ", (1, 64, 64)),
        ("3,32,32", (3, 32, 32)),
        ("(32, 16)", (32, 16)),
        ("512", (512,)),
        ("(512,)", (512,)),
        ("3×8×8", (3, 8, 8)),
    ],
)
def test_a_shape_is_whole_numbers_with_something_between(words: str, shape: tuple[int, ...]) -> None:
    assert parse_shape(words) == shape
    assert parse_shape(shape_words(shape)) == shape


@pytest.mark.parametrize(
    "words",
    [
        *("", " ", "x", "3x", "3xx4", "0x3", "3x-1", "3x2.5", "three", "nan", "1e3", "3;4", "__import__('os')", "("),
        *("()", "3x1000000000000x1000000000000", "1x1x1x1x1x1x1x1x1", "9" * 400, "٣x٣", "²"),
    ],
)
def test_what_is_no_shape_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="no shape"):
        parse_shape(words)


def test_a_convolution_says_all_its_settings() -> None:
    layer = parse_layer("conv 10->20 kernel 3x5 stride 2 padding 1x2 dilation 2 groups 10 no bias")
    assert layer == LayerWords(
        words="conv 10->20 kernel 3x5 stride 2 padding 1x2 dilation 2 groups 10 no bias",
        kind="conv",
        n_inputs=10,
        n_outputs=20,
        n_axes=2,
        kernel=(3, 5),
        stride=(2,),
        padding=(1, 2),
        dilation=(2,),
        groups=10,
        bias=False,
    )


@pytest.mark.parametrize(
    ("words", "shape", "module"),
    [
        ("conv 1->96 kernel 8 stride 4", (1, 64, 64), nn.Conv2d(1, 96, 8, stride=4)),
        ("Convolution 1 → 96, kernel 8, stride 4", (1, 64, 64), nn.Conv2d(1, 96, 8, stride=4)),
        ("conv 1->96 kernel full", (1, 60, 64), nn.Conv2d(1, 96, (60, 64))),
        ("conv 10->20 kernel 3 valid", (10, 48, 64), nn.Conv2d(10, 20, 3)),
        ("conv 10->20 kernel 3 same groups 10 dilation 2 no bias", (10, 48, 64), None),
        ("conv1d 4->8 kernel 3", None, nn.Conv1d(4, 8, 3)),
        ("conv 4->8 kernel 3", (4, 50), nn.Conv1d(4, 8, 3)),
        ("conv3d 4->8 kernel 1x2x3", None, nn.Conv3d(4, 8, (1, 2, 3))),
        ("depthwise 32 kernel 3", None, nn.Conv2d(32, 32, 3, groups=32)),
        ("depthwise conv 32 kernel 3", None, nn.Conv2d(32, 32, 3, groups=32)),
        (
            "transposed 10->20 kernel 3 stride 2 output padding 1",
            (10, 4, 4),
            nn.ConvTranspose2d(10, 20, 3, stride=2, output_padding=1),
        ),
        ("linear 512->10 without bias", (512,), nn.Linear(512, 10, bias=False)),
        ("dense 512->10", (512,), nn.Linear(512, 10)),
        ("lstm 32->64 layers 2 bidirectional", (5, 32), nn.LSTM(32, 64, 2, bidirectional=True, batch_first=True)),
        ("lstm 32->64 projection 16", (5, 32), nn.LSTM(32, 64, proj_size=16, batch_first=True)),
        ("gru 3->4", (5, 3), nn.GRU(3, 4, batch_first=True)),
        ("rnn 3->4 no bias", (5, 3), nn.RNN(3, 4, bias=False, batch_first=True)),
        ("batch norm 64", (64, 8, 8), nn.BatchNorm2d(64)),
        ("batchnorm 64", (64,), nn.BatchNorm1d(64)),
        ("layernorm 64", (5, 64), nn.LayerNorm(64)),
        ("groupnorm 64 groups 8", (64, 4, 4), nn.GroupNorm(8, 64)),
        ("instancenorm 64", (64, 4, 4), nn.InstanceNorm2d(64)),
        ("rms norm 64", (5, 64), nn.RMSNorm(64)),
        ("maxpool kernel 3 stride 2 padding 1", (64, 8, 8), nn.MaxPool2d((3, 3), (2, 2), (1, 1), (1, 1))),
        ("average pool kernel 2", (64, 8), nn.AvgPool1d(2)),
        ("global average pool", (64, 8, 8), nn.AdaptiveAvgPool2d(1)),
        ("upsample scale 3", (3, 4, 4), nn.Upsample(scale_factor=3)),
        ("embedding 1000->64", (7,), nn.Embedding(1000, 64)),
        ("leaky relu", (8,), nn.LeakyReLU()),
        ("softmax", (8,), nn.Softmax(dim=1)),
        ("flatten", (3, 4, 4), nn.Flatten()),
    ],
)
def test_words_mean_the_module(words: str, shape: tuple[int, ...] | None, module: nn.Module | None) -> None:
    if module is None:
        module = nn.Conv2d(10, 20, 3, padding="same", groups=10, dilation=2, bias=False)
    found = layer_of(words, shape)
    assert repr(found) == repr(module)
    shapes = [(name, each.shape) for name, each in module.state_dict().items()]
    assert [(name, each.shape) for name, each in found.state_dict().items()] == shapes


def test_an_attention_attends_to_its_own_input() -> None:
    layer = layer_of("attention 64 heads 8", (10, 64), device="cpu")
    steps = torch.randn(1, 10, 64, generator=torch.Generator().manual_seed(0))
    attention = next(layer.children())
    assert isinstance(attention, nn.MultiheadAttention)
    assert attention.num_heads == 8
    assert torch.allclose(layer(steps), attention(steps, steps, steps)[0], atol=1e-5)


def test_no_number_is_drawn_for_a_layer_in_words() -> None:
    before = torch.get_rng_state()
    assert all(each.is_meta for each in layer_of("linear 1000000->1000000").parameters())
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "names no layer"),
        ("   ", "names no layer"),
        ("x" * 1000, "names no layer"),
        ("convv 1->2 kernel 3", 'did you mean "conv"'),
        ("conv", "size is missing"),
        ("conv 1>2 kernel 3", "'1>2' stands where its size is to be"),
        ("conv 1->2", "kernel is missing"),
        ("conv 1->2 kernl 3", 'did you mean "kernel"'),
        ("conv 1->2 kernel", "kernel has no value"),
        ("conv 1->2 kernel three", "kernel is 'three'"),
        ("conv 1->2 kernel 0", "kernel is 0"),
        ("conv 1->2 kernel -3", "kernel is '-3'"),
        ("conv 1->2 kernel 3 kernel 5", "kernel is said twice"),
        ("conv 1->2 kernel 3 same valid", "padding is said twice"),
        ("conv 1->2 kernel 3 stride 2 same", "stride 1"),
        ("conv 1->2 kernel 3 heads 2", "no setting 'heads'"),
        ("conv 10->20 kernel 3 groups 3", "evenly"),
        ("conv 1->99999999 kernel 3", "whole number from 1"),
        ("conv1d 1->2 kernel 3x3", "different numbers of axes"),
        ("conv 1->2 kernel 3x3x3x3", "kernel is '3x3x3x3'"),
        ("linear 5->2 kernel 3", "no setting 'kernel'"),
        ("attention 10 heads 3", "evenly"),
        ("groupnorm 10 groups 3", "evenly"),
        ("lstm 2->4 projection 4", "projection is 4"),
        ("lstm 2->4 layers 100000", "at most 1,000"),
        ("relu 5", "'5' is not known"),
        ("__import__('os').system('true')", "is no kind of layer"),
        ("conv 1->2 kernel ٣", "kernel is"),
    ],
)
def test_words_that_cannot_be_meant_say_why(words: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_layer(words)
    told = f"{caught.value.what} {caught.value.expected}"
    assert said in told


@pytest.mark.parametrize(
    ("words", "shape", "said"),
    [
        ("conv 1->2 kernel full", None, "there is no input"),
        ("conv 3->2 kernel 3", (1, 8, 8), "takes 3 channels"),
        ("conv 3->2 kernel 3", (3,), "does not fit"),
        ("conv3d 3->2 kernel 3", (3, 8, 8), "does not fit"),
        ("maxpool kernel 3", (1, 2, 3, 4, 5), "does not fit"),
        ("linear 1000000->1000000", None, ""),
        ("conv3d 1000000->1000000 kernel 1000000", None, "cannot be built"),
    ],
)
def test_a_layer_and_an_input_that_do_not_fit(words: str, shape: tuple[int, ...] | None, said: str) -> None:
    if not said:
        assert layer_of(words, shape) is not None
        return
    with pytest.raises(UsageError, match=said):
        layer_of(words, shape)


def test_words_are_read_without_torch() -> None:
    code = (
        "import sys, heldout.anatomy.counting.layer_words as words; words.parse_layer('relu'); "
        "print('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "False\n"
