"""What docs/explain.md shows is what the commands print."""

import re
import shlex
from pathlib import Path

import pytest

from heldout.cli.main import run

PAGE = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```\n\$ (heldout explain (\w+) .*)\n([\s\S]*?)^```$", PAGE, re.MULTILINE)


def test_every_subject_is_shown_once() -> None:
    assert [subject for _, subject, _ in SHOWN] == ["count", "graph", "decay", "neuron", "region"]


@pytest.mark.parametrize(("command", "shown"), [(command, shown) for command, _, shown in SHOWN])
def test_the_page_shows_what_is_printed(command: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shlex.split(command)[1:]) == 0
    printed, place = capsys.readouterr().out, 0
    pieces = [piece for piece in re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE) if piece]
    assert pieces, "something is shown"
    for piece in pieces:
        place = printed.find(f"\n{piece}", place)
        assert place >= 0, piece
        place += len(piece)
