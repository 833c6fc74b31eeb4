import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from heldout.data.pictures.appearance import appearance
from heldout.data.pictures.decoding import decode
from heldout.findings import Finding
from heldout.training.shortcuts import FALSE_ALARMS, Nuisances, find_shortcuts, guess_classes, nuisances_of

CLASSES = ("ash", "beech", "cedar")


def picture(random: np.random.Generator, size: tuple[int, int] = (160, 120)) -> Image.Image:
    ground = random.integers(40, 216, (6, 8, 3), dtype=np.uint8)
    image = Image.fromarray(ground).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(5, 20))):
        x, y = int(random.integers(0, size[0])), int(random.integers(0, size[1]))
        draw.ellipse((x, y, x + 20, y + 14), fill=tuple(random.integers(0, 256, 3).tolist()))
    return image


def stored(image: Image.Image, quality: int = 80) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def data_of(make: Callable[[int, np.random.Generator], bytes], n: int = 40) -> tuple[Nuisances, np.ndarray]:
    """What is known of `n` made pictures of each of three classes."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), n)
    looks, facts = [], []
    for label in labels.tolist():
        data = make(label, random)
        decoded = decode(data)
        small = decoded.image.copy()
        small.thumbnail((128, 128))
        with Image.open(io.BytesIO(data)) as image:
            looks.append(appearance(small, image))
        facts.append(decoded.facts)
    return nuisances_of(looks, facts), labels


def found_in(nuisances: Nuisances, labels: np.ndarray) -> dict[str, Finding]:
    findings = find_shortcuts(nuisances, labels, classes=CLASSES, generator=np.random.default_rng(1))
    return {finding.code: finding for finding in findings}


def test_pictures_made_alike_have_no_shortcut() -> None:
    assert found_in(*data_of(lambda label, random: stored(picture(random)))) == {}


def test_one_size_a_class_is_an_error_with_the_figures() -> None:
    sizes = ((160, 120), (150, 120), (160, 130))
    found = found_in(*data_of(lambda label, random: stored(picture(random, sizes[label]))))["shortcut-size"]
    assert (found.severity, found.where) == ("error", CLASSES)
    assert "balanced accuracy of 100.0%, at least 9" in found.what
    assert "naming the commonest class gets 33.3% (n = 120, 5 folds)" in found.what


def test_a_jpeg_quality_for_each_class_is_an_error() -> None:
    found = found_in(*data_of(lambda label, random: stored(picture(random), 75 + 5 * label)))
    assert found["shortcut-jpeg-quality"].severity == "error"


def test_a_quality_in_one_class_alone_is_a_warning_that_names_it() -> None:
    found = found_in(*data_of(lambda label, random: stored(picture(random), 95 if label == 1 else 80)))
    assert found["shortcut-jpeg-quality"].severity == "warning"
    assert "beech" in found["shortcut-jpeg-quality"].where


def test_a_grey_class_is_seen_by_mode_and_by_colour() -> None:
    def make(label: int, random: np.random.Generator) -> bytes:
        return stored(picture(random).convert("L") if label == 2 else picture(random))

    found = found_in(*data_of(make))
    assert found["shortcut-format-and-mode"].severity == "warning"
    assert "cedar" in found["shortcut-format-and-mode"].where
    assert found["shortcut-colour"].severity == "note"


def test_a_frame_in_one_class_is_a_warning() -> None:
    def make(label: int, random: np.random.Generator) -> bytes:
        image = picture(random)
        if label == 0:
            framed = Image.new("RGB", image.size, "white")
            framed.paste(image.crop((10, 10, 150, 110)), (10, 10))
            image = framed
        return stored(image)

    found = found_in(*data_of(make))["shortcut-border"]
    assert found.severity == "warning"
    assert "ash" in found.where


def test_the_colour_of_a_class_is_a_note_for_it_may_be_what_the_class_is_about() -> None:
    def make(label: int, random: np.random.Generator) -> bytes:
        tint = np.eye(3)[label] * 60
        return stored(Image.fromarray((np.asarray(picture(random)) * 0.7 + tint).astype(np.uint8)))

    found = found_in(*data_of(make))
    assert found["shortcut-colour"].severity == "note"
    assert "colour of flowers" in found["shortcut-colour"].why
    assert {finding.severity for finding in found.values()} == {"note"}


def test_what_only_all_together_tell_is_found() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 100)
    names = ("size", "format and mode", "JPEG quality", "file size", "border")
    nuisances = {name: labels[:, None] + random.normal(scale=2.0, size=(300, 1)) for name in names}
    guesses = {guess.nuisance: guess for guess in guess_classes(nuisances, labels, generator=random)}
    assert guesses["together"].value > max(guess.value for name, guess in guesses.items() if name != "together")


def noise(seed: int) -> tuple[Nuisances, np.ndarray]:
    """Numbers that know nothing of the labels, some continuous and some with few values."""
    random = np.random.default_rng(seed)
    n = int(random.integers(40, 400))
    labels = random.integers(0, random.integers(2, 6), n)
    nuisances = {
        "size": random.integers(100, 103, (n, 2)).astype(float),
        "format and mode": random.integers(0, 2, (n, 1)).astype(float),
        "JPEG quality": random.integers(70, 96, (n, 1)).astype(float),
        "file size": random.lognormal(size=(n, 1)),
        "border": np.where(random.random((n, 2)) < 0.9, 0.0, random.random((n, 2))),
        "sharpness": random.normal(size=(n, 1)),
        "light": random.normal(size=(n, 4)),
        "colour": random.normal(size=(n, 4)),
    }
    return nuisances, labels


def test_noise_gives_a_finding_at_most_as_often_as_stated() -> None:
    n_simulations = 200
    alarms = 0
    for seed in range(n_simulations):
        nuisances, labels = noise(seed)
        classes = [str(label) for label in range(6)]
        alarms += bool(find_shortcuts(nuisances, labels, classes=classes, generator=np.random.default_rng(seed)))
    assert alarms <= FALSE_ALARMS * n_simulations


def test_copies_do_not_give_the_label_away() -> None:
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(60), 4)
    labels = random.integers(0, 3, 60)[clusters]
    # Every cluster has a number of its own.
    nuisances = {"file size": random.permutation(60).astype(float)[clusters, None]}
    apart, together = (
        find_shortcuts(nuisances, labels, classes=CLASSES, generator=np.random.default_rng(0), clusters=grouped)
        for grouped in (None, clusters)
    )
    assert [finding.code for finding in apart] == ["shortcut-file-size"]
    assert together == []


def test_the_same_generator_gives_the_same_findings() -> None:
    nuisances, labels = data_of(lambda label, random: stored(picture(random), 75 + 5 * label), n=12)
    assert found_in(nuisances, labels) == found_in(nuisances, labels)


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 2, 0], []])
def test_nothing_is_said_where_nothing_can_be_held_back(labels: list[int]) -> None:
    nuisances = {"file size": np.arange(len(labels), dtype=float)[:, None]}
    assert find_shortcuts(nuisances, np.array(labels, int), classes=CLASSES, generator=np.random.default_rng(0)) == []


def test_classes_with_one_example_are_left_out() -> None:
    labels = np.array([0] * 20 + [1] * 20 + [2])
    nuisances = {"size": (labels * 100.0)[:, None]}
    (guess,) = guess_classes(nuisances, labels, generator=np.random.default_rng(0))
    assert (guess.n, guess.chance, guess.value, guess.told) == (40, 0.5, 1.0, (0, 1))
