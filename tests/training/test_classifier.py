import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heldout.data.storage.sources import FolderSource
from heldout.errors import RunFolderError
from heldout.models.choosing import machine
from heldout.models.prepared import Prepared
from heldout.records import to_json, write_atomic
from heldout.training.classifier import Classifier, ask, load, logits_of, save


@pytest.fixture
def classifier(lite0: Prepared) -> Classifier:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(3, 1280)).astype(np.float32)
    return Classifier(lite0, weight, rng.normal(size=3).astype(np.float32), ("a", "b \N{SNOWMAN}", "<c>"), 1.75)


@pytest.fixture
def run(classifier: Classifier, tmp_path: Path) -> Path:
    save(classifier, tmp_path / "run" / "model", regime="frozen")
    return tmp_path / "run"


def test_a_saved_classifier_is_loaded_as_it_was_on_another_machine(
    classifier: Classifier, run: Path, tmp_path: Path
) -> None:
    back = load(run, cache=tmp_path / "new cache")
    np.testing.assert_array_equal(back.weight, classifier.weight)
    np.testing.assert_array_equal(back.bias, classifier.bias)
    assert (back.classes, back.temperature) == (classifier.classes, 1.75)
    assert back.backbone.fingerprint == classifier.backbone.fingerprint
    assert back.backbone.weights.is_file()
    assert back.backbone.folder.is_relative_to(tmp_path / "new cache")


def test_a_flipped_bit_in_the_weights_is_noticed(run: Path, tmp_path: Path) -> None:
    file = run / "model" / "weights.safetensors"
    content = bytearray(file.read_bytes())
    content[-1000] ^= 1
    file.write_bytes(content)
    with pytest.raises(RunFolderError, match="fingerprint is not the one"):
        load(run, cache=tmp_path)


def test_weights_cut_short_are_noticed(run: Path, tmp_path: Path) -> None:
    file = run / "model" / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(RunFolderError, match=r"weights\.safetensors cannot be used"):
        load(run, cache=tmp_path)


@pytest.mark.parametrize("name", ["weights.safetensors", "preprocess.json", "classes.json"])
def test_an_absent_file_is_told(run: Path, tmp_path: Path, name: str) -> None:
    (run / "model" / name).unlink()
    with pytest.raises(RunFolderError, match=f"{name} (is absent|cannot be used)"):
        load(run, cache=tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "not of format 1"),
        ({"fingerprint": None}, "fingerprint absent or of another kind"),
        ({"temperature": "1"}, "temperature absent or of another kind"),
        ({"head": "fc"}, "no head called 'fc'"),
        ({"crop": 200}, "other pixels than efficientnet-lite0"),
    ],
)
def test_changed_settings_are_refused(run: Path, tmp_path: Path, change: dict[str, object], reason: str) -> None:
    file = run / "model" / "preprocess.json"
    file.write_bytes(to_json(json.loads(file.read_bytes()) | change))
    with pytest.raises(RunFolderError, match=reason):
        load(run, cache=tmp_path)


@pytest.mark.parametrize(
    ("classes", "reason"), [(["a", "b"], "3 rows, .* 2 names"), ({}, "no list"), ([1, 2, 3], "no list")]
)
def test_other_class_names_are_refused(run: Path, tmp_path: Path, classes: object, reason: str) -> None:
    (run / "model" / "classes.json").write_bytes(to_json(classes))
    with pytest.raises(RunFolderError, match=reason):
        load(run, cache=tmp_path)


def test_asking_about_files_gives_the_same_answers_alone_and_together(classifier: Classifier, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    chosen = {"program": "torch", "precision": "f32", "device": "cpu"}
    record = {"machine": machine(), "choice": chosen, "pictures_a_second": {}}
    write_atomic(cache / "engines" / "efficientnet-lite0-features.json", to_json(record))
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "bad.png").write_bytes(b"")
    together = ask(classifier, FolderSource(tmp_path), ["0.png", "bad.png", "1.png", "2.png"], cache=cache)
    assert together.readable == (0, 2, 3)
    assert [file.id for file in together.survey.unreadable] == ["bad.png"]
    assert together.logits.shape == (3, 3)
    shutil.rmtree(cache / "features")
    alone = ask(classifier, FolderSource(tmp_path), ["2.png"], cache=cache)
    np.testing.assert_array_equal(alone.logits[0], together.logits[2])
    assert ask(classifier, FolderSource(tmp_path), ["bad.png"], cache=cache).logits.shape == (0, 3)


def test_logits_of_many_rows_are_those_of_each(classifier: Classifier, tmp_path: Path) -> None:
    from heldout.training.stores import ArrayStore

    store = ArrayStore(tmp_path, (1280,), "float32")
    features = np.random.default_rng(1).normal(size=(1003, 1280)).astype(np.float32)
    keys = [f"{number:064x}" for number in range(1003)]
    for key, row in zip(keys, features, strict=True):
        store.add(key, row)
    np.testing.assert_array_equal(logits_of(classifier, store.rows(keys)), classifier.logits(features))
