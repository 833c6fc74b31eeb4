"""report.html: one file, no network, nothing in the data can run, whole for every kind of run."""

import base64
import hashlib
import json
import re
import shutil
import socket
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from heldout.errors import RunFolderError, StorageError
from heldout.reporting.page import page_of, write_report
from heldout.reporting.results import read_results
from reporting.run_folders import HOSTILE, HOSTILE_FILE

KINDS = ("flowers", "large", "hostile", "perfect", "untested", "unequal", "table", "rare")
ORDER = ["headline", "findings", "curves", "scores", "confusion", "classes", "mistakes", "least-sure"]
ORDER += ["suspects", "calibration", "samples", "data", "model", "time", "rebuild"]


def order_of(kind: str) -> list[str]:
    """The sections of a kind of run: those on imbalance where it has them, no pictures of a table."""
    order = list(ORDER)
    if kind in ("table", "rare"):
        order[order.index("confusion") : order.index("confusion")] = ["decision", "ranking", "boundary"]
        order[order.index("samples") : order.index("samples")] = ["coverage", "sets"]
    return [name for name in order if kind != "table" or name not in ("suspects", "samples")]


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

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]


def html_of(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_sections_come_in_the_order_a_reader_needs(run_folders: dict[str, Path], kind: str) -> None:
    page = Page(html_of(run_folders[kind]))
    found = [each["id"] for tag, each in page.tags if tag == "section" or each.get("class") == "headline"]
    order = order_of(kind)
    assert found == order
    links = [each["href"] for tag, each in page.tags if tag == "a" and (each["href"] or "").startswith("#")]
    assert links == ["#headline", *(f"#{name}" for name in order)]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_points_outside_the_page(run_folders: dict[str, Path], kind: str) -> None:
    page = Page(html_of(run_folders[kind]))
    for address in page.attributes("src") + page.attributes("href"):
        assert address.startswith(("data:", "#")), address[:80]
    assert not [tag for tag, _ in page.tags if tag in ("iframe", "object", "embed", "form", "base", "svg")]


@pytest.mark.parametrize("kind", KINDS)
def test_no_attribute_needs_what_the_policy_forbids(run_folders: dict[str, Path], kind: str) -> None:
    page = Page(html_of(run_folders[kind]))
    names = {name for _, attributes in page.tags for name in attributes}
    assert "style" not in names
    assert not [name for name in names if name.startswith("on")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_policy_names_the_hashes_of_style_and_script(run_folders: dict[str, Path], kind: str) -> None:
    html = html_of(run_folders[kind])
    policy = next(each["content"] for tag, each in Page(html).tags if "http-equiv" in each)
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy
    for directive, pattern in [("style-src", r"<style>(.*?)</style>"), ("script-src", r"<script>(.*?)</script>")]:
        (body,) = re.findall(pattern, html, flags=re.DOTALL)
        mark = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{directive} 'sha256-{mark}';" in policy


def test_every_picture_has_words(run_folders: dict[str, Path]) -> None:
    images = [each for tag, each in Page(html_of(run_folders["flowers"])).tags if tag == "img"]
    assert len(images) > 40
    assert all(each.get("alt") for each in images)


def test_hostile_names_are_text(run_folders: dict[str, Path]) -> None:
    html = html_of(run_folders["hostile"])
    page = Page(html)
    assert [each for tag, each in page.tags if tag == "script"] == [{"type": "application/json", "id": "page-data"}, {}]
    assert not [each for tag, each in page.tags if tag == "img" and each.get("src") == "x"]
    for name in HOSTILE[:4]:
        assert name in page.texts
    assert any(text.startswith(HOSTILE_FILE.removesuffix(".jpg")) for text in page.texts)
    # A template in a name is no template of ours.
    assert "{{ 7 * 7 }}" in page.texts


def test_the_same_run_gives_the_same_page(run_folders: dict[str, Path]) -> None:
    before = (run_folders["flowers"] / "report.html").read_bytes()
    write_report(run_folders["flowers"])
    assert (run_folders["flowers"] / "report.html").read_bytes() == before


def test_a_name_that_is_no_text_is_shown_escaped(run_folders: dict[str, Path]) -> None:
    results = read_results(run_folders["flowers"])
    finding = {**results.findings[0], "what": "a file called \udcff"}
    page = page_of(replace(results, findings=[finding], head_path=None), figures_of(run_folders["flowers"]))
    assert "a file called \\udcff" in page.decode("utf-8")


def figures_of(folder: Path) -> dict[str, tuple[bytes, str]]:
    return {path.stem: (path.read_bytes(), "words") for path in (folder / "figures").glob("*.svg")}


def test_a_page_without_curves_samples_or_thumbnails_is_whole(run_folders: dict[str, Path]) -> None:
    results = read_results(run_folders["flowers"])
    bare = replace(results, head_path=None, samples=(), thumbnails={}, findings=[])
    html = page_of(bare, figures_of(run_folders["flowers"])).decode()
    found = [each["id"] for tag, each in Page(html).tags if tag == "section"]
    assert found == [name for name in ORDER if name not in ("headline", "curves", "samples")]
    assert "no thumbnail was kept" in html
    assert "No check raised a doubt" in html


def test_a_perfect_run_says_there_are_no_mistakes(run_folders: dict[str, Path]) -> None:
    html = html_of(run_folders["perfect"])
    assert "Not one of the 80 test pictures was named wrong." in html
    assert "There are none: every test picture was named right." in html


def test_doubted_labels_stand_beside_clear_ones_with_the_ceiling(run_folders: dict[str, Path]) -> None:
    html = html_of(run_folders["flowers"])
    assert html.count("looks like <bdi>") == 24
    assert html.count("</bdi></figcaption>") == 48
    assert html.count('<span class="no-picture">none</span>') == 1
    assert "26 labels (5.8\u202f%) look wrong." in html
    # 424 of 450, by hand; half of them would leave 437 of 450.
    assert "score only 94.2\u202f% [91.7, 96.0] on labels like these (n = 450)" in html
    assert "with 13 wrong it would be 97.1\u202f%" in html
    assert "test labels were not looked at" in html
    assert "Shown are the 24 most doubtful" in html


def test_where_no_label_is_doubted_or_none_was_judged_the_page_says_so(run_folders: dict[str, Path]) -> None:
    assert "None is doubted." in html_of(run_folders["perfect"])
    assert "this run started from random weights" in html_of(run_folders["untested"])
    for kind in ("perfect", "untested"):
        assert 'class="suspects"' not in html_of(run_folders[kind])


def test_very_many_classes_show_the_figure_and_the_pairs(run_folders: dict[str, Path]) -> None:
    results = read_results(run_folders["large"])
    n_more = 30
    names = (*results.classes, *(f"more {n}" for n in range(n_more)))
    confusion = [[*row, *[0] * n_more] for row in results.leading["confusion"]] + [[0] * len(names)] * n_more
    leading: Any = {**results.leading, "confusion": confusion}
    counts = {part: [*column, *[0] * n_more] for part, column in results.data["counts"].items()}
    many = replace(results, classes=names, test=leading, data={**results.data, "counts": counts})
    html = page_of(many, figures_of(run_folders["large"])).decode()
    assert 'id="matrix"' not in html
    assert html.count("taken for</span>") == 20


def test_a_large_run_stays_a_small_file(run_folders: dict[str, Path]) -> None:
    assert (run_folders["large"] / "report.html").stat().st_size < 4_000_000


def test_an_unfinished_run_leaves_no_report(run_folders: dict[str, Path], tmp_path: Path) -> None:
    run = Path(shutil.copytree(run_folders["flowers"], tmp_path / "run", ignore=shutil.ignore_patterns("report.html")))
    (run / "scores.json").unlink()
    with pytest.raises(RunFolderError, match=r"scores\.json is absent"):
        write_report(run)
    assert not (run / "report.html").exists()


def test_a_place_that_cannot_be_written_is_told(run_folders: dict[str, Path], tmp_path: Path) -> None:
    run = Path(shutil.copytree(run_folders["flowers"], tmp_path / "run"))
    before = (run / "report.html").read_bytes()
    (run / "figures" / "recall.png").unlink()
    (run / "figures" / "recall.png").mkdir()
    with pytest.raises(StorageError, match=r"cannot write .*recall\.png"):
        write_report(run)
    assert (run / "report.html").read_bytes() == before


def test_no_socket_is_opened(run_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError(f"a socket was asked for: {arguments} {named}")

    monkeypatch.setattr(socket, "socket", refuse)
    write_report(run_folders["perfect"])


def test_the_report_is_made_in_little_processor_time(run_folders: dict[str, Path]) -> None:
    spent = []
    for _ in range(3):
        started = time.process_time()
        write_report(run_folders["flowers"])
        spent.append(time.process_time() - started)
    # 0.4 s on a quiet machine (measured 2026-11-22); the bound that the whole run allows is 1.5 s.
    assert min(spent) < 1.5


def test_a_table_speaks_of_rows_and_shows_no_picture(run_folders: dict[str, Path]) -> None:
    html = html_of(run_folders["table"])
    visible = re.sub(r"<(style|script)[^>]*>.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    assert "picture" not in visible.lower()
    assert "no thumbnail" not in visible
    assert "patients-test.csv:0599" in visible
    results = read_results(run_folders["table"])
    assert f"named {results.leading['confusion'][0][0] + results.leading['confusion'][1][1]} of 700 rows right" in html
    assert "dose &lt;b&gt;" in html


def test_a_run_of_an_earlier_version_has_no_section_on_imbalance(run_folders: dict[str, Path]) -> None:
    scores = json.loads((run_folders["flowers"] / "scores.json").read_bytes())
    assert "imbalance" not in scores
    html = html_of(run_folders["flowers"])
    assert not re.search(r'id="(decision|ranking|boundary|coverage|sets)"', html)


def test_imbalance_that_is_null_or_in_part_gives_a_whole_page(run_folders: dict[str, Path]) -> None:
    results = read_results(run_folders["table"])
    figures = figures_of(run_folders["table"])
    assert results.imbalance is not None
    null = {"decision": None, "at_likeliest": None, "curves": None, "coverage": None, "conformal": None}
    for imbalance in (None, {}, null, *({name: value} for name, value in results.imbalance.items())):
        page_of(replace(results, imbalance=imbalance, boundary=None), figures).decode()
