"""`heldout explain count`: what is said, with the numbers of the write-ups, of hand-made sums, of published tables."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from heldout import explain
from heldout.anatomy.counting.counting import count
from heldout.cli.main import run
from heldout.errors import HeldoutError, UsageError
from heldout.explaining.counting.explained import explain_count
from heldout.explaining.document import Explanation
from heldout.models.build import random_network
from heldout.models.multiply_adds import count_multiply_adds
from heldout.models.weights import fingerprint

CONV = "conv 10->20 kernel 3 valid"


def lines_of(explanation: Explanation[Any]) -> list[str]:
    return [" ".join(line.split()) for line in str(explanation).splitlines()]


# --- the write-ups' layers


@pytest.mark.parametrize(
    ("words", "n_parameters", "filled"),
    [
        ("conv 1->96 kernel 8 stride 4", 6240, "(8*8*1 + 1)*96 = 6,240"),
        ("conv 1->96 kernel 64", 393_312, "(64*64*1 + 1)*96 = 393,312"),
        ("conv 1->96 kernel 1", 192, "(1*1*1 + 1)*96 = 192"),
    ],
)
def test_parameters_of_a_convolution_with_the_formula_filled_in(words: str, n_parameters: int, filled: str) -> None:
    explanation = explain_count(words, input="1x64x64")
    assert explanation.facts.parameters.total == n_parameters
    assert any(line.endswith(filled) for line in lines_of(explanation))


def test_operations_of_a_convolution_right_to_the_last() -> None:
    explanation = explain_count(CONV, input="10x48x64")
    lines = lines_of(explanation)
    assert "10x48x64 -> 20x46x62, which is 46x62x20 with the channels last" in lines
    assert any(line.endswith("floor((48 + 2*0 - 1*(3 - 1) - 1) / 1) + 1 = 46") for line in lines)
    assert any(line.endswith("= 20*46*62*10*3*3 = 5,133,600") for line in lines)
    assert any(line.endswith("= 46*62*10*3*3 = 256,680") for line in lines)  # what the write-up gave
    assert "1,800 weights and 20 biases." in lines
    assert "additions within the sums 5,076,560 5,076,560" in lines
    assert "additions of the bias 0 57,040" in lines
    assert "together 10,210,160 10,267,200" in lines
    assert "FLOPs (2 a multiply-add) 10,267,200" in lines


def test_zeros_of_a_padding_are_told_apart() -> None:
    explanation = explain_count("conv 10->20 kernel 3 same", input="10x48x64")
    assert "multiply-adds 5,529,600 (5,396,000 on data, 133,600 with the zeros of a padding)" in lines_of(explanation)
    assert any("output" not in line and line.endswith("= 48") for line in lines_of(explanation))


# --- the table of docs/counting.md: our column


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(20, 10, 3, 3))
        self.bias = nn.Parameter(torch.zeros(20))

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.weight, self.bias)


class SelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(64, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.attention(x, x, x, need_weights=False)[0]
        return out


class Looking(SelfAttention):
    """Looks at its numbers, so that a copy is run on real ones, where the CPU has one fused operation for attention."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + 1 if float(x.sum()) > 1e9 else x)


def resnet_multiply_adds(n_blocks: list[int]) -> int:
    """A ResNet of basic blocks at 224 pixels, by hand: He et al. 2016, table 1."""
    total = 112 * 112 * 64 * 3 * 7 * 7
    before = 64
    for stage, n in enumerate(n_blocks):
        width, side = 64 * 2**stage, 56 // 2**stage
        places = side * side
        if before != width:
            total += places * width * before
        total += places * width * 9 * (before + (2 * n - 1) * width)
        before = width
    return total + 512 * 1000


GOLDEN: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int]] = {
    "conv": (lambda: nn.Conv2d(10, 20, 3), (10, 48, 64), 20 * 46 * 62 * 10 * 9),
    "functional": (Functional, (10, 48, 64), 20 * 46 * 62 * 10 * 9),
    "same": (lambda: nn.Conv2d(10, 20, 3, padding="same"), (10, 48, 64), 20 * 48 * 64 * 10 * 9),
    "groups": (lambda: nn.Conv2d(10, 20, 3, groups=10), (10, 48, 64), 20 * 46 * 62 * 1 * 9),
    "transposed": (lambda: nn.ConvTranspose2d(10, 20, 3, stride=2), (10, 48, 64), 10 * 48 * 64 * 20 * 9),
    "batch norm": (lambda: nn.BatchNorm2d(20).eval(), (20, 46, 62), 0),
    "attention": (SelfAttention, (32, 64), 4 * 32 * 64 * 64 + 2 * 32 * 32 * 64),
    "attention fused": (lambda: SelfAttention().eval(), (32, 64), 4 * 32 * 64 * 64 + 2 * 32 * 32 * 64),
    "attention looking": (Looking, (32, 64), 4 * 32 * 64 * 64 + 2 * 32 * 32 * 64),
    "lstm": (lambda: nn.LSTM(16, 32, batch_first=True), (10, 16), 10 * 4 * 32 * (16 + 32)),
    "lstm eval": (lambda: nn.LSTM(16, 32, batch_first=True).eval(), (10, 16), 10 * 4 * 32 * (16 + 32)),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_our_column_of_the_table_of_tools(case: str) -> None:
    make, shape, multiply_adds = GOLDEN[case]
    forward = count(make(), shape).forward
    assert forward.multiply_adds == multiply_adds
    assert forward.flops == 2 * multiply_adds


def test_the_table_of_tools_itself() -> None:
    """As THEORY has it, so that no slip in the products above goes unseen."""
    wanted = {"conv": 5_133_600, "same": 5_529_600, "groups": 513_360, "transposed": 5_529_600, "attention": 655_360}
    assert {case: GOLDEN[case][2] for case in wanted} == wanted
    assert resnet_multiply_adds([2, 2, 2, 2]) == 1_814_073_344
    assert resnet_multiply_adds([3, 4, 6, 3]) == 3_663_761_408


@pytest.mark.parametrize(
    ("name", "n_blocks", "flops"), [("resnet18", [2] * 4, 3_628_146_688), ("resnet34", [3, 4, 6, 3], 7_327_522_816)]
)
def test_resnets(name: str, n_blocks: list[int], flops: int) -> None:
    counted = explain_count(name).facts
    assert counted.forward.multiply_adds == resnet_multiply_adds(n_blocks)
    assert counted.forward.flops == flops
    first = 2 * 112 * 112 * 64 * 3 * 7 * 7
    assert counted.step.flops == 3 * flops - first
    assert explain_count(name, input_gradient=True).facts.step.flops == 3 * flops


def test_a_training_step_with_groups_and_batch_norm() -> None:
    grouped = nn.Conv2d(10, 20, 3, groups=10)
    assert count(grouped, (10, 48, 64)).step.flops == 2_053_440
    assert count(nn.BatchNorm2d(20).eval(), (20, 46, 62)).forward.other == {"batch normalisation": 2 * 20 * 46 * 62}


# --- what counting leaves alone


@pytest.mark.parametrize("training", [True, False])
def test_counting_changes_nothing(training: bool) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4 * 36, 2))
    net.train(training)
    net[0].weight.requires_grad_(False)
    _unchanged(net, lambda: explain_count(net, input="3x8x8"))
    with pytest.raises(UsageError):
        _unchanged(net, lambda: explain_count(net, input="4x8x8"))
    with pytest.raises(UsageError):
        _unchanged(net, lambda: explain_count(net, input="3x9x9"))


def _unchanged(net: nn.Module, act: Any) -> None:
    def state() -> tuple[Any, ...]:
        gradients = [(each.requires_grad, each.grad) for each in net.parameters()]
        hooks = [len(each._forward_hooks) + len(each._forward_pre_hooks) for each in net.modules()]
        modes = [each.training for each in net.modules()]
        return fingerprint(net.state_dict()), gradients, hooks, modes, torch.get_rng_state().tolist()

    before = state()
    try:
        act()
    finally:
        assert state() == before


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "efficientnet-lite0", "efficientnet-lite2"])
def test_it_agrees_with_the_count_that_engines_are_chosen_by(name: str) -> None:
    net = random_network(name, 10, generator=torch.Generator())
    once = count_multiply_adds(net, 64)
    assert count(net, (3, 64, 64)).forward.multiply_adds == once.features + once.head


# --- the forms


def test_the_document_of_a_network_has_totals_and_every_kind_of_operation() -> None:
    explanation = explain_count("resnet18", depth=1)
    assert [section.title for section in explanation.sections] == [
        "Answer",
        "Layer by layer",
        "Other operations",
        "Training step, without the optimiser's own arithmetic",
        "How this is counted",
    ]
    lines = lines_of(explanation)
    assert any(line.startswith("layer1 Sequential 64x56x56 147,968 516 462,422,016 ") for line in lines)
    assert any(line.startswith("together 11,689,512 9,620 1,814,073,344 ") for line in lines)
    assert any(line.startswith("batch normalisation ") for line in lines)
    assert len([line for line in lines if line.startswith("layer")]) == 5


def test_without_a_depth_a_deep_network_is_gathered() -> None:
    rows = [section for section in explain_count("resnet50").sections if section.title == "Layer by layer"]
    table = rows[0].parts[-1]
    assert 15 < len(table.rows) <= 41  # type: ignore[union-attr]
    every = explain_count("resnet50", depth=9).sections[1].parts[-1]
    assert len(every.rows) > 140  # type: ignore[union-attr]


def test_the_record_has_these_keys() -> None:
    record = json.loads(explain_count(CONV, input="10x48x64").as_json())
    assert set(record) == {
        *("title", "name", "input_shape", "output_shape", "parameters", "forward", "forward_in_training"),
        *("backward", "training_step"),
        *("input_has_gradient", "activation_bytes", "saved_bytes", "layers", "formulas", "notes", "sources"),
    }
    assert record["output_shape"] == [20, 46, 62]
    assert record["parameters"] == {"total": 1820, "trainable": 1820, "frozen": 0, "buffers": 0}
    assert record["forward"] == {
        "multiply_adds": 5_133_600,
        "multiply_adds_on_data": 5_133_600,
        "flops": 10_267_200,
        "additions": 5_133_600,
        "additions_without_bias": 5_076_560,
        "other": {"bias adds": 57_040},
    }
    assert set(record["layers"][0]) == {
        *("name", "kind", "n_calls", "output_shape", "parameters", "forward", "forward_in_training", "backward"),
        *("activation_bytes", "receptive_field"),
    }
    assert record["layers"][0]["receptive_field"] == {"size": [3, 3], "jump": [1.0, 1.0]}
    assert record["activation_bytes"] == 4 * 57_040
    assert [each["value"] for each in record["formulas"]] == [46, 62, 1820, 5_133_600, 256_680]


def test_the_figure_is_drawn(tmp_path: Path) -> None:
    drawn = explain_count("resnet18").plot(tmp_path / "backbone.svg").read_text()
    assert all(word in drawn for word in ("multiply-adds", "parameters", "activations", "layer4.1", "231 M"))
    short = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    assert explain_count(short, input="4").plot(tmp_path / "three.png").stat().st_size > 3000


# --- the command line


def test_the_command_line_in_all_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "layer.svg"
    assert run(["explain", "count", CONV, "--input", "10x48x64", "--plot", str(plot)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{CONV} on 10x48x64\n")
    assert str(plot) in err
    assert plot.read_text().rstrip().endswith("</svg>")
    assert run(["explain", "count", "resnet18", "--classes", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["total"] == 11_689_512 - 513 * 995
    assert run(["explain", "count", "resnet18", "--input", "3x64x64", "--depth", "1", "--latex"]) == 0
    assert r"\end{document}" in capsys.readouterr().out
    assert run(["explain", "count", CONV, "--input", "10x48x64", "--input-gradient", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["training_step"]["flops"] == 3 * 10_267_200


def test_a_users_program_does_not_speak_into_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.py").write_text("from torch import nn\nprint('hello')\nnet = nn.Linear(3, 2)\n")
    assert run(["explain", "count", f"{tmp_path / 'net.py'}:net", "--input", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["forward"]["multiply_adds"] == 6


@pytest.mark.parametrize(
    "arguments",
    [
        ["resnet-18"],
        [CONV],
        [CONV, "--input", "9x48x64"],
        [CONV, "--input", "10x2x2"],
        [CONV, "--input", "10"],
        [CONV, "--input", "10x48x64", "--input", "10x48x64"],
        [CONV, "--input", ""],
        [CONV, "--input", "axb"],
        [CONV, "--input", "10x-48x64"],
        [CONV, "--input", "10xnanx64"],
        [CONV, "--input", "10x0x64"],
        [CONV, "--input", "99999999999999999999x48x64"],
        ["conv 10->20 kernel -3", "--input", "10x48x64"],
        ["conv 10->20 kernel 3 stride 0", "--input", "10x48x64"],
        ["resnet18", "--depth", "0"],
        ["resnet18", "--depth", "-1"],
        ["resnet18", "--classes", "0"],
        ["resnet18", "--classes", "many"],
        ["resnet18", "--input", "1x224x224"],
        ["resnet18", "--json", "--latex"],
        ["resnet18", "--plot", "figure.pdf"],
        ["linear 4->2", "--classes", "3", "--input", "4"],
        ["absent.py:Net"],
    ],
    ids=" ".join,
)
def test_bad_input_costs_nothing(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = run(["explain", "count", *arguments])
    except HeldoutError as error:  # the entry point turns it into exit code 2
        code = error.exit_code
        print(f"error: {error}", file=sys.stderr)
    assert code == 2
    out, err = capsys.readouterr()
    assert out == "" or json.loads(out)["error"]["exit_code"] == 2
    assert "error: " in err
    assert "expected: " in err
    assert "fix: " in err
    assert "Traceback" not in err


def test_from_python(tmp_path: Path) -> None:
    assert explain.count is explain_count
    shapes: list[Any] = ["4", (4,), [4], torch.zeros(1, 4)]
    found = {prod((explain_count(nn.Linear(4, 3), input=shape).facts.forward.multiply_adds, 1)) for shape in shapes}
    assert found == {12}
    with pytest.raises(UsageError, match="the model is a int"):
        explain_count(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="classes were asked for of a module"):
        explain_count(nn.Linear(4, 3), input="4", classes=3)
    with pytest.raises(UsageError, match="depth is 0"):
        explain_count(nn.Linear(4, 3), input="4", depth=0)
    with pytest.raises(UsageError, match="the shape of the input of 'Linear' is not known"):
        explain_count(nn.Linear(4, 3))


@pytest.mark.slow
def test_a_backbone_is_counted_without_what_takes_long_to_import(tmp_path: Path) -> None:
    code = """
import json, sys
from heldout.cli.main import run
assert run(["explain", "count", "resnet50"]) == 0
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=True
    )
    modules = set(json.loads(done.stderr.splitlines()[-1]))
    assert "torch" in modules
    assert modules & {"scipy", "sympy", "sklearn", "matplotlib", "openvino", "pyarrow", "PIL"} == set()
