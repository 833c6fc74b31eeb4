"""The page in a real browser: clicks, keys, sorting, dark, narrow, printed, and never a request or an error."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from heldout.reporting.results import Results, read_results
from reporting.browsing import LOW_CONTRAST, NEEDS_BROWSER, find, open_page, resize, texts
from reporting.run_folders import HOSTILE

pytestmark = NEEDS_BROWSER
KINDS = ("flowers", "large", "hostile", "perfect", "untested", "unequal", "table", "rare")


def show(browser: Any, folder: Path, *, width: int = 1280, scheme: str = "light", media: str = "") -> None:
    """Open the report of a run at a width, in a light or dark scheme, on a screen or on paper."""
    open_page(browser, folder / "report.html", width=width, scheme=scheme, media=media)


def fullest_mistake(results: Results) -> tuple[int, int, int]:
    """A mistaken cell that is not the one open at first: true class, predicted class, count."""
    counts = np.array(results.leading["confusion"])
    np.fill_diagonal(counts, 0)
    second = np.argsort(-counts, axis=None, kind="stable")[1]
    true, predicted = np.unravel_index(second, counts.shape)
    return int(true), int(predicted), int(counts[true, predicted])


def ids_of_cell(results: Results, true: int, predicted: int) -> set[str]:
    answers = results.answers
    rows = np.flatnonzero((answers.labels == true) & (answers.predicted == predicted))
    return {answers.ids[row] for row in rows}


@pytest.mark.parametrize("kind", ["flowers", "large", "hostile"])
def test_a_click_on_a_cell_shows_the_pictures_of_that_cell(
    browser: Any, run_folders: dict[str, Path], kind: str
) -> None:
    show(browser, run_folders[kind])
    results = read_results(run_folders[kind])
    true, predicted, n = fullest_mistake(results)
    find(browser, f'#matrix [data-cell="{true}-{predicted}"]').click()
    shown = texts(browser, "#cell-pictures .file")
    assert shown
    assert set(shown) <= ids_of_cell(results, true, predicted)
    assert find(browser, "#cell-title").text == f"{results.classes[true]} taken for {results.classes[predicted]}"
    assert texts(browser, "#cell-count")[0].startswith(f"Showing {len(shown)} of {n}")
    assert find(browser, f'#matrix [data-cell="{true}-{predicted}"]').get_attribute("aria-pressed") == "true"
    widths = browser.execute_async_script(
        "const done = arguments[0]; const images = [...document.querySelectorAll('#cell-pictures img')];"
        "Promise.all(images.map((image) => image.decode())).then(() => done(images.map((i) => i.naturalWidth)));"
    )
    assert len(widths) == len(shown)
    assert set(widths) <= {90, 128}


def test_a_click_on_the_diagonal_shows_right_answers(browser: Any, run_folders: dict[str, Path]) -> None:
    show(browser, run_folders["flowers"])
    results = read_results(run_folders["flowers"])
    find(browser, '#matrix [data-cell="2-2"]').click()
    assert find(browser, "#cell-title").text == "rose named right"
    assert set(texts(browser, "#cell-pictures .file")) <= ids_of_cell(results, 2, 2)
    assert "least sure first" in texts(browser, "#cell-count")[0]


def test_a_confused_pair_opens_its_cell(browser: Any, run_folders: dict[str, Path]) -> None:
    show(browser, run_folders["large"])
    pair = browser.find_elements("css selector", ".pairs button")[2]
    true, predicted = (int(index) for index in pair.get_attribute("data-cell").split("-"))
    pair.click()
    results = read_results(run_folders["large"])
    assert find(browser, "#cell-title").text == f"{results.classes[true]} taken for {results.classes[predicted]}"


def test_the_matrix_is_one_tab_stop_and_arrows_walk_in_it(browser: Any, run_folders: dict[str, Path]) -> None:
    from selenium.webdriver.common.keys import Keys

    show(browser, run_folders["flowers"])
    counts = np.array(read_results(run_folders["flowers"]).leading["confusion"])
    stops = browser.find_elements("css selector", "#matrix button[tabindex='0']")
    assert len(stops) == 1
    cell = find(browser, '#matrix [data-cell="0-0"]')
    cell.click()
    cell.send_keys(Keys.ARROW_DOWN)
    row = int(np.flatnonzero(counts[1:, 0])[0]) + 1
    focused = browser.switch_to.active_element
    assert focused.get_attribute("data-cell") == f"{row}-0"
    assert focused.get_attribute("tabindex") == "0"
    focused.send_keys(Keys.ENTER)
    assert set(texts(browser, "#cell-pictures .file")) <= ids_of_cell(read_results(run_folders["flowers"]), row, 0)
    outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_the_class_table_sorts_both_ways(browser: Any, run_folders: dict[str, Path]) -> None:
    show(browser, run_folders["large"])
    results = read_results(run_folders["large"])
    recall = [record["recall"]["value"] or 0.0 for record in results.leading["per_class"]]
    head = browser.find_elements("css selector", "#class-table thead button")
    column = "#class-table tbody tr > :nth-child({})"

    def shown(place: int) -> list[str]:
        return browser.execute_script(  # type: ignore[no-any-return]
            "return [...document.querySelectorAll(arguments[0])].map((cell) => cell.dataset.key)", column.format(place)
        )

    assert shown(1) == sorted(results.classes)
    head[2].click()
    assert [float(key) for key in shown(3)] == pytest.approx(sorted(recall))
    assert texts(browser, "#class-table th[aria-sort='ascending']")[0].strip() == "Recall"
    head[2].click()
    assert [float(key) for key in shown(3)] == pytest.approx(sorted(recall, reverse=True))
    assert len(browser.find_elements("css selector", "#class-table th[aria-sort]")) == 1
    head[1].click()
    counts = [int(key) for key in shown(2)]
    assert counts == sorted(record["n"] for record in results.leading["per_class"])
    head[0].click()
    head[0].click()
    assert shown(1) == sorted(results.classes, reverse=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_asks_for_nothing_and_has_no_error(browser: Any, run_folders: dict[str, Path], kind: str) -> None:
    browser.get_log("browser")
    show(browser, run_folders[kind])
    entries = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in entries if not name.startswith("data:")] == []
    assert browser.get_log("browser") == []
    broken = browser.execute_script(
        "return [...document.images].filter((image) => image.complete && !image.naturalWidth).length"
    )
    assert broken == 0


def test_hostile_names_are_shown_and_do_nothing(browser: Any, run_folders: dict[str, Path]) -> None:
    browser.get_log("browser")
    show(browser, run_folders["hostile"])
    for cell in browser.find_elements("css selector", "#matrix [data-cell]"):
        browser.execute_script("arguments[0].click()", cell)
    assert browser.execute_script("return window.alerted") == []
    assert browser.execute_script("return document.scripts.length") == 2
    assert browser.execute_script("return document.querySelectorAll('img:not([src^=\"data:\"])').length") == 0
    assert texts(browser, "#class-table tbody th bdi") == list(HOSTILE)
    assert any("<img src=x onerror=alert(1)>" in name for name in texts(browser, "#cell-pictures .file"))
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_never_scrolls_sideways(browser: Any, run_folders: dict[str, Path], kind: str) -> None:
    show(browser, run_folders[kind], width=400)
    for width in (400, 760, 1280):
        resize(browser, width)
        assert browser.execute_script("return innerWidth") == width
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["flowers", "untested"])
def test_every_text_can_be_read(browser: Any, run_folders: dict[str, Path], kind: str, scheme: str) -> None:
    show(browser, run_folders[kind], scheme=scheme)
    assert browser.execute_script(LOW_CONTRAST) == []


def test_the_charts_are_dark_on_a_dark_page(browser: Any, run_folders: dict[str, Path]) -> None:
    medians = {}
    for scheme in ("light", "dark"):
        show(browser, run_folders["flowers"], scheme=scheme)
        picture = Image.open(io.BytesIO(find(browser, "#curves .chart img").screenshot_as_png)).convert("L")
        medians[scheme] = float(np.median(np.asarray(picture)))
    assert medians["light"] > 240
    assert medians["dark"] < 40


def test_on_paper_everything_is_open_and_light(browser: Any, run_folders: dict[str, Path]) -> None:
    show(browser, run_folders["flowers"], scheme="dark", media="print")
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert not find(browser, ".contents").is_displayed()
    hidden = browser.execute_script(
        "return [...document.querySelectorAll('details li, details pre')].filter((e) => !e.offsetHeight).length"
    )
    assert hidden == 0
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert browser.find_elements("css selector", "details:not([open])") == []
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert len(browser.find_elements("css selector", "details:not([open])")) == 4


def test_the_command_can_be_copied(browser: Any, run_folders: dict[str, Path]) -> None:
    show(browser, run_folders["flowers"])
    rights = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", rights)
    find(browser, "#copy").click()
    copied = browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    environment = json.loads((run_folders["flowers"] / "environment.json").read_text())
    assert copied == environment["command"]
    assert find(browser, "#copy").text == "Copied"


def test_without_script_all_but_the_cells_can_be_read(browser: Any, run_folders: dict[str, Path]) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, run_folders["flowers"])
        assert not find(browser, "#cell-pictures").is_displayed()
        assert find(browser, "#mistakes .picture img").size["width"] > 60
        bar = find(browser, ".compared .leader .span")
        assert bar.size["width"] > 3
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
