"""check.html of a table: columns class by class, leaks with what shows them, equal rows side by side."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heldout.verbs.checking_tables import TableCheck, check_table
from reporting.browsing import LOW_CONTRAST, NEEDS_BROWSER, find, open_page, resize, texts

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'
SECTIONS = ["classes", "findings", "leaks", "copies", "unseen", "columns", "passed-over"]


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
        self.texts.append(data.strip())


def rows(seed: int, n: int) -> dict[str, list[Any]]:
    """A table with hostile names and cells, a column that says the label, and one that nearly does."""
    generator = np.random.default_rng(seed)
    kinds = [("no", "yes", SCRIPT)[i] for i in generator.choice(3, n, p=[0.6, 0.3, 0.1])]
    return {
        "size": generator.normal(size=n).tolist(),
        SCRIPT: [{"no": "n", "yes": "y"}.get(kind, "s") for kind in kinds],
        "late": [{"no": 0, "yes": 100}.get(kind, 200) + generator.normal() for kind in kinds],
        "hue": [None if i % 10 == 0 else ("red", IMAGE)[i % 2] for i in range(n)],
        "who": [f"name {i}" for i in generator.permutation(10**6)[:n]],
        "same": ["x"] * n,
        "kind": kinds,
    }


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> TableCheck:
    """A check of hostile rows: a test row stands in train under another label, and has a word that train has not."""
    train, test = rows(0, 400), rows(1, 100)
    for name in train:
        test[name][0] = train[name][0]
        train[name][7] = train[name][5]
    test["kind"][0] = "no" if train["kind"][0] != "no" else "yes"
    test["hue"][3] = f"violet {SCRIPT}"
    return check_table(train, "kind", test=test, out=tmp_path_factory.mktemp("hostile") / "checks")


def page_path(found: TableCheck) -> Path:
    assert found.page is not None
    return Path(found.page)


@pytest.fixture(scope="module")
def page(hostile: TableCheck) -> Page:
    return Page(page_path(hostile).read_text(encoding="utf-8"))


def part_of(html: str, section: str) -> str:
    return html.split(f'<section id="{section}"')[1].partition("</section>")[0]


def test_the_sections_come_in_the_order_a_reader_needs(page: Page) -> None:
    assert [each["id"] for tag, each in page.tags if tag == "section"] == SECTIONS
    links = [each["href"] or "" for tag, each in page.tags if tag == "a"]
    assert {link.removeprefix("#") for link in links} <= {each["id"] for _, each in page.tags if "id" in each}


def test_nothing_in_the_table_becomes_markup(page: Page) -> None:
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [each for tag, each in page.tags if tag == "img"]
    assert not [name for _, each in page.tags for name in each if name.startswith("on") or name == "style"]
    assert {SCRIPT, IMAGE} <= set(page.texts)


def test_the_evidence_shows_that_a_column_says_the_label(hostile: TableCheck) -> None:
    html = page_path(hostile).read_text(encoding="utf-8")
    told = Page("<section " + part_of(html, "leaks"))
    for words in (
        "says the label in other words",
        "tells the classes apart alone",
        "has another word in nearly each row",
    ):
        assert words in told.texts
    at = told.texts.index("n")
    content = json.loads((page_path(hostile).parent / "check.json").read_text())
    numbers = [text for text in told.texts[at + 1 : at + 8] if text]
    assert numbers[:3] == ["0", str(content["counts"]["train"][1]), "0"]


def test_a_row_under_two_labels_stands_side_by_side(hostile: TableCheck) -> None:
    copies = part_of(page_path(hostile).read_text(encoding="utf-8"), "copies")
    first = copies.split('<li class="twin')[1]
    assert first.startswith(' across torn"')
    labels = [text for text in Page("<li" + first).texts if text in ("no", "yes", SCRIPT)]
    assert len(set(labels[:2])) == 2
    assert "test" in Page("<li" + first).texts
    assert "Under one label, not in two parts" in copies


def test_words_that_train_has_not_are_named(hostile: TableCheck) -> None:
    assert f"violet {SCRIPT}" in Page(part_of(page_path(hostile).read_text(encoding="utf-8"), "unseen")).texts


def test_every_number_of_the_bars_stands_beside_the_page(hostile: TableCheck) -> None:
    folder = page_path(hostile).parent
    assert sorted(path.name for path in folder.iterdir()) == ["check.html", "check.json", "columns.json"]
    look = json.loads((folder / "columns.json").read_text())
    hue = next(column for column in look["columns"] if column["name"] == "hue")
    assert sum(map(sum, hue["counts"])) + sum(hue["n_missing"]) == 400 == sum(look["n_of_class"])


def test_the_same_table_gives_the_same_page(tmp_path: Path) -> None:
    pages = [page_path(check_table(rows(3, 60), "kind", out=tmp_path / name)) for name in ("one", "two")]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_a_calm_table_has_a_calm_page(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    table = {"size": generator.normal(size=200), "kind": generator.permutation(["a", "b"] * 100)}
    html = page_path(check_table(table, "kind", out=tmp_path)).read_text(encoding="utf-8")
    for words in (
        "Nothing must be acted on",
        "None was found.",
        "None. No two rows are equal",
        "The data gives no parts",
    ):
        assert words in html


@pytest.mark.parametrize("n", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_any_number_of_columns_makes_a_page_that_still_opens(tmp_path: Path, n: int) -> None:
    generator = np.random.default_rng(0)
    cells = generator.normal(size=(60, n))
    table: dict[str, Any] = {f"column {i}": cells[:, i] for i in range(n)}
    table["kind"] = [f"{i % 10}" for i in range(60)]
    found = check_table(table, "kind", out=tmp_path)
    html = page_path(found).read_text(encoding="utf-8")
    assert html.count('<li class="column-card">') == 200
    assert f"Shown are 200 of {n:,} columns" in html
    assert len(html) < 2_000_000


@pytest.fixture
def shown(browser: Any, hostile: TableCheck) -> Any:
    """The page of the hostile table in a browser."""
    browser.get_log("browser")
    open_page(browser, page_path(hostile))
    return browser


class TestInABrowser:
    """What only a browser can tell."""

    pytestmark = NEEDS_BROWSER

    def test_no_script_of_the_data_runs_and_nothing_is_asked_for(self, shown: Any) -> None:
        assert shown.execute_script("return window.alerted") == []
        assert shown.execute_script("return document.scripts.length") == 1
        entries = shown.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert [name for name in entries if not name.startswith("data:")] == []
        assert shown.get_log("browser") == []

    def test_two_equal_rows_stand_side_by_side(self, shown: Any) -> None:
        for width in (1280, 400):
            resize(shown, width)
            tops = shown.execute_script(
                "return [...document.querySelectorAll('.sides thead tr')].map((row) => [...row.querySelectorAll('th')]"
                ".map((cell) => cell.getBoundingClientRect()).map((box) => [box.left, box.top]))"
            )
            assert tops
            for (left, top), (other_left, other_top) in tops:
                assert top == other_top
                assert other_left > left + 50

    def test_bars_are_drawn_in_the_colours_of_their_classes(self, shown: Any) -> None:
        fills = "return [...document.querySelectorAll('.column-card path')].map((bar) => getComputedStyle(bar).fill)"
        assert len(set(shown.execute_script(fills))) == 3
        patches = "return [...document.querySelectorAll('.patch')].map((e) => getComputedStyle(e).backgroundColor)"
        assert set(shown.execute_script(fills)) == set(shown.execute_script(patches))
        assert texts(shown, ".key bdi") == [SCRIPT, "no", "yes"]

    def test_the_page_never_scrolls_sideways(self, shown: Any) -> None:
        for width in (400, 760, 1280):
            resize(shown, width)
            assert shown.execute_script("return document.documentElement.scrollWidth") <= width

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_every_text_can_be_read(self, browser: Any, hostile: TableCheck, scheme: str) -> None:
        open_page(browser, page_path(hostile), scheme=scheme)
        assert browser.execute_script(LOW_CONTRAST) == []

    def test_on_paper_everything_is_light(self, browser: Any, hostile: TableCheck) -> None:
        open_page(browser, page_path(hostile), scheme="dark", media="print")
        assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not find(browser, ".contents").is_displayed()
