"""Two trained runs are compared through the command line; what cannot be compared is told."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from heldout.cli.main import run
from heldout.manifest import renew_manifest
from journeys.command_line import Outcome, content_of, fine, heldout, is_told
from journeys.conftest import Trained
from make import split_folders
from make_sweeps import record, sweep


@dataclass(frozen=True, slots=True)
class Three:
    """Three runs on one test part: `again` is `good` from another seed, `worse` learned some labels the wrong way."""

    home: Path
    good: Path
    again: Path
    worse: Path


class Here:
    """The command line in this process, which saves the start of another."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.chdir(home)
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Outcome:
        code = run([str(argument) for argument in arguments])
        return Outcome(code, *self._capsys.readouterr())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, lite0_ready: Path) -> Three:
    home = tmp_path_factory.mktemp("three")
    right = split_folders(home / "right", {"train": 5, "val": 4, "test": 10})
    wrong = home / "wrong"
    shutil.copytree(right, wrong)
    for part in ("train", "val"):  # what is called blobs there shows a meadow, and the other way round
        for name, other in (("blobs", "aside"), ("meadow", "blobs"), ("aside", "meadow")):
            (wrong / part / name).rename(wrong / part / other)
    runs = []
    for data, seed in ((right, 0), (right, 1), (wrong, 0)):
        arguments = ("train", data, "--seed", str(seed), "--json")
        outcome = fine(heldout(*arguments, cwd=home, environment={"HELDOUT_CACHE": str(lite0_ready)}))
        runs.append(home / outcome.json()["run"])
    return Three(home, *runs)


def test_the_better_of_two_is_named_with_what_only_it_gets_right(three: Three, tmp_path: Path) -> None:
    before = content_of(three.home)
    content = fine(heldout("compare", three.worse, three.good, "--json", cwd=tmp_path)).json()
    assert content_of(three.home) == before
    assert content["better"] == "b"
    table = content["comparison"]
    assert table["n"] == 30
    assert table["n_both"] + table["n_only_a"] + table["n_only_b"] + table["n_neither"] == 30
    assert (table["n_only_a"], table["n_only_b"]) == (0, 20)
    assert table["difference"]["high"] < 0
    assert table["difference"]["p"] < 0.001
    assert {one["label"] for one in content["only_b"]} == {"blobs", "meadow"}
    assert {(one["label"], one["a"]["predicted"]) for one in content["only_b"]} == {
        ("blobs", "meadow"),
        ("meadow", "blobs"),
    }
    # Near copies were looked for; the two learned from the same pictures, under other labels.
    assert [finding["code"] for finding in content["findings"]] == []
    page = tmp_path / content["page"]
    assert page.parent.parent == tmp_path / "comparisons"
    assert json.loads(page.with_suffix(".json").read_text()) == content
    html = page.read_text(encoding="utf-8")
    assert html.count("<img ") == 20  # each of them is shown
    assert "no thumbnail is kept" not in html
    assert content["words"]["verdict"] in html


def test_a_person_reads_the_same(three: Three, tmp_path: Path, here: Here) -> None:
    outcome = fine(here("compare", three.good, three.worse, "--out", "here"))
    for words in (
        f"A  {three.good}  (frozen efficientnet-lite0)",
        "accuracy 100.0 %  95 % interval [88.6 %, 100.0 %]  n = 30",
        "A is better by 66.7 points",
        "both right 10, only A 20, only B 0, neither 0",
        "two fitted models, not two recipes",
        "only A right: test/",
        " and 15 more",
        "page   here/",
    ):
        assert words in outcome.out
    assert len(list((tmp_path / "here").iterdir())) == 1


def test_one_recipe_from_two_seeds_cannot_be_told_apart(three: Three, here: Here) -> None:
    outcome = fine(here("compare", three.good, three.again))
    assert "Both get the very same pictures right" in outcome.out
    assert "p = 1.000" in outcome.out


def test_runs_on_other_pictures_are_refused(three: Three, trained: Trained, tmp_path: Path, here: Here) -> None:
    outcome = here("compare", three.good, trained.folder)
    is_told(outcome)
    assert "not scored on the same held-out pictures" in outcome.err
    assert "are common" in outcome.err
    assert "has learned from" in outcome.err  # the pictures are numbered from 0 in both
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_pair_of_finished_runs_is_refused(three: Three, tmp_path: Path, here: Here) -> None:
    unfinished, damaged = (Path(shutil.copytree(three.good, tmp_path / name)) for name in ("unfinished", "damaged"))
    for name in ("manifest.json", "scores.json"):
        (unfinished / name).unlink()
    answers = damaged / "predictions.parquet"
    answers.write_bytes(answers.read_bytes()[:-3])
    for other, code, words in (
        (tmp_path, 2, "is no finished run"),
        (unfinished, 2, "fix: heldout resume"),
        (damaged, 76, "predictions.parquet has"),
        (three.good, 2, "compared with itself"),
    ):
        outcome = here("compare", three.good, other)
        is_told(outcome, code)
        assert words in outcome.err
    is_told(here("compare", three.good))
    # Put together by somebody else, with a manifest that agrees.
    answers.write_bytes(b"PAR1")
    renew_manifest(damaged, ["predictions.parquet"])
    is_told(here("compare", damaged, three.good), 76)
    assert not (tmp_path / "comparisons").exists()


def test_a_sweep_is_ranked_with_its_ties(tmp_path: Path, here: Here) -> None:
    content = record()
    content["settings"][1] |= {"rank": 1, "tied_with_best": True}
    folder = sweep(tmp_path / "sweep", content)
    outcome = fine(here("compare", folder))
    for words in (
        "photos-sweep-001: 3 settings, 3 seeds, 9 trials (6 finished, 3 diverged)",
        "=1  full, learning rate 0.1    91.0 % [89.0 %, 93.0 %] of 3 seeds",
        "=1  frozen ",
        "   -  scratch, learning rate 10  no score, 3 diverged",
        "best minus this 3.1 points (95 % interval 1.0 to 5.2; p = 0.004)",
        "full, learning rate 0.1 minus frozen: 3.1 points",
        "Take full at 0.1.",
        "the winner's mean on validation, 91.0 %, was chosen for being high: expect about 89.8 %",
        "held-out test of full, learning rate 0.1: accuracy 90.0 %",
    ):
        assert words in outcome.out
    told = fine(here("compare", folder, "--json")).json()
    assert told == {"sweep": str(folder), **content, "findings": []}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep"]
