"""`heldout explain graph` of a function of tensors and of a network."""

import json
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from heldout.anatomy.graphs.tracing import trace_graph
from heldout.cli.main import run
from heldout.errors import UsageError
from heldout.explaining.graphs.explained import explain_graph
from heldout.explaining.graphs.traced import grouped

PROGRAM = """
import torch
from torch import nn

print("noise")


def loss(w1, w2, x, y):
    print("more noise")
    return ((w2 * torch.sigmoid(w1 * x) - y) ** 2).sum()


def embedded(words, table):
    return table[words].sum()


class Network(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))


class Wide(Network):
    def __init__(self, width):
        super().__init__()


def network():
    return Network()


def broken():
    raise ValueError("not today")


def failing(x):
    raise ValueError("not here")


ready = Network()
number = 3
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    return file


def test_a_function_in_a_file_is_told_and_drawn(
    program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "graph.svg"
    shapes = ["--input", "3", "--input", "3", "--input", "3", "--input", "3"]
    assert run(["explain", "graph", f"{program}:loss", *shapes, "--plot", str(target)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("The computation graph of loss\n")
    assert "From w1 3, w2 3, x 3, y 3 to sum a number: 6 operations forward, 9 backward." in captured.out
    assert re.search(r"  sigmoid +sigmoid +above +3 +sigmoid_backward\n", captured.out)
    assert re.search(r"  mul \(2\) +mul +w2, above +3 +2 mul\n", captured.out)
    assert "noise" not in captured.out
    words = re.findall(r"<text[^>]*>(.*?)</text>", target.read_text(), re.DOTALL)
    assert {"loss", "w1", "sigmoid", "sigmoid_backward", "2 mul"} <= set(words)


def test_the_record_of_a_network_is_json(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "graph", f"{program}:Network", "--input", "3", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["kind"] == "traced"
    # A batch of two: the normalisation is learning.
    assert record["inputs"] == {"input": {"shape": [2, 3], "dtype": "float32"}}
    assert [node["operation"] for node in record["nodes"]] == ["input", "addmm", "native_batch_norm", "relu", "addmm"]
    assert [node["module"] for node in record["nodes"]] == ["", "0", "1", "2", "3"]
    # The first layer's input needs no gradient.
    assert [each["operation"] for each in record["nodes"][1]["backward"]] == ["mm", "sum"]
    assert [each["operation"] for each in record["nodes"][4]["backward"]] == ["mm", "mm", "sum"]
    assert record["n_forward"] == 4
    assert record["n_backward"] == 7


@pytest.mark.parametrize("name", ["Network", "network", "ready"])
def test_a_network_is_found_however_it_is_made(program: Path, name: str) -> None:
    assert explain_graph(f"{program}:{name}", input="3").record["n_forward"] == 4


def test_a_module_of_a_package_is_found() -> None:
    record = explain_graph("torch.nn.functional:softplus", input="2x3").record
    assert [node["operation"] for node in record["nodes"]] == ["input", "softplus"]


def test_python_takes_functions_modules_shapes_and_tensors() -> None:
    wide = explain_graph(nn.Linear(3, 2), input=(3,)).record
    assert wide["inputs"]["input"]["shape"] == [1, 3]
    many = explain_graph(torch.matmul, input=["2x3", "3x4"]).record
    assert many["n_backward"] == 2
    given = explain_graph(lambda x: x.exp(), input=torch.zeros(4)).record
    assert given["inputs"]["x"]["shape"] == [4]
    point = explain_graph(lambda a, b: a * b, input=["", ""]).record
    assert point["inputs"]["a"]["shape"] == []


def test_a_tensor_that_is_handed_in_is_not_changed() -> None:
    tensor = torch.zeros(4)
    explain_graph(lambda x: x.exp(), input=tensor)
    assert not tensor.requires_grad
    assert tensor.grad is None


def test_whole_numbers_are_asked_for_with_int(program: Path) -> None:
    record = explain_graph(f"{program}:embedded", input=["5:int", "7x3"]).record
    assert record["inputs"]["words"] == {"shape": [5], "dtype": "int64"}
    assert "index" in {node["operation"] for node in record["nodes"]}


@pytest.mark.parametrize(
    ("name", "shapes", "words"),
    [
        ("los", ["3"], "has no 'los'; did you mean \"loss\""),
        ("loss", ["3"], "loss takes w1, w2, x, y, and 1 input came"),
        ("loss", ["3"] * 5, "loss takes w1, w2, x, y, and 5 inputs came"),
        ("loss", [], "no shape was given for w1, w2, x, y"),
        ("loss", ["3", "4", "3", "3"], "loss fails on w1 3, w2 4, x 3, y 3: RuntimeError: The size of tensor"),
        ("loss", ["3", "axb", "3", "3"], "the input 'axb' is no shape"),
        ("loss", ["3", "0", "3", "3"], "the input '0' is no shape"),
        ("loss", ["3", "-1", "3", "3"], "the input '-1' is no shape"),
        ("loss", ["3", "3:text", "3", "3"], "the input '3:text' is no shape"),
        ("loss", ["99999999999x9"] * 4, "has 899,999,999,991 numbers"),
        ("Wide", ["3"], "Wide cannot be called without arguments: missing a required argument: 'width'"),
        ("broken", ["3"], "fails in line 32: ValueError: not today"),
        ("failing", ["3"], "failing fails on x 3: ValueError: not here"),
        ("number", ["3"], "number is int"),
        ("ready", ["4"], "ready fails on input 2x4"),
        ("ready", ["3", "3"], "ready takes input, and 2 inputs came"),
    ],
)
def test_bad_input_is_told(program: Path, name: str, shapes: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        explain_graph(f"{program}:{name}", input=shapes)


def test_a_program_that_fails_is_told(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("import nothing_of_this_name")
    with pytest.raises(UsageError, match=r"wrong\.py fails in line 1: ModuleNotFoundError"):
        explain_graph(f"{file}:Net", input="3")
    with pytest.raises(UsageError, match="there is no file"):
        explain_graph(f"{tmp_path}/none.py:Net", input="3")
    with pytest.raises(UsageError, match="neither a file nor the name of a package"):
        explain_graph("a*b : c", input="3")
    with pytest.raises(UsageError, match="which model in it is meant"):
        explain_graph(str(file), input="3")


def test_a_point_is_for_formulas_alone() -> None:
    with pytest.raises(UsageError, match="--at was given, but a function or a network is no formula"):
        explain_graph(nn.Linear(3, 2), input="3", at="x=1")
    with pytest.raises(UsageError, match="--wrt was given, but resnet18 is no formula"):
        explain_graph("resnet18", wrt="x")


def test_many_nodes_are_grouped_by_module(tmp_path: Path) -> None:
    deep = nn.Sequential(*[nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)) for _ in range(25)])
    graph = trace_graph(deep, {"x": torch.zeros(1, 4)}, name="deep")
    assert len(graph.nodes) == 76
    groups = grouped(graph, 60)
    assert groups is not None
    assert [group.name for group in groups] == ["x", *(str(number) for number in range(25))]
    assert sorted(place for group in groups for place in group.nodes) == list(range(76))
    assert grouped(graph, 76) is None
    explanation = explain_graph(deep, input="4")
    assert re.search(r"  24\.0 +addmm +above +1x4 +2 mm, sum\n", str(explanation))
    svg = explanation.plot(tmp_path / "deep.svg").read_text()
    assert "3 operations" in svg
    # Each layer has two matrix products and one sum backwards, the first of all only one product.
    assert explanation.record["n_backward"] == 25 * 7 - 1


def test_a_very_long_table_is_told_module_by_module() -> None:
    deep = nn.Sequential(*[nn.Sequential(nn.Linear(2, 2), nn.Tanh()) for _ in range(70)])
    words = str(explain_graph(deep, input="2"))
    assert "Operations, module by module" in words
    assert re.search(r"  69 +2 +1x2 +4\n", words)


def test_what_cannot_be_grouped_is_not_drawn(tmp_path: Path) -> None:
    def long(x: torch.Tensor) -> torch.Tensor:
        for _ in range(70):
            x = x.sin()
        return x

    explanation = explain_graph(long, input="2")
    with pytest.raises(UsageError, match="the graph has 71 nodes, too many to be drawn"):
        explanation.plot(tmp_path / "graph.svg")


def test_a_backbone_is_told_and_drawn_by_its_name(tmp_path: Path) -> None:
    explanation = explain_graph("resnet18", input="3x32x32")
    assert explanation.record["n_forward"] == 69
    words = re.findall(r"<text[^>]*>(.*?)</text>", explanation.plot(tmp_path / "net.svg").read_text(), re.DOTALL)
    assert {"conv1", "layer1.0", "layer4.1", "fc"} <= set(words)
