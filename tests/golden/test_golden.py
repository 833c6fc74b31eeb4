"""Run folders that earlier versions wrote: every later one opens them and gives the numbers that stand there."""

import json
import shutil
import tarfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from heldout.manifest import MANIFEST
from journeys.command_line import fine, heldout, is_told

GOLDEN = sorted(Path(__file__).parent.glob("run-*.tar"))
RUN = Path("runs/photos-001")
# Engines in 16 bits, which other machines may choose, agree with 32 bits to 0.4 %; two pictures of one class differ by
# 0.01, other weights by more.
CLOSE = 0.004
pytestmark = pytest.mark.skipif(find_spec("timm") is None, reason="the smallest network is timm's")


@pytest.fixture(scope="module", params=GOLDEN, ids=lambda path: path.stem)
def unpacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A golden run with its pictures; no test changes it."""
    home = tmp_path_factory.mktemp("golden")
    with tarfile.open(request.param) as archive:
        archive.extractall(home, filter="data")
    return home


@pytest.fixture
def golden(unpacked: Path, tmp_path: Path) -> Path:
    """A copy, which a test may change."""
    return shutil.copytree(unpacked, tmp_path / "golden")


def _expected(home: Path, command: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((home / "expected.json").read_bytes())[command]
    return content


def test_there_is_one_and_it_is_small() -> None:
    assert GOLDEN
    assert all(path.stat().st_size < 2_500_000 for path in GOLDEN)


def test_it_is_whole_and_its_page_is_made_again(golden: Path) -> None:
    assert "is finished" in fine(heldout("resume", RUN, cwd=golden)).out
    page = (golden / RUN / "report.html").read_text()
    (golden / RUN / "report.html").unlink()
    fine(heldout("report", RUN, cwd=golden))
    again = (golden / RUN / "report.html").read_text()
    leading = json.loads((golden / RUN / "scores.json").read_bytes())["test"]["scores"][0]
    for number in (leading["value"], leading["low"], leading["high"]):
        assert f"{100 * number:.1f}" in page
        assert f"{100 * number:.1f}" in again
    fine(heldout("resume", RUN, cwd=golden))


def test_it_predicts_what_it_predicted(unpacked: Path) -> None:
    known = _expected(unpacked, "predict")
    found = fine(heldout("predict", RUN, "photos", "--json", cwd=unpacked)).json()
    assert found["classes"] == known["classes"]
    assert [one["path"] for one in found["predictions"]] == [one["path"] for one in known["predictions"]]
    for one, before in zip(found["predictions"], known["predictions"], strict=True):
        assert one["label"] == before["label"]
        assert one["probabilities"] == pytest.approx(before["probabilities"], abs=CLOSE)


def test_it_scores_what_it_scored_and_tells_what_it_told(golden: Path) -> None:
    known = _expected(golden, "evaluate")
    outcome = heldout("evaluate", RUN, "photos", "--json", cwd=golden)
    assert outcome.code == 1, outcome.err  # pictures that it was trained on
    found = outcome.json()
    assert [one["code"] for one in found["findings"]] == [one["code"] for one in known["findings"]]
    for name in ("n", "confusion", "temperature"):
        assert found["summary"][name] == known["summary"][name], name
    for score, before in zip(found["summary"]["scores"], known["summary"]["scores"], strict=True):
        assert (score["name"], score["n"]) == (before["name"], before["n"])
        for end in ("value", "low", "high"):
            assert score[end] == pytest.approx(before[end], abs=CLOSE), (score["name"], end)


def test_a_format_from_the_future_is_refused(golden: Path) -> None:
    content = json.loads((golden / RUN / MANIFEST).read_bytes())
    (golden / RUN / MANIFEST).write_text(json.dumps(content | {"format": content["format"] + 1}))
    for command, *more in (("predict", "photos"), ("resume",)):
        outcome = heldout(command, RUN, *more, cwd=golden)
        is_told(outcome)
        assert f"is a run of format {content['format'] + 1}, which a newer heldout wrote" in outcome.err
        assert "upgrade heldout" in outcome.err
