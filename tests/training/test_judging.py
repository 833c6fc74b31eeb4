"""Findings from several files about one folder of pictures: what is joined here, not what each of them does."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heldout.data.examples import Examples
from heldout.data.layouts.photos import find_photos
from heldout.data.pictures.survey import Survey
from heldout.data.splits import Split, make_split
from heldout.training.judging import Kinship, judge, kinship
from heldout.training.looking import look_at
from heldout.training.stores import FactStore


def scene(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((96, 72), Image.Resampling.BICUBIC)


def save(image: Image.Image, path: Path, **options: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    image.save(out, "PNG" if path.suffix == ".png" else "JPEG", **options)
    path.write_bytes(out.getvalue())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve scenes of two classes; one is there three times (saved again, flipped), one file is no picture."""
    folder = tmp_path / "photos"
    for number in range(12):
        save(scene(number), folder / "ab"[number % 2] / f"{number:02d}.jpg", quality=90)
    save(scene(0), folder / "a" / "again.jpg", quality=50)
    save(scene(0).transpose(Image.Transpose.FLIP_LEFT_RIGHT), folder / "b" / "flipped.jpg", quality=90)
    (folder / "b" / "bad.jpg").write_bytes(b"no picture")
    return folder


def looked_at(photos: Path, store: Path) -> tuple[Examples, Survey, FactStore]:
    examples, facts = find_photos(photos), FactStore(store, 64)
    return examples, look_at(examples.source, examples.ids, [], facts).survey, facts


def test_copies_are_found_around_an_unreadable_file(photos: Path, tmp_path: Path) -> None:
    examples, survey, facts = looked_at(photos, tmp_path / "facts")
    kin = kinship(examples, survey, facts)
    pairs = {(examples.ids[i], examples.ids[j]) for i, j in zip(kin.pairs.first, kin.pairs.second, strict=True)}
    assert pairs == {("a/00.jpg", "a/again.jpg"), ("a/00.jpg", "b/flipped.jpg"), ("a/again.jpg", "b/flipped.jpg")}
    sizes = np.unique(kin.clusters, return_counts=True)[1]
    assert sorted(sizes.tolist()) == [1] * 12 + [3]


def test_groups_and_copies_are_one_cluster(photos: Path, tmp_path: Path) -> None:
    examples, survey, facts = looked_at(photos, tmp_path / "facts")
    names = ["burst" if name in ("a/again.jpg", "b/11.jpg") else "" for name in examples.ids]
    kin = kinship(replace(examples, groups=tuple(names)), survey, facts)
    together = {examples.ids[i] for i in np.flatnonzero(kin.clusters == kin.clusters[examples.ids.index("b/11.jpg")])}
    assert together == {"a/00.jpg", "a/again.jpg", "b/flipped.jpg", "b/11.jpg"}
    assert kin.copies[examples.ids.index("b/11.jpg")] != kin.copies[examples.ids.index("a/00.jpg")]


def readable(photos: Path, store: Path) -> tuple[Examples, Survey, FactStore, Kinship]:
    (photos / "b" / "bad.jpg").unlink()
    examples, survey, facts = looked_at(photos, store)
    return examples, survey, facts, kinship(examples, survey, facts)


def codes(found: Sequence[object]) -> set[str]:
    return {str(getattr(finding, "code", "")) for finding in found}


def test_a_made_split_parts_no_copies_and_a_given_one_is_told(photos: Path, tmp_path: Path) -> None:
    examples, survey, facts, kin = readable(photos, tmp_path / "facts")
    made = make_split(examples, seed=0, clusters=kin.clusters)
    found = codes(judge(examples, survey, facts, kin, split=made, group_by="", seed=0))
    assert "near-duplicate-across-splits" not in found
    assert "near-copies-two-labels" in found
    parts = np.zeros(len(examples), np.int8)
    parts[[examples.ids.index(name) for name in ("a/again.jpg", "b/01.jpg")]] = 2
    given = Split(parts, (), 0)
    assert "near-duplicate-across-splits" in codes(
        judge(examples, survey, facts, kin, split=given, group_by="", seed=0)
    )


def test_what_goes_with_a_class_is_judged_without_the_test_part(photos: Path, tmp_path: Path) -> None:
    for number in range(12):
        save(scene(number).resize((80, 60)), photos / "b" / f"{number:02d}.jpg", quality=90)
    for number in range(12, 60):
        save(scene(number), photos / "a" / f"{number:02d}.jpg", quality=90)
        save(scene(100 + number).resize((80, 60)), photos / "b" / f"{number:02d}.jpg", quality=90)
    examples, survey, facts, kin = readable(photos, tmp_path / "facts")
    everything = Split(np.zeros(len(examples), np.int8), (), 0)
    assert "one-size-per-class" in codes(judge(examples, survey, facts, kin, split=everything, group_by="", seed=0))
    sealed = np.where(np.arange(len(examples)) % 20 == 0, 0, 2).astype(np.int8)
    found = judge(examples, survey, facts, kin, split=Split(sealed, (), 0), group_by="", seed=0)
    assert "one-size-per-class" not in codes(found)
