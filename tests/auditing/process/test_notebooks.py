"""The Python of notebooks, with what speaks to the notebook left out."""

import json
from pathlib import Path

import pytest

from heldout.auditing.process.notebooks import cells_of, codes_of, python_of_cell


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1", "x = 1"),
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("!pip install torch\nimport torch", "pass\nimport torch"),
        ("if colab:\n    !pip install \\\n      torch\nx", "if colab:\n    pass\n\nx"),
        ("model?\n?model", "pass\npass"),
        ("files = !ls\nhere, there = %env X", "files = None\nhere, there = None"),
        ("print('%d'\n      % 3)", "print('%d'\n      % 3)"),
        ("'''\n%no magic\n'''\n%time train(1)", "'''\n%no magic\n'''\ntrain(1)"),
        ("%timeit -n 3 train()", "train()"),
        ("%%time\n\ntrain()\n!ls", "pass\n\ntrain()\npass"),
        ("\n%%bash\nls -l", "pass\npass\npass"),
        ("%%writefile model.py\nx = (", "pass\npass"),
        ("x = (1", "x = (1"),
        ("\x00", "\x00"),
        ("", ""),
    ],
)
def test_lines_for_the_notebook_are_left_out_and_the_others_keep_their_numbers(source: str, expected: str) -> None:
    assert python_of_cell(source) == expected


def test_cells_are_found_in_both_forms_of_notebooks(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "input": ["x = 1\n", "x"]}
    (tmp_path / "old.ipynb").write_text(json.dumps({"worksheets": [{"cells": [{"cell_type": "heading"}, cell]}]}))
    assert [(each.number, each.source, each.file) for each in cells_of(tmp_path / "old.ipynb")] == [
        (2, "x = 1\nx", "<cell 2>")
    ]


def test_the_last_value_of_a_cell_is_shown_as_in_a_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources = ["x = 1\nx + 1", "x + 2;", "x + 3 # shown", "None", "y = 2", ""]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    names: dict[str, object] = {}
    for code in codes_of(tmp_path / "a.ipynb"):
        exec(code, names)
    assert capsys.readouterr().out == "2\n4\n"
    assert names["y"] == 2
