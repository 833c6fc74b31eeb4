from pathlib import Path

import numpy as np
import pytest
import torch

from heldout.errors import RunFolderError
from heldout.models.backbones import find_backbone
from heldout.models.build import count_parameters, random_network
from heldout.models.network import Network
from heldout.models.prepared import Prepared, file_name, network_of, prepare, prepared_from_tensors, store
from heldout.models.weights import fingerprint

RESNET = find_backbone("resnet18")


def drawn(seed: int = 0) -> Network:
    return random_network("resnet18", 3, generator=torch.Generator().manual_seed(seed))


def never() -> Network:
    raise AssertionError("loaded although it is in the cache")


def test_weights_are_loaded_once(tmp_path: Path) -> None:
    first = prepare(RESNET, source_sha256="ab" * 32, load=drawn, cache=tmp_path)
    assert prepare(RESNET, source_sha256="ab" * 32, load=never, cache=tmp_path) == first
    with pytest.raises(AssertionError, match="loaded although"):
        prepare(RESNET, source_sha256="cd" * 32, load=never, cache=tmp_path)


def test_what_was_deleted_or_damaged_is_made_again(tmp_path: Path) -> None:
    first = prepare(RESNET, source_sha256="ab" * 32, load=drawn, cache=tmp_path)
    first.weights.unlink()
    assert prepare(RESNET, source_sha256="ab" * 32, load=drawn, cache=tmp_path) == first
    assert first.weights.is_file()
    (note,) = (tmp_path / "backbones" / "sources").iterdir()
    note.write_bytes(b"{")
    assert prepare(RESNET, source_sha256="ab" * 32, load=drawn, cache=tmp_path) == first


def test_weights_with_a_flipped_bit_are_loaded_again_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = prepare(RESNET, source_sha256="ab" * 32, load=drawn, cache=tmp_path)
    content = first.weights.read_bytes()
    flipped = bytearray(content)
    flipped[-1000] ^= 1
    first.weights.write_bytes(flipped)
    with caplog.at_level("INFO", "heldout"):
        assert prepare(RESNET, source_sha256="ab" * 32, load=drawn, cache=tmp_path) == first
    assert caplog.messages == [f"{first.weights} was damaged and is made again"]
    assert first.weights.read_bytes() == content
    assert fingerprint(first.tensors()) == first.fingerprint


def test_all_tensors_but_the_heads_are_kept(tmp_path: Path) -> None:
    net = drawn()
    prepared = store(net, RESNET, tmp_path)
    state = {key: value for key, value in net.state_dict().items() if not key.startswith("fc.")}
    assert fingerprint(prepared.tensors()) == fingerprint(state) == prepared.fingerprint
    assert prepared.head_name == "fc"
    assert prepared.n_parameters == count_parameters(net, "full").n_parameters - 3 * 513


def test_the_fingerprint_names_the_weights(tmp_path: Path) -> None:
    first, same, other = (store(drawn(seed), RESNET, tmp_path) for seed in (0, 0, 1))
    assert first == same
    assert first.folder != other.folder
    assert len(list((tmp_path / "backbones").iterdir())) == 2


def test_the_network_comes_back_with_a_head_of_zeros(tmp_path: Path) -> None:
    net = drawn().eval()
    back = network_of(store(net, RESNET, tmp_path))
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(back.features(x), net.features(x))
        assert not back(x).any()
    assert not back.training


def test_names_of_other_makes_are_file_names(lite0: Prepared, tmp_path: Path) -> None:
    assert lite0.folder.name.startswith("efficientnet-lite0-")
    odd = prepared_from_tensors(RESNET, {"a": np.zeros(1, np.float32)}, "fc", tmp_path)
    assert "/" not in file_name(odd.backbone)


def test_tensors_of_no_such_network_are_refused(tmp_path: Path) -> None:
    state = {key: value.numpy() for key, value in drawn().state_dict().items() if not key.startswith("fc.")}
    for changed in (
        {key: value for key, value in state.items() if key != "bn1.bias"},
        state | {"other": np.zeros(1, np.float32)},
        state | {"bn1.bias": np.zeros(1, np.float32)},
    ):
        prepared = prepared_from_tensors(RESNET, changed, "fc", tmp_path)
        with pytest.raises(RunFolderError, match=r"not those of resnet18: 1 tensors .* such as '(bn1.bias|other)'"):
            network_of(prepared)
