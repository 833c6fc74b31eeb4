import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from heldout.errors import MissingExtra, UsageError, WeightsError
from heldout.models import timm_bridge
from heldout.models.backbones import BACKBONES, HubWeights, find_backbone
from heldout.models.timm_bridge import as_timm_loads, import_timm, import_torchvision, timm_backbone, timm_network
from heldout.models.weights import find_weights, load_weights

# timm's own tiny networks, one a family: pooled maps, class tokens, norms and layers before the head.
TINY = ["test_resnet", "test_efficientnet", "test_convnext", "test_vit", "test_mambaout", "test_nfnet"]


def in_a_fresh_process(code: str) -> str:
    """What the code prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_torchvision_imports_beside_a_cpu_torch() -> None:
    code = """
from heldout.models.timm_bridge import import_torchvision
first = import_torchvision()
assert import_torchvision() is first
print(first.models.resnet18(num_classes=3).fc.out_features)
"""
    assert in_a_fresh_process(code) == "3\n"


def test_schemas_are_declared_only_where_the_import_fails_for_want_of_them(tmp_path: Path) -> None:
    stand_ins = {
        "sound": "",
        "broken": "raise RuntimeError('no such luck')",
        "incomplete": "import absent_part",
        "in_want": "import torch\n"
        "if not hasattr(torch.ops.torchvision, 'qnms'):\n"
        "    raise RuntimeError('operator torchvision::nms does not exist')",
    }
    for name, content in stand_ins.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "torchvision.py").write_text(content)
    code = f"""
import sys
from heldout.models import timm_bridge
for name in {list(stand_ins)}:
    sys.path.insert(0, {str(tmp_path)!r} + "/" + name)
    sys.modules.pop("torchvision", None)
    try:
        timm_bridge.import_torchvision()
        said = "fine"
    except Exception as error:
        said = f"{{type(error).__name__}} {{error.args[0]}}"
    print(name, len(timm_bridge._declared), said)
"""
    assert in_a_fresh_process(code).splitlines() == [
        "sound 0 fine",
        "broken 0 RuntimeError no such luck",
        "incomplete 0 MissingExtra torchvision cannot be imported: No module named 'absent_part'",
        "in_want 1 fine",
    ]


def test_without_timm_the_error_carries_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingExtra, match=r"timm:NAME need timm[\s\S]*pip install 'heldout\[timm\]'"):
        find_backbone("timm:resnet18")


def test_the_pixels_are_those_of_timms_configuration() -> None:
    ours, theirs = BACKBONES["efficientnet-lite0"], timm_backbone("timm:tf_efficientnet_lite0")
    for number in ("n_features", "resize", "crop", "interpolation", "mean", "std"):
        assert getattr(ours, number) == getattr(theirs, number)
    for name in ("1", "2"):
        ours, theirs = BACKBONES[f"efficientnet-lite{name}"], timm_backbone(f"timm:tf_efficientnet_lite{name}")
        assert (ours.resize, ours.crop) == (theirs.resize, theirs.crop)
    ours, theirs = BACKBONES["resnet18"], timm_backbone("timm:resnet18.tv_in1k")
    for number in ("n_features", "resize", "crop", "interpolation", "mean", "std"):
        assert getattr(ours, number) == getattr(theirs, number)
    assert theirs.imagenet == HubWeights("timm/resnet18.tv_in1k", "model.safetensors")


def test_a_network_whose_weights_timm_once_kept_elsewhere_has_them_on_the_hub() -> None:
    weights = timm_backbone("timm:vit_tiny_patch16_224").imagenet
    assert weights == HubWeights("timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k", "model.safetensors")


def test_our_resnets_resize_as_torchvisions_weights_ask() -> None:
    models = import_torchvision().models
    for name, weights in (
        ("resnet18", models.ResNet18_Weights.IMAGENET1K_V1),
        ("resnet34", models.ResNet34_Weights.IMAGENET1K_V1),
        ("resnet50", models.ResNet50_Weights.IMAGENET1K_V2),
    ):
        backbone, pixels = BACKBONES[name], weights.transforms()
        assert [backbone.resize] == pixels.resize_size
        assert [backbone.crop] == pixels.crop_size
        assert backbone.interpolation == pixels.interpolation.value
        assert (list(backbone.mean), list(backbone.std)) == (pixels.mean, pixels.std)
        assert weights.url.endswith(backbone.imagenet.file)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("timm:resnet19", 'no network called .resnet19.; did you mean "resnet18"'),
        ("timm:", "no network called ''"),
        ("timm:resnet18.a1_in2k", 'no weights .a1_in2k. for resnet18; did you mean "resnet18.a1_in1k"'),
        ("timm:deit_tiny_distilled_patch16_224", "is a tuple, not one linear layer"),
        ("timm:efficientnet_b5", "crop mode 'squash'"),
        ("timm:vit_base_patch16_sapiens2", "pictures of 768x1024"),
    ],
)
def test_what_timm_or_we_do_not_offer_is_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        find_backbone(name)


@pytest.mark.parametrize("name", TINY)
def test_a_network_of_timm_says_the_same_inside_ours(name: str) -> None:
    backbone = find_backbone(f"timm:{name}")
    net = timm_network(backbone.name, 7, generator=torch.Generator().manual_seed(0)).eval()
    pixels = torch.randn(2, 3, backbone.crop, backbone.crop, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        features = net.features(pixels)
        assert torch.equal(net(pixels), net.model(pixels))
    assert features.shape == (2, backbone.n_features)
    assert net.head.out_features == 7
    assert set(net.state_dict()) == {f"model.{key}" for key in net.model.state_dict()}


def test_a_file_with_timms_own_keys_loads(tmp_path: Path) -> None:
    source = import_timm().create_model("test_vit", num_classes=5)
    save_file(source.state_dict(), tmp_path / "vit.safetensors")
    backbone = find_backbone("timm:test_vit")
    file = find_weights(str(tmp_path / "vit.safetensors"), backbone, cache=tmp_path)
    assert file is not None
    net = timm_network(backbone.name, 5, generator=torch.Generator().manual_seed(0))
    assert load_weights(net, file, backbone=backbone).head_kept
    assert torch.equal(net.model.state_dict()["pos_embed"], source.state_dict()["pos_embed"])


def test_published_weights_that_timm_cannot_read_are_refused() -> None:
    with pytest.raises(WeightsError, match="do not load into timm's test_resnet"):
        as_timm_loads("timm:test_resnet", {"conv1.weight": torch.zeros(2)})


def test_reading_published_weights_leaves_the_global_generator_as_it_was() -> None:
    state: dict[str, Any] = dict(import_timm().create_model("test_resnet").state_dict())
    before = torch.get_rng_state()
    read = as_timm_loads("timm:test_resnet", state)
    assert torch.equal(before, torch.get_rng_state())
    assert set(read) == {f"model.{key}" for key in state}


def test_a_failed_build_leaves_the_global_generator_as_it_was() -> None:
    before = torch.get_rng_state()
    with pytest.raises(UsageError, match="not one linear layer"):
        timm_network("timm:test_efficientnet_gn", 0, generator=torch.Generator())
    assert torch.equal(before, torch.get_rng_state())
    assert len(timm_bridge._declared) <= 1
