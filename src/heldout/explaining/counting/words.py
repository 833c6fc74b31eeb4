"""What is said about every count: the answer first, other operations, the training step, and the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heldout.anatomy.counting.counts import Count, LayerCount, Operations, Parameters, ReceptiveField
from heldout.anatomy.counting.layer_words import shape_words
from heldout.anatomy.counting.operation_rules_single import ACTIVATION_RULE, RULES
from heldout.explaining.counting.equations import digits
from heldout.explaining.document import Formula, Part, Section, Table, Text

# So many layers are named where a training step is explained; the others are a number.
_MOST_NAMED = 3
SOURCES = (
    "K. He, X. Zhang, S. Ren and J. Sun, Deep residual learning for image recognition (2016), table 1: what is called "
    "FLOPs there, 1.8 * 10^9 for ResNet-18, are multiply-adds.",
    "V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep learning (2016): shapes.",
    "A. Griewank and A. Walther, Evaluating derivatives, 2nd edition (2008), chapter 4: what a gradient costs.",
)


def field_words(field: ReceptiveField | None) -> str:
    """The receptive field of one output.

    Example:
        >>> field_words(ReceptiveField((7, 7), (2.0, 2.0))), field_words(ReceptiveField()), field_words(None)
        ('7x7', 'whole', '-')
    """
    if field is None:
        return "-"
    return "x".join(map(str, field.size)) or "whole"


def answer(count: Count, notes: Sequence[str] = ()) -> Section:
    """All that is asked for most, on one screen.

    Args:
        count: Of the model.
        notes: What a reader has to know besides the count's own notes.
    """
    forward, step, parameters = count.forward, count.step, count.parameters
    rows = [
        ("input", shape_words(count.input_shape)),
        ("output", shape_words(count.layers[-1].output_shape) if count.layers else "-"),
        ("parameters", _parameter_words(parameters)),
        ("multiply-adds", _multiply_add_words(forward)),
        ("FLOPs (2 a multiply-add)", f"{forward.flops:,}"),
        ("other operations", _other_words(forward)),
        ("training step, FLOPs", f"{step.flops:,}"),
        ("activations", f"{count.activation_bytes:,} bytes"),
        ("kept for the backward pass", f"{count.saved_bytes:,} bytes"),
    ]
    if count.layers and (field := count.layers[-1].receptive_field) is not None:
        rows.append(("receptive field of an output", _long_field_words(field)))
    return Section(
        "Answer", (Table(("", "for one example"), tuple(rows)), *(Text(note) for note in (*notes, *count.notes)))
    )


def _parameter_words(parameters: Parameters) -> str:
    parts = []
    if parameters.frozen:
        parts.append(f"{parameters.trainable:,} learn, {parameters.frozen:,} are frozen")
    if parameters.buffers:
        parts.append(f"{parameters.buffers:,} more numbers in buffers")
    return f"{parameters.total:,}" + (f" ({'; '.join(parts)})" if parts else "")


def _multiply_add_words(forward: Operations) -> str:
    zeros = forward.multiply_adds - forward.on_data
    more = f" ({forward.on_data:,} on data, {zeros:,} with the zeros of a padding)" if zeros else ""
    return f"{forward.multiply_adds:,}{more}"


def _other_words(forward: Operations) -> str:
    number = f"{sum(forward.other.values()):,}"
    return f"{number} ({next(iter(forward.other))})" if len(forward.other) == 1 else number


def _long_field_words(field: ReceptiveField) -> str:
    if not field.size:
        return "the whole input"
    jumps = "x".join(f"{jump:g}" for jump in field.jump)
    return f"{field_words(field)} of the input; from one output to the next {jumps}"


def other_operations(count: Count) -> Section | None:
    """Every kind on a line of its own, then the rules they are counted by; None where there is none."""
    forward, step = count.forward.other, count.step.other
    if not step:
        return None
    kinds = sorted(step, key=lambda kind: -step[kind])
    rows = tuple((kind, f"{forward.get(kind, 0):,}", f"{step[kind]:,}") for kind in kinds)
    table = Table(("kind", "forward, in evaluation", "training step"), rows, frozenset({1, 2}))
    words = Text("Counted in single operations, and in no FLOPs above. An entry is one number of a layer's output.")
    told = tuple(Text(f"{kind[0].upper()}{kind[1:]}: {RULES.get(kind, ACTIVATION_RULE)}.") for kind in kinds)
    return Section("Other operations", (words, table, *told))


# The training step


@dataclass(frozen=True, slots=True)
class Saving:
    """Layers whose backward pass leaves something out, and why.

    Attributes:
        why: In words.
        layers: Their names.
        multiply_adds: Left out of the two that each of the forward pass has behind it; negative where there are more.
    """

    why: str
    layers: tuple[str, ...]
    multiply_adds: int


def savings(layers: Sequence[LayerCount]) -> tuple[Saving, ...]:
    """What of three times the forward pass a training step does not compute.

    Args:
        layers: Of the network.
    """
    gathered: dict[str, list[LayerCount]] = {}
    for layer in layers:
        if _left_out(layer):
            gathered.setdefault(_why(layer), []).append(layer)
    return tuple(
        Saving(why, tuple(layer.name for layer in found), sum(map(_left_out, found))) for why, found in gathered.items()
    )


def _left_out(layer: LayerCount) -> int:
    return 2 * layer.forward_in_training.multiply_adds - layer.backward.multiply_adds


def _why(layer: LayerCount) -> str:
    parameters = layer.parameters
    if _left_out(layer) < 0:
        return "computed once more there, in the backward pass"
    if layer.backward.multiply_adds == 0:
        return "no gradient comes there" if parameters.trainable else "nothing there or before learns"
    if not parameters.total:
        return "one of the factors needs no gradient"
    if not parameters.trainable:
        return "the weights are frozen and need no gradient"
    if layer.kind in {"LSTM", "GRU", "RNN"}:
        return "the first state, or that and the input, needs no gradient"
    return "some weights, or the input, need no gradient" if parameters.frozen else "the input needs no gradient"


def training_step(count: Count) -> Section:
    """The rule with its numbers: three times the forward pass, less what needs no gradient."""
    forward, backward, step = count.forward_in_training.flops, count.backward.flops, count.step.flops
    rule = Text(
        "Each product of the forward pass has one behind it in the gradient of the weights and one in the gradient of "
        "the layer's input: three times the forward pass, less what needs no gradient."
    )
    kinds = _kinds(count.forward_in_training, count.backward)
    title = "Training step, without the optimiser's own arithmetic"
    if not step:
        return Section(title, (kinds,))
    parts: list[Part] = [rule]
    spared = savings(count.layers)
    terms = [(each, 2 * abs(each.multiply_adds), "-" if each.multiply_adds > 0 else "+") for each in spared]
    plain = "".join(f" {sign} {flops:,}" for _, flops, sign in terms)
    latex = "".join(f" {sign} {digits(flops)}" for _, flops, sign in terms)
    assert 3 * forward - sum(2 * each.multiply_adds for each in spared) == step, (forward, backward, step)
    parts.append(
        Formula(f"3*{forward:,}{plain} = {step:,} FLOPs", rf"3 \cdot {digits(forward)}{latex} = {digits(step)}")
    )
    is_single = len(count.layers) == 1
    parts += [
        Text(f"{sign} {flops:,}{'' if is_single else _named(each.layers)}: {each.why}.") for each, flops, sign in terms
    ]
    if _is_first_input_alone(count, spared):
        parts.append(
            Text(f"With the gradient of the input itself (--input-gradient) it is 3*{forward:,} = {3 * forward:,}.")
        )
    return Section(title, (*parts, kinds))


def _is_first_input_alone(count: Count, spared: Sequence[Saving]) -> bool:
    """Whether all that is spared is the gradient of the input of one layer whose products have two factors."""
    if count.input_has_gradient or len(spared) != 1 or len(spared[0].layers) != 1:
        return False
    first = next(layer for layer in count.layers if layer.name == spared[0].layers[0])
    return bool(first.parameters.trainable) and spared[0].multiply_adds == first.forward_in_training.multiply_adds


def _named(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f" at the layer {names[0]}"
    shown = ", ".join(names[:_MOST_NAMED])
    return f" at the layers {shown}" + (f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else "")


def _kinds(forward: Operations, backward: Operations) -> Table:
    passes: Mapping[str, Operations] = {
        "forward": forward,
        "backward": backward,
        "training step": forward + backward,
    }
    rows = tuple(
        (name, f"{each.multiply_adds:,}", f"{each.flops:,}", f"{sum(each.other.values()):,}")
        for name, each in passes.items()
    )
    return Table(("", "multiply-adds", "FLOPs", "other operations"), rows, frozenset({1, 2, 3}), total=True)


def rules() -> Section:
    """How it was counted."""
    return Section(
        "How this is counted",
        (
            Text(
                "A multiply-add is one multiplication and the addition of its product to a running sum, in "
                "convolutions, linear layers, matrix products, attention and recurrent layers. FLOPs are two a "
                "multiply-add. Products with the zeros of a padding count, because processors compute them. Biases, "
                "normalisation, activations, pooling and all else are counted apart, in single operations. "
                "Activations are the outputs of all layers, in bytes."
            ),
        ),
    )
