"""`heldout sweep` through the real command line: fresh trials, one ledger, the held-out part opened once."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import heldout as library
from heldout.sweeping.ledger import LEDGER, TrialResult, read_ledger
from journeys.command_line import content_of, fine, heldout, is_told
from make import class_folders

REGIMES = ("scratch", "frozen", "full")
RATES = (0.001, 0.01, 0.1)
SETTINGS = ("--epochs", "1", "--batch-sizes", "8", "--set", "training.precision=float32")


@dataclass(frozen=True, slots=True)
class Swept:
    """A finished sweep, what it printed, and where it was started."""

    home: Path
    arguments: tuple[str | Path, ...]
    printed: dict[str, Any]
    trials: tuple[TrialResult, ...]

    @property
    def folder(self) -> Path:
        return self.home / str(self.printed["sweep"])

    def of(self, regime: str, rate: float, seed: int) -> TrialResult:
        return next(
            one
            for one in self.trials
            if (one.setting.regime, one.setting.learning_rate, one.seed) == (regime, rate, seed)
        )


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty pictures of three classes."""
    return class_folders(tmp_path_factory.mktemp("data") / "few", 10)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, few: Path, lite0_ready: Path) -> Swept:
    """Three regimes, three rates, two seeds; no test changes it."""
    home = tmp_path_factory.mktemp("sweep")
    rates = ",".join(map(str, RATES))
    arguments = ("sweep", few, "--regimes", ",".join(REGIMES), "--learning-rates", rates, "--seeds", "2", *SETTINGS)
    printed = fine(heldout(*arguments, "--json", cwd=home, environment={"HELDOUT_CACHE": str(lite0_ready)})).json()
    return Swept(home, arguments, printed, tuple(read_ledger(home / printed["sweep"] / LEDGER)))


def test_every_trial_stands_in_the_ledger_once(swept: Swept) -> None:
    assert len(swept.trials) == len({one.key for one in swept.trials}) == 18
    assert {(one.setting.regime, one.setting.learning_rate, one.seed) for one in swept.trials} == {
        (regime, rate, seed) for regime in REGIMES for rate in RATES for seed in (0, 1)
    }
    assert (swept.printed["n_trials"], swept.printed["n_failed"]) == (18, 0)


def test_every_trial_starts_fresh(swept: Swept) -> None:
    for regime in REGIMES:
        for seed in (0, 1):
            starts = {swept.of(regime, rate, seed).initial for rate in RATES}
            assert len(starts) == 1, "the rate is all that differs"
        assert swept.of(regime, 0.01, 0).initial != swept.of(regime, 0.01, 1).initial, "each seed has its own start"
    learned = [one for one in swept.trials if one.outcome == "finished" and one.best_epoch > 0]
    assert len({one.final for one in learned}) == len(learned) > 6
    assert all(one.final != one.initial for one in learned)
    codes = {finding["code"]: finding["severity"] for finding in swept.printed["findings"]}
    assert not {"equal-weights", "unequal-starts", "equal-starts"} & set(codes)


@pytest.mark.slow
def test_a_rate_that_is_far_too_high_is_a_result(
    few: Path, lite0_ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELDOUT_CACHE", str(lite0_ready))
    # With this decay the rate makes every weight some hundred times as large in every step.
    decay = {"training.weight_decay": 10.0}
    rates: list[float | str] = ["default", 0.001, 90.0]
    found = library.sweep(few, regimes=["frozen"], learning_rates=rates, seeds=2, settings=decay, out=tmp_path)
    wild = [one for one in found.trials if one.setting.learning_rate == 90.0]
    assert [(one.outcome, one.score) for one in wild] == [("diverged", None)] * 2
    assert all("diverged" in one.why for one in wild)
    last = found.content["settings"][-1]
    assert (last["name"], last["n_diverged"], last["rank"]) == ("frozen, learning rate 90", 2, None)
    assert "trials-diverged" in {finding["code"] for finding in found.findings}
    assert found.winner is not None


def test_scores_are_those_of_the_weights_that_were_kept(swept: Swept) -> None:
    for one in swept.trials:
        if one.outcome != "finished" or not one.history:
            continue
        losses = {int(row["epoch"]): row["validation_loss"] for row in one.history if row["epoch"] is not None}
        known = {epoch: loss for epoch, loss in losses.items() if loss is not None}
        assert min(known, key=lambda epoch: known[epoch]) == one.best_epoch
        assert one.validation_loss == pytest.approx(known[one.best_epoch], rel=1e-4, abs=1e-5)
        assert one.score == one.n_correct / one.n_validation == one.is_correct().mean()


def test_the_held_out_part_is_opened_once_and_for_the_winner_alone(swept: Swept) -> None:
    logs = list(swept.home.rglob("openings.jsonl"))
    winner = swept.printed["winner"]
    assert [log.parent.name for log in logs] == [winner["run"]]
    assert len(logs[0].read_text().splitlines()) == 1
    assert winner["test"]["n"] == swept.printed["data"]["n_test"]
    assert winner["test_openings"] == 1
    assert winner["expected"] <= winner["validation_mean"]
    assert not set(_ids(swept, "test")) & set(_folded_ids(swept.folder)), "no trial can so much as name a test picture"


def _ids(swept: Swept, part: str) -> list[str]:
    from heldout.records import read_parquet

    table = read_parquet(swept.folder / "split.parquet", ["id", "part"])
    return [name for name, own in zip(table["id"].to_pylist(), table["part"].to_pylist(), strict=True) if own == part]


def _folded_ids(folder: Path) -> list[str]:
    from heldout.records import read_parquet

    ids: list[str] = read_parquet(folder / "folds.parquet", ["id"])["id"].to_pylist()
    return ids


def test_the_winner_is_an_ordinary_run(swept: Swept, few: Path) -> None:
    run = library.open_run(swept.folder.parent / swept.printed["winner"]["run"])
    assert run.scores["test"]["n"] == 6
    assert len(run.predict([few / "blobs" / "000.jpg"])) == 1
    assert (run.folder / "report.html").is_file()


def test_the_page_and_the_numbers_lie_in_one_folder(swept: Swept) -> None:
    names = {path.name for path in swept.folder.iterdir()}
    assert {"sweep.toml", "sweep.json", LEDGER, "split.parquet", "findings.json", "report.html", "figures"} <= names
    assert "trials" not in names, "what a trial needs to go on is gone when it has ended"
    assert "full, learning rate 0.01" in (swept.folder / "report.html").read_text()


def test_the_page_can_be_made_again_and_resume_says_what_to_do(swept: Swept) -> None:
    page = swept.folder / "report.html"
    before = page.read_bytes()
    page.write_bytes(b"spoilt")
    fine(heldout("report", swept.folder, cwd=swept.home))
    assert page.read_bytes() == before
    outcome = heldout("resume", swept.folder, cwd=swept.home)
    is_told(outcome)
    assert "give its `heldout sweep` command again" in outcome.err


def test_the_same_command_again_does_nothing(swept: Swept, lite0_ready: Path) -> None:
    before = content_of(swept.home)
    began = time.monotonic()
    again = fine(heldout(*swept.arguments, "--json", cwd=swept.home, environment={"HELDOUT_CACHE": str(lite0_ready)}))
    assert again.json() == swept.printed
    assert content_of(swept.home) == before
    assert time.monotonic() - began < 60


@pytest.mark.slow
def test_more_seeds_do_only_what_is_new_and_compare_reads_it(
    few: Path, lite0_ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELDOUT_CACHE", str(lite0_ready))
    values: dict[str, Any] = {"regimes": ["frozen"], "learning_rates": ["default", 0.1], "epochs": 2, "out": tmp_path}
    first = library.sweep(few, seeds=2, **values)
    more = library.sweep(few, seeds=3, **values)
    assert (first.content["n_done_now"], more.content["n_done_now"]) == (4, 2)
    shared = {one.key: one for one in first.trials}
    assert sum(one == shared.get(one.key) for one in more.trials) == 4
    assert more.content["winner"]["test_openings"] == 2, "a second winner is a second look, and is counted"
    assert "frozen, fitted" in fine(heldout("compare", more.folder, cwd=tmp_path)).out


@pytest.mark.slow
def test_halving_drops_the_worse_half_as_seeds_double(
    few: Path, lite0_ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELDOUT_CACHE", str(lite0_ready))
    found = library.sweep(
        few, regimes=["frozen"], learning_rates=[1e-6, 1e-5, 0.05, 0.1], seeds=4, epochs=2, halving=True, out=tmp_path
    )
    counts = [sum(score is not None for score in one["scores"]) for one in found.content["settings"]]
    assert sorted(counts) == [1, 1, 2, 4]
    assert [one["rank"] for one in found.content["settings"]][:2] == [1, None]
    assert found.winner is not None


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("--learning-rates", "0.1,,1"), 2, "in which '' cannot be read"),
        (("--learning-rates", "fast"), 2, "in which 'fast' cannot be read"),
        (("--learning-rates", "nan"), 2, "learning_rate is nan"),
        (("--regimes", "frozn"), 2, 'did you mean "frozen"'),
        (("--seeds", "-12"), 2, "seeds is -12"),
        (("--trials", "5"), 2, "between two learning rates"),
        (("--engine", "dask"), 2, "engine"),
        (("--out", "few/runs"), 2, "lies in the data"),
    ],
)
def test_what_cannot_be_meant_is_told_and_leaves_nothing(
    flags: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    class_folders(tmp_path / "few", 4)
    before = content_of(tmp_path)
    outcome = heldout("sweep", "few", *flags, cwd=tmp_path)
    is_told(outcome, code)
    assert words in outcome.err
    assert content_of(tmp_path) == before
