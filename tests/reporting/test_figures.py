"""The figures: whole, repeatable, bounded in number and time, and harmless whatever the classes are called."""

import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from heldout.reporting.curves import (
    accuracy_curve,
    loss_curve,
    path_accuracy_curve,
    path_loss_curve,
    told_history,
    told_path,
)
from heldout.reporting.figures import draw_figures, recall_figure, reliability_figure, told_reliability
from heldout.reporting.results import ClassRecord, ScoreRecord, read_results
from heldout.reporting.style import figure_style, for_page, saved

SVG = "{http://www.w3.org/2000/svg}"


def text_of(svg: bytes) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(f"{SVG}text")]


def share(value: float | None, n: int = 10) -> ScoreRecord:
    return {"name": "recall", "value": value, "low": 0.1, "high": 0.9, "n": n, "method": "Wilson, 95%"}


def one_class(name: str, recall: float | None) -> ClassRecord:
    return {"name": name, "n": 10, "recall": share(recall), "precision": share(0.5), "f1": 0.5}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("flowers", {"head_path_loss", "head_path_accuracy", "confusion", "recall", "reliability"}),
        ("untested", {"loss", "accuracy", "confusion", "recall", "reliability"}),
    ],
)
def test_each_kind_of_run_has_its_figures(run_folders: dict[str, Path], kind: str, names: set[str]) -> None:
    files = {path.name for path in (run_folders[kind] / "figures").iterdir()}
    assert files == {f"{name}.{ending}" for name in names for ending in ("svg", "png")}
    for name in names:
        assert (run_folders[kind] / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_without_curves_has_the_other_figures(run_folders: dict[str, Path]) -> None:
    results = replace(read_results(run_folders["flowers"]), head_path=None)
    assert set(draw_figures(results.drawable)) == {"confusion", "recall", "reliability"}


def test_the_same_run_gives_the_same_bytes(run_folders: dict[str, Path]) -> None:
    results = read_results(run_folders["flowers"])
    assert draw_figures(results.drawable) == draw_figures(results.drawable)


def test_figures_carry_no_date_and_no_version(run_folders: dict[str, Path]) -> None:
    for svg, png, _ in draw_figures(read_results(run_folders["flowers"]).drawable).values():
        assert b"date" not in svg
        assert mpl.__version__.encode() not in svg
        assert b"Software" not in png


def test_class_names_are_text_in_a_figure_and_never_markup(run_folders: dict[str, Path]) -> None:
    for path in (run_folders["hostile"] / "figures").glob("*.svg"):
        root = ET.fromstring(path.read_bytes())
        assert {element.tag for element in root.iter()} & {f"{SVG}script", f"{SVG}image", "script", "img"} <= {
            f"{SVG}image"
        }
    recall = text_of((run_folders["hostile"] / "figures" / "recall.svg").read_bytes())
    assert any(text.startswith("<script>alert(1)</") for text in recall)
    # Dollar signs would be read as mathematics, and the name would lose them.
    assert any(text.startswith("$x$") for text in recall)


def test_the_confusion_figure_shows_every_count(run_folders: dict[str, Path]) -> None:
    confusion = read_results(run_folders["flowers"]).leading["confusion"]
    drawn = text_of((run_folders["flowers"] / "figures" / "confusion.svg").read_bytes())
    wanted = sorted(str(n) for row in confusion for n in row if n)
    assert sorted(text for text in drawn if text.isdigit()) == wanted


def test_the_forest_plot_keeps_the_lowest_of_very_many_classes() -> None:
    classes = [one_class(f"class-{c}", c / 200) for c in range(200)]
    with figure_style():
        names = text_of(saved(recall_figure(classes), "svg"))
    assert sum(name.startswith("class-") for name in names) == 60
    assert "class-59  (10)" in names
    assert "class-60  (10)" not in names


def test_a_class_without_pictures_is_left_out_of_the_forest_plot() -> None:
    with figure_style():
        names = text_of(saved(recall_figure([one_class("seen", 0.5), one_class("unseen", None)]), "svg"))
    assert "seen  (10)" in names
    assert not any(name.startswith("unseen") for name in names)


def test_our_style_ends_with_its_block() -> None:
    before = dict(mpl.rcParams)
    with figure_style():
        assert mpl.rcParams["svg.hashsalt"] == "heldout"
    assert dict(mpl.rcParams) == before


def test_every_colour_has_a_dark_twin(run_folders: dict[str, Path]) -> None:
    import re

    from heldout.reporting.style import _DARK

    for name in ("loss", "accuracy", "reliability"):
        svg = (run_folders["untested"] / "figures" / f"{name}.svg").read_bytes()
        colours = set(re.findall(rb"(?:fill|stroke): (#[0-9a-f]{6})", svg))
        assert colours <= {colour.encode() for colour in _DARK}
        page = for_page(svg)
        assert all(b'[style*="stroke: ' + colour + b'"]' in page for colour in colours)
        assert b"DejaVu" not in page
        ET.fromstring(page)


def test_curves_are_told_in_words(run_folders: dict[str, Path]) -> None:
    untested, flowers = read_results(run_folders["untested"]), read_results(run_folders["flowers"])
    assert untested.history is not None
    assert flowers.head_path is not None
    loss, accuracy = told_history(untested.history)
    assert "20 epochs" in loss
    assert "epoch 14 was kept" in loss
    assert accuracy.endswith("[83.5, 94.5].")
    assert "15 strengths. The strength 0.01 was chosen" in told_path(flowers.head_path)[0]
    assert "Expected calibration error" in told_reliability(flowers.leading)


@pytest.mark.parametrize("loss", [[0.5], [1e9, 0.4, float("nan")], [0.0, 0.0, 0.0]])
def test_odd_histories_are_drawn(loss: list[float]) -> None:
    epochs = [float(epoch + 1) for epoch in range(len(loss))]
    flat = [1.0] * len(loss)
    history = {"epoch": epochs, "train_loss": loss, "validation_loss": loss, "validation_accuracy": flat}
    history |= {"validation_accuracy_low": flat, "validation_accuracy_high": flat, "best": [0.0] * len(loss)}
    with figure_style():
        assert "epoch" in text_of(saved(loss_curve(history), "svg"))
        assert "100 %" in text_of(saved(accuracy_curve(history), "svg"))


def test_an_l2_of_zero_is_left_off_the_logarithmic_scale() -> None:
    path = {"l2": [0.0, 0.1, 1.0], "train_loss": [0.0, 0.1, 0.2], "validation_loss": [0.3, 0.2, 0.3]}
    path |= {"validation_accuracy": [0.8, 0.9, 0.85], "chosen": [0.0, 1.0, 0.0]}
    with figure_style():
        assert "10⁻¹" in text_of(saved(path_loss_curve(path), "svg"))
        assert "90 %" in text_of(saved(path_accuracy_curve(path), "svg"))


def test_an_empty_reliability_diagram_is_drawn(run_folders: dict[str, Path]) -> None:
    summary = {**read_results(run_folders["flowers"]).leading, "reliability": []}
    with figure_style():
        assert "confidence" in text_of(saved(reliability_figure(summary), "svg"))  # type: ignore[arg-type]
    assert "0 bins" in told_reliability(summary)  # type: ignore[arg-type]


def test_a_thousand_classes_cost_no_more_figures(run_folders: dict[str, Path]) -> None:
    results = read_results(run_folders["flowers"])
    names = tuple(f"class {c}" for c in range(1000))
    confusion = (np.eye(1000, dtype=int) * 5).tolist()
    many = {**results.leading, "confusion": confusion, "per_class": [one_class(name, 0.9) for name in names]}
    started = time.perf_counter()
    drawn = draw_figures(replace(results, test=many, classes=names).drawable)  # type: ignore[arg-type]
    assert time.perf_counter() - started < 10
    assert len(drawn) == 5
    assert all(len(svg) < 300_000 for svg, _, _ in drawn.values())
