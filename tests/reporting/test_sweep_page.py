"""The page of a sweep: one file, no network, nothing in the data can run, whole for every kind of sweep."""

import base64
import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from heldout.errors import RunFolderError
from heldout.reporting.style import _DARK
from heldout.reporting.sweep_costs import short_name
from heldout.reporting.sweep_losses import MAX_PANELS, Panel, loss_range, panels_of, told_losses
from heldout.reporting.sweep_page import write_sweep_report
from heldout.reporting.sweep_rates import groups_of
from heldout.reporting.sweep_results import Sweep, Trial, read_sweep
from heldout.reporting.sweep_scales import look_of
from heldout.reporting.sweep_told import told_cost, told_rates
from reporting.browsing import LOW_CONTRAST, NEEDS_BROWSER, find, open_page, resize, texts
from reporting.made_sweeps import (
    cost_sweep,
    diverged_sweep,
    fitted_sweep,
    flower_sweep,
    hostile_sweep,
    large_sweep,
    smallest_sweep,
)
from reporting.run_folders import HOSTILE
from reporting.test_check_page import Page

SWEEPS: dict[str, Callable[[Path], Path]] = {
    "flowers": flower_sweep,
    "smallest": smallest_sweep,
    "fitted": fitted_sweep,
    "diverged": diverged_sweep,
    "large": large_sweep,
    "hostile": hostile_sweep,
}
KINDS = tuple(SWEEPS)
ORDER = ["winner", "findings", "settings", "rates", "costs", "losses", "lost", "done", "rebuild"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind of sweep by name, each with its report."""
    base = tmp_path_factory.mktemp("sweeps")
    folders = {name: make(base / f"{name}-sweep-001") for name, make in SWEEPS.items()}
    for folder in folders.values():
        write_sweep_report(folder)
    return folders


def html_of(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def texts_of(svg: Path) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg.read_bytes()).iter(f"{SVG}text")]


def content_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "sweep.json").read_text())
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_sections_come_in_the_order_a_reader_needs(sweeps: dict[str, Path], kind: str) -> None:
    page = Page(html_of(sweeps[kind]))
    without = {"fitted": ("rates", "losses", "lost"), "smallest": ("lost",), "hostile": ("lost",)}.get(kind, ())
    wanted = [name for name in ORDER if name not in without]
    assert [each["id"] for tag, each in page.tags if tag == "section"] == wanted
    links = [each["href"] or "" for tag, each in page.tags if tag == "a"]
    assert links == ["#headline", "#headline", *(f"#{name}" for name in wanted)]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_points_outside_the_page_and_nothing_needs_what_the_policy_forbids(
    sweeps: dict[str, Path], kind: str
) -> None:
    page = Page(html_of(sweeps[kind]))
    for _, attributes in page.tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "srcset", "href"):
            assert (attributes.get(name) or "#").startswith(("data:", "#"))
    assert not [tag for tag, _ in page.tags if tag in ("iframe", "object", "embed", "form", "base", "svg")]
    policy = next(each["content"] or "" for tag, each in page.tags if "http-equiv" in each)
    assert policy.startswith("default-src 'none'; img-src data:; ")


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_a_file_and_on_the_page_with_its_words(sweeps: dict[str, Path], kind: str) -> None:
    more = ["learning_rates_2"] if kind in ("large", "hostile") else []
    names = {"learning_rates", *more, "time", "multiply_adds", "losses"}
    if kind == "fitted":  # no rate, and no epoch
        names -= {"learning_rates", "losses"}
    assert {path.name for path in (sweeps[kind] / "figures").iterdir()} == {
        f"{name}.{ending}" for name in names for ending in ("svg", "png")
    }
    images = [each for tag, each in Page(html_of(sweeps[kind])).tags if tag == "img"]
    assert len(images) == len(names)
    for each in images:
        assert len(each["alt"] or "") > 20
        ET.fromstring(base64.b64decode((each["src"] or "").partition(",")[2]))
    for name in names:
        with Image.open(sweeps[kind] / "figures" / f"{name}.png") as picture:
            assert np.ptp(np.asarray(picture.convert("L"))) > 100  # something is drawn


def test_the_headline_is_the_recommendation_with_its_evidence(sweeps: dict[str, Path]) -> None:
    html = html_of(sweeps["flowers"])
    recommendation = content_of(sweeps["flowers"])["recommendation"]
    assert f'<h1 class="advice">{recommendation["text"]}</h1>' in html
    assert len(recommendation["evidence"]) == 2
    for words in recommendation["evidence"]:
        assert f"<li>{words}</li>" in html


def test_the_score_that_chose_is_struck_out_beside_what_is_expected_and_what_was_held_out(
    sweeps: dict[str, Path],
) -> None:
    html = html_of(sweeps["flowers"])
    winner = content_of(sweeps["flowers"])["winner"]
    chosen, expected = (f"{100 * winner[key]:.1f}\u202f%" for key in ("validation_mean", "expected"))
    assert f"<s>{chosen}</s>, less 1.1 points of expected optimism: <strong>{expected}</strong>" in html
    assert '<p class="value">92.1\u202f%</p>' in html
    assert "88.2 to 94.8\u202f%<span>95&#8239;% interval, 280 pictures</span>" in html
    assert html.count(f"<strong>{chosen}") == 1  # in the table of settings alone
    assert "opened once, for this one model" in html
    assert 'class="said-plainly doubt"' not in html
    assert 'doubt">The held-out part has been opened 3 times' in html_of(sweeps["smallest"])
    assert 'doubt">No held-out test part was opened' in html_of(sweeps["fitted"])


def test_the_table_has_every_setting_with_ties_told_in_words(sweeps: dict[str, Path]) -> None:
    for kind, n in (("flowers", 16), ("large", 200)):
        settings = content_of(sweeps[kind])["settings"]
        rows = html_of(sweeps[kind]).partition("<tbody>\n        <tr")[2].partition("</table>")[0]
        table = re.findall(r'<th scope="row" data-key="([^"]*)">.*?</tr>', html_of(sweeps[kind]), flags=re.DOTALL)
        assert rows
        assert table == [each["name"] for each in settings]
        assert len(table) == n
    settings = content_of(sweeps["large"])["settings"]
    n_tied = sum(each["tied_with_best"] for each in settings)
    assert n_tied > 1
    assert html_of(sweeps["large"]).count('<span class="standing">tied with the best</span>') == n_tied
    assert f"highest mean, tied with {n_tied}</span>" in html_of(sweeps["large"])
    assert f"{n_tied} settings cannot be told from the best by these seeds" in html_of(sweeps["large"])


def test_a_row_shows_what_stands_in_the_file(sweeps: dict[str, Path]) -> None:
    second = content_of(sweeps["flowers"])["settings"][1]
    html = html_of(sweeps["flowers"])
    row = html[html.index(f'data-key="{second["name"]}"') :].partition("</tr>")[0]
    behind = second["versus_best"]
    for key in ("mean", "low", "high", "sd"):
        assert f"{100 * second[key]:.1f}" in row
    for key in ("value", "low", "high"):
        assert f"{100 * behind[key]:.1f}".replace("-", "−") in row
    assert f"{second['seconds']:.1f} s" in row


def test_diverged_trials_are_told_in_the_table_under_the_figures_and_in_a_list(sweeps: dict[str, Path]) -> None:
    content = content_of(sweeps["flowers"])
    html = html_of(sweeps["flowers"])
    n = content["n_diverged"]
    assert n > 10
    assert html.count("<td>diverged</td>") == n
    assert f"{n} trials diverged: " in html
    assert html.count("5 diverged of 5</td>") == sum(each["n_diverged"] == 5 for each in content["settings"])
    assert "the loss became nan in epoch" in html


def test_pairs_say_whether_the_data_tell_them_apart(sweeps: dict[str, Path]) -> None:
    html = html_of(sweeps["flowers"])
    said = re.findall(r"<td>(the first is better|the second is better|cannot be told apart)</td>", html)
    compared = content_of(sweeps["flowers"])["compared"]
    assert said == [
        "the first is better" if pair["difference"]["low"] > 0 else "cannot be told apart" for pair in compared
    ]
    assert len(set(said)) == 2


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("smallest", ["Only one setting has a score", "so none was chosen", "1 setting · 1 trial · 1 seed each"]),
        ("fitted", ["which is also the cheapest"]),
        ("diverged", ["Nothing can be recommended", "every trial diverged or failed", "There is none: no setting"]),
        (
            "large",
            [
                "Shown are the best 36 of 200",
                "164 are left out",
                "Shown are the first 40 of 50",
                "Named is the best of each",
            ],
        ),
    ],
)
def test_a_sweep_at_the_edge_has_a_whole_page(sweeps: dict[str, Path], kind: str, words: list[str]) -> None:
    html = re.sub(r"\s+", " ", html_of(sweeps[kind]))
    for each in words:
        assert each in html
    assert not re.search(
        r"\bnan\b(?! in epoch)|\bNone\b(?!\.)|\binf\b",
        re.sub(r"<style>.*?</style>|<script>.*?</script>|data:[^\"]*", "", html),
    )


def test_hostile_names_are_text(sweeps: dict[str, Path]) -> None:
    page = Page(html_of(sweeps["hostile"]))
    assert [each for tag, each in page.tags if tag == "script"] == [{}]
    assert not [each for tag, each in page.tags if tag == "img" and each.get("src") == "x"]
    assert HOSTILE[0] in page.texts  # the title of a figure
    assert HOSTILE[3] in page.texts
    assert any(text.endswith(HOSTILE[1]) for text in page.texts)
    for path in (sweeps["hostile"] / "figures").glob("*.svg"):
        tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(path.read_bytes()).iter()}
        assert not tags & {"script", "img", "image"}


def test_the_same_sweep_gives_the_same_bytes(sweeps: dict[str, Path], tmp_path: Path) -> None:
    again = Path(shutil.copytree(sweeps["diverged"], tmp_path / sweeps["diverged"].name))
    write_sweep_report(again)
    for path in sweeps["diverged"].rglob("*.*"):
        assert (again / path.relative_to(sweeps["diverged"])).read_bytes() == path.read_bytes()


def test_a_large_sweep_stays_a_small_file(sweeps: dict[str, Path]) -> None:
    assert html_of(sweeps["large"]).count('class="chart told') == 5
    assert (sweeps["large"] / "report.html").stat().st_size < 2_500_000


def test_a_sweep_that_is_not_whole_or_of_another_format_is_told(sweeps: dict[str, Path], tmp_path: Path) -> None:
    sweep = Path(shutil.copytree(sweeps["smallest"], tmp_path / "sweep"))
    content = content_of(sweep)
    (sweep / "sweep.json").write_text(json.dumps({**content, "format": 2}))
    with pytest.raises(RunFolderError, match="has format 2"):
        write_sweep_report(sweep)
    (sweep / "sweep.json").unlink()
    with pytest.raises(RunFolderError, match=r"sweep\.json is absent"):
        write_sweep_report(sweep)


def test_a_failed_trial_is_told_apart_from_a_diverged_one(sweeps: dict[str, Path], tmp_path: Path) -> None:
    sweep = Path(shutil.copytree(sweeps["diverged"], tmp_path / "sweep"))
    content = content_of(sweep)
    content["settings"][0] |= {"n_diverged": 1, "n_failed": 1}
    (sweep / "sweep.json").write_text(json.dumps(content))
    write_sweep_report(sweep)
    assert "1 diverged · 1 failed of 2</td>" in html_of(sweep)
    assert "1 trial failed: 1 of partial at 10." in html_of(sweep)
    assert "no score" in texts_of(sweep / "figures" / "learning_rates.svg")


def test_the_words_name_the_best_rate_of_each_regime_and_what_diverged(sweeps: dict[str, Path]) -> None:
    sweep = read_sweep(sweeps["flowers"])
    words = told_rates(sweep.settings)
    for regime in ("scratch", "partial", "full"):
        best = next(each for each in sweep.settings if each["setting"]["regime"] == regime)
        assert f"{regime.capitalize()} is highest at {best['setting']['learning_rate']:g}: " in words
        assert f"{100 * (best['mean'] or 0):.1f}\u202f%" in words
    assert "10 of full at 1 and 10" in words
    assert "the cheapest, frozen, fitted, reaches 9" in told_cost(sweep, "time")
    assert "× 10¹³ a trial" in told_cost(sweep, "multiply_adds")


def test_costs_are_told_as_costs_the_lowest_first(tmp_path: Path) -> None:
    folder = cost_sweep(tmp_path / "costs-sweep-001")
    write_sweep_report(folder)
    sweep, html = read_sweep(folder), html_of(folder)
    text = re.sub(r"\s+", " ", " ".join(Page(html).texts))
    for words in ("Test mean cost", "0.210 to 0.730", "Dearer by", "The first saves", "Down and to the left is better"):
        assert words in text, words
    assert "Ranked by mean validation cost of an answer" in text
    assert "on one scale from 0 to 0.8" in text, "of the page's highest cost, rounded up"
    best = min(sweep.settings, key=lambda each: each["mean"] or 9.0)
    assert best is sweep.settings[0]
    assert f"The lowest mean, {best['mean']:.3g}, is that of {best['name']}" in told_cost(sweep, "time")
    assert "is lowest at" in told_rates(sweep.settings, sweep.measure)
    for name in ("time", "learning_rates"):
        assert not any("%" in each for each in texts_of(folder / "figures" / f"{name}.svg"))


def test_every_setting_with_a_score_is_named_beside_its_mark(sweeps: dict[str, Path]) -> None:
    sweep = read_sweep(sweeps["flowers"])
    names = {short_name(each, False, False) for each in sweep.settings if each["mean"] is not None}
    assert len(names) == 13
    for name in ("time", "multiply_adds"):
        assert names <= set(texts_of(sweeps["flowers"] / "figures" / f"{name}.svg"))


def test_fitted_heads_stand_beside_every_batch_size_of_their_backbone() -> None:
    def setting(backbone: str, rate: float | None, size: int | None) -> Any:
        place = {"regime": "full", "backbone": backbone, "learning_rate": rate, "batch_size": size}
        return {"name": f"{backbone} {rate} {size}", "setting": place}

    grid = [setting("a", 0.1, 32), setting("a", None, None), setting("a", 0.1, 64), setting("b", None, None)]
    found = [(title, [each["name"] for each in group]) for title, group in groups_of(grid)]
    assert found == [
        ("a, batch size 32", ["a 0.1 32", "a None None"]),
        ("a, batch size 64", ["a None None", "a 0.1 64"]),
        ("b", ["b None None"]),
    ]


def trial(losses: list[float], outcome: str = "finished") -> Trial:
    epochs = tuple(float(epoch) for epoch in range(1, len(losses) + 1))
    return Trial(("full", "net", 0.1, 32), 0, outcome, "", epochs, tuple(losses), tuple(losses))


def test_a_diverged_trial_does_not_flatten_the_others() -> None:
    calm = Panel("full", "rate 0.1", "full, 0.1", (trial([1.2, 0.6, 0.3]),))
    wild = Panel("full", "rate 10", "full, 10", (trial([2.0, 1e12, nan], "diverged"), trial([inf, nan], "diverged")))
    low, high = loss_range([calm, wild])
    assert low < 0.3
    assert 1.2 < high < 5
    assert "1 of all" not in told_losses([calm, wild])
    assert "2 trials diverged: their lines end at a cross." in told_losses([calm, wild])
    low, high = loss_range([Panel("full", "rate 10", "full, 10", (trial([nan], "diverged"),))])
    assert 0 < low < high


def test_panels_are_bounded_and_come_best_first(sweeps: dict[str, Path]) -> None:
    sweep: Sweep = read_sweep(sweeps["large"])
    panels = panels_of(sweep)
    assert len(panels) == 200
    assert [panel.name for panel in panels] == [each["name"] for each in sweep.settings]
    titles = [text for text in texts_of(sweeps["large"] / "figures" / "losses.svg") if text.startswith("rate ")]
    assert len(titles) == MAX_PANELS


def test_each_regime_has_its_own_colour_mark_and_line_and_a_dark_twin() -> None:
    looks = [look_of(regime) for regime in ("scratch", "frozen", "partial", "full", "another")]
    for kind in range(2):
        assert len({look[kind] for look in looks[:4]}) == 4
    assert len({str(look[2]) for look in looks[:4]}) == 4
    assert all(look[0] in _DARK for look in looks)


class TestInABrowser:
    """What only a browser can tell."""

    pytestmark = NEEDS_BROWSER

    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_runs_nothing_is_asked_for_and_nothing_scrolls_sideways(
        self, browser: Any, sweeps: dict[str, Path], kind: str
    ) -> None:
        browser.get_log("browser")
        open_page(browser, sweeps[kind] / "report.html", width=400)
        for width in (400, 760, 1280):
            resize(browser, width)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert browser.execute_script("return window.alerted") == []
        entries = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert [name for name in entries if not name.startswith("data:")] == []
        broken = "return [...document.images].filter((image) => image.complete && !image.naturalWidth).length"
        assert browser.execute_script(broken) == 0
        assert browser.get_log("browser") == []

    def test_the_table_of_settings_sorts_both_ways(self, browser: Any, sweeps: dict[str, Path]) -> None:
        open_page(browser, sweeps["flowers"] / "report.html")
        heads = browser.find_elements("css selector", ".settings thead button")
        settings = content_of(sweeps["flowers"])["settings"]
        by_seconds = [each["name"] for each in sorted(settings, key=lambda each: float(each["seconds"]))]
        column = ".settings tbody th bdi"
        assert texts(browser, column) == [each["name"] for each in settings]
        heads[5].click()
        assert texts(browser, column) == by_seconds
        heads[5].click()
        assert texts(browser, column) == by_seconds[::-1]
        heads[2].click()  # scores begin with the highest
        assert texts(browser, column)[:2] == [each["name"] for each in settings[:2]]
        assert texts(browser, ".settings th[aria-sort='descending']")[0].strip() == "Accuracy"
        heads[1].click()
        assert texts(browser, column) == [each["name"] for each in settings]

    def test_a_narrow_screen_gets_the_panels_two_abreast(self, browser: Any, sweeps: dict[str, Path]) -> None:
        shown = (
            "const at = document.querySelector('#losses img');"
            "return [at.naturalWidth, at.getBoundingClientRect().width]"
        )
        open_page(browser, sweeps["flowers"] / "report.html", width=400)
        natural, drawn = browser.execute_script(shown)
        assert drawn / natural > 0.75  # its type stays readable
        open_page(browser, sweeps["flowers"] / "report.html", width=1280)
        wide, drawn = browser.execute_script(shown)
        assert wide > 1.8 * natural
        assert drawn <= wide * 1.01

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_every_text_can_be_read(self, browser: Any, sweeps: dict[str, Path], scheme: str) -> None:
        open_page(browser, sweeps["flowers"] / "report.html", scheme=scheme)
        assert browser.execute_script(LOW_CONTRAST) == []

    def test_on_paper_it_is_light_and_the_command_is_there(self, browser: Any, sweeps: dict[str, Path]) -> None:
        open_page(browser, sweeps["large"] / "report.html", scheme="dark", media="print")
        assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not find(browser, ".contents").is_displayed()
        assert find(browser, "#command").text == content_of(sweeps["large"])["command"]
