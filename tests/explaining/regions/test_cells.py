"""`heldout explain region RUN`: the cells of a run, in words, JSON, LaTeX and as a figure."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.mathtext import MathTextParser

import heldout
from explaining.cell_runs import COLUMNS, MEAN, SCALE, classifier, layers, saved_run
from heldout.cli.main import run as command
from heldout.data.tabular.encoding import Column
from heldout.errors import RunFolderError, UsageError
from heldout.explaining.document import Explanation, Formula, Table
from heldout.explaining.regions.cells import explain_cells
from heldout.explaining.regions.cells_facts import RegionCells
from heldout.explaining.regions.cells_tables import number_words
from heldout.measuring.decisions import at_threshold, balanced, least_cost
from heldout.models.table_models import Layers, Trees


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hidden layers, two classes, a threshold and a temperature."""
    model = classifier(layers(6, 5, 2, seed=18), decision=at_threshold(0.3, 1), temperature=1.6)
    return saved_run(tmp_path_factory.mktemp("deep") / "deep-001", model)


@pytest.fixture(scope="module")
def found(deep: Path) -> Explanation[RegionCells]:
    return explain_cells(deep)


@pytest.fixture(scope="module")
def record(found: Explanation[RegionCells]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(found.as_json())
    return content


def inside(polygon: list[list[float]], point: np.ndarray) -> bool:
    """Whether a point lies left of every side of a polygon."""
    corners = (np.array(polygon) - MEAN) / SCALE
    along, away = np.roll(corners, -1, axis=0) - corners, (point - MEAN) / SCALE - corners
    return bool((along[:, 0] * away[:, 1] - along[:, 1] * away[:, 0] > 1e-6).all())


def random_rows(record: dict[str, Any], n: int) -> np.ndarray:
    window = record["window"]
    low, high = ([window[f"{axis}_{side}"] for axis in "xy"] for side in ("low", "high"))
    return np.random.default_rng(2).uniform(low, high, (n, 2))


def test_every_plane_and_answer_of_the_record_is_that_of_the_run(deep: Path, record: dict[str, Any]) -> None:
    rows = random_rows(record, 150)
    told = heldout.predict(deep, pa.table({"width": rows[:, 0], "height": rows[:, 1]}))
    model = classifier(layers(6, 5, 2, seed=18))
    logits = model.scorer.logits((rows - MEAN) / SCALE)
    n_placed = n_answered = 0
    for row, one, given in zip(rows, told, logits, strict=True):
        cells = [cell for cell in record["cells"] if inside(cell["polygon"], row)]
        assert len(cells) <= 1
        n_placed += len(cells)
        for cell in cells:
            planes = [np.dot(plane["gradient"], row) + plane["constant"] for plane in cell["logits"]]
            np.testing.assert_allclose(planes, given, atol=1e-9)
            score = np.dot(cell["score"]["gradient"], row) + cell["score"]["constant"]
            assert ("bee" if score > 0 else "ant") == one.label
            answers = [answer["class"] for answer in cell["answers"] if inside(answer["polygon"], row)]
            assert answers in ([one.label], [])
            n_answered += len(answers)
    assert n_placed >= 148
    assert n_answered >= 148


def test_on_the_boundary_the_probability_is_the_threshold(deep: Path, record: dict[str, Any]) -> None:
    points = np.concatenate([line["points"] for line in record["boundary"]["lines"]])
    middles = np.concatenate(
        [(np.array(line["points"])[1:] + line["points"][:-1]) / 2 for line in record["boundary"]["lines"]]
    )
    rows = np.concatenate([points, middles])
    told = heldout.predict(deep, pa.table({"width": rows[:, 0], "height": rows[:, 1]}))
    assert len(rows) > 4
    for one in told:
        assert one.probabilities is not None
        assert one.probabilities["bee"] == pytest.approx(0.3, abs=1e-5)


def test_the_record_is_whole(record: dict[str, Any], found: Explanation[RegionCells]) -> None:
    assert record["title"] == f"The {record['n_cells']} cells of deep-001"
    assert len(record["cells"]) == record["n_cells"] == record["n_cells_after_each_layer"][-1] > 20
    assert sum(cell["share"] for cell in record["cells"]) == pytest.approx(1)
    window = record["window"]
    area = (window["x_high"] - window["x_low"]) * (window["y_high"] - window["y_low"])
    assert sum(cell["area"] for cell in record["cells"]) == pytest.approx(area)
    assert [len(bits) for bits in record["cells"][0]["pattern"]] == record["widths"] == [6, 5]
    assert record["most_cells"] == 22 * 16
    assert record["reached_cells"] == 9 * 16
    assert record["first_layer"]["n_cells"] == record["n_cells_after_each_layer"][0]
    assert sum(sum(cell["examples"].values()) for cell in record["cells"]) == 60 - record["examples"]["n_outside"]
    assert record["boundary"]["n_pieces"] == sum(len(line["cells"]) for line in record["boundary"]["lines"])
    assert record["check"]["n_same_answer"] == record["check"]["n"] == 1000
    assert record["check"]["largest_difference"] < 1e-12
    assert [unit["name"] for unit in record["units"]][5:7] == ["1.6", "2.1"]


def test_each_unit_is_on_where_it_is_said_to_be(record: dict[str, Any]) -> None:
    model = layers(6, 5, 2, seed=18)
    for number, unit in enumerate(record["units"][:6]):
        for ends in unit["pieces"]:
            values = (np.array(ends) - MEAN) / SCALE @ model.weights[0][number].astype(float) + model.biases[0][number]
            np.testing.assert_allclose(values, 0, atol=1e-9)
            sums = np.array(ends) @ unit["sum"]["gradient"] + unit["sum"]["constant"]
            np.testing.assert_allclose(sums, 0, atol=1e-9)


def test_the_answer_comes_first_in_words(found: Explanation[RegionCells]) -> None:
    lines = str(found).splitlines()
    assert lines[0] == f"The {len(found.facts.cells)} cells of deep-001"
    answer = " ".join(lines[3:12])
    assert answer.startswith("Answer ------ The 11 units in 2 hidden layers cut the window width")
    assert "The answer changes in" in answer
    text = " ".join(str(found).split())
    assert "moved by 1.356 for the rule of the run: bee where its probability is at least 0.3, else ant" in text
    assert "1 + lines + crossings = 1 +" in text
    assert "(1 + 6 + 15) · (1 + 5 + 10) = 352" in text
    assert "the run gives the same answer at 1,000." in text
    tables = [part for section in found.sections for part in section.parts if isinstance(part, Table)]
    assert [len(table.rows) for table in tables][:3] == [2, 11, 12]


def test_every_formula_can_be_set(found: Explanation[RegionCells], tmp_path: Path) -> None:
    one = explain_cells(saved_run(tmp_path / "one", classifier(layers(4, 2))))
    narrow = explain_cells(saved_run(tmp_path / "narrow", classifier(layers(1, 3, 2))))
    linear = explain_cells(saved_run(tmp_path / "linear", classifier(layers(2), name="linear")))
    parser = MathTextParser("path")
    n_formulas = 0
    for each in (found, one, narrow, linear):
        for part in (part for section in each.sections for part in section.parts if isinstance(part, Formula)):
            assert part.latex.count("{") == part.latex.count("}")
            parser.parse(f"${part.latex}$")
            n_formulas += 1
        assert each.as_latex().endswith(r"\end{document}")
    assert n_formulas == 10
    assert "(1 + 1 + 0) · (1 + 3) = 8" in str(narrow)


@pytest.mark.parametrize("name", ["cells.svg", "cells.png"])
def test_the_figure_is_written(found: Explanation[RegionCells], tmp_path: Path, name: str) -> None:
    assert found.plot(tmp_path / name).stat().st_size > 5000
    content = (tmp_path / name).read_bytes()
    if name.endswith("svg"):
        for word in ("the answer changes", "a unit changes sides", "answered wrong", "width", "height", "ant", "bee"):
            assert f">{word}<".encode() in content
        names = [unit.name for unit in found.facts.hidden if unit.layer == 1 and unit.n_pieces]
        assert all(f">{name}<".encode() in content for name in names)
        assert b"All 60 test examples" in content


def test_the_command_line_shows_the_same(
    deep: Path, tmp_path: Path, record: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["explain", "region", str(deep), "--json", "--plot", str(tmp_path / "a.svg")]) == 0
    assert json.loads(capsys.readouterr().out) == record
    assert (tmp_path / "a.svg").is_file()
    assert command(["explain", "region", str(deep), "--latex"]) == 0
    assert r"\begin{longtable}" in capsys.readouterr().out


def test_a_linear_model_is_one_cell_and_one_line(tmp_path: Path) -> None:
    scorer = Layers((np.array([[0.0, 0.0], [1.0, -2.0]], np.float32),), (np.array([0.0, 0.5], np.float32),))
    found = explain_cells(saved_run(tmp_path / "line-001", classifier(scorer, name="linear")))
    text = " ".join(str(found).split())
    # (w - 50) / 10 - 2 (h + 0.2) / 0.05 + 0.5 = 0, solved for h.
    assert "The answer changes along one straight line, height = −0.3125 + 0.0025 × width." in text
    assert "Without a hidden layer a network cuts nothing" in text
    assert "The one cell" in text
    assert found.facts.cells.widths == ()
    assert found.record["first_layer"] is None
    assert found.plot(tmp_path / "line.svg").is_file()


def test_three_classes_are_told_two_by_two(tmp_path: Path) -> None:
    run = saved_run(
        tmp_path / "three-001", classifier(layers(5, 3, seed=1), decision=balanced(np.array([0.6, 0.3, 0.1])))
    )
    found = explain_cells(run)
    text = str(found)
    assert found.record["check"]["n_same_answer"] == 1000
    assert "between" in text
    assert " less " in text
    assert all(cell["score"] is None for cell in found.record["cells"])


def test_costs_that_bend_the_boundary_are_said_to(tmp_path: Path) -> None:
    costs = least_cost(np.array([[0.0, 1.0, 9.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]))
    found = explain_cells(saved_run(tmp_path / "costs", classifier(layers(4, 3), decision=costs)))
    text = " ".join(str(found).split())
    assert "all of this page is about the class with the largest logit" in text
    assert "the run's largest logit is the same at 1,000" in text
    assert found.record["rule"]["is_exact"] is False


def test_where_one_class_is_always_answered_there_is_no_boundary(tmp_path: Path) -> None:
    run = saved_run(tmp_path / "always", classifier(layers(4, 2), decision=at_threshold(0.0, 1)))
    found = explain_cells(run)
    text = " ".join(str(found).split())
    assert "The answer is bee all over the window; there is no boundary in it." in text
    assert "Boundary" not in [section.title for section in found.sections]
    assert json.loads(found.as_json())["rule"]["shift"] == [None, 0.0]
    assert found.plot(tmp_path / "always.svg").is_file()


def test_units_that_do_nothing_are_named(tmp_path: Path) -> None:
    scorer = layers(4, 2)
    weights = (np.array([[1, 0], [0, 0], [-2, 0], [0, 0]], np.float32), scorer.weights[1])
    dead = Layers(weights, (np.array([0, -1, 0, 1], np.float32), scorer.biases[1]))
    text = " ".join(str(explain_cells(saved_run(tmp_path / "dead", classifier(dead)))).split())
    assert "Always off in this window: 1.2; it adds nothing to any logit here." in text
    assert "Always on in this window: 1.4; here it is part of a linear layer." in text
    assert "that of 1.1" in text
    assert "1.1 width > 50" in text
    assert "1 different line in the window, 0 crossings inside it" in text


def test_without_examples_the_window_is_three_deviations_each_way(tmp_path: Path) -> None:
    found = explain_cells(saved_run(tmp_path / "bare", classifier(layers(4, 2)), n_examples=0))
    assert found.facts.examples is None
    assert list(found.record["window"].values()) == pytest.approx([20, 80, -0.35, -0.05])
    assert found.plot(tmp_path / "bare.svg").is_file()


def test_a_window_is_in_the_units_of_the_columns(deep: Path) -> None:
    record = explain_cells(deep, window=(40, 60, -0.3, -0.1)).record
    assert list(record["window"].values()) == pytest.approx([40, 60, -0.3, -0.1])
    corners = np.concatenate([cell["polygon"] for cell in record["cells"]])
    np.testing.assert_allclose([corners.min(axis=0), corners.max(axis=0)], [[40, -0.3], [60, -0.1]])


def test_gaps_and_dates_are_told(tmp_path: Path) -> None:
    columns = (
        Column("dose", "number", n_missing=3, mean=1.0, scale=2.0),
        Column("when", "date", mean=1.7e9, scale=86400.0 * 30),
    )
    model = classifier(layers(5, 2, n_features=3), columns=columns)
    found = explain_cells(saved_run(tmp_path / "gaps", model, n_examples=0))
    assert found.facts.columns == ("dose", "when (days since 2023-11-14)")
    assert "The cells are those of rows without a gap" in str(found)
    assert found.record["check"]["n_same_answer"] == 1000
    # The middle of the plane is the mean of either column: 22:13:20 on that day.
    first = found.record["units"][0]["sum"]
    middle = np.dot(first["gradient"], [1.0, (1.7e9 - 19675 * 86400) / 86400]) + first["constant"]
    assert middle == pytest.approx(float(model.scorer.tensors()["hidden.0.bias"][0]))


def test_many_units_are_cut_short_and_still_whole_in_the_record(tmp_path: Path) -> None:
    found = explain_cells(saved_run(tmp_path / "many", classifier(layers(40, 2))), window=(45, 55, -0.25, -0.15))
    text = " ".join(str(found).split())
    assert "The other 16 units are in the JSON." in text
    assert "/40" in text
    assert len(found.record["units"]) == 40
    assert "On: how many units of each layer are on." in text
    assert found.plot(tmp_path / "many.svg").is_file()


def test_trees_words_and_other_numbers_of_columns_are_refused(tmp_path: Path) -> None:
    one = np.array([0])
    trees = Trees(one, one.astype(float), one, one, one.astype(float), one[:, None], one, np.zeros(2), 2)
    with pytest.raises(UsageError, match="gradient-boosted trees"):
        explain_cells(saved_run(tmp_path / "trees", classifier(trees, name="boosting"), n_examples=0))
    three = (*COLUMNS, Column("depth", "number"))
    with pytest.raises(UsageError, match="reads 3 columns: 'width'"):
        explain_cells(saved_run(tmp_path / "three", classifier(layers(2, n_features=3), columns=three), n_examples=0))
    words = (COLUMNS[0], Column("colour", "category", categories=("blue", "red")))
    with pytest.raises(UsageError, match=r"'colour' \(category\)"):
        explain_cells(saved_run(tmp_path / "words", classifier(layers(2, n_features=3), columns=words), n_examples=0))
    single = classifier(layers(2, n_features=1), columns=COLUMNS[:1])
    with pytest.raises(UsageError, match="reads 1 column: 'width'"):
        explain_cells(saved_run(tmp_path / "single", single, n_examples=0))


def test_pictures_and_folders_that_are_no_run_are_refused(tmp_path: Path) -> None:
    run = saved_run(tmp_path / "pictures", classifier(layers(2)), n_examples=0)
    (run / "model" / "preprocess.json").write_text('{"format": 1, "backbone": "resnet18"}')
    with pytest.raises(UsageError, match="is a classifier of pictures"):
        explain_cells(run)
    with pytest.raises(RunFolderError, match="is no finished run"):
        explain_cells(tmp_path)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ((60, 40, 0, 1), "the window is"),
        ((0, 1, 2), "the window is"),
        (("a", 1, 2, 3), "the window is"),
        ((float("nan"), 1, 0, 1), "the window is"),
        ((-1e12, 1e12, 0, 1), "standard deviations from the mean"),
    ],
)
def test_a_window_that_cannot_be_meant_is_refused(deep: Path, window: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        explain_cells(deep, window=window)


def test_too_many_cells_are_refused(deep: Path) -> None:
    with pytest.raises(UsageError, match="more than 10 cells"):
        explain_cells(deep, most=10)
    with pytest.raises(UsageError, match="cells at most are asked for"):
        explain_cells(deep, most=0)


def test_numbers_have_four_digits() -> None:
    assert [number_words(value) for value in (0.0, -0.0, 12345.6, -1e-7)] == ["0", "0", "1.235e+04", "−1e−07"]


@pytest.mark.slow
def test_a_run_that_was_trained(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    lines = ["width,height,kind"]
    for kind in np.arange(80) % 2:
        x, y = generator.normal([2.0 * float(kind), float(kind)], 0.7)
        lines.append(f"{x:.4f},{100 * y:.3f},{'yes' if kind else 'no'}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    settings = {"model.width": 6, "training.epochs": 5}
    run = heldout.train(tmp_path / "rows.csv", target="kind", model="mlp", out=tmp_path, settings=settings)
    found = explain_cells(run.folder)
    assert found.facts.examples is not None
    assert found.facts.examples.n_all == len(found.facts.examples.labels)
    assert found.record["check"]["n_same_answer"] >= 999
