"""`heldout explain decay`: what is said, kept, drawn; of a setting and of a run."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import heldout.explain
from heldout.anatomy.decay.measured import MeasuredDecay
from heldout.anatomy.decay.quadratic import Descent, decay_of
from heldout.cli.main import run
from heldout.errors import DamagedRun, RunFolderError, UsageError
from heldout.explaining.decay.explained import explain_decay
from heldout.explaining.decay.head import HeadPenalty
from heldout.explaining.document import Explanation, Formula, Table

# One setting of every behaviour, of both forms, and of everything that is legal but odd.
SETTINGS: list[dict[str, Any]] = [
    {"learning_rate": 0.1, "l2": 0.1, "curvature": 2.0},
    {"learning_rate": 0.5, "l2": 0.5},
    {"learning_rate": 0.7, "l2": 0.1, "curvature": 2.0},
    {"learning_rate": 0.5, "l2": 0.5, "curvature": 3.0, "start": -2.0},
    {"learning_rate": 3.0, "l2": 0.5, "curvature": 0.1, "minimum": -1.0},
    {"learning_rate": 0.1, "l2": 0.1, "curvature": 200.0},
    {"learning_rate": 0.1, "l2": 0.1, "curvature": 2.0, "momentum": 0.9},
    {"learning_rate": 0.001, "l2": 1e-5, "momentum": 0.9, "steps": 50},
    {"learning_rate": 1.72, "l2": 0.1, "curvature": 2.0, "momentum": 0.9, "decoupled": True},
    {"learning_rate": 1.1, "l2": 0.5, "curvature": 0.0909, "momentum": 0.9, "decoupled": True},
    {"learning_rate": 0.1, "weight_decay": 0.2, "decoupled": True},
    {"learning_rate": 0.1, "weight_decay": 0.2, "curvature": 0.0, "momentum": 0.9, "decoupled": True},
    {"learning_rate": 0.1, "l2": 0.0},
    {"learning_rate": 0.1, "l2": 0.0, "curvature": 0.0, "momentum": 0.5},
    {"learning_rate": 1e-12, "l2": 1e-12, "curvature": 1e12, "start": 0.0, "minimum": 0.0},
    {"learning_rate": 1e12, "l2": 1e12, "curvature": 1e12},
]


def formulas_of(explanation: Explanation[Any]) -> list[Formula]:
    parts = [part for section in explanation.sections for part in section.parts]
    cells = [cell for part in parts if isinstance(part, Table) for row in part.rows for cell in row]
    return [each for each in (*parts, *cells) if isinstance(each, Formula)]


def test_the_answer_stands_first_with_the_largest_learning_rate_that_is_stable() -> None:
    lines = str(explain_decay(learning_rate=0.1, l2=0.1, curvature=2.0)).splitlines()
    assert lines[0] == "Weight decay: learning rate 0.1, L2 0.1, curvature 2"
    start = lines.index("In short") + 2
    told = " ".join(lines[start : start + 6])
    assert told.startswith("Stable, monotone: the distance from where it ends shrinks by the factor 0.78 a step")
    assert "Every learning rate below 0.909091 is stable, with no overshoot up to 0.454545" in told
    assert "It ends at 0.909091, not at 1, the minimum of the loss alone." in told
    assert "a step leaves 0.98 of a weight: half after 34.3 steps" in told


def test_the_penalty_is_squared_and_the_plain_norm_is_told_apart() -> None:
    text = str(explain_decay(learning_rate=0.1, l2=0.1))
    assert "J(w) = f(w) + L |w|^2" in text
    assert "w <- w - A grad J = (1 - 2 A L) w - A grad f" in text
    assert "grad L |w| = L w / |w|" in text
    assert "from |w| = 3 it is at 0 after 300 steps" in " ".join(text.split())


def test_the_rules_of_thumb_are_refuted_by_settings_that_do_what_is_said() -> None:
    text = str(explain_decay(learning_rate=0.1, l2=0.1))
    for rate, curvature, l2, verdict in re.findall(
        r"^ +([\d.]+) +([\d.]+) +([\d.]+) +[\d.]+ +[\d.]+ +(stable|unstable)$", text, re.MULTILINE
    ):
        found = decay_of(Descent(learning_rate=float(rate), l2=float(l2), curvature=float(curvature)))
        assert found.is_stable == (verdict == "stable")
    assert re.search(r"^ +0\.5 +10 +0\.001 +0\.001 +5\.001 +unstable$", text, re.MULTILINE)
    assert re.search(r"^ +5 +0\.1 +0\.1 +1 +1\.5 +stable$", text, re.MULTILINE)


def test_the_table_of_torchs_optimisers_holds_the_known_values() -> None:
    record = explain_decay(learning_rate=0.1, l2=0.1, momentum=0.9).as_record()["torch"]
    after = {each["optimiser"]: each["after"] for each in record}
    assert after["SGD"]["1"] == pytest.approx(0.98)
    assert after["SGD, momentum 0.9"]["2"] == pytest.approx(0.9424)
    assert after["AdamW, Adafactor, Muon"]["1"] == pytest.approx(0.98)
    assert after["Adam"]["1"] == pytest.approx(0.9, abs=1e-7)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_every_setting_is_told_in_text_json_and_latex(settings: dict[str, Any]) -> None:
    found = explain_decay(**settings)
    text = str(found)
    assert max(map(len, text.splitlines())) <= 110
    assert not re.search(r"\bnan\b|\binf\b|None|\b1 steps", text)
    assert text.count("<- ") >= 2
    record = json.loads(found.as_json())
    assert record["is_stable"] == record["verdict"].startswith("Stable")
    parser = MathTextParser("path")
    for formula in formulas_of(found):
        parser.parse(f"${formula.latex}$")
        assert formula.latex.count("{") == formula.latex.count("}")
    assert found.as_latex().startswith(r"\documentclass")


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_table_of_learning_rates_marks_the_row_of_this_one(settings: dict[str, Any]) -> None:
    found = explain_decay(**settings)
    table = next(
        part
        for section in found.sections
        for part in section.parts
        if isinstance(part, Table) and part.columns[0] == "learning rate"
    )
    behaviour = found.record["behaviour"]
    if behaviour == "still":
        assert table.rows == (("any", "nothing moves"),)
        return
    marked = [row for row in table.rows if row[2]]
    assert len(marked) == 1
    words = {
        "monotone": ("no ", "stays on one side"),
        "at once": ("no ",),
        "oscillating": ("swings; ",),
        "alternating": ("overshoots",),
    }.get(behaviour, ("grows",))
    assert str(marked[0][1]).startswith(words)
    rate = settings["learning_rate"]
    span = [float(number) for number in re.findall(r"[\d.]+(?:e[+-]\d+)?", str(marked[0][0]))]
    low, high = {"up": (0.0, span[0]), "ab": (span[0], float("inf"))}.get(str(marked[0][0])[:2], (span[0], span[-1]))
    assert low * (1 - 1e-5) <= rate <= high * (1 + 1e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"learning_rate": 3.0, "l2": 0.5, "curvature": 0.1}, "Unwise: 1 - 2 A L = -2 is below 0"),
        ({"learning_rate": 0.1, "l2": 0.5, "curvature": 0.1}, "Unwise: 2 L = 1 is more than the curvature 0.1"),
        ({"learning_rate": 0.1, "l2": 0.1, "momentum": 0.9, "decoupled": True}, "10 times as weak"),
        ({"learning_rate": 0.1, "l2": 0.1, "decoupled": True}, "the decoupled form is the coupled one"),
        (
            {"learning_rate": 0.7, "l2": 0.1, "curvature": 2.0},
            "As fast, without overshooting, is the learning rate 0.209",
        ),
        ({"learning_rate": 0.1, "l2": 0.0}, "nothing decays"),
        ({"learning_rate": 0.1, "l2": 0.1, "momentum": 0.5}, "the momentum carries the decay on"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_legal_but_unwise_is_said(settings: dict[str, Any], words: str) -> None:
    assert words in " ".join(explain_decay(**settings).record["notes"])


def test_weight_decay_is_twice_the_penalty() -> None:
    first = explain_decay(learning_rate=0.1, l2=0.1).record
    assert explain_decay(learning_rate=0.1, weight_decay=0.2).record == first
    assert first["weight_decay"] == 0.2


@pytest.mark.parametrize("place", [0, 5, 6, 8, 11, 13, 15])
def test_the_figure_is_drawn_with_its_regions_named(place: int, tmp_path: Path) -> None:
    settings = SETTINGS[place]
    svg = explain_decay(**settings).plot(tmp_path / "plot.svg").read_text()
    assert "learning rate × curvature of the loss" in svg
    assert ">unstable<" in svg
    if settings.get("l2") and settings.get("curvature", 1.0):
        assert ">optimum<" in svg
    if place == 0:
        assert {">no overshoot<", ">overshoots<", ">A = 0.9091<"} <= set(re.findall(r">[^<>]+<", svg))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({}, "no learning rate"),
        ({"learning_rate": 0.1}, "l2 is None and weight_decay is None"),
        ({"learning_rate": 0.1, "l2": 0.1, "weight_decay": 0.2}, "l2 is 0.1 and weight_decay is 0.2"),
        ({"learning_rate": 0.1, "weight_decay": -1.0}, "weight_decay is -1.0"),
        ({"learning_rate": 0.1, "weight_decay": float("nan")}, "weight_decay is nan"),
        ({"learning_rate": 0.1, "l2": 0.1, "steps": 0}, "steps is 0"),
        ({"learning_rate": 0.1, "l2": 0.1, "momentum": 1.0}, "momentum is 1.0"),
        ({"run": "runs/photos-001", "l2": 0.1}, "both a run"),
        ({"run": "runs/photos-001", "curvature": 3.0}, "both a run"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_meant(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        explain_decay(**settings)


def test_the_command_line_gives_text_json_latex_and_a_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["explain", "decay", "--learning-rate", "0.1", "--l2", "0.1", "--curvature", "2"]
    plot = tmp_path / "plot.png"
    assert run([*words, "--plot", str(plot)]) == 0
    assert "Stable, monotone" in capsys.readouterr().out
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert run([*words, "--momentum", "0.9", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["learning_rate_limits"]["stable_below"] == pytest.approx(1.727273, abs=1e-6)
    assert run([*words, "--decoupled", "--latex"]) == 0
    assert capsys.readouterr().out.startswith(r"\documentclass")
    assert run([*words, "--weight-decay", "0.2"]) == 2
    assert "weight_decay is 2 times l2" in capsys.readouterr().err
    assert run(["explain", "decay", "--learning-rate", "nan", "--l2", "0.1"]) == 2
    assert "learning_rate is nan" in capsys.readouterr().err


def test_from_python_it_is_one_of_the_five() -> None:
    assert heldout.explain.decay is explain_decay


def run_folder(folder: Path, training: str, model: str = 'regime = "scratch"', **files: str) -> Path:
    """A run folder of a version that wrote no manifest, with a plan and the files that are named."""
    folder.mkdir()
    plan = f'[data]\npath = "photos"\n[model]\n{model}\n' + (f"[training]\n{training}\n" if training else "")
    (folder / "plan.toml").write_text(plan)
    for name in ("scores.json", "environment.json"):
        (folder / name).write_text("{}")
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    return folder


NORMS = (
    "epoch,parameter,norm,decay_alone\n0,conv.weight,4.0,1.0\n0,conv.bias,0.0,1.0\n0,fc.weight,3.0,1.0\n"
    "1,conv.weight,4.2,0.9\n1,conv.bias,0.5,1.0\n1,fc.weight,2.4,0.9\n"
    "2,conv.weight,5.0,0.8\n2,conv.bias,0.6,1.0\n2,fc.weight,1.5,0.8\n"
)
HISTORY = "epoch,best\n1,true\n2,false\n"


@pytest.mark.parametrize(
    ("optimiser", "words"),
    [("sgd", "SGD with momentum 0.9, coupled"), ("adamw", "AdamW, decoupled")],
)
def test_a_run_tells_each_layer_beside_decay_alone(optimiser: str, words: str, tmp_path: Path) -> None:
    settings = f'epochs = 2\nlearning_rate = 0.1\noptimiser = "{optimiser}"\nweight_decay = 0.2'
    found = explain_decay(run_folder(tmp_path / "run-001", settings, norms=NORMS, history=HISTORY))
    assert isinstance(found.facts, MeasuredDecay)
    text = " ".join(str(found).split())
    assert words in text
    assert "By decay alone every decayed weight would have changed by -10 % after epoch 1" in text
    assert "(norm 5 -> 4.837)" in text
    assert "left 1 of 2 tensors larger than decay alone would have: -11.1 % to +16.7 %" in text
    assert "conv.weight 4 4.2 +5 % -10 % +16.7 %" in text
    assert "Not decayed: 1 tensor (biases, normalisation)." in text
    record = json.loads(found.as_json())
    assert [each["name"] for each in record["parameters"]] == ["conv.weight", "conv.bias", "fc.weight"]
    assert record["parameters"][0]["norm_at_last"] == 5.0
    assert ">conv.weight<" in found.plot(tmp_path / "plot.svg").read_text()
    parser = MathTextParser("path")
    for formula in formulas_of(found):
        parser.parse(f"${formula.latex}$")


def test_a_run_without_decay_says_so(tmp_path: Path) -> None:
    norms = re.sub(r"0\.[89]$", "1.0", NORMS, flags=re.MULTILINE)
    settings = "epochs = 2\nlearning_rate = 0.1\nweight_decay = 0"
    found = explain_decay(
        run_folder(tmp_path / "run-001", settings, norms=norms, history="epoch,best\n0,true\n1,false\n")
    )
    assert "There was no decay: weight_decay is 0" in str(found)
    assert "none was better than the weights before it" in " ".join(str(found).split())
    assert "conv.bias" in found.plot(tmp_path / "plot.svg").read_text() or "not drawn" in (
        (tmp_path / "plot.svg").read_text()
    )


def test_many_layers_are_drawn_as_far_as_there_is_room(tmp_path: Path) -> None:
    lines = ["epoch,parameter,norm,decay_alone"]
    for epoch in (0, 1):
        lines += [f"{epoch},layer{n}.weight,{1 + n + 0.1 * epoch},{1 - 0.1 * epoch}" for n in range(90)]
    folder = run_folder(
        tmp_path / "run-001",
        "epochs = 1\nlearning_rate = 0.1",
        norms="\n".join(lines) + "\n",
        history="epoch,best\n1,true\n",
    )
    svg = explain_decay(folder).plot(tmp_path / "plot.svg").read_text()
    assert "30 more with smaller norms" in svg
    assert ">layer89.weight<" in svg
    assert ">layer29.weight<" not in svg


def test_a_fitted_head_tells_what_its_penalty_means(tmp_path: Path) -> None:
    path = "l2,train_loss,validation_loss,validation_accuracy,chosen\n1.0,0.5,0.6,0.8,false\n0.1,0.3,0.4,0.9,true\n"
    found = explain_decay(run_folder(tmp_path / "run-001", "", 'regime = "frozen"', head_path=path))
    assert found.facts == HeadPenalty(0.1, ((1.0, 0.5, 0.6), (0.1, 0.3, 0.4)))
    assert "a penalty of L = 0.05 (weight_decay 0.1): there are no steps" in " ".join(str(found).split())
    assert found.record["l2"] == 0.05
    assert "half at h = l2 = 0.1" in found.plot(tmp_path / "plot.svg").read_text()
    parser = MathTextParser("path")
    for formula in formulas_of(found):
        parser.parse(f"${formula.latex}$")


def test_runs_that_tell_nothing(tmp_path: Path) -> None:
    settings = "epochs = 2\nlearning_rate = 0.1"
    with pytest.raises(RunFolderError, match=r"has no norms\.csv"):
        explain_decay(run_folder(tmp_path / "older-001", settings, history=HISTORY))
    with pytest.raises(DamagedRun, match=r"norms\.csv cannot be read"):
        explain_decay(run_folder(tmp_path / "torn-001", settings, norms=NORMS[:-20], history=HISTORY))
    with pytest.raises(DamagedRun, match=r"norms\.csv cannot be read"):
        explain_decay(run_folder(tmp_path / "other-001", settings, norms=NORMS, history="a,b\n1,2\n"))
    with pytest.raises(DamagedRun, match=r"head_path\.csv cannot be read"):
        explain_decay(run_folder(tmp_path / "head-001", "", 'regime = "frozen"', head_path="l2\n1\n"))
    with pytest.raises(RunFolderError, match="no finished run"):
        explain_decay(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of rows, trained for two epochs, as a user would."""
    from heldout import train

    folder = tmp_path_factory.mktemp("trained")
    generator = np.random.default_rng(0)
    points = generator.normal(size=(240, 2))
    rows = [f"{x:.4f},{y:.4f},{int(x * y > 0)}" for x, y in points]
    (folder / "points.csv").write_text("\n".join(["x,y,kind", *rows]) + "\n")
    changes = {"training.weight_decay": 2.0, "training.optimiser": "adamw", "training.learning_rate": 0.02}
    made = train(
        folder / "points.csv", target="kind", model="mlp", epochs=2, out=str(folder / "runs"), settings=changes
    )
    return made.folder


@pytest.mark.slow
def test_the_norms_of_a_real_run_are_those_of_the_weights_that_it_kept(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.numpy import load_file

    assert run(["explain", "decay", str(trained), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    weights = load_file(trained / "model" / "weights.safetensors")
    kept = sorted(float(np.linalg.norm(value.astype(np.float64))) for value in weights.values() if value.ndim)
    told = sorted(each["norm"] for each in record["parameters"])
    for norm in told:
        assert min(abs(norm - other) for other in kept) < 1e-5 * norm
    with (trained / "history.csv").open(newline="") as file:
        best = next(int(row["epoch"]) for row in csv.DictReader(file) if row["best"] == "true")
    assert record["told_epoch"] == best
