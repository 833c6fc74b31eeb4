"""The confusion matrix as a table: readable on every shade, and opened where the mistakes are."""

import re
from pathlib import Path

import numpy as np
import pytest

import heldout.reporting.matrix
from heldout.reporting.matrix import matrix_of, needs_light_text, shade_depth
from heldout.reporting.rules import StyleRules
from heldout.reporting.style import ACCENT, PAPER, WARM

TEMPLATES = Path(heldout.reporting.matrix.__file__).parent / "templates"


def contrast(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """The contrast ratio of WCAG 2.2, from channels 0 to 1."""

    def luminance(colour: tuple[float, ...]) -> float:
        linear = np.array([each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in colour])
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def channels(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])


def page_colours(*, dark: bool) -> dict[str, str]:
    """The colours that base.css gives, in the light or in the dark."""
    style = (TEMPLATES / "base.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[1] if dark else blocks[0]))


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_every_shade_is_readable_on_a_light_page(kind: str) -> None:
    colours = page_colours(dark=False)
    full = channels(colours[f"{kind}-full"])
    for share in np.linspace(0.001, 1, 300):
        # The page rounds depths to whole percents.
        depth = round(100 * shade_depth(float(share))) / 100
        shade = (1 - depth) * channels(colours["paper"]) + depth * full
        text = (1.0, 1.0, 1.0) if needs_light_text(shade_depth(float(share)), kind) else (0.0, 0.0, 0.0)
        assert contrast(tuple(shade), text) >= 4.5


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_every_shade_is_readable_on_a_dark_page(kind: str) -> None:
    colours = page_colours(dark=True)
    for depth in np.linspace(0.22, 1, 100):
        shade = (1 - depth) * channels(colours["paper"]) + depth * channels(colours[f"{kind}-full"])
        assert contrast(tuple(shade), (1.0, 1.0, 1.0)) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_colour_is_readable_on_the_page(dark: bool) -> None:
    colours = page_colours(dark=dark)
    for text in ("ink", "muted", "accent", "warm", "error"):
        for ground in ("paper", "wash", f"{text}-wash"):
            if ground in colours:
                assert contrast(tuple(channels(colours[text])), tuple(channels(colours[ground]))) >= 4.5, (text, ground)


def test_page_and_figures_name_the_same_colours() -> None:
    colours = page_colours(dark=False)
    assert (colours["paper"], colours["accent"], colours["warm"]) == (PAPER, ACCENT, WARM)


def test_the_fullest_mistaken_cell_is_open_at_first() -> None:
    matrix = matrix_of([[8, 2, 0], [0, 9, 1], [3, 0, 7]], ("a", "b", "c"), StyleRules())
    assert matrix.first == (2, 0)
    assert matrix.n_mistakes == 6
    assert [(pair.true_name, pair.predicted_name, pair.n, pair.share) for pair in matrix.pairs] == [
        ("c", "a", 3, "30.0\u202f%"),
        ("a", "b", 2, "20.0\u202f%"),
        ("b", "c", 1, "10.0\u202f%"),
    ]


def test_a_perfect_matrix_opens_the_fullest_class() -> None:
    matrix = matrix_of([[3, 0], [0, 5]], ("a", "b"), StyleRules())
    assert matrix.first == (1, 1)
    assert matrix.pairs == ()


def test_cells_tell_what_they_hold() -> None:
    matrix = matrix_of([[1, 3], [0, 0]], ("a", "b"), StyleRules())
    assert matrix.rows[0][0].told == "a named right: 1 picture, 25.0\u202f% of a"
    assert matrix.rows[0][1].told == "a taken for b: 3 pictures, 75.0\u202f% of a"
    assert [cell.n for cell in matrix.rows[1]] == [0, 0]


def test_very_many_classes_give_pairs_but_no_table() -> None:
    confusion = np.eye(121, dtype=int) * 4
    confusion[5, 6] = 2
    matrix = matrix_of(confusion.tolist(), tuple(f"{c}" for c in range(121)), StyleRules())
    assert matrix.rows == ()
    assert not matrix.with_numbers
    assert [(pair.true, pair.predicted) for pair in matrix.pairs] == [(5, 6)]
