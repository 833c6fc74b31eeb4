import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heldout.data.examples import Examples, PassedOver, Row, gather
from heldout.data.pictures.decoding import PictureFacts, decode
from heldout.data.pictures.survey import Survey
from heldout.data.problems import find_problems
from heldout.data.splits import Split, make_split
from heldout.data.storage.sources import FolderSource
from heldout.errors import Unreadable
from heldout.findings import MAX_NAMED, Finding

PLAIN = PictureFacts(width=8, height=8, mode="RGB", format="JPEG", n_bytes=100, sha256="", pixels="")


def survey_of(examples: Examples, pixels: dict[str, str] | None = None, **changes: object) -> Survey:
    """Facts of pictures that are all different, except where `pixels` gives two ids the same."""
    facts = [replace(PLAIN, pixels=(pixels or {}).get(id_, id_), **changes) for id_ in examples.ids]  # type: ignore[arg-type]
    return Survey(tuple(facts), ())


def examples_of(*rows: Row, n: int = 40) -> Examples:
    """Two classes of `n` examples in train and in test, and whatever more `rows` say."""
    plain: list[Row] = [(f"{c}/{part}/{i:02d}", c, part) for c in "xy" for part in (0, 2) for i in range(n)]
    return gather(FolderSource(Path("/d")), [*plain, *rows], layout="split folders")


def by_code(findings: list[Finding]) -> dict[str, Finding]:
    assert len({finding.code for finding in findings}) == len(findings)
    return {finding.code: finding for finding in findings}


def as_given(examples: Examples) -> Split:
    return Split(parts=examples.given, made=(), seed=0)


def test_good_data_has_no_findings() -> None:
    examples = examples_of()
    assert find_problems(examples, survey_of(examples), as_given(examples)) == []
    assert find_problems(examples, survey_of(examples), None) == []


def test_copies_across_parts_are_an_error() -> None:
    examples = examples_of(("x/val", "x", 1), ("y/val", "y", 1))
    copies = {"x/0/00": "p", "x/2/00": "p", "x/2/01": "p", "x/0/05": "q", "x/val": "q"}
    found = by_code(find_problems(examples, survey_of(examples, copies), as_given(examples)))
    leak = found["duplicate-across-splits"]
    assert leak.severity == "error"
    assert leak.what == (
        "2 pictures stand in more than one part: 2 of 80 test examples also stand in train; "
        "1 of 2 validation examples also stand in train"
    )
    assert leak.where == ("x/0/00", "x/2/00", "x/2/01", "x/0/05", "x/val")
    assert "too high" in leak.why
    assert "Barz" in leak.source
    # The two in test are copies within a part too.
    assert found["duplicate-within-split"].where == ("x/2/00", "x/2/01")
    assert set(found) == {"duplicate-across-splits", "duplicate-within-split"}


def test_copies_are_the_same_pixels_of_the_same_size() -> None:
    examples = examples_of()
    facts = list(survey_of(examples, {"x/0/00": "p", "x/2/00": "p"}).facts)
    first = facts[0]
    assert first is not None
    facts[0] = replace(first, width=16, height=4)
    assert find_problems(examples, Survey(tuple(facts), ()), as_given(examples)) == []


def test_the_same_picture_in_another_format_is_a_copy() -> None:
    rows: list[Row] = [("a.png", "x", 0), ("b.bmp", "x", 2), ("c.png", "y", 0), ("d.png", "y", 2)]
    examples = gather(FolderSource(Path("/d")), rows, layout="listing")
    facts = []
    for seed, name in ((0, "PNG"), (0, "BMP"), (1, "PNG"), (2, "PNG")):
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, name)
        facts.append(decode(file.getvalue()).facts)
    found = by_code(find_problems(examples, Survey(tuple(facts), ()), as_given(examples))[:1])
    assert found["duplicate-across-splits"].where == ("a.png", "b.bmp")


def test_copies_without_parts_are_copies_within_the_data() -> None:
    rows: list[Row] = [(f"{c}{i:02d}", c, -1) for c in "xy" for i in range(20)]
    examples = gather(FolderSource(Path("/d")), rows, layout="class folders")
    survey = survey_of(examples, {"x00": "p", "x01": "p", "x02": "p"})
    (found,) = find_problems(examples, survey, None)
    assert (found.code, found.severity) == ("duplicate-within-split", "note")
    assert found.what.startswith("1 pictures have copies in the same part, 2 examples more than pictures")


def test_a_copy_that_no_part_names_yet_does_not_leak() -> None:
    rows: list[Row] = [(f"{c}{i:02d}", c, -1) for c in "xy" for i in range(20)]
    rows += [(f"{c}t{i:02d}", c, 2) for c in "xy" for i in range(30)]
    examples = gather(FolderSource(Path("/d")), rows, layout="listing")
    assert find_problems(examples, survey_of(examples, {"x00": "p", "xt00": "p"}), None) == []


def test_clusters_of_copies_keep_a_made_split_clean() -> None:
    rows: list[Row] = [(f"{c}{i:02d}", c, -1) for c in "xy" for i in range(60)]
    examples = gather(FolderSource(Path("/d")), rows, layout="class folders")
    survey = survey_of(examples, {f"{c}{i:02d}": f"{c}{i // 3}" for c in "xy" for i in range(60)})
    together = np.arange(120) // 3
    parted = make_split(examples, seed=0)
    kept = make_split(examples, seed=0, clusters=together)
    assert "duplicate-across-splits" in by_code_of(examples, survey, parted)
    assert "duplicate-across-splits" not in by_code_of(examples, survey, kept)


def by_code_of(examples: Examples, survey: Survey, split: Split) -> set[str]:
    return {finding.code for finding in find_problems(examples, survey, split)}


def test_one_picture_under_two_labels_is_an_error() -> None:
    examples = examples_of()
    found = by_code(find_problems(examples, survey_of(examples, {"x/0/00": "p", "y/0/00": "p"}), as_given(examples)))
    torn = found["one-picture-two-labels"]
    assert torn.severity == "error"
    assert torn.where == ("x/0/00", "y/0/00")
    assert torn.what.endswith("the first: 'x/0/00' is 'x', 'y/0/00' is 'y'")


def test_classes_missing_from_a_part_are_an_error_for_each_part() -> None:
    examples = examples_of(("z/t", "z", 2), *((f"w/{i}", "w", 0) for i in range(40)), ("x/v", "x", 1), ("w/v", "w", 1))
    missing = [f for f in find_problems(examples, survey_of(examples), None) if f.code == "class-missing-from-part"]
    assert [(finding.severity, finding.where) for finding in missing] == [
        ("error", ("z",)),
        ("error", ("y",)),
        ("error", ("w",)),
    ]
    assert [finding.what for finding in missing] == [
        "1 of 4 classes have no example in train: 'z'",
        "1 of 4 classes have no example in validation: 'y'",
        "1 of 4 classes have no example in test: 'w'",
    ]
    assert "never sees the class" in missing[0].why
    assert "says nothing about the class" in missing[2].why


def test_few_examples_are_judged_apart_in_test_and_train() -> None:
    rows: list[Row] = [(f"z/{part}/{i}", "z", part) for part, n in ((0, 9), (2, 29)) for i in range(n)]
    examples = examples_of(*rows)
    few = [f for f in find_problems(examples, survey_of(examples), None) if f.code == "few-examples"]
    assert [finding.what for finding in few] == [
        "1 of 3 classes have fewer than 30 examples in test; the fewest: 'z' with 29",
        "1 of 3 classes have fewer than 10 examples in train; the fewest: 'z' with 9",
    ]
    assert {finding.severity for finding in few} == {"warning"}
    assert {finding.where for finding in few} == {("z",)}


def test_imbalance_is_a_warning_from_three_to_one() -> None:
    rows: list[Row] = [(f"{c}{i:04d}", c, -1) for c, n in (("x", 300), ("y", 100)) for i in range(n)]
    examples = gather(FolderSource(Path("/d")), rows, layout="class folders")
    assert find_problems(examples, survey_of(examples), None) == []
    examples = gather(FolderSource(Path("/d")), [*rows, ("x9", "x", -1)], layout="class folders")
    (found,) = find_problems(examples, survey_of(examples), None)
    assert (found.code, found.severity, found.where) == ("imbalanced-classes", "warning", ("x", "y"))
    assert found.what == "the largest class, 'x', has 301 examples, the smallest, 'y', 100: 3.0 to 1"
    assert "right for 75% of all" in found.why


def test_unreadable_pictures_are_named_with_reasons() -> None:
    examples = examples_of()
    unreadable = (Unreadable("x/bad.jpg", "the file is empty"), Unreadable("y/bad.jpg", "the file is empty"))
    survey = replace(survey_of(examples), unreadable=unreadable)
    (found,) = find_problems(examples, survey, as_given(examples))
    assert (found.code, found.severity) == ("pictures-left-out", "warning")
    assert found.what == "2 of 162 files cannot be read and are in no part: the file is empty (2)"
    assert found.where == ("x/bad.jpg", "y/bad.jpg")


def test_unreadable_pictures_that_still_stand_among_the_examples_are_counted_once() -> None:
    examples = examples_of()
    facts = (None, *survey_of(examples).facts[1:])
    (found,) = find_problems(examples, Survey(facts, (Unreadable(examples.ids[0], "damaged"),)), None)
    assert found.what == "1 of 160 files cannot be read and are in no part: damaged (1)"


def test_mixed_modes_are_a_note_that_names_the_odd_ones() -> None:
    examples = examples_of()
    facts = list(survey_of(examples).facts)
    for i, mode in enumerate(["L", "CMYK", "L"]):
        fact = facts[i]
        assert fact is not None
        facts[i] = replace(fact, mode=mode)
    (found,) = find_problems(examples, Survey(tuple(facts), ()), None)
    assert (found.code, found.severity) == ("mixed-modes", "note")
    assert found.what == "the pictures are stored in 3 colour modes: RGB (157), L (2), CMYK (1)"
    assert found.where == examples.ids[:3]


def test_what_was_passed_over_is_a_note_by_reason() -> None:
    things = tuple(PassedOver(f"{i:03d}.txt", f"reason {i % 7}") for i in range(70))
    examples = replace(examples_of(), passed_over=things)
    (found,) = find_problems(examples, survey_of(examples), None)
    assert (found.code, found.severity) == ("passed-over", "note")
    assert found.what.startswith("70 things that stand with the data were not used: reason 0 (10), ")
    assert found.what.endswith(" and 2 other")
    assert found.where == tuple(f"{i:03d}.txt" for i in range(MAX_NAMED))


def test_facts_of_other_examples_are_a_bug_of_ours() -> None:
    examples = examples_of()
    with pytest.raises(AssertionError, match="1 facts for 160 examples"):
        find_problems(examples, Survey((PLAIN,), ()), None)


def test_no_examples_give_no_findings() -> None:
    examples = examples_of().take(np.array([], np.int64))
    assert find_problems(examples, Survey((), ()), None) == []
