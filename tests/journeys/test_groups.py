"""Groups and doubtful labels through the real command line: nothing parted, wider intervals, both told on the page."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from heldout.verbs.digits import write_digits
from journeys.command_line import Outcome, content_of, fine, heldout, is_told
from make import DRAWINGS, picture

N_PATIENTS, N_EACH = 8, 3  # a class


def name_of(kind: str, patient: int, number: int) -> str:
    return f"{kind}/{kind}{patient}_{number}.png"


@pytest.fixture(scope="module")
def bursts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of eight patients with three pictures each, and a listing that names the patients."""
    root = tmp_path_factory.mktemp("data") / "bursts"
    lines = ["path,label,patient"]
    for kind in DRAWINGS:
        for patient in range(N_PATIENTS):
            for number in range(N_EACH):
                name = name_of(kind, patient, number)
                picture(root / name, kind, 300 + patient * N_EACH + number)
                lines.append(f"{name},{kind},{kind}{patient}")
    (root.parent / "list.csv").write_text("\n".join(f"bursts/{line}" if "/" in line else line for line in lines))
    return root


@pytest.fixture(scope="module")
def grouped(bursts: Path, tmp_path_factory: pytest.TempPathFactory, lite0_ready: Path) -> tuple[Outcome, Path]:
    """A run on the folders, grouped by an expression on the path."""
    home = tmp_path_factory.mktemp("home")
    outcome = heldout("train", bursts, "--group-by", r"([a-z]+\d+)_\d", "--json", cwd=home)
    return fine(outcome), home


def test_no_patient_is_parted_and_each_is_named(grouped: tuple[Outcome, Path]) -> None:
    outcome, home = grouped
    rows = pq.read_table(home / outcome.json()["run"] / "split.parquet").to_pylist()
    parts: dict[str, set[str]] = {}
    for row in rows:
        assert row["group"] == row["id"].split("/")[1].split("_")[0]
        parts.setdefault(row["group"], set()).add(row["part"])
    assert len(parts) == N_PATIENTS * len(DRAWINGS)
    assert {len(each) for each in parts.values()} == {1}
    assert set.union(*parts.values()) == {"train", "validation", "test"}


def test_the_intervals_are_those_of_groups_and_the_page_and_plan_say_so(grouped: tuple[Outcome, Path]) -> None:
    outcome, home = grouped
    content = outcome.json()
    test = content["scores"]["test"]
    n_groups = test["n"] // N_EACH
    for score in test["scores"]:
        assert score["method"].startswith(f"bootstrap over {n_groups} groups"), score
        assert score["low"] <= score["value"] <= score["high"]
    assert content["scores"]["data"]["groups"] == {"n": 24, "largest": N_EACH, "n_unnamed": 0}
    run = home / content["run"]
    assert tomllib.loads((run / "plan.toml").read_text())["data"]["group_by"] == r"([a-z]+\d+)_\d"
    assert f"bootstrap over {n_groups} groups" in (run / "report.html").read_text()


def test_the_column_of_a_listing_groups_as_the_path_does(bursts: Path, grouped: tuple[Outcome, Path]) -> None:
    _, home = grouped
    listing = bursts.parent / "list.csv"
    outcome = fine(heldout("train", listing, "--group-by", "patient", "--json", cwd=home))
    by_path, by_column = (
        {row["id"].removeprefix("bursts/"): (row["part"], row["group"]) for row in pq.read_table(file).to_pylist()}
        for file in (home / grouped[0].json()["run"] / "split.parquet", home / outcome.json()["run"] / "split.parquet")
    )
    assert by_path == by_column


def test_given_parts_that_part_a_patient_make_check_fail(bursts: Path, tmp_path: Path) -> None:
    lines = ["path,label,split,patient"]
    for kind in DRAWINGS:
        for patient in range(2):
            for number in range(N_EACH):
                part = "test" if number == 0 else "train"
                lines.append(f"{bursts / name_of(kind, patient, number)},{kind},{part},{kind}{patient}")
    (tmp_path / "list.csv").write_text("\n".join(lines))
    outcome = heldout("check", "list.csv", "--group-by", "patient", "--json", cwd=tmp_path)
    assert outcome.code == 1, outcome.err
    content = outcome.json()
    (finding,) = [finding for finding in content["findings"] if finding["code"] == "group-across-splits"]
    assert "6 of 6 groups by 'patient' are parted" in finding["what"]
    assert "6 of 6 test examples are of groups that are also in train" in finding["what"]
    assert content["groups"] == {"n": 6, "largest": N_EACH, "n_unnamed": 0}
    assert (
        "groups: 6, the largest of 3 pictures"
        in heldout("check", "list.csv", "--group-by", "patient", cwd=tmp_path).out
    )


@pytest.mark.parametrize(
    ("data", "group_by", "says"),
    [
        ("bursts", "(", "no regular expression"),
        ("bursts", "^([a-z]+)", "can be spared for"),
        ("list.csv", "pateint", 'did you mean "patient"?'),
    ],
)
def test_groups_that_cannot_be_are_told_and_nothing_is_left(
    bursts: Path, tmp_path: Path, data: str, group_by: str, says: str
) -> None:
    before = content_of(bursts.parent)
    outcome = heldout("train", bursts.parent / data, "--group-by", group_by, cwd=tmp_path)
    is_told(outcome)
    assert says in outcome.err
    assert list(tmp_path.iterdir()) == []
    assert content_of(bursts.parent) == before


@pytest.mark.slow
def test_digits_with_flipped_labels_show_them_on_the_page_and_stay_as_they_are(
    tmp_path: Path, lite0_ready: Path
) -> None:
    everything = write_digits(tmp_path / "all")
    generator = np.random.default_rng(0)
    wrong = set()
    for label in range(10):
        for number, path in enumerate(sorted((everything / str(label)).iterdir())[:40]):
            shown = label
            if number % 20 == 7:
                shown = int((label + generator.integers(1, 10)) % 10)
                wrong.add(f"{shown}/{path.name}")
            target = tmp_path / "digits" / str(shown) / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    before = content_of(tmp_path / "digits")
    outcome = fine(heldout("train", "digits", "--json", cwd=tmp_path))
    run = tmp_path / outcome.json()["run"]
    rows = pq.read_table(run / "suspects.parquet").to_pylist()
    parts = {row["id"]: row["part"] for row in pq.read_table(run / "split.parquet").to_pylist()}
    assert {row["part"] for row in rows} <= {"train", "validation"}
    assert all(parts[row["id"]] == row["part"] for row in rows)
    assert all(row["p_suggested"] > row["p_label"] for row in rows)
    judged = {name for name in wrong if parts[name] != "test"}
    first = [row["id"] in wrong for row in rows[: len(judged)]]
    # With 32 pictures a class to learn from; 9 of 18 were found (measured here, 2026-11-22), of all digits 79 %.
    assert np.mean(first) > 0.6
    assert len(judged & {row["id"] for row in rows}) > 0.35 * len(judged)
    told = json.loads((run / "scores.json").read_bytes())["suspects"]
    assert told["n_suspects"] == len(rows)
    assert told["n"] + told["n_not_judged"] == sum(part != "test" for part in parts.values())
    assert any(finding["code"] == "suspect-labels" for finding in outcome.json()["findings"])
    assert (run / "report.html").read_text().count("looks like <bdi>") == min(len(rows), 24)
    assert content_of(tmp_path / "digits") == before


def test_evaluating_with_groups_counts_them_and_tells_of_those_the_run_has_met(
    grouped: tuple[Outcome, Path], tmp_path: Path
) -> None:
    outcome, home = grouped
    run = home / outcome.json()["run"]
    lines = ["path,label,patient"]
    for number, kind in enumerate(DRAWINGS):
        for patient in range(4):
            for shot in range(2):
                name = f"{kind}-{patient}-{shot}.png"
                picture(tmp_path / "new" / name, kind, 900 + patient * 2 + shot)
                lines.append(f"new/{name},{kind},{'new' if patient else kind}{number * 4 + patient if patient else 0}")
    (tmp_path / "new.csv").write_text("\n".join(lines))
    arguments = ("evaluate", run, "new.csv", "--group-by", "patient")
    content = fine(heldout(*arguments, "--json", cwd=tmp_path)).json()
    assert content["groups"] == {"n": 12, "largest": 2, "n_unnamed": 0}
    assert {score["method"].split(",")[0] for score in content["summary"]["scores"]} == {"bootstrap over 12 groups"}
    learned = {
        row["group"]
        for row in pq.read_table(run / "split.parquet").to_pylist()
        if row["part"] in ("train", "validation")
    }
    met = sorted(learned & {f"{kind}0" for kind in DRAWINGS})
    told = {finding["code"]: finding for finding in content["findings"]}
    assert told["groups-of-the-training"]["where"] == met
    assert told["groups-of-the-training"]["what"].startswith(f"{2 * len(met)} of 24 pictures")
    assert "groups: 12, the largest of 2 pictures" in fine(heldout(*arguments, cwd=tmp_path)).out
    alone = fine(heldout("evaluate", run, "new.csv", "--json", cwd=tmp_path)).json()
    assert (alone["groups"], alone["findings"]) == (None, [])
    assert [one["value"] for one in alone["summary"]["scores"]] == [
        one["value"] for one in content["summary"]["scores"]
    ]


def test_a_near_copy_in_what_is_evaluated_does_not_count_twice(grouped: tuple[Outcome, Path], tmp_path: Path) -> None:
    outcome, home = grouped
    run = home / outcome.json()["run"]
    for kind in DRAWINGS:
        for number in range(4):
            picture(tmp_path / "new" / kind / f"{number}.png", kind, 700 + number)
            picture(tmp_path / "new" / kind / f"{number}.bmp", kind, 700 + number)
    content = fine(heldout("evaluate", run, "new", "--json", cwd=tmp_path)).json()
    assert content["summary"]["n"] == 24
    n_apart = int(content["summary"]["scores"][0]["method"].split(" groups")[0].split()[-1])
    assert n_apart <= 12
