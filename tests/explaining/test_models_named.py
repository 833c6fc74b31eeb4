"""What a text means: a layer, a backbone, a network of timm, a file, a run; and what means none."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from heldout.errors import RunFolderError, UsageError
from heldout.explaining.models_named import named_model
from heldout.models.weights import fingerprint


@pytest.mark.parametrize(
    ("name", "n_parameters", "side"),
    # torchvision's documentation: 11,689,512, 21,797,672 and 25,557,032; timm's table: 4.65, 5.42 and 6.09 million.
    [
        ("resnet18", 11_689_512, 224),
        ("resnet34", 21_797_672, 224),
        ("resnet50", 25_557_032, 224),
        ("efficientnet-lite0", 4_652_008, 224),
        ("efficientnet-lite1", 5_416_680, 240),
        ("efficientnet-lite2", 6_092_072, 260),
        ("resnet18@64", 11_689_512, 64),
    ],
)
def test_a_backbone_comes_with_a_head_for_imagenet_and_its_own_input(name: str, n_parameters: int, side: int) -> None:
    named = named_model(name)
    assert sum(each.numel() for each in named.module.parameters()) == n_parameters
    assert named.input_shape == (3, side, side)
    assert "1,000 outputs" in named.notes[0]
    assert all(each.is_meta for each in named.module.parameters())


def test_the_number_of_classes_can_be_chosen() -> None:
    named = named_model("resnet18", n_classes=5)
    assert sum(each.numel() for each in named.module.parameters()) == 11_689_512 - 513 * 995
    assert named.notes == ()


def test_a_layer_in_words() -> None:
    layer = named_model("conv 1->96 kernel 8 stride 4").module
    assert isinstance(layer, nn.Conv2d)
    assert (layer.kernel_size, layer.stride) == ((8, 8), (4, 4))


def test_a_network_of_timm_is_made_without_memory() -> None:
    if find_spec("timm") is None:
        pytest.skip("timm is not installed")
    named = named_model("timm:convnext_atto", n_classes=7)
    assert named.input_shape == (3, 224, 224)
    assert all(each.is_meta for each in named.module.parameters())
    with pytest.raises(UsageError, match="no network called 'convnext_ato'; did you mean \"convnext_atto\""):
        named_model("timm:convnext_ato")


def run_of_pictures(folder: Path, *, backbone: str, regime: str) -> Path:
    """A run folder with what a count reads of it."""
    run = _run(folder)
    settings = {"format": 1, "backbone": backbone, "regime": regime, "crop": 224}
    (run / "model" / "preprocess.json").write_text(json.dumps(settings))
    return run


def _run(folder: Path) -> Path:
    run = folder / "photos-001"
    (run / "model").mkdir(parents=True)
    (run / "plan.toml").write_text("seed = 0\n")
    (run / "scores.json").write_text("{}")
    (run / "model" / "classes.json").write_text('["a", "b", "c"]')
    return run


def run_of_rows(folder: Path, *, model: str, **tensors: np.ndarray[Any, Any]) -> Path:
    """A run folder of a table."""
    from safetensors.numpy import save_file

    run = _run(folder)
    settings = {"format": 1, "kind": "table", "model": model, "fingerprint": fingerprint(tensors)}
    (run / "model" / "preprocess.json").write_text(json.dumps(settings))
    save_file(tensors, run / "model" / "weights.safetensors")
    return run


@pytest.mark.parametrize(
    ("regime", "n_learning"),
    [("frozen", 512 * 3 + 3), ("partial", 8_393_728 + 512 * 3 + 3), ("full", 11_176_512 + 512 * 3 + 3)],
)
def test_a_run_has_its_own_network_with_what_its_regime_freezes(regime: str, n_learning: int, tmp_path: Path) -> None:
    named = named_model(str(run_of_pictures(tmp_path, backbone="resnet18@96", regime=regime)))
    assert named.input_shape == (3, 96, 96)
    assert sum(each.numel() for each in named.module.parameters() if each.requires_grad) == n_learning
    assert f"resnet18@96, 3 classes, regime {regime}" in named.notes[0]
    assert (len(named.notes) == 2) == (regime != "full")


def test_a_run_of_rows_has_the_layers_of_its_weights(tmp_path: Path) -> None:
    zeros = {
        "hidden.0.weight": np.zeros((8, 5), np.float32),
        "hidden.0.bias": np.zeros(8, np.float32),
        "output.weight": np.zeros((3, 8), np.float32),
        "output.bias": np.zeros(3, np.float32),
    }
    named = named_model(str(run_of_rows(tmp_path, model="mlp", **zeros)))
    assert named.input_shape == (5,)
    assert sum(each.numel() for each in named.module.parameters()) == 8 * 6 + 3 * 9


def test_trees_multiply_nothing(tmp_path: Path) -> None:
    run = run_of_rows(tmp_path, model="boosting", roots=np.zeros((1, 1), np.int32))
    with pytest.raises(UsageError, match="is made of trees"):
        named_model(str(run))


def test_weights_that_make_no_layers_are_told(tmp_path: Path) -> None:
    run = run_of_rows(tmp_path, model="linear", other=np.zeros(3, np.float32))
    with pytest.raises(RunFolderError, match=r"it has no tensor 'output.weight'"):
        named_model(str(run))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("resnet-18", 'did you mean "resnet18"'),
        ("resnet19", 'did you mean "resnet18"'),
        ("efficientnet_lite0", 'did you mean "efficientnet-lite0"'),
        ("", "is '', which is not known"),
        ("   ", "is '', which is not known"),
        ("__import__('os').system('true')", "which is not known"),
        ("runs/absent-001", "there is nothing called 'runs/absent-001'"),
        ("absent.py", "there is nothing called 'absent.py'"),
        ("absent.pth", "there is nothing called 'absent.pth'"),
        ("resnet18@9", "'resnet18@9'"),
    ],
)
def test_what_means_no_model_is_refused(text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        named_model(text)
    assert caught.value.fix


def test_a_file_alone_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "network.py").write_text("class Net: ...\ndef make(): ...\n")
    with pytest.raises(UsageError, match="which model in it is meant") as caught:
        named_model(str(tmp_path / "network.py"))
    assert caught.value.fix == "name one of Net, make"
    (tmp_path / "weights.pth").write_bytes(b"")
    with pytest.raises(UsageError, match="holds no program"):
        named_model(str(tmp_path / "weights.pth"))
    with pytest.raises(UsageError, match=r'did you mean "network.py"'):
        named_model(str(tmp_path / "netwok.py"))


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="is no finished run"):
        named_model(str(tmp_path))
    run = run_of_pictures(tmp_path, backbone="resnet18", regime="full")
    (run / "model" / "preprocess.json").write_text("[]")
    with pytest.raises(RunFolderError, match="no table of settings"):
        named_model(str(run))


@pytest.mark.parametrize("n_classes", [0, -3, 10**12])
def test_a_head_has_a_sensible_number_of_outputs(n_classes: int) -> None:
    with pytest.raises(UsageError, match=f"classes is {n_classes}"):
        named_model("resnet18", n_classes=n_classes)


def test_only_a_backbone_has_a_head_to_choose() -> None:
    with pytest.raises(UsageError, match="is no backbone"):
        named_model("conv 1->2 kernel 3", n_classes=5)
