"""What counting tools say about the same networks, and what `heldout explain count` costs.

    python benchmarks/counting.py table --peers-python PEERS/bin/python
    python benchmarks/counting.py time [--rounds 7]
    python benchmarks/counting.py deep [--rounds 5]

`table` prints the Markdown table of docs/counting.md. Each tool counts each network in a process of its own, because
one that fails may leave torch patched; what is not installed has no column. The peers' environment holds
`torch torchvision torchinfo fvcore thop ptflops calflops transformers`; FlopCounterMode is torch's own. The column of
heldout is of the environment that runs this script.

`time` runs `heldout explain count resnet50` and `import torch` alone as whole processes, in turn. `deep` counts chains
of 250, 500 and 1,000 convolutions in one process, in turn.
"""

import argparse
import contextlib
import importlib
import io
import json
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# Case -> shape of the input without the batch axis. `networks` makes them; `-step` is a training step.
CASES: Mapping[str, tuple[int, ...]] = {
    "conv": (10, 48, 64),
    "conv-functional": (10, 48, 64),
    "conv-same": (10, 48, 64),
    "conv-groups": (10, 48, 64),
    "conv-groups-step": (10, 48, 64),
    "conv-transposed": (10, 48, 64),
    "batch-norm": (20, 46, 62),
    "attention": (32, 64),
    "attention-fused": (32, 64),
    "lstm": (10, 16),
    "resnet18": (3, 224, 224),
    "resnet34": (3, 224, 224),
}
WORDS = {
    "conv": "Conv2d 10->20, 3x3, 48x64, valid",
    "conv-functional": "the same through `F.conv2d`",
    "conv-same": 'the same, padding "same"',
    "conv-groups": "the same, valid, 10 groups",
    "conv-groups-step": "its training step (no gradient of the input)",
    "conv-transposed": "ConvTranspose2d 10->20, 3x3, stride 2",
    "batch-norm": "BatchNorm2d on 20x46x62",
    "attention": "MultiheadAttention 64, 4 heads, 32 tokens, training",
    "attention-fused": "the same in evaluation: CPU's fused path",
    "lstm": "LSTM 16->32, 10 steps",
    "resnet18": "ResNet-18, 224x224",
    "resnet34": "ResNet-34, 224x224",
}
PACKAGES = {
    "torchinfo": "torchinfo",
    "fvcore": "fvcore",
    "FlopCounterMode": "torch",
    "thop": "thop",
    "ptflops": "ptflops",
    "ptflops aten": "ptflops",
    "calflops": "calflops",
}
# Counted in training mode; all others in evaluation mode.
LEARNING = {"attention", "conv-groups-step"}
MOST_SECONDS = 300.0
_declared: list[Any] = []  # schemas live as long as the object that declared them


def network(case: str) -> Any:
    """The network of a case, with random weights."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(20, 10, 3, 3))
            self.bias = nn.Parameter(torch.randn(20))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.conv2d(x, self.weight, self.bias)

    class SelfAttention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(64, 4, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.attention(x, x, x, need_weights=False)[0]

    if case.startswith("resnet"):
        return resnet(case).eval()
    made: dict[str, Callable[[], nn.Module]] = {
        "conv": lambda: nn.Conv2d(10, 20, 3),
        "conv-functional": Functional,
        "conv-same": lambda: nn.Conv2d(10, 20, 3, padding="same"),
        "conv-groups": lambda: nn.Conv2d(10, 20, 3, groups=10),
        "conv-groups-step": lambda: nn.Conv2d(10, 20, 3, groups=10),
        "conv-transposed": lambda: nn.ConvTranspose2d(10, 20, 3, stride=2),
        "batch-norm": lambda: nn.BatchNorm2d(20),
        "attention": SelfAttention,
        "attention-fused": SelfAttention,
        "lstm": lambda: nn.LSTM(16, 32, batch_first=True),
    }
    return made[case]().train(case in LEARNING)


def resnet(name: str) -> Any:
    """Heldout's own where it is installed, else torchvision's, which is the same network."""
    import torch

    try:
        from heldout.models.build import random_network
    except ModuleNotFoundError:
        package = importlib.import_module("torchvision") if _declared else torchvision()
        return getattr(package.models, name)(weights=None)
    return random_network(name, 1000, generator=torch.Generator())


def torchvision() -> Any:
    """The package; the wheel of the registry does not import beside a CPU torch unless two operators are declared."""
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(library)
    return importlib.import_module("torchvision")


def by_heldout(case: str) -> tuple[int, int]:
    """Multiply-adds and FLOPs as heldout counts them."""
    from heldout.anatomy.counting.counting import count

    counted = count(network(case), CASES[case])
    operations = counted.step if case.endswith("-step") else counted.forward
    return operations.multiply_adds, operations.flops


def by_torchinfo(model: Any, shape: tuple[int, ...]) -> int:
    import torchinfo

    mode = "train" if model.training else "eval"
    return int(torchinfo.summary(model, input_size=(1, *shape), verbose=0, mode=mode).total_mult_adds)


def by_fvcore(model: Any, shape: tuple[int, ...]) -> int:
    import logging

    import torch
    from fvcore.nn import FlopCountAnalysis

    logging.disable(logging.WARNING)
    return int(FlopCountAnalysis(model, torch.randn(1, *shape)).total())


def by_flop_counter_mode(model: Any, shape: tuple[int, ...], *, step: bool) -> int:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        if model.training:
            out = model(torch.randn(1, *shape))
        else:
            with torch.inference_mode():
                out = model(torch.randn(1, *shape))
        if step:
            out.sum().backward()
    return int(counter.get_total_flops())


def by_thop(model: Any, shape: tuple[int, ...]) -> int:
    import thop
    import torch

    return int(thop.profile(model, inputs=(torch.randn(1, *shape),), verbose=False)[0])


def by_ptflops(model: Any, shape: tuple[int, ...], *, backend: str) -> int:
    from ptflops import get_model_complexity_info

    options = {"as_strings": False, "print_per_layer_stat": False, "backend": backend, "verbose": False}
    found = get_model_complexity_info(model, shape, **options)[0]
    if found is None:
        raise RuntimeError("no number")
    return int(found)


def by_calflops(model: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    from calflops import calculate_flops

    options = {"output_as_string": False, "print_results": False, "print_detailed": False}
    flops, macs, _ = calculate_flops(model, input_shape=(1, *shape), **options)
    return int(macs), int(flops)


def one(tool: str, case: str) -> int | list[int] | None:
    """What one tool says about one case: its number, or multiply-adds and FLOPs; None for a step it cannot count."""
    step = case.endswith("-step")
    if tool == "heldout":
        return list(by_heldout(case))
    if step and tool != "FlopCounterMode":
        return None
    if tool.startswith(("ptflops", "calflops")):
        torchvision()  # they import it
    model, shape = network(case), CASES[case]
    if tool == "FlopCounterMode":
        return by_flop_counter_mode(model, shape, step=step)
    if tool.startswith("ptflops"):
        return by_ptflops(model, shape, backend="aten" if tool.endswith("aten") else "pytorch")
    if tool == "calflops":
        return list(by_calflops(model, shape))
    return {"torchinfo": by_torchinfo, "fvcore": by_fvcore, "thop": by_thop}[tool](model, shape)


def print_one(tool: str, case: str) -> None:
    """One tool, one case, as one line of JSON; whatever the tool prints itself goes nowhere."""
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            found: Any = one(tool, case)
        except (Exception, StopIteration) as error:  # any failure of a tool is what is to be told
            found = {"failed": type(error).__name__, "words": str(error)}
    print(json.dumps(found))


def asked(python: str, tool: str, case: str) -> str:
    """The cell of the table."""
    command = [python, str(Path(__file__).resolve()), "one", tool, case]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        return f"fails (exit {done.returncode})"
    found = json.loads(done.stdout.splitlines()[-1])
    if found is None:
        return "-"
    if isinstance(found, dict):
        return f"fails ({found['failed']})"
    return f"{found:,}" if isinstance(found, int) else "; ".join(f"{each:,}" for each in found)


def print_versions() -> None:
    """Which of the tools are installed here, as JSON."""
    found = {}
    for tool, package in PACKAGES.items():
        with contextlib.suppress(PackageNotFoundError):
            found[tool] = version(package)
    print(json.dumps(found))


def print_table(peers_python: str) -> None:
    command = [peers_python, str(Path(__file__).resolve()), "versions"]
    versions = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    columns = ["heldout", *versions]
    titles = ["heldout: multiply-adds; FLOPs", *(f"{tool} {versions[tool]}" for tool in versions)]
    print(f"| | {' | '.join(titles)} |\n|{' --- |' * (len(columns) + 1)}")
    for case, words in WORDS.items():
        cells = [asked(sys.executable if tool == "heldout" else peers_python, tool, case) for tool in columns]
        print(f"| {words} | {' | '.join(cells)} |", flush=True)
    print(f"\n{time.strftime('%Y-%m-%d')}; not installed: {', '.join(set(PACKAGES) - set(versions)) or 'none'}")


def seconds_of(command: Sequence[str]) -> tuple[float, float]:
    """By the clock, and of the processor, which what else the machine does changes less."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def print_times(rounds: int) -> None:
    """Whole processes in turn."""
    explain = "from heldout.cli.main import main; main(['explain', 'count', 'resnet50'])"
    commands = {
        "import torch": [sys.executable, "-c", "import torch"],
        "explain count resnet50": [sys.executable, "-c", explain],
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(seconds_of(command))
    for which, kind in enumerate(("by the clock", "of the processor")):
        one_kind = {f"{name}, {kind}": [each[which] for each in runs] for name, runs in times.items()}
        print_medians(one_kind)
        alone, whole = (statistics.median(each) for each in one_kind.values())
        print(f"beyond torch's import, {kind}: {whole - alone:.2f} s")


def chain(n_layers: int) -> Any:
    from torch import nn

    return nn.Sequential(*(nn.Conv2d(8, 8, 3, padding=1) for _ in range(n_layers)))


def print_deep(rounds: int) -> None:
    """The processor time of counting against the number of layers."""
    from heldout.anatomy.counting.counting import count

    numbers = (250, 500, 1000)
    count(chain(2), (8, 8, 8))  # whatever is imported once
    times: dict[str, list[float]] = {f"{number} layers": [] for number in numbers}
    for _ in range(rounds):
        for number in numbers:
            model = chain(number)
            start = time.process_time()
            count(model, (8, 8, 8))
            times[f"{number} layers"].append(time.process_time() - start)
    print_medians(times)


def print_medians(times: Mapping[str, Sequence[float]]) -> None:
    for name, each in times.items():
        print(f"{name}: median {statistics.median(each):.3f} s ({min(each):.3f} - {max(each):.3f}), {len(each)} runs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("table").add_argument("--peers-python", default=sys.executable)
    kinds.add_parser("time").add_argument("--rounds", type=int, default=7)
    kinds.add_parser("deep").add_argument("--rounds", type=int, default=5)
    single = kinds.add_parser("one")
    single.add_argument("tool")
    single.add_argument("case")
    kinds.add_parser("versions")
    arguments = parser.parse_args()
    if arguments.kind == "table":
        print_table(arguments.peers_python)
    elif arguments.kind == "time":
        print_times(arguments.rounds)
    elif arguments.kind == "deep":
        print_deep(arguments.rounds)
    elif arguments.kind == "one":
        print_one(arguments.tool, arguments.case)
    else:
        print_versions()


if __name__ == "__main__":
    main()
