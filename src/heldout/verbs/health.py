"""What heldout finds on this machine: which fast paths work, which weights are here, and what would mend the rest."""

from typing import Any

from heldout.devices import has_nvidia
from heldout.errors import HeldoutError
from heldout.models.backbones import BACKBONES
from heldout.models.engines import openvino_precisions
from heldout.models.weights import imagenet_file
from heldout.provenance import environment
from heldout.records import cache_folder, read_json


def look_around() -> dict[str, Any]:
    """A plain dictionary: versions, hardware, fast paths, backbones, cache folder."""
    found = environment("heldout doctor")
    paths = [_openvino(), *_torch(), _allocator()]
    found["fast_paths"] = [dict(zip(("name", "works", "detail", "fix"), path, strict=True)) for path in paths]
    found["engines"] = [read_json(file) for file in sorted((cache_folder() / "engines").glob("*.json"))]
    found["backbones"] = [{"name": name, "weights": _weights_of(name)} for name in BACKBONES]
    found["cache"] = str(cache_folder())
    return found


def _openvino() -> tuple[str, bool, str, str]:
    precisions = openvino_precisions()
    if not precisions:
        return (
            "OpenVINO",
            False,
            "not installed; frozen features are computed by torch, several times slower",
            ("pip install openvino"),
        )
    return "OpenVINO", True, f"computes in {' and '.join(precisions)} on this processor", ""


def _torch() -> list[tuple[str, bool, str, str]]:
    import torch

    has_bf16 = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    found = [
        (
            "bfloat16 training on the CPU",
            has_bf16,
            "measured against 32 bits before a training" if has_bf16 else "this processor has no instructions for it",
            "",
        )
    ]
    works = torch.cuda.is_available()
    detail = torch.cuda.get_device_name(0) if works else f"torch {torch.__version__} finds no GPU"
    fix = "install a torch that is built for CUDA" if has_nvidia() and not works else ""
    return [*found, ("CUDA", works, detail, fix)]


def _allocator() -> tuple[str, bool, str, str]:
    from heldout.allocator import keep_freed_memory

    works = keep_freed_memory()
    return "memory kept between training steps", works, "glibc's mallopt" if works else "only with glibc", ""


def _weights_of(name: str) -> str:
    try:
        return imagenet_file(BACKBONES[name], cache=cache_folder() / "weights").source
    except HeldoutError as error:
        return f"not here: {error.fix}"
