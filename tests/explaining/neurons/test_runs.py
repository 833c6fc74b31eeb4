"""The line of a trained run, against what the run predicts."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import heldout
from heldout.cli.main import run as command
from heldout.errors import RunFolderError
from heldout.explaining.neurons.explained import explain_neuron
from heldout.explaining.neurons.runs import explain_run, read_run_line
from heldout.measuring.boundary_files import read_boundary


def table(n: int) -> pa.Table:
    """Two columns of very different units; one row in four is sick."""
    generator = np.random.default_rng(5)
    age, dose = generator.normal(50, 11, n), generator.normal(1.4, 0.35, n)
    log_odds = 1.6 * (age - 50) / 11 - 1.1 * (dose - 1.4) / 0.35 - 1.3
    sick = generator.random(n) < 1 / (1 + np.exp(-log_odds))
    return pa.table({"age": age, "dose": dose, "state": np.where(sick, "sick", "healthy")})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> heldout.Run:
    """A line with its threshold moved, so that it is not where both classes are alike."""
    return heldout.train(table(240), target="state", threshold=0.3, out=str(tmp_path_factory.mktemp("runs")))


def sick(trained: heldout.Run, rows: pa.Table) -> list[float]:
    """The probability of it, of each row."""
    told = [each.probabilities for each in trained.predict(rows)]
    return [each["sick"] for each in told if each is not None]


def test_the_line_parts_what_the_run_answers(trained: heldout.Run) -> None:
    line, classes = read_run_line(trained.folder), trained.classes
    rows = table(400).drop(["state"])
    answers = [each.label for each in trained.predict(rows)]
    z = np.column_stack([rows["age"], rows["dose"]]) @ line.weights + line.bias
    assert [classes[int(side)] for side in z > 0] == answers


def test_z_is_the_log_odds_less_what_is_asked(trained: heldout.Run) -> None:
    line = read_run_line(trained.folder)
    rows = table(50).drop(["state"])
    told = np.array(sick(trained, rows))
    z = np.column_stack([rows["age"], rows["dose"]]) @ line.weights + line.bias
    np.testing.assert_allclose(np.log(told / (1 - told)) - np.log(0.3 / 0.7), z, atol=1e-4)


def test_the_line_is_the_one_of_the_report(trained: heldout.Run) -> None:
    boundary = read_boundary(trained.folder)
    assert boundary is not None
    assert boundary.line is not None
    facts = explain_run(trained.folder).facts
    assert facts.line is not None
    assert facts.line.normal == pytest.approx((boundary.line.x_weight, boundary.line.y_weight))
    assert facts.line.origin_distance == pytest.approx(boundary.line.constant)


def test_points_and_moves_are_told_in_the_units_of_the_table(
    trained: heldout.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(trained.folder)
    assert command(["explain", "neuron", folder, "--point", "60,1.0", "--through", "45,1.5", "--change-b", "0.5"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "x1 is age, x2 is dose, in the units of the table" in text
    assert "Where z is above 0 the answer is 'sick', else 'healthy'" in text
    assert "sick where its probability is at least 0.3" in text
    assert command(["explain", "neuron", folder, "--point", "60,1.0", "--through", "45,1.5", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    predicted = sick(trained, pa.table({"age": [60.0, 45.0], "dose": [1.0, 1.5]}))
    assert record["points"][0]["probability"] == pytest.approx(predicted[0], abs=1e-6)
    # With the bias moved through a point, the run would answer sick from its probability there on.
    share = predicted[1]
    assert record["through"]["change"] == pytest.approx(np.log(0.3 / 0.7) - np.log(share / (1 - share)), abs=1e-5)
    assert f"from a probability of {100 * share:.4g} % on" in text


def test_a_run_is_drawn_and_set(trained: heldout.Run, tmp_path: Path) -> None:
    explanation = explain_neuron(trained.folder)
    svg = explanation.plot(tmp_path / "line.svg").read_text()
    assert "sick: z above 0" in svg
    assert ">dose</text>" in svg
    assert explanation.as_latex().startswith(r"\documentclass")
    assert json.loads(explanation.as_json())["columns"] == ["age", "dose"]


def test_a_run_without_a_line_is_said(trained: heldout.Run, tmp_path: Path) -> None:
    import shutil

    copied = tmp_path / "copied"
    shutil.copytree(trained.folder, copied)
    content = json.loads((copied / "boundary.json").read_text())
    for change, match in (
        ({"kind": "components"}, "reads more than two numbers"),
        ({"line": None}, "its threshold answers one class everywhere"),
        (None, "it has no boundary"),
    ):
        if change is None:
            (copied / "boundary.json").unlink()
        else:
            (copied / "boundary.json").write_text(json.dumps(content | change))
        with pytest.raises(RunFolderError, match=match) as caught:
            explain_run(copied)
        assert "two columns of numbers" in caught.value.expected
