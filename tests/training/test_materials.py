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
from heldout.training.classifier import fact_store
from heldout.training.materials import Materials, Part


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
