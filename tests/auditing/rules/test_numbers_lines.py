from pathlib import Path

import pytest

from heldout.auditing.rules.numbers_lines import divisions


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("a = right / 640", [(1, 640.0, "640")]),
        ("a /= float(128 * 100)", [(1, 12800.0, "float(128 * 100)")]),
        ("B = 64\nN = B * 20\na = right / N", [(3, 1280.0, "N")]),
        ("B, N = 64, 20\na = 100 * right / (B * N)", [(2, 1280.0, "B * N")]),
        ("N = 64\nN = 65\na = right / N", []),
        ("n = 0\nn += 64\na = right / n", []),
        ("def f(n):\n    return right / n\nn = 64", []),
        ("for n in range(3):\n    a = right / n", []),
        ("a = right / len(loader)", []),
        ("a = right / (3 // 0)", []),
        ("a = right / True", []),
        ("a = right / 1", []),
        ("a = (", []),
    ],
)
def test_divisions_by_numbers_that_are_spelt_out(source: str, found: list[object], tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    file.write_text(source)
    assert [(place.line, value, words) for place, value, words in divisions(str(file))] == found


def test_a_file_that_is_gone_has_none(tmp_path: Path) -> None:
    assert divisions(str(tmp_path / "gone.py")) == ()
