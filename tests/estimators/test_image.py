from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.utils.validation import check_is_fitted

from heldout.errors import DataError, RunFolderError, UnreadablePictures, UsageError
from heldout.estimators.image import ImageClassifier
from heldout.estimators.table import TableClassifier
from heldout.models.choosing import machine
from heldout.records import to_json, write_atomic
from make import DRAWINGS, broken, picture, pixels

N_A_CLASS = 5


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which the engine is chosen already, which takes seconds."""
    folder = tmp_path_factory.mktemp("image-cache")
    record = {"machine": machine(), "choice": {"program": "torch", "precision": "f32", "device": "cpu"}}
    name = "efficientnet-lite0-features.json"
    write_atomic(folder / "1" / "engines" / name, to_json(record | {"pictures_a_second": {}}))
    return folder


@pytest.fixture(autouse=True)
def _chosen_engine(cache: Path, _own_cache: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELDOUT_CACHE", str(cache))


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("pictures")
    return [picture(root / f"{kind}-{n}.png", kind, n) for kind in DRAWINGS for n in range(N_A_CLASS)]


LABELS = [kind for kind in DRAWINGS for _ in range(N_A_CLASS)]


def test_paths_and_pixels_are_classified_alike(paths: list[Path]) -> None:
    of_paths = ImageClassifier().fit(paths, LABELS)
    unseen = [pixels(kind, 50) for kind in DRAWINGS]
    assert of_paths.predict(unseen).tolist() == list(DRAWINGS)
    arrays = np.stack([pixels(kind, n) for kind in DRAWINGS for n in range(N_A_CLASS)])
    of_arrays = ImageClassifier().fit(arrays, LABELS)
    np.testing.assert_array_equal(of_arrays.predict_proba(arrays), of_paths.predict_proba(paths))
    np.testing.assert_array_equal(of_arrays.validation_indices_, of_paths.validation_indices_)
    sizes = [unseen[0], unseen[1][:70, :90], unseen[2][10:, ::2, :]]
    assert of_arrays.predict_proba(sizes).shape == of_arrays.decision_function(sizes).shape == (3, 3)
    np.testing.assert_allclose(of_arrays.predict_proba(sizes).sum(axis=1), 1)
    sets = of_paths.predict_sets(unseen, share=0.5)
    assert sets.shape == (3, 3)
    assert not sets[~np.eye(3, dtype=bool)].any(), "no other class is half as likely"
    assert of_paths.not_sure(unseen, share=0.1).shape == (3,)


def test_a_cross_validation_computes_no_picture_anew(paths: list[Path], cache: Path) -> None:
    ImageClassifier().fit(paths, LABELS)
    before = sorted(cache.rglob("*"))
    scores = cross_val_score(ImageClassifier(imbalance="weights"), paths, np.array(LABELS), cv=2)
    assert scores.mean() > 0.9
    assert sorted(cache.rglob("*")) == before


def test_what_was_saved_answers_as_before(paths: list[Path], tmp_path: Path) -> None:
    y = [LABELS.index(label) + 9 for label in LABELS]  # 9, 14 and 19, which sort otherwise as text
    classifier = ImageClassifier(costs="14:9=5").fit(paths, y)
    loaded = ImageClassifier.load(classifier.save(tmp_path / "kept"))
    np.testing.assert_array_equal(loaded.predict_proba(paths), classifier.predict_proba(paths))
    np.testing.assert_array_equal(loaded.predict(paths), classifier.predict(paths))
    assert loaded.get_params() == classifier.get_params()
    assert loaded.classes_.tolist() == [9, 14, 19]
    assert loaded.score(paths, y) == 1
    with pytest.raises(RunFolderError, match="it is of a 'ImageClassifier', not of a 'TableClassifier'"):
        TableClassifier.load(tmp_path / "kept")


def test_copies_are_not_parted(paths: list[Path]) -> None:
    twice = [*paths, *paths]
    chosen = ImageClassifier().fit(twice, LABELS * 2).validation_indices_
    others = np.setdiff1d(np.arange(len(twice)), chosen)
    assert 0 < len(chosen) < len(twice)
    assert not set(chosen % len(paths)) & set(others % len(paths))


def test_unreadable_pictures_are_refused_by_path(paths: list[Path], tmp_path: Path) -> None:
    bad = broken(tmp_path / "bad.jpg")
    classifier = ImageClassifier()
    with pytest.raises(UnreadablePictures, match=r"1 of 16 files .*\n.*bad\.jpg': not a JPEG"):
        classifier.fit([*paths, bad], [*LABELS, "blobs"])
    with pytest.raises(ValueError, match="not fitted yet"):
        check_is_fitted(classifier)
    classifier.fit(paths, LABELS)
    with pytest.raises(UnreadablePictures, match=r"1 of 2 files .*\n.*bad\.jpg': not a JPEG"):
        classifier.predict([paths[0], bad])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"regime": "frosen"}, 'did you mean "frozen"'),
        ({"backbone": "resnet"}, "backbone is 'resnet'"),
        ({"training": {"augment": "light"}}, "augmentation with the regimes full and scratch alone"),
        ({"regime": "scratch", "weights": "file.safetensors"}, "regime is 'scratch', yet weights are"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused_by_fit(
    settings: dict[str, Any], message: str, paths: list[Path]
) -> None:
    classifier = ImageClassifier(**settings)
    with pytest.raises(UsageError, match=message):
        classifier.fit(paths, LABELS)


def test_labels_that_do_not_fit_are_refused(paths: list[Path]) -> None:
    with pytest.raises(DataError, match="15 examples and 14 labels"):
        ImageClassifier().fit(paths, LABELS[:-1])
    with pytest.raises(DataError, match="all 15 labels are 'cat'"):
        ImageClassifier().fit(paths, ["cat"] * 15)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"imbalance": "focal", "epochs": 3},
        {"regime": "partial", "epochs": 1},
        {"regime": "full", "epochs": 1, "imbalance": "balanced-batch"},
        {"regime": "scratch", "epochs": 1},
    ],
)
def test_each_regime_trains_and_is_saved(settings: dict[str, Any], paths: list[Path], tmp_path: Path) -> None:
    classifier = ImageClassifier(**settings).fit(paths, LABELS)
    loaded = ImageClassifier.load(classifier.save(tmp_path))
    np.testing.assert_array_equal(loaded.predict_proba(paths), classifier.predict_proba(paths))
    if settings.get("regime") != "scratch":
        assert classifier.score(paths, LABELS) > 0.9
