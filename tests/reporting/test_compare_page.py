"""compare.html: what it shows is in compare.json, nothing in the data can run, and its size is bounded."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heldout.reporting.compare_page import MAX_PICTURES, compare_page
from heldout.verbs.comparing import compare
from make_runs import CLASSES, Answered, answered_run, answers
from reporting.browsing import LOW_CONTRAST, NEEDS_BROWSER, open_page, resize

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'
SECTIONS = ["agreement", "power", "classes", "only-a", "only-b", "findings"]


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


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two runs with hostile names, on classes of unequal size, some of which only one gets right."""
    home = tmp_path_factory.mktemp("compared")
    classes = (IMAGE, SCRIPT, "a & b")
    labels = [classes[0]] * 80 + [classes[1]] * 20
    right_a, right_b = np.arange(100) % 11 > 0, np.arange(100) % 5 > 0
    runs = []
    for name, right in (("a", right_a), ("b", right_b)):
        test = [
            Answered(f"{IMAGE}/{number}.jpg", f"{number}", label, label if is_right else "a & b", 0.8)
            for number, (label, is_right) in enumerate(zip(labels, right, strict=True))
        ]
        runs.append(answered_run(home / f"{name} & 'co'", test, classes=classes, learned=("1", name)))
    folder = compare(*runs, out=home / "out").folder
    assert folder is not None
    return folder / "compare.html"


def test_every_section_is_there_and_in_the_contents(path: Path) -> None:
    page = Page(path.read_text(encoding="utf-8"))
    assert [each["id"] for tag, each in page.tags if tag == "section"] == SECTIONS
    links = [each["href"] for tag, each in page.tags if tag == "a" and "href" in each]
    assert [f"#{name}" for name in SECTIONS] == [link for link in links if link in [f"#{name}" for name in SECTIONS]][
        :6
    ]


def test_the_numbers_of_the_page_are_those_of_the_record(path: Path) -> None:
    page = Page(path.read_text(encoding="utf-8"))
    record = json.loads(path.with_suffix(".json").read_text())
    table = record["comparison"]
    for number in (table["n_both"], table["n_only_a"], table["n_only_b"], table["n_neither"]):
        assert f"{number:,}" in page.texts
    assert record["words"]["verdict"] in page.texts
    assert record["balanced_accuracy"] is not None
    assert any("Balanced accuracy, A minus B:" in text for text in page.texts)
    finding = record["findings"][0]
    assert finding["code"] == "compared-on-training-data"
    assert finding["what"] in "".join(page.texts)


def test_hostile_names_are_text(path: Path) -> None:
    page = Page(path.read_text(encoding="utf-8"))
    assert [each for tag, each in page.tags if tag == "script"] == [{}]
    names = {name for _, attributes in page.tags for name in attributes}
    assert "style" not in names
    assert not [name for name in names if name.startswith("on")]
    assert SCRIPT in page.texts
    assert any(text.startswith(IMAGE) for text in page.texts)
    sources = [each["src"] or "" for tag, each in page.tags if tag == "img"]
    assert sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)


def test_a_picture_that_nobody_kept_stands_by_its_name(path: Path) -> None:
    html = path.read_text(encoding="utf-8")
    record = json.loads(path.with_suffix(".json").read_text())
    n_shown = min(record["n_only_a"], MAX_PICTURES) + min(record["n_only_b"], MAX_PICTURES)
    n_kept = html.count('src="data:image/jpeg')
    assert 0 < n_kept < n_shown
    assert html.count("no thumbnail is kept") == n_shown - n_kept


def test_thousands_of_pictures_and_classes_make_a_page_that_still_opens(tmp_path: Path) -> None:
    a = answered_run(tmp_path / "a", answers([True] * 3))
    b = answered_run(tmp_path / "b", answers([False] * 3))
    content = compare(a, b, out=None).as_dict()
    content["only_a"] = content["only_a"] * 2000
    content["n_only_a"] = 50_000
    content["per_class"] = content["per_class"] * 2000
    page = compare_page(content, name="many", thumbnail=lambda sha256: b"x" * 5000).decode()
    assert len(page) < 5_000_000
    assert f"Shown are {MAX_PICTURES} of 50,000" in page
    assert "Shown are the first 2,000; compare.json has all." in page
    assert page.count('class="picture"') == MAX_PICTURES


def test_runs_that_never_disagree_have_a_whole_page(tmp_path: Path) -> None:
    runs = [answered_run(tmp_path / name, answers([True] * 6)) for name in "ab"]
    folder = compare(*runs, out=tmp_path / "out").folder
    assert folder is not None
    page = Page((folder / "compare.html").read_text(encoding="utf-8"))
    assert "Both get the very same pictures right" in page.texts
    assert page.texts.count("None.") == 2
    assert set(CLASSES) <= set(page.texts)


class TestInABrowser:
    """What only a browser can tell."""

    pytestmark = NEEDS_BROWSER

    def test_no_script_of_the_data_runs_and_it_never_scrolls_sideways(self, browser: Any, path: Path) -> None:
        browser.get_log("browser")
        open_page(browser, path)
        assert browser.execute_script("return window.alerted") == []
        assert browser.get_log("browser") == []
        for width in (400, 760, 1280):
            resize(browser, width)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_every_text_can_be_read(self, browser: Any, path: Path, scheme: str) -> None:
        open_page(browser, path, scheme=scheme)
        assert browser.execute_script(LOW_CONTRAST) == []

    def test_zero_is_in_the_middle_of_the_axis_and_the_interval_on_its_side(self, browser: Any, path: Path) -> None:
        open_page(browser, path)
        difference = json.loads(path.with_suffix(".json").read_text())["comparison"]["difference"]
        box = (
            "const box = (selector) => document.querySelector(selector).getBoundingClientRect();"
            "const [axis, span] = [box('.axis .zeroed'), box('.axis .span')];"
            "return [(span.left - axis.left) / axis.width, (span.right - axis.left) / axis.width];"
        )
        low, high = browser.execute_script(box)
        assert (low > 0.5, high > 0.5) == (difference["low"] > 0, difference["high"] > 0)
