import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from heldout.errors import WeightsError
from heldout.models.build import random_network
from heldout.models.efficientnet_lite import LITES, EfficientNetLite
from heldout.models.network import Network
from heldout.models.resnet import RESNETS, ResNet
from heldout.models.state_files import load_state, read_state
from heldout.models.weights import fingerprint

SMALL = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2)}


def network(name: str = "efficientnet-lite0", n_classes: int = 5, seed: int = 0) -> Network:
    return random_network(name, n_classes, generator=torch.Generator().manual_seed(seed))


def network_class(name: str) -> Network:
    """The network as its class makes it, for its shapes alone."""
    return ResNet(RESNETS[name], 9) if name in RESNETS else EfficientNetLite(LITES[name], 9)


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """What a published file of Lite0 holds: 1000 classes."""
    return network(n_classes=1000, seed=7).state_dict()


def saved(tmp_path: Path, content: object, *, legacy: bool = False) -> Path:
    path = tmp_path / "weights.pth"
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        OrderedDict,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": state, "optimizer": {"state": {}}},
        lambda state: {"model": {f"module.{name}": value for name, value in state.items()}},
        lambda state: {f"module._orig_mod.{name}": value for name, value in state.items()},
    ],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_the_weights_are_found_in_every_usual_wrapping(
    wrap: Callable[[object], object], legacy: bool, tmp_path: Path
) -> None:
    state = read_state(saved(tmp_path, wrap(dict(SMALL)), legacy=legacy))
    assert fingerprint(state) == fingerprint(SMALL)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_safetensors_are_read_whatever_the_file_is_called(name: str, tmp_path: Path) -> None:
    save_file(SMALL, tmp_path / name)
    assert fingerprint(read_state(tmp_path / name)) == fingerprint(SMALL)


class Canary:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_file_is_never_run(legacy: bool, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    path = saved(tmp_path, {"state_dict": SMALL, "extra": Canary(canary)}, legacy=legacy)
    with pytest.raises(WeightsError, match="cannot be read as plain weights"):
        read_state(path)
    path.write_bytes(pickle.dumps(Canary(canary)))
    with pytest.raises(WeightsError, match="cannot be read as plain weights"):
        read_state(path)
    assert not canary.exists()
    pickle.loads(path.read_bytes())  # the trap does work
    assert canary.exists()


def test_a_scripted_network_is_refused(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), archive)
    (tmp_path / "scripted.pt").write_bytes(archive.getvalue())
    with pytest.raises(WeightsError, match="cannot be read as plain weights"):
        read_state(tmp_path / "scripted.pt")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"resnet18 weights\n", "is no weights file"),
        (b"<!DOCTYPE html><html>", "is no weights file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "is no weights file"),
        (b"PK\x03\x04" + bytes(100), "cannot be read as plain weights"),
        (b"\x80", "cannot be read as plain weights"),
        (b"\xff\xff\xff\xff\0\0\0\0{}", "cannot be read as safetensors"),
    ],
)
def test_what_is_no_weights_file_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=said):
        read_state(path)


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    state = {"a.weight": torch.zeros(100, 100), "a.bias": torch.zeros(100)}
    path = saved(tmp_path, state, legacy=kind == "legacy")
    if kind == "safetensors":
        save_file(state, path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(WeightsError, match="cannot be read as"):
        read_state(path)


def test_one_wrong_bit_in_a_checkpoint_is_found(tmp_path: Path) -> None:
    path = saved(tmp_path, SMALL)
    data = bytearray(path.read_bytes())
    data[data.index(SMALL["a.weight"].numpy().tobytes()) + 6] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"is damaged: the checksum of .*data/0"):
        read_state(path)


def test_a_checkpoint_packed_again_is_read_unless_it_inflates_far(tmp_path: Path) -> None:
    with zipfile.ZipFile(saved(tmp_path, SMALL)) as plain:
        members = {name: plain.read(name) for name in plain.namelist()}
    for zeros in (0, 10**6):
        with zipfile.ZipFile(tmp_path / "weights.pth", "w", zipfile.ZIP_DEFLATED) as packed:
            for name, data in (members | {"weights/more": bytes(zeros)}).items():
                packed.writestr(name, data)
        if not zeros:
            assert fingerprint(read_state(tmp_path / "weights.pth")) == fingerprint(SMALL)
    with pytest.raises(WeightsError, match=r"inflates to 1,00.,... bytes, more than 10 times"):
        read_state(tmp_path / "weights.pth")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "without any named tensor"),
        ([torch.zeros(2)], "holds a list"),
        (torch.zeros(2), "holds a Tensor without"),
        ({"a.weight": torch.zeros(2), "epoch": 3}, "holds a int under 'epoch'"),
        ({1: torch.zeros(2)}, "holds a Tensor under 1"),
        ({"a.weight": torch.zeros(2, device="meta")}, "under 'a.weight', not a plain tensor"),
        ({"a.weight": torch.eye(2).to_sparse()}, "under 'a.weight', not a plain tensor"),
    ],
)
def test_a_file_without_plain_named_tensors_is_refused(content: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=said):
        read_state(saved(tmp_path, content))


def test_an_absent_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.pth", tmp_path):
        with pytest.raises(WeightsError, match=r"cannot be read: (No such file|Is a directory)"):
            read_state(path)


def test_a_fitting_file_replaces_everything(published: dict[str, Tensor]) -> None:
    net = network(n_classes=1000)
    kept, notes = load_state(net, published, keep_head=True, origin="it")
    assert fingerprint(net.state_dict()) == fingerprint(published)
    assert kept
    assert notes == ("the file's head was taken: its 1000 classes must be in the order of these",)


@pytest.mark.parametrize(
    ("n_classes", "keep_head", "said"),
    [
        (5, True, "the file's head has 1000 classes, this network 5: left out"),
        (5, False, "the file's head of 1000 classes was left out"),
        (1000, False, "the file's head of 1000 classes was left out"),
    ],
)
def test_a_head_that_is_not_wanted_leaves_the_networks_own(
    n_classes: int, keep_head: bool, said: str, published: dict[str, Tensor]
) -> None:
    net = network(n_classes=n_classes)
    before = {name: value.clone() for name, value in net.head.state_dict().items()}
    kept, notes = load_state(net, published, keep_head=keep_head, origin="it")
    assert not kept
    assert notes == (said,)
    assert fingerprint(net.head.state_dict()) == fingerprint(before)
    assert torch.equal(net.state_dict()["conv_stem.weight"], published["conv_stem.weight"])


def test_a_file_without_a_head_or_counters_is_taken(published: dict[str, Tensor]) -> None:
    state = {
        name: value
        for name, value in published.items()
        if not name.startswith("classifier.") and "num_batches" not in name
    }
    net = network()
    assert load_state(net, state, keep_head=True, origin="it") == (False, ("the file has no head",))
    assert torch.equal(net.state_dict()["bn1.running_var"], published["bn1.running_var"])
    assert net.state_dict()["bn1.num_batches_tracked"] == 0


def test_half_precision_is_converted_and_said(published: dict[str, Tensor]) -> None:
    net = network()
    state = {name: value.half() if value.is_floating_point() else value for name, value in published.items()}
    _, notes = load_state(net, state, keep_head=False, origin="it")
    assert "stored as torch.float16" in notes[-1]
    assert net.state_dict()["conv_stem.weight"].dtype == torch.float32


def refused(net: Network, state: dict[str, Tensor], said: str) -> str:
    """Asserts the refusal, and that the network was not touched; gives the error's text."""
    before = fingerprint(net.state_dict())
    with pytest.raises(WeightsError, match=said) as caught:
        load_state(net, state, keep_head=True, origin="weights file 'x.pth'")
    assert fingerprint(net.state_dict()) == before
    return str(caught.value)


def test_another_networks_file_is_refused_with_the_keys_that_differ(published: dict[str, Tensor]) -> None:
    text = refused(network("resnet18"), published, "weights file 'x.pth' does not belong to this backbone")
    assert "keys missing: conv1.weight, layer1.0.conv1.weight, layer1.0.bn1.weight, ..." in text
    assert "keys unexpected: conv_stem.weight, blocks.0.0.conv_dw.weight, blocks.0.0.bn1.weight, ..." in text
    assert "4 keys of another shape: bn1.weight (32 in the file, 64 in the network), bn1.bias" in text
    assert "choose the backbone efficientnet-lite0, to which it belongs" in text


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "efficientnet-lite1", "efficientnet-lite2"])
def test_the_error_says_to_which_backbone_the_file_belongs(name: str) -> None:
    with torch.device("meta"):
        shapes = dict(network_class(name).state_dict())
    text = refused(network(), shapes, "does not belong")
    assert f"choose the backbone {name}, to which it belongs" in text


def test_a_file_that_lacks_one_tensor_is_refused(published: dict[str, Tensor]) -> None:
    state = {name: value for name, value in published.items() if name != "blocks.5.1.bn2.bias"}
    assert "pass a file of this backbone" in refused(network(), state, "1 key missing: blocks.5.1.bn2.bias\n")


def test_a_head_of_another_width_is_refused(published: dict[str, Tensor]) -> None:
    state = {**published, "classifier.weight": torch.zeros(5, 7)}
    refused(network(), state, "of another shape: classifier.weight .5x7 in the file, 5x1280 in the network.")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(value: float, published: dict[str, Tensor]) -> None:
    broken = published["blocks.1.0.conv_pw.weight"].clone()
    broken[3, 2, 0, 0] = value
    state = {**published, "blocks.1.0.conv_pw.weight": broken}
    refused(network(), state, "1 key with NaN or infinity: blocks.1.0.conv_pw.weight")


def test_a_number_too_large_for_32_bits_is_refused(published: dict[str, Tensor]) -> None:
    state = {**published, "bn1.bias": torch.full((32,), 1e300, dtype=torch.float64)}
    refused(network(), state, "with NaN or infinity: bn1.bias")


def test_whole_numbers_are_refused(published: dict[str, Tensor]) -> None:
    state = {**published, "bn1.bias": torch.zeros(32, dtype=torch.int64)}
    refused(network(), state, r"without fractions: bn1.bias \(torch.int64\)")


def test_the_packages_names_are_taken_in_order_only_where_every_kind_agrees(published: dict[str, Tensor]) -> None:
    renamed = {f"_{name}": value for name, value in published.items()}
    net = network()
    load_state(net, renamed, keep_head=False, origin="it")
    assert torch.equal(net.state_dict()["bn1.weight"], published["bn1.weight"])
    order = list(renamed)
    scale, shift = order.index("_bn1.weight"), order.index("_bn1.bias")  # of the same shape
    order[scale], order[shift] = order[shift], order[scale]
    refused(network(), {name: renamed[name] for name in order}, "unexpected: _conv_stem.weight, _bn1.bias")


def test_a_key_cannot_write_to_the_terminal(published: dict[str, Tensor]) -> None:
    text = refused(network(), {**published, "\x1b[2J" + "x" * 10_000: torch.zeros(1)}, "1 key unexpected")
    assert "\x1b" not in text
    assert len(text) < 1000
