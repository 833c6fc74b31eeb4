"""What an explanation is made of, and how it is written."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from heldout.cli.showing import show_explanation
from heldout.errors import UsageError
from heldout.explaining.as_latex import escaped, latex_of
from heldout.explaining.as_text import text_of
from heldout.explaining.document import Explanation, Formula, Section, Table, Text, plot_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE = Table(
    ("layer", "parameters"),
    (("conv_1", "1,792"), (Formula("W x", r"W x"), "5"), ("all", "1,797")),
    numeric=frozenset({1}),
    total=True,
)


def _drawn() -> "Figure":
    from heldout.reporting.style import new_figure

    figure, (axes,) = new_figure()
    axes.plot([0, 1], [1, 0])
    return figure


def _explanation(**changes: Any) -> Explanation[int]:
    sections = (
        Section("How many", (Text("One hundred words. " * 9), Formula("n = 3", "n = 3"), TABLE, Text("After."))),
    )
    settings: dict[str, Any] = {"record": {"n": 3}, "sources": ("A. Author, 1969",), "draw": _drawn} | changes
    return Explanation("A title", 3, sections, **settings)


def test_text_underlines_titles_wraps_words_and_sets_numbers_flush_right() -> None:
    lines = str(_explanation()).splitlines()
    assert lines[:2] == ["A title", "======="]
    assert max(map(len, lines)) <= 100
    assert lines[lines.index("  n = 3") + 1 :][:8] == [
        "",
        "  layer   parameters",
        "  ------  ----------",
        "  conv_1       1,792",
        "  W x              5",
        "  ------  ----------",
        "  all          1,797",
        "",
    ]
    assert lines[-1] == "  A. Author, 1969"


def test_latex_is_balanced_and_escapes_what_latex_would_read() -> None:
    written = latex_of(_explanation())
    assert written.startswith(r"\documentclass")
    assert written.endswith(r"\end{document}")
    assert r"conv\_1 & 1,792 \\" in written
    assert r"$W x$ & 5 \\" in written
    begun = re.findall(r"\\begin\{(\w+)\}", written)
    assert sorted(begun) == sorted(re.findall(r"\\end\{(\w+)\}", written))
    assert escaped(r"a\b {50 %} & $x_1^2$ ~ #3 <>") == (
        r"a\textbackslash{}b \{50 \%\} \& \$x\_1\textasciicircum{}2\$ \textasciitilde{} \#3 "
        r"\textless{}\textgreater{}"
    )


def test_the_record_is_what_json_can_hold() -> None:
    record = {"a": np.float64(1.5), "b": float("nan"), "c": np.array([1, 2]), "d": (float("-inf"), np.int64(3)), 4: {5}}
    read = json.loads(_explanation(record=record).as_json())
    assert read == {
        "title": "A title",
        "a": 1.5,
        "b": None,
        "c": [1, 2],
        "d": [None, 3],
        "4": [5],
        "sources": ["A. Author, 1969"],
    }


@pytest.mark.parametrize(("name", "start"), [("plot.svg", b"<?xml"), ("plot.PNG", b"\x89PNG")])
def test_a_plot_is_of_the_kind_that_its_name_says(name: str, start: bytes, tmp_path: Path) -> None:
    assert _explanation().plot(tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["plot.pdf", "plot", "absent/plot.svg", "folder.svg"])
def test_a_plot_that_cannot_be_written_is_refused_before_the_work(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.svg").mkdir()

    def work() -> Explanation[int]:
        raise AssertionError("it worked")

    with pytest.raises(UsageError, match="plot"):
        plot_file(tmp_path / name)
    with pytest.raises(UsageError, match="plot"):
        show_explanation(work, as_json=False, latex=False, plot=tmp_path / name)
    assert [each.name for each in tmp_path.iterdir()] == ["folder.svg"]


def test_without_a_figure_there_is_nothing_to_plot(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to draw for 'A title'"):
        _explanation(draw=None).plot(tmp_path / "plot.svg")


def test_the_command_shows_one_form_and_says_where_the_plot_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "plot.svg"
    show_explanation(_explanation, as_json=False, latex=False, plot=plot)
    text = capsys.readouterr()
    assert text.out == text_of(_explanation()) + "\n"
    assert text.err == f"drawn into {plot}\n"
    show_explanation(_explanation, as_json=True, latex=False, plot=None)
    assert json.loads(capsys.readouterr().out)["n"] == 3
    show_explanation(_explanation, as_json=False, latex=True, plot=None)
    assert capsys.readouterr().out.startswith(r"\documentclass")
    with pytest.raises(UsageError, match="--json and --latex"):
        show_explanation(_explanation, as_json=True, latex=True, plot=None)
