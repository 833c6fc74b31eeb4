from pathlib import Path

import pytest

from heldout.errors import UsageError
from heldout.measuring.costs import read_costs

CLASSES = ("sick", "well")


def test_costs_are_read_from_words() -> None:
    assert read_costs("sick:well=10, well:sick=2", CLASSES).tolist() == [[0, 10], [2, 0]]
    assert read_costs("well:well=0.5", CLASSES).tolist() == [[0, 1], [1, 0.5]]
    assert read_costs("a:b:c=3", ("a:b", "c")).tolist() == [[0, 3], [1, 0]]


def test_costs_are_read_from_files(tmp_path: Path) -> None:
    table = tmp_path / "costs.csv"
    table.write_text("true,well,sick\nsick,10,0\n\nwell,,2\n", encoding="utf-8-sig")
    assert read_costs(table, CLASSES).tolist() == [[0, 10], [2, 0]]
    words = tmp_path / "costs.toml"
    words.write_text("[sick]\nwell = 10\n")
    assert read_costs(str(words), CLASSES).tolist() == [[0, 10], [1, 0]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no cost"),
        ("sick:well", "'sick:well' is no cost"),
        ("sick=3", "'sick=3' is no cost"),
        ("sick:well=ten", "the cost 'ten' of sick:well is no number"),
        ("sick:wel=1", "class 'wel', which there is not; did you mean \"well\""),
        ("sick:well=1,sick:well=2", "is named twice"),
        ("sick:well=-1", "a cost is -1"),
        ("sick:well=inf", "a cost is inf"),
        ("absent.csv", "cannot be read: .*No such file"),
    ],
)
def test_costs_that_cannot_be_read_are_refused(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_costs(text, CLASSES)


def test_files_of_costs_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    for name, content, told in (
        ("a.csv", "true,sick\nwell,1,2\n", "line 2 of .* has 3 cells, the first 2"),
        ("b.toml", "sick = 3\n", "'sick' in .* is no table of costs"),
        ("c.toml", "[sick\n", "cannot be read"),
        ("d.toml", "[sick]\nwell = [1]\n", "is no number"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(UsageError, match=told):
            read_costs(tmp_path / name, CLASSES)
