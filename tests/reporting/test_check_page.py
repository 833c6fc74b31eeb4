"""check.html: pairs side by side, every doubt and every bad file told, and nothing in the data can run."""

import base64
import io
import os
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from heldout.data.examples import Examples, gather
from heldout.data.storage.sources import FolderSource
from heldout.reporting.check_page import MAX_UNREADABLE, check_page
from heldout.reporting.check_parts import verdict_of
from heldout.reporting.sections import SamplePicture, image_address
from heldout.verbs.checking import Check, check
from make import broken
from make_textures import texture
from reporting.browsing import LOW_CONTRAST, NEEDS_BROWSER, find, open_page, resize, texts

SCRIPT = "<script>alert(1)<"  # a folder; the rest of the tag is the name of a file in it
IMAGE = '"><img src=x onerror=alert(1)>'
TURNED = "\u202egpj.exe"
SECTIONS = ["classes", "findings", "pairs", "unreadable", "passed-over", "formats", "samples"]


class Page(HTMLParser):
    """Every start tag of a page with its attributes, and the text of its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def save(path: Path, number: int, *, quality: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    texture(number).save(path, "JPEG", quality=quality)
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Check:
    """A check of data with hostile names, two leaks, a torn label, a copy, and files that are no pictures."""
    home = tmp_path_factory.mktemp("hostile")
    train, test = home / "data" / "train", home / "data" / "test"
    for number in range(4):
        save(train / SCRIPT / f"{number}.jpg", number)
        save(train / "a & b" / f"{number}.jpg", 10 + number)
        save(test / SCRIPT / f"{number}.jpg", 20 + number)
        save(test / "a & b" / f"{number}.jpg", 30 + number)
    save(train / SCRIPT / "script>.jpg", 40)
    save(test / SCRIPT / f"{IMAGE}.jpg", 40, quality=60)  # nearly in two parts
    save(train / "a & b" / "leak.jpg", 41)
    save(test / "a & b" / "leak too.jpg", 41)  # exactly in two parts
    save(train / SCRIPT / f"{TURNED}.jpg", 42)
    save(train / "a & b" / f"{TURNED}.jpg", 42, quality=60)  # under two labels
    save(train / "a & b" / "again.jpg", 10, quality=60)  # within a part
    broken(train / "a & b" / f"bad {IMAGE}.jpg")
    (train / "a & b" / "<b>notes.txt").write_text("no picture")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HELDOUT_CACHE", str(session_cache))
        return check(home / "data", out=home / "checks")


def page_path(found: Check) -> Path:
    assert found.folder is not None
    return found.folder / "check.html"


@pytest.fixture(scope="module")
def page(hostile: Check) -> Page:
    return Page(page_path(hostile).read_text(encoding="utf-8"))


def test_the_sections_come_in_the_order_a_reader_needs(page: Page) -> None:
    assert [each["id"] for tag, each in page.tags if tag == "section"] == SECTIONS
    links = [each["href"] or "" for tag, each in page.tags if tag == "a"]
    ids = {each["id"] for _, each in page.tags if "id" in each}
    assert {link.removeprefix("#") for link in links} <= ids
    assert [f"#{name}" for name in SECTIONS] == [link for link in links if link.removeprefix("#") in SECTIONS][:7]


def test_the_pairs_are_those_that_were_planted(hostile: Check) -> None:
    record = hostile.as_dict()["pairs"]
    found = {
        (pair["kind"], pair["exact"], frozenset([pair["first"], pair["second"]]), tuple(pair["parts"]))
        for pair in record["shown"]
    }
    assert found == {
        (
            "across-parts",
            False,
            frozenset([f"test/{SCRIPT}/{IMAGE}.jpg", f"train/{SCRIPT}/script>.jpg"]),
            ("test", "train"),
        ),
        ("across-parts", True, frozenset(["test/a & b/leak too.jpg", "train/a & b/leak.jpg"]), ("test", "train")),
        (
            "two-labels",
            False,
            frozenset([f"train/{SCRIPT}/{TURNED}.jpg", f"train/a & b/{TURNED}.jpg"]),
            ("train", "train"),
        ),
        ("within-part", False, frozenset(["train/a & b/0.jpg", "train/a & b/again.jpg"]), ("train", "train")),
    }
    assert (record["n"], record["n_exact"], record["n_dropped"]) == (4, 1, 0)


def test_every_picture_of_the_page_is_in_the_page_and_can_be_decoded(page: Page) -> None:
    images = [each for tag, each in page.tags if tag == "img"]
    assert len(images) > 30
    for each in images:
        kind, _, content = (each["src"] or "").partition(",")
        assert kind == "data:image/jpeg;base64"
        assert each.get("alt")
        with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
            picture.load()


def test_hostile_names_are_text(page: Page) -> None:
    assert [each for tag, each in page.tags if tag == "script"] == [{}]
    assert not [tag for tag, _ in page.tags if tag in ("iframe", "object", "embed", "form", "base", "svg", "b")]
    names = {name for _, attributes in page.tags for name in attributes}
    assert "style" not in names
    assert not [name for name in names if name.startswith("on")]
    for name in (SCRIPT, f"test/{SCRIPT}/{IMAGE}.jpg", f"train/a & b/bad {IMAGE}.jpg", "train/a & b/<b>notes.txt"):
        assert name in page.texts


def test_a_name_that_turns_the_writing_around_stands_alone(hostile: Check) -> None:
    html = page_path(hostile).read_text(encoding="utf-8")
    outside = html.replace(f"<bdi>train/a &amp; b/{TURNED}.jpg</bdi>", "").replace(
        f"<bdi>train/&lt;script&gt;alert(1)&lt;/{TURNED}.jpg</bdi>", ""
    )
    assert html != outside
    assert "\u202e" not in outside


def test_a_finding_shows_the_pictures_that_it_names(hostile: Check) -> None:
    html = page_path(hostile).read_text(encoding="utf-8")
    code = '<p class="finding-code">near-duplicate-across-splits</p>'
    finding = html[: html.index(code)].rpartition('<li class="finding ')[2]
    assert finding.count("<img ") == 2
    assert "train/&lt;script&gt;alert(1)&lt;/script&gt;.jpg" in finding


def test_the_same_data_gives_the_same_page(hostile: Check, tmp_path: Path) -> None:
    again = check(hostile.examples.source.name, out=tmp_path / "checks")
    assert page_path(again).read_bytes() == page_path(hostile).read_bytes()


@pytest.mark.parametrize(
    ("severities", "n_unreadable", "title", "kind"),
    [
        (["error", "error", "warning"], 4, "3 things must be acted on before a score can be trusted", "grave"),
        ([], 1, "1 thing must be acted on before a score can be trusted", "grave"),
        (["warning", "note"], 0, "Nothing must be acted on, but 1 thing should be looked at", "doubtful"),
        (["note"], 0, "Nothing must be acted on", "clear"),
        ([], 0, "Nothing must be acted on", "clear"),
    ],
)
def test_the_headline_says_in_words_what_must_be_done(
    severities: list[str], n_unreadable: int, title: str, kind: str
) -> None:
    findings = [{"severity": severity, "what": f"{severity} {i}"} for i, severity in enumerate(severities)]
    verdict = verdict_of({"findings": findings, "unreadable": [{}] * n_unreadable})
    assert (verdict.title, verdict.kind) == (title, kind)
    assert len(verdict.points) == (int(title[0]) if kind == "grave" else severities.count("warning"))


def test_data_in_which_nothing_is_readable_has_a_whole_page(tmp_path: Path) -> None:
    for kind in ("blobs", "stripes"):
        broken(tmp_path / "data" / kind / "bad.jpg")
    found = check(tmp_path / "data", out=tmp_path / "checks")
    page = Page(page_path(found).read_text(encoding="utf-8"))
    assert [each["id"] for tag, each in page.tags if tag == "section"] == SECTIONS[:-1]
    assert "2 files cannot be read as pictures" in page.texts
    assert {"blobs/bad.jpg", "stripes/bad.jpg"} <= set(page.texts)


def test_clean_pictures_have_a_calm_page(tmp_path: Path) -> None:
    for number in range(24):
        save(tmp_path / "data" / ("first" if number % 2 else "second") / f"{number:02}.jpg", 100 + number)
    found = check(tmp_path / "data", out=tmp_path / "checks")
    html = page_path(found).read_text(encoding="utf-8")
    assert found.must_act is False
    assert "None. No two pictures look like copies of each other." in html
    assert "None. Every file was opened and decoded whole." in html
    assert "Nothing: everything that stands with the data is used." in html
    assert "Nothing must be acted on" in html


def test_a_name_that_is_no_text_is_shown_escaped(tmp_path: Path) -> None:
    content = {**record_of(1), "unreadable": [{"id": os.fsdecode(b"\xff.jpg"), "reason": "is empty"}]}
    page = check_page(content, many(1), name="data-001", samples=[], thumbnail=lambda index: None)
    assert "\\udcff.jpg" in page.decode("utf-8")


def many(n: int) -> Examples:
    rows = [(f"train/{i:06}.jpg", f"class {i % 100:03}", i % 3) for i in range(n)]
    rows += [(f"other/{i}.jpg", f"class {i:03}", 0) for i in range(100)]
    return gather(FolderSource(Path()), rows, layout="listing")


def record_of(n: int) -> dict[str, Any]:
    """What check.json has of `n` pictures about which everything is wrong at once."""
    examples = many(n)
    ids, classes = list(examples.ids), list(examples.classes)
    finding = {"what": "what is wrong", "why": "why it matters", "fix": "what to do", "source": "somebody, 2020"}
    pair = {"first": ids[0], "second": ids[-1], "likeness": 0.97, "exact": False}
    kinds = ("across-parts", "two-labels", "within-part")
    return {
        "n": len(examples),
        "layout": "listing",
        "classes": classes,
        "counts": {"train": [n] * 100, "validation": [n] * 100, "test": [n] * 100},
        "groups": {"n": 7, "largest": 3, "n_unnamed": 0},
        "sizes": {"smallest": [1, 1], "median": [5, 5], "largest": [9, 9], "n_different": 3},
        "modes": {"RGB": n},
        "formats": {"JPEG": n},
        "unreadable": [{"id": name, "reason": "is cut off: 5 of 9 blocks"} for name in ids],
        "passed_over": [{"name": f"{name}.txt", "reason": "is no picture"} for name in ids],
        "findings": [
            {**finding, "code": f"code-{i}", "severity": "warning", "where": ids[i : i + 24]} for i in range(24)
        ],
        "pairs": {
            "n": 5 * n,
            "n_exact": n,
            "n_dropped": n,
            "n_of_kind": dict.fromkeys(kinds, n),
            "shown": [{**pair, "kind": kind} for kind in kinds for _ in range(330)],
        },
    }


def test_a_hundred_thousand_bad_pictures_make_a_page_that_still_opens() -> None:
    examples = many(100_000)
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize((128, 128)).save(out, "JPEG", quality=80)
    assert len(out.getvalue()) > 4000  # as much as a thumbnail of a photo has
    address = image_address(out.getvalue())
    page = check_page(
        record_of(100_000),
        examples,
        name="data-001",
        samples=[SamplePicture(f"{i}", "class", address, address) for i in range(24)],
        thumbnail=lambda index: out.getvalue(),
    )
    html = page.decode()
    assert len(page) < 5_000_000
    assert html.count('class="twin ') == 60
    assert html.count("is cut off: 5 of 9 blocks") == MAX_UNREADABLE
    for words in ("500,000 pairs", "At least 100,000 more", "of 100,100; check.json has all", "100,000, 15 shown"):
        assert words in html


@pytest.fixture
def shown(browser: Any, hostile: Check) -> Any:
    """The page of the hostile data in a browser."""
    browser.get_log("browser")
    open_page(browser, page_path(hostile))
    return browser


class TestInABrowser:
    """What only a browser can tell."""

    pytestmark = NEEDS_BROWSER

    def test_no_script_of_the_data_runs_and_nothing_is_asked_for(self, shown: Any) -> None:
        assert shown.execute_script("return window.alerted") == []
        assert shown.execute_script("return document.scripts.length") == 1
        assert shown.execute_script("return document.querySelectorAll('img:not([src^=\"data:\"])').length") == 0
        entries = shown.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert [name for name in entries if not name.startswith("data:")] == []
        assert shown.get_log("browser") == []

    def test_two_pictures_of_a_pair_stand_side_by_side(self, shown: Any) -> None:
        for width in (1280, 400):
            resize(shown, width)
            boxes = shown.execute_script(
                "return [...document.querySelectorAll('.twin')].map((pair) => [...pair.querySelectorAll('img')]"
                ".map((image) => image.getBoundingClientRect()).map((box) => [box.left, box.top, box.width]))"
            )
            assert len(boxes) == 4
            for (left, top, size), (other_left, other_top, other_size) in boxes:
                assert top == other_top
                assert other_left >= left + size
                assert min(size, other_size) > 90
        assert texts(shown, ".twin .alike").count("exact copy") == 1

    def test_the_page_never_scrolls_sideways(self, shown: Any) -> None:
        for width in (400, 760, 1280):
            resize(shown, width)
            assert shown.execute_script("return document.documentElement.scrollWidth") <= width

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_every_text_can_be_read(self, browser: Any, hostile: Check, scheme: str) -> None:
        open_page(browser, page_path(hostile), scheme=scheme)
        assert browser.execute_script(LOW_CONTRAST) == []

    def test_on_paper_everything_is_open_and_light(self, browser: Any, hostile: Check) -> None:
        open_page(browser, page_path(hostile), scheme="dark", media="print")
        assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not find(browser, ".contents").is_displayed()
        hidden = "return [...document.querySelectorAll('details li, details td')].filter((e) => !e.offsetHeight).length"
        assert browser.execute_script(hidden) == 0
