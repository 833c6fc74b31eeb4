"""What is counted in a network: the facts of each layer, and of all of them together. Imports no torch.

The rules. One multiply-add is one multiplication and the addition of its product to a running sum; it is counted where
a dot product is taken: convolutions, linear layers, matrix products, attention, recurrent cells. FLOPs are two a
multiply-add. Everything else (bias adds, normalisation, activations, pooling, ...) stands on a line of its own, counted
in single operations, and is never mixed into the FLOPs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Operations:
    """What is computed.

    Attributes:
        multiply_adds: In all dot products; products with the zeros of a padding count, as the hardware computes them.
            So do products that a transposed convolution computes and its padding cuts off.
        on_data: Those of them whose both factors are data: without the products with the zeros of a padding, and
            without what is cut off.
        dot_products: How many sums the multiply-adds go into. The first product of a sum is added to nothing.
        other: Every other operation: its kind, such as `bias adds`, and how many.
    """

    multiply_adds: int = 0
    on_data: int = 0
    dot_products: int = 0
    other: Mapping[str, int] = field(default_factory=dict)

    @property
    def flops(self) -> int:
        """Two a multiply-add."""
        return 2 * self.multiply_adds

    @property
    def multiplications(self) -> int:
        """Of the dot products alone."""
        return self.multiply_adds

    @property
    def additions(self) -> int:
        """Of the dot products and their biases, counted exactly: a sum of n products takes n - 1 additions."""
        return self.multiply_adds - self.dot_products + self.other.get("bias adds", 0)

    def __add__(self, more: "Operations") -> "Operations":
        kinds = [*self.other, *(kind for kind in more.other if kind not in self.other)]
        return Operations(
            self.multiply_adds + more.multiply_adds,
            self.on_data + more.on_data,
            self.dot_products + more.dot_products,
            {kind: self.other.get(kind, 0) + more.other.get(kind, 0) for kind in kinds},
        )


@dataclass(frozen=True, slots=True)
class Parameters:
    """The numbers that a layer keeps.

    Attributes:
        trainable: Entries of parameters that take a gradient.
        frozen: Entries of parameters that do not.
        buffers: Entries of buffers, such as the running statistics of a batch normalisation.
    """

    trainable: int = 0
    frozen: int = 0
    buffers: int = 0

    @property
    def total(self) -> int:
        """Trainable and frozen; buffers are no parameters."""
        return self.trainable + self.frozen

    def __add__(self, more: "Parameters") -> "Parameters":
        return Parameters(self.trainable + more.trainable, self.frozen + more.frozen, self.buffers + more.buffers)


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """Which part of the input one output can see.

    Attributes:
        size: Its length along each axis of space or time of the input, in input pixels, before the edge cuts it off;
            with the gaps that a dilation leaves; of the output that sees most. Empty where every output sees the whole
            input, as behind attention, a recurrent layer or a normalisation over positions. A batch normalisation
            is taken as in evaluation.
        jump: How far apart, in input pixels, two neighbouring outputs look; as long as `size`. Below 1 where outputs
            lie closer than pixels; 0 along an axis where all outputs see the same.
    """

    size: tuple[int, ...] = ()
    jump: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerCount:
    """One layer: a module that computes something itself, or a function call between modules.

    Attributes:
        name: Its dotted path in the model, such as `layer1.0.conv1`; a function has its caller's path and its own name.
        kind: The class of the module, or the function's name.
        output_shape: Without the batch axis; of the first tensor where there are several, of the first call.
        parameters: What it computes with; a shared parameter is counted where it is met first.
        forward: For one example, all calls together.
        backward: For one example: the gradients of its weights and of its input, as far as they are needed. The sum of
            the gradients of a value that is used twice stands at the layer whose gradient comes second.
        activation_bytes: Of its outputs, for one example, as far as they are memory of their own: what works in place,
            and what only looks at numbers in another shape, adds none.
        receptive_field: Of its output; None where it cannot be told, or nothing of the first input is in it.
        n_calls: How often it is run in one pass.
        training: The forward pass of a training step, where it is another: batch normalisation takes its statistics
            from the batch, dropout draws. None where it is the same.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: Parameters
    forward: Operations
    backward: Operations
    activation_bytes: int
    receptive_field: ReceptiveField | None
    n_calls: int = 1
    training: Operations | None = None

    @property
    def forward_in_training(self) -> Operations:
        """The forward pass of a training step."""
        return self.forward if self.training is None else self.training


@dataclass(frozen=True, slots=True)
class Count:
    """A network, layer by layer, for one example.

    Attributes:
        name: Of the model.
        input_shape: Without the batch axis; of the first input where there are several.
        layers: In the order in which they are first run.
        parameters: Of the whole model, used or not; shared ones once.
        input_has_gradient: Whether the backward pass goes on to the input itself.
        saved_bytes: What a training step keeps of the forward pass for the backward pass, for one example: activations
            and the input, without parameters and buffers; by kernels that do not fuse attention and recurrent cells.
        notes: What a reader has to know, such as operations for which there is no rule.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: tuple[LayerCount, ...]
    parameters: Parameters
    input_has_gradient: bool = False
    saved_bytes: int = 0
    notes: tuple[str, ...] = ()

    @property
    def forward(self) -> Operations:
        """One forward pass, as in evaluation unless the count was asked for otherwise."""
        return sum((layer.forward for layer in self.layers), Operations())

    @property
    def forward_in_training(self) -> Operations:
        """One forward pass of a training step."""
        return sum((layer.forward_in_training for layer in self.layers), Operations())

    @property
    def backward(self) -> Operations:
        """One backward pass, from the gradients of the outputs on; the loss itself is not counted."""
        return sum((layer.backward for layer in self.layers), Operations())

    @property
    def step(self) -> Operations:
        """One training step: forward and backward, without the optimiser's own arithmetic."""
        return self.forward_in_training + self.backward

    @property
    def activation_bytes(self) -> int:
        """Of all the layers' outputs together."""
        return sum(layer.activation_bytes for layer in self.layers)
