"""A layer in words: `conv 1->96 kernel 8 stride 4`; and a shape in words: `1x64x64`. Imports no torch.

conv 10->20 kernel 3 same groups 10 dilation 2 no bias      also conv1d, conv3d, kernel 3x5, kernel full, padding 1x2
depthwise 32 kernel 3                                       transposed 10->20 kernel 3 stride 2 output padding 1
linear 512->10                                              attention 64 heads 8
lstm 32->64 layers 2 bidirectional projection 16            also gru, rnn
batchnorm 64, layernorm 64, groupnorm 64 groups 8, instancenorm 64, rmsnorm 64, embedding 1000->64
maxpool kernel 3 stride 2 padding 1, avgpool kernel 2, global average pool, upsample scale 2, flatten, relu, gelu ...
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

from heldout.errors import UsageError, nearest

if TYPE_CHECKING:
    from torch import nn

# Larger settings are mistakes, and inputs of more entries than this fit no machine.
MAX_SETTING = 1_000_000
MAX_ENTRIES = 1 << 50
MAX_AXES = 8


@dataclass(frozen=True, slots=True)
class LayerWords:
    """A layer, with all that was said about it and what is meant where nothing was.

    Settings of one length count for every axis.

    Attributes:
        words: As they were written.
        kind: What it is, such as `conv`.
        n_inputs: Channels, features or ids that come in; 0 where the kind asks for none.
        n_outputs: Channels or features that go out.
        n_axes: Axes of space; 0 where the input is to say it.
        kernel: Of a convolution or pooling; empty for `full`: as large as the input.
        stride: Empty for that of the kind: 1 in convolutions, the kernel in poolings.
        padding: On both sides; empty for `same`: the output is as large as the input.
        dilation: From one tap of the kernel to the next.
        output_padding: Of a transposed convolution.
        groups: Of channels that do not see each other.
        bias: Whether there is one.
        n_heads: Of an attention.
        n_layers: Of a recurrent layer, on top of each other.
        bidirectional: Whether a recurrent layer runs both ways.
        projection: Of an LSTM's state; 0 without.
        scale: Of an upsampling.
    """

    words: str
    kind: str
    n_inputs: int = 0
    n_outputs: int = 0
    n_axes: int = 0
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = (0,)
    dilation: tuple[int, ...] = (1,)
    output_padding: tuple[int, ...] = (0,)
    groups: int = 1
    bias: bool = True
    n_heads: int = 1
    n_layers: int = 1
    bidirectional: bool = False
    projection: int = 0
    scale: int = 2


ACTIVATIONS = (
    "relu", "relu6", "leakyrelu", "gelu", "silu", "elu", "selu", "mish", "sigmoid", "tanh", "softplus", "hardswish",
    "hardsigmoid", "softmax",
)  # fmt: skip
_RECURRENT = frozenset({"bias", "layers", "bidirectional"})
# The options of each kind, and the sizes it begins with: a pair `10->20`, one number, or none.
_KINDS: Mapping[str, tuple[str, frozenset[str]]] = {
    "conv": ("pair", frozenset({"kernel", "stride", "padding", "dilation", "groups", "bias"})),
    "depthwise": ("one", frozenset({"kernel", "stride", "padding", "dilation", "bias"})),
    "transposed": (
        "pair",
        frozenset({"kernel", "stride", "padding", "dilation", "groups", "bias", "output padding"}),
    ),
    "linear": ("pair", frozenset({"bias"})),
    "attention": ("one", frozenset({"heads", "bias"})),
    "lstm": ("pair", _RECURRENT | {"projection"}),
    "gru": ("pair", _RECURRENT),
    "rnn": ("pair", _RECURRENT),
    "embedding": ("pair", frozenset()),
    "batchnorm": ("one", frozenset()),
    "layernorm": ("one", frozenset()),
    "groupnorm": ("one", frozenset({"groups"})),
    "instancenorm": ("one", frozenset()),
    "rmsnorm": ("one", frozenset()),
    "maxpool": ("none", frozenset({"kernel", "stride", "padding", "dilation"})),
    "avgpool": ("none", frozenset({"kernel", "stride", "padding"})),
    "globalpool": ("none", frozenset()),
    "upsample": ("none", frozenset({"scale"})),
    "flatten": ("none", frozenset()),
    **dict.fromkeys(ACTIVATIONS, ("none", frozenset())),
}
_OTHER_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("convolution", "convolutional"), "conv"),
    **dict.fromkeys(("depthwiseconv", "depthwiseconvolution", "convdepthwise"), "depthwise"),
    **dict.fromkeys(
        ("transposedconv", "transposedconvolution", "convtransposed", "convtranspose", "deconv"), "transposed"
    ),
    **dict.fromkeys(("dense", "fullyconnected", "fc"), "linear"),
    **dict.fromkeys(("selfattention", "multiheadattention"), "attention"),
    **dict.fromkeys(("averagepool", "avgpooling", "averagepooling"), "avgpool"),
    "maxpooling": "maxpool",
    **dict.fromkeys(("globalaveragepool", "globalaveragepooling", "globalavgpool"), "globalpool"),
    **{f"{way}normalisation": f"{way}norm" for way in ("batch", "layer", "group", "instance", "rms")},
    "swish": "silu",
}
# Options with a value: what the value is, and the field it sets.
_VALUES = {
    "kernel": "kernel", "stride": "stride", "padding": "padding", "dilation": "dilation",
    "output padding": "output_padding", "groups": "groups", "heads": "n_heads", "layers": "n_layers",
    "projection": "projection", "scale": "scale",
}  # fmt: skip
_PER_AXIS = frozenset({"kernel", "stride", "padding", "dilation", "output padding"})
_WITH_ZERO = frozenset({"padding", "output padding"})
# Words that stand for a setting with its value.
_FLAGS: Mapping[str, tuple[str, Any]] = {
    "valid": ("padding", (0,)),
    "same": ("padding", ()),
    "bidirectional": ("bidirectional", True),
    "bias": ("bias", True),
    "no bias": ("bias", False),
    "without bias": ("bias", False),
}


def parse_layer(words: str) -> LayerWords:
    """The layer that words describe.

    Args:
        words: The kind, its sizes, then options in any order; see the top of this file.

    Raises:
        UsageError: A word is not known, does not belong to the kind, is missing, or is said twice.

    Example:
        >>> layer = parse_layer("conv 1->96 kernel 8 stride 4")
        >>> layer.n_outputs, layer.kernel, layer.stride, layer.padding, layer.bias
        (96, (8,), (4,), (0,), True)
    """
    reader = _Reader(words)
    kind, n_axes = reader.kind()
    sizes, options = _KINDS[kind]
    n_inputs, n_outputs = reader.sizes(kind, sizes)
    given = reader.options(kind, options)
    layer = replace(LayerWords(words, kind, n_inputs, n_outputs, n_axes), **given)
    if kind == "depthwise":
        layer = replace(layer, kind="conv", n_outputs=n_inputs, groups=n_inputs)
    return _checked(layer)


def layer_of(layer: LayerWords | str, input_shape: Sequence[int] | None = None, *, device: str = "meta") -> "nn.Module":
    """The module that words describe.

    Args:
        layer: In words.
        input_shape: Of one example: how large a full kernel is, and how many axes there are where nothing says it.
        device: Where its numbers are; torch's meta device has none, so that nothing is drawn.

    Raises:
        UsageError: The words are none, or the layer and the input do not fit.

    Example:
        >>> layer_of("conv 10->20 kernel 3 same")
        Conv2d(10, 20, kernel_size=(3, 3), stride=(1, 1), padding=same)
    """
    from heldout.anatomy.counting.layer_building import built

    return built(parse_layer(layer) if isinstance(layer, str) else layer, input_shape, device)


def parse_shape(words: str) -> tuple[int, ...]:
    """The shape that words such as `3x224x224` describe.

    Args:
        words: Whole numbers with `x`, commas or spaces between them.

    Raises:
        UsageError: They are no shape, or too large.

    Example:
        >>> parse_shape("3x224x224"), parse_shape("(32, 16)")
        ((3, 224, 224), (32, 16))
    """
    bare = words.strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1].rstrip().removesuffix(",")
    parts = re.split(r"\s*[x×*,]\s*|\s+", bare.strip(), flags=re.IGNORECASE) if len(words) <= 200 else []
    fine = all(re.fullmatch("[0-9]{1,15}", part, re.ASCII) and int(part) for part in parts)
    if not parts or not fine or len(parts) > MAX_AXES or prod(map(int, parts)) > MAX_ENTRIES:
        raise UsageError(
            f"the input is {words[:80]!r}, which is no shape",
            expected="the shape of one example without the batch axis: 1 to 8 whole numbers from 1 on, with x between",
            fix="write 3x224x224 for pictures (channels x height x width), 32x16 for sequences (steps x features)",
        )
    return tuple(map(int, parts))


def shape_words(shape: Sequence[int]) -> str:
    """A shape as `parse_shape` reads it.

    Args:
        shape: Whole numbers.

    Example:
        >>> shape_words((3, 224, 224))
        '3x224x224'
    """
    return "x".join(map(str, shape))


class _Reader:
    """Reads the words of a layer from left to right."""

    def __init__(self, words: str) -> None:
        if not isinstance(words, str) or not words.strip() or len(words) > 200:
            raise _wrong(str(words)[:80], "it names no layer", "one layer, such as conv 1->96 kernel 8 stride 4")
        self.words = words
        text = re.sub(r"\s*(?:->|→)\s*", "->", words.lower().replace("×", "x"))
        text = re.sub(r"(?<=[0-9])\s*x\s*(?=[0-9])", "x", text)
        self.rest = [word for word in re.split(r"[\s,;]+", text.replace("_", " ")) if word]

    def wrong(self, what: str, expected: str) -> UsageError:
        return _wrong(self.words, what, expected)

    def kind(self) -> tuple[str, int]:
        """The kind, and its axes where a number says them, as in `conv1d`; as many words as there are of it."""
        for n_words in (3, 2, 1):
            phrase = "".join(self.rest[:n_words]).replace("-", "")
            axes = re.fullmatch(r"(.*?)([123])d", phrase)
            name = axes[1] if axes else phrase
            name = _OTHER_NAMES.get(name, name)
            if name in _KINDS and len(self.rest) >= n_words:
                self.rest = self.rest[n_words:]
                return name, int(axes[2]) if axes else 0
        first = self.rest[0]
        known = [*_KINDS, *_OTHER_NAMES]
        raise self.wrong(f"{first!r} is no kind of layer{nearest(first, known)}", f"one of {', '.join(_KINDS)}")

    def sizes(self, kind: str, form: str) -> tuple[int, int]:
        """How many come in and go out."""
        if form == "none":
            return 0, 0
        word = self.rest.pop(0) if self.rest else ""
        if form == "one" and re.fullmatch("[0-9]+", word, re.ASCII):
            number = self.number(kind, word)
            return number, number
        pair = re.fullmatch("([0-9]+)->([0-9]+)", word, re.ASCII)
        if form == "pair" and pair:
            return self.number(kind, pair[1]), self.number(kind, pair[2])
        example = {"pair": f"{kind} 10->20", "one": f"{kind} 64"}[form]
        said = f"{word!r} stands where its size is to be" if word else "its size is missing"
        raise self.wrong(said, f"words that begin with the kind and its size, such as {example}")

    def options(self, kind: str, allowed: frozenset[str]) -> dict[str, Any]:
        """The settings, by the name of their field."""
        given: dict[str, Any] = {}
        while self.rest:
            said = " ".join(self.rest[:2])
            word = said if said in _FLAGS or said in _VALUES else self.rest[0]
            del self.rest[: word.count(" ") + 1]
            if word not in _FLAGS and word not in _VALUES:
                known = [*allowed, *_FLAGS]
                raise self.wrong(f"{word!r} is not known{nearest(word, known)}", _listed(kind, allowed))
            name, meant = _FLAGS.get(word, (word, None))
            if name not in allowed:
                raise self.wrong(f"{kind} has no setting {word!r}", _listed(kind, allowed))
            if _VALUES.get(name, name) in given:
                raise self.wrong(f"{name} is said twice", "every setting once")
            given[_VALUES.get(name, name)] = self.value(name) if meant is None else meant
        if "kernel" in allowed and "kernel" not in given:
            raise self.wrong("its kernel is missing", "kernel and a number, such as kernel 3")
        return given

    def value(self, name: str) -> Any:
        """A number, or one for each axis."""
        word = self.rest.pop(0) if self.rest else ""
        if name == "padding" and word in {"valid", "same"}:
            return (0,) if word == "valid" else ()
        if name == "kernel" and word == "full":
            return ()
        pattern = "[0-9]+(x[0-9]+){0,2}" if name in _PER_AXIS else "[0-9]+"
        if not re.fullmatch(pattern, word, re.ASCII):
            said = f"{name} is {word!r}" if word else f"{name} has no value"
            raise self.wrong(said, "a whole number" + (", or one for each axis as in 3x5" if name in _PER_AXIS else ""))
        numbers = tuple(self.number(name, each) for each in word.split("x"))
        return numbers if name in _PER_AXIS else numbers[0]

    def number(self, name: str, digits: str) -> int:
        """A number that can be meant."""
        least = 0 if name in _WITH_ZERO else 1
        if len(digits) > 7 or not least <= int(digits) <= MAX_SETTING:
            raise self.wrong(f"{name} is {digits[:20]}", f"a whole number from {least} to {MAX_SETTING:,}")
        return int(digits)


def _listed(kind: str, allowed: frozenset[str]) -> str:
    listed = sorted("no bias" if each == "bias" else each for each in allowed)
    if "padding" in allowed:
        listed += ["valid"] + (["same"] if kind in {"conv", "depthwise"} else [])
    return f"the settings of {kind}: {', '.join(listed)}" if listed else f"{kind} without settings"


def _wrong(words: str, what: str, expected: str) -> UsageError:
    return UsageError(
        f"the layer {words!r}: {what}", expected=expected, fix='write it like "conv 1->96 kernel 8 stride 4"'
    )


def _checked(layer: LayerWords) -> LayerWords:
    """The layer, where its settings fit each other."""

    def refuse(condition: bool, what: str, expected: str) -> None:
        if condition:
            raise _wrong(layer.words, what, expected)

    is_convolution = layer.kind in {"conv", "transposed"}
    lengths = {len(each) for each in (layer.kernel, layer.stride, layer.padding, layer.dilation) if len(each) > 1}
    if layer.n_axes:
        lengths.add(layer.n_axes)
    refuse(len(lengths) > 1, "its settings have different numbers of axes", "one number, or one for each axis")
    if lengths and not layer.n_axes:
        layer = replace(layer, n_axes=lengths.pop())
    refuse(
        is_convolution and bool(layer.n_inputs % layer.groups or layer.n_outputs % layer.groups),
        f"{layer.groups} groups do not part {layer.n_inputs} and {layer.n_outputs} channels evenly",
        "numbers of channels that are multiples of the groups",
    )
    refuse(
        layer.kind == "groupnorm" and bool(layer.n_inputs % layer.groups),
        f"{layer.groups} groups do not part {layer.n_inputs} channels evenly",
        "a number of channels that is a multiple of the groups",
    )
    refuse(
        layer.kind == "attention" and bool(layer.n_inputs % layer.n_heads),
        f"{layer.n_heads} heads do not part {layer.n_inputs} features evenly",
        "a number of features that is a multiple of the heads",
    )
    refuse(
        not layer.padding and (layer.kind != "conv" or any(each != 1 for each in layer.stride)),
        "padding same needs a convolution of stride 1",
        "a padding as a number",
    )
    refuse(
        bool(layer.projection) and layer.projection >= layer.n_outputs,
        f"projection is {layer.projection}",
        f"fewer than the {layer.n_outputs} of the state",
    )
    refuse(layer.n_layers > 1000, f"layers is {layer.n_layers}", "at most 1,000")
    return layer
