"""What runs forwards and backwards: hand-made networks, torch's own symbolic trace, and nothing left behind."""

import copy
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from heldout.anatomy.graphs.recording import TracedGraph
from heldout.anatomy.graphs.tracing import shape_words, trace_graph
from heldout.errors import UsageError


def _attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.softmax(q @ k.T / k.shape[-1] ** 0.5, -1) @ v


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4 * 6 * 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu_(self.norm(self.conv(x)))
        result = self.head(self.drop(hidden.flatten(1)))
        assert isinstance(result, Tensor)
        return result


def _told(graph: TracedGraph) -> dict[str, tuple[list[str], list[str]]]:
    """Of each node its operands and what runs for it backwards."""
    return {
        node.name: ([graph.nodes[each].name for each in node.operands], [each.name for each in node.backward])
        for node in graph.nodes
    }


def test_a_function_s_operations_are_told_with_their_backward_ones() -> None:
    inputs = {"q": torch.randn(2, 3), "k": torch.randn(4, 3), "v": torch.randn(4, 5)}
    graph = trace_graph(_attention, inputs, name="attention")
    assert _told(graph) == {
        "q": ([], []),
        "k": ([], []),
        "v": ([], []),
        "permute": (["k"], []),
        "mm": (["q", "permute"], ["mm", "mm"]),
        "div": (["mm"], ["div"]),
        "_softmax": (["div"], ["_softmax_backward_data"]),
        "mm (2)": (["_softmax", "v"], ["mm", "mm"]),
    }
    assert [graph.nodes[place].name for place in graph.outputs] == ["mm (2)"]
    assert graph.nodes[-1].shape == (2, 5)
    # The gradient of a product by its first factor has the factor's shape.
    assert {each.shape for each in graph.nodes[-1].backward} == {(4, 5), (2, 4)}
    assert (len(graph.operations), graph.n_backward, graph.n_sums) == (5, 6, 0)


def test_a_network_s_operations_are_told_by_module() -> None:
    graph = trace_graph(_Network(), {"x": torch.randn(2, 1, 8, 8)}, name="network")
    told = _told(graph)
    assert told["conv"] == (["x"], ["convolution_backward"])
    assert told["norm"] == (["conv"], ["native_batch_norm_backward"])
    assert told["relu_"] == (["norm"], ["threshold_backward"])
    assert told["drop.mul"] == (["view", "drop.div_"], ["mul"])
    assert told["head"] == (["drop.mul"], ["mm", "mm", "sum"])
    by_name = {node.name: node for node in graph.nodes}
    assert by_name["conv"].parameters == ("conv.weight", "conv.bias")
    assert set(by_name["head"].parameters) == {"head.weight", "head.bias"}
    assert by_name["view"].shape == (2, 144)
    assert graph.has_backward


def test_the_network_is_as_it_was() -> None:
    network = _Network()
    before = copy.deepcopy(network.state_dict())
    state = torch.random.get_rng_state()
    trace_graph(network, {"x": torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1))}, name="network")
    after = network.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(not each._forward_hooks and not each._forward_pre_hooks for each in network.modules())
    assert network.training


def test_gradients_that_meet_are_summed() -> None:
    graph = trace_graph(lambda x: x * x.exp() + x.sin(), {"x": torch.randn(3)}, name="f")
    # x is used three times.
    assert graph.n_sums == 2
    assert graph.n_backward == 2 + sum(len(node.backward) for node in graph.nodes)


def test_a_branch_is_the_one_that_runs() -> None:
    def branch(x: Tensor) -> Tensor:
        return x.exp() if x.sum() > 0 else x.sin()

    for sign, operation in ((1.0, "exp"), (-1.0, "sin")):
        graph = trace_graph(branch, {"x": sign * torch.ones(3)}, name="branch")
        assert [node.operation for node in graph.operations] == [operation]


def test_what_the_result_does_not_need_is_left_out() -> None:
    def wasteful(x: Tensor) -> Tensor:
        x.exp()
        return x.sin()

    assert [node.operation for node in trace_graph(wasteful, {"x": torch.ones(2)}, name="f").operations] == ["sin"]


def test_several_results_in_any_nest_are_found() -> None:
    graph = trace_graph(lambda x: {"a": [x.exp(), (x.sin(), 3)]}, {"x": torch.ones(2)}, name="f")
    assert [graph.nodes[place].operation for place in graph.outputs] == ["exp", "sin"]
    assert {each.name for node in graph.nodes for each in node.backward} == {"mul", "cos"}


def test_a_network_without_anything_to_learn_has_no_backward_pass() -> None:
    network = nn.Linear(3, 2).requires_grad_(requires_grad=False)
    graph = trace_graph(network, {"x": torch.ones(1, 3)}, name="linear")
    assert not graph.has_backward
    assert graph.n_backward == 0
    assert graph.notes == ("No parameter takes a gradient: there is no backward pass.",)
    assert not trace_graph(lambda x: x.argmax(), {"x": torch.ones(3)}, name="f").has_backward
    assert not trace_graph(lambda x: x * 2, {"x": torch.ones(3, dtype=torch.long)}, name="f").has_backward


def test_a_network_of_sequences_is_traced() -> None:
    graph = trace_graph(nn.LSTM(3, 4, batch_first=True), {"x": torch.randn(1, 5, 3)}, name="lstm")
    assert graph.has_backward
    assert graph.n_backward > 0


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: x @ x, "f fails on x 3x4: RuntimeError: mat1 and mat2"),
        (lambda x: 3, "f gives no tensor"),
        (lambda x, y: x, "f fails on x 3x4: TypeError"),
    ],
)
def test_what_cannot_be_traced_is_told(function: Callable[..., Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        trace_graph(function, {"x": torch.randn(3, 4)}, name="f")


def test_what_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heldout.anatomy.graphs.recording.MAX_OPERATIONS", 40)

    def endless(x: Tensor) -> Tensor:
        while True:
            x = x + 1

    with pytest.raises(UsageError, match="f runs more than 40 operations"):
        trace_graph(endless, {"x": torch.ones(1)}, name="f")


def test_a_shape_has_words() -> None:
    assert shape_words(torch.Size([2, 3])) == "2x3"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (_attention, {"q": torch.randn(2, 3), "k": torch.randn(4, 3), "v": torch.randn(4, 5)}),
        (
            lambda x, w: torch.log_softmax(torch.tanh(x @ w), -1).mean(),
            {"x": torch.randn(4, 3), "w": torch.randn(3, 2)},
        ),
        (lambda x: (x.exp() * x.sin() / (1 + x * x)).cumsum(0), {"x": torch.randn(5)}),
    ],
)
def test_the_operations_are_those_of_torch_s_own_trace(
    function: Callable[..., Tensor], inputs: dict[str, Tensor]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.fx.experimental.proxy_tensor import make_fx

        traced = make_fx(function)(*inputs.values())

        def together(*tensors: Tensor) -> Any:
            forward = torch.func.vjp(function, *tensors)
            return forward[0], forward[1](torch.ones_like(forward[0]))

        joint = make_fx(together)(*inputs.values())
    graph = trace_graph(function, inputs, name="f")

    def names(module: Any) -> Counter[str]:
        targets = [node.target for node in module.graph.nodes if node.op == "call_function"]
        kept = [target for target in targets if not target.is_view and "like" not in target.__name__]
        return Counter(target.__name__.split(".")[0] for target in kept)

    views = {"permute", "t", "view", "transpose", "expand", "unsqueeze"}
    forward = Counter(node.operation for node in graph.operations if node.operation not in views)
    backward = Counter(each.name for node in graph.nodes for each in node.backward)
    backward["add"] += graph.n_sums
    assert forward == names(traced)
    assert +(forward + backward) == names(joint)
