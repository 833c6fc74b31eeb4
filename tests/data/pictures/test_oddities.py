from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from heldout.data.examples import Examples, gather
from heldout.data.pictures.appearance import Appearance, appearance
from heldout.data.pictures.decoding import PictureFacts
from heldout.data.pictures.oddities import find_oddities
from heldout.data.pictures.survey import Survey
from heldout.data.storage.sources import FolderSource
from heldout.findings import MAX_NAMED, Finding

FACTS = PictureFacts(width=400, height=300, mode="RGB", format="JPEG", n_bytes=9, sha256="", pixels="")
PLAIN = Appearance(
    brightness=0.5,
    contrast=0.2,
    dark_end=0.1,
    light_end=0.9,
    sharpness=1.2,
    red=0.5,
    green=0.5,
    blue=0.4,
    is_grey=False,
    is_flat=False,
    border=0.0,
    border_luma=0.0,
    jpeg_quality=75,
)


def examples_of(*counts: int) -> Examples:
    rows = [(f"{label}/{i:03d}", f"class {label}", -1) for label, n in enumerate(counts) for i in range(n)]
    return gather(FolderSource(Path("/d")), rows, layout="class folders")


def judged(
    examples: Examples, looks: dict[int, dict[str, Any]] | None = None, facts: dict[int, dict[str, Any]] | None = None
) -> dict[str, Finding]:
    """Findings by code, of pictures that are plain but for the changes to some of them."""
    n = len(examples)
    findings = find_oddities(
        examples,
        [replace(PLAIN, **(looks or {}).get(i, {})) for i in range(n)],
        Survey(tuple(replace(FACTS, **(facts or {}).get(i, {})) for i in range(n)), ()),
    )
    assert len({finding.code for finding in findings}) == len(findings)
    return {finding.code: finding for finding in findings}


def scene() -> Image.Image:
    random = np.random.default_rng(0)
    image = Image.new("RGB", (128, 96), (120, 130, 90))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = int(random.integers(-10, 128)), int(random.integers(-10, 96))
        draw.rectangle((x, y, x + 14, y + 11), fill=tuple(random.integers(0, 256, 3).tolist()))
    return image


def times(factor: float, plus: float = 0.0) -> Callable[[Image.Image], Image.Image]:
    return lambda image: Image.fromarray((np.asarray(image) * factor + plus).astype(np.uint8))


@pytest.mark.parametrize(
    ("code", "severity", "make"),
    [
        ("too-dark", "note", times(0.15)),
        ("too-bright", "note", times(0.15, 215.0)),
        ("blurred", "note", lambda image: image.filter(ImageFilter.GaussianBlur(3))),
        ("grey-among-colour", "note", lambda image: image.convert("L").convert("RGB")),
        ("one-colour-only", "warning", lambda image: Image.new("RGB", image.size, (30, 90, 200))),
    ],
)
def test_one_odd_picture_is_named(code: str, severity: str, make: Callable[[Image.Image], Image.Image]) -> None:
    examples = examples_of(10, 10)
    looks = [appearance(scene())] * 20
    survey = Survey((FACTS,) * 20, ())
    assert find_oddities(examples, looks, survey) == []
    looks[3] = appearance(make(scene()))
    (found,) = find_oddities(examples, looks, survey)
    assert (found.code, found.severity, found.where) == (code, severity, (examples.ids[3],))
    assert found.what.startswith("1 of 20 pictures are ")


def test_a_dark_picture_with_a_light_thing_in_it_is_not_too_dark() -> None:
    night = times(0.05)(scene())
    night.paste((250, 240, 200), (50, 40, 70, 60))
    examples = examples_of(1, 1)
    assert find_oddities(examples, [appearance(night), PLAIN], Survey((FACTS, FACTS), ())) == []


def test_long_pictures_are_named_whichever_side_is_long() -> None:
    sizes = {0: {"width": 3000, "height": 1000}, 1: {"width": 300, "height": 999}, 2: {"width": 299, "height": 100}}
    found = judged(examples_of(10, 10), facts=sizes)
    assert found.keys() == {"extreme-aspect"}
    assert found["extreme-aspect"].where == ("0/000", "0/001")


def test_colour_among_grey_names_the_rarer_kind() -> None:
    grey: dict[int, dict[str, Any]] = {i: {"is_grey": True} for i in range(18)}
    found = judged(examples_of(10, 10), grey)
    assert found["colour-among-grey"].where == ("1/008", "1/009")
    assert judged(examples_of(10, 10), {i: {"is_grey": True} for i in range(20)}) == {}


def test_many_are_counted_and_some_named() -> None:
    found = judged(examples_of(50, 50), {i: {"is_flat": True} for i in range(30)})["one-colour-only"]
    assert len(found.where) == MAX_NAMED
    assert found.what.startswith("30 of 100 pictures")


def test_a_size_of_its_own_for_each_class_is_a_warning() -> None:
    sizes = {i: {"width": (400, 640, 800)[i // 20]} for i in range(60)}
    found = judged(examples_of(20, 20, 20), facts=sizes)["one-size-per-class"]
    assert (found.severity, found.where) == ("warning", ("class 0", "class 1", "class 2"))
    assert "3 of 3 classes" in found.what
    assert "'class 0' is 400 x 300 pixels" in found.what


def test_a_size_of_its_own_for_one_class_names_that_class() -> None:
    sizes = {i: {"width": 640 if i // 20 == 1 else 400 + i % 7} for i in range(60)}
    assert judged(examples_of(20, 20, 20), facts=sizes)["one-size-per-class"].where == ("class 1",)


def test_two_sizes_that_each_class_has_are_fine() -> None:
    assert judged(examples_of(20, 20), facts={i: {"width": 400 + 240 * (i % 2)} for i in range(40)}) == {}


@pytest.mark.parametrize(
    ("code", "look"), [("border-by-class", {"border": 0.1, "border_luma": 1.0}), ("grey-by-class", {"is_grey": True})]
)
def test_a_look_that_one_class_has_is_a_warning(code: str, look: dict[str, Any]) -> None:
    examples = examples_of(20, 20, 20)
    # Four in five of the class, and one of the others.
    found = judged(examples, dict.fromkeys([*range(20, 36), 59], look))[code]
    assert (found.severity, found.where) == ("warning", ("class 1",))
    # Half of every class.
    assert code not in judged(examples, dict.fromkeys(range(0, 60, 2), look))
    # Half of one class.
    assert code not in judged(examples, dict.fromkeys(range(20, 30), look))
    # All classes.
    assert code not in judged(examples, dict.fromkeys(range(60), look))


def test_of_a_handful_of_pictures_nothing_is_said_about_classes() -> None:
    assert judged(examples_of(9, 9), facts={i: {"width": 400 + i // 9} for i in range(18)}) == {}


def test_unknown_pictures_are_left_out() -> None:
    examples = examples_of(2, 2)
    looks = [None, PLAIN, replace(PLAIN, is_flat=True), None]
    survey = Survey((None, FACTS, FACTS, None), ())
    assert [finding.where for finding in find_oddities(examples, looks, survey)] == [("1/000",)]
    assert find_oddities(examples, [None] * 4, Survey((None,) * 4, ())) == []


def test_looks_of_other_examples_are_a_bug_of_ours() -> None:
    with pytest.raises(AssertionError, match="4 examples, 3 appearances, 4 facts"):
        find_oddities(examples_of(2, 2), [PLAIN] * 3, Survey((FACTS,) * 4, ()))
