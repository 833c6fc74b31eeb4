from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heldout.data.examples import Examples
from heldout.data.pictures.survey import read_file
from heldout.data.storage.sources import FolderSource
from heldout.errors import DataError
from heldout.models.choosing import machine
from heldout.models.prepared import Prepared
from heldout.records import to_json, write_atomic
from heldout.training.classifier import fact_store, pixel_path
from heldout.training.looking import Product
from heldout.training.materials import Materials, Part
from heldout.training.stores import ArrayStore


def part_of(root: Path) -> Part:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(root / "a.png")
    given = np.full(1, -1, np.int8)
    source = FolderSource(root)
    examples = Examples(source, ("a.png",), np.zeros(1, np.int64), ("x", "y"), given, "listing", ())
    return Part(examples, (read_file(source, "a.png")[1],))


def test_features_by_a_trained_backbone_are_computed_once_and_a_changed_file_is_told(
    lite0: Prepared, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    chosen = {"program": "torch", "precision": "f32", "device": "cpu"}
    record = {"machine": machine(), "choice": chosen, "pictures_a_second": {}}
    write_atomic(cache / "engines" / "efficientnet-lite0-features.json", to_json(record))
    facts = fact_store(lite0.backbone, cache)
    materials = Materials(lite0.backbone, None, None, {}, facts, cache, "cpu")
    part = part_of(tmp_path)
    first = materials.features_by(lite0, part).all()
    assert first.shape == (1, 1280)
    np.testing.assert_array_equal(materials.features_by(lite0, part).all(), first)
    of_another_file = Part(part.examples, ("ab" * 32,))
    with pytest.raises(DataError, match=r"'a\.png' was changed or removed during the run"):
        materials.features_by(lite0, of_another_file)


def test_features_that_are_held_are_those_of_the_store_for_any_part(lite0: Prepared, tmp_path: Path) -> None:
    width = lite0.backbone.n_features
    store = ArrayStore(tmp_path / "features", (width,), "float32")
    keys = tuple(f"{number:064x}" for number in range(4))
    for number, key in enumerate(keys):
        store.add(key, np.full(width, number, np.float32))
    products = {"features": Product(store, pixel_path(lite0.backbone), None)}
    facts = fact_store(lite0.backbone, tmp_path)
    materials = Materials(lite0.backbone, None, lite0, products, facts, tmp_path, "cpu")
    examples = Examples(
        FolderSource(tmp_path), tuple("abcd"), np.zeros(4, np.int64), ("x",), np.full(4, -1, np.int8), "kept"
    )
    held = materials.holding_features(Part(examples, keys))
    some = Part(examples.take(np.array([3, 1])), (keys[3], keys[1]))
    assert held.features(some)[:, 0].tolist() == [3, 1]
    assert held.features(some).tobytes() == materials.features(some).tobytes()
    held.features(some)[:] = -1
    assert held.features(some)[:, 0].tolist() == [3, 1]
