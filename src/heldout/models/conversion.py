"""A prepared backbone -> an engine of one program: converted for OpenVINO, or folded for torch."""

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from heldout.models.engines import (
    Engine,
    EngineChoice,
    OpenVinoEngine,
    TorchEngine,
    silent_openvino,
)
from heldout.models.kept_files import is_whole, keep
from heldout.models.prepared import Prepared, network_of

if TYPE_CHECKING:
    from heldout.models.network import Network

Output = Literal["features", "trunk"]
log = logging.getLogger(__name__)


def make_engine(prepared: Prepared, output: Output, choice: EngineChoice) -> Engine:
    """The engine of that choice for this backbone.

    Torch is imported for a torch engine, and once for a network that OpenVINO has not got in its own format yet.
    """
    if choice.program == "torch":
        return torch_engine(prepared, output, choice)
    model = prepared.folder / f"{output}.xml"
    if not (is_whole(model) and is_whole(model.with_suffix(".bin"))):
        log.info("converting %s for OpenVINO, which is done once", prepared.backbone.name)
        _convert(prepared, output, model)
    return OpenVinoEngine(model, choice.precision)


def torch_engine(prepared: Prepared, output: Output, choice: EngineChoice) -> Engine:
    """The engine that runs this backbone by torch, on the CPU or on CUDA."""
    import torch

    from heldout.models.folding import folded

    backbone = prepared.backbone
    noise = torch.randn(1, 3, backbone.crop, backbone.crop, generator=torch.Generator().manual_seed(0))
    net = folded(network_of(prepared), noise)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[choice.precision]
    net.to(device=choice.device, dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return TorchEngine(getattr(net, output), (backbone.mean, backbone.std), choice)


def _convert(prepared: Prepared, output: Output, model: Path) -> None:
    """Write the network in OpenVINO's format: uint8 pixels, one picture, channels last, in; 32-bit floats out."""
    import torch
    from torch import nn

    class Part(nn.Module):
        def __init__(self, net: "Network") -> None:
            super().__init__()
            self.net = net

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return getattr(self.net, output)(x)  # type: ignore[no-any-return]

    backbone = prepared.backbone
    size = (1, 3, backbone.crop, backbone.crop)
    with silent_openvino() as openvino, torch.no_grad():
        converted = openvino.convert_model(Part(network_of(prepared)).eval(), example_input=torch.zeros(size))
        converted.reshape(list(size))
        steps = openvino.preprocess.PrePostProcessor(converted)
        steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
        steps.input().model().set_layout(openvino.Layout("NCHW"))
        pixels = steps.input().preprocess().convert_element_type(openvino.Type.f32)
        pixels.mean([255 * value for value in backbone.mean]).scale([255 * value for value in backbone.std])
        with tempfile.TemporaryDirectory() as temporary:
            openvino.save_model(steps.build(), Path(temporary) / model.name, compress_to_fp16=False)
            for suffix in (".bin", ".xml"):
                file = (Path(temporary) / model.name).with_suffix(suffix)
                keep(model.with_suffix(suffix), file.read_bytes())
