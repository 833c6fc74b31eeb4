"""The figure of a count: names where they fit, numbers where they matter, for three rows and for a thousand."""

from collections.abc import Sequence

import pytest

from heldout.anatomy.counting.counts import Count, LayerCount, Operations, Parameters
from heldout.explaining.counting.figure import compact, counting_figure
from heldout.explaining.counting.groups import MOST_ROWS, deepest, rows_of
from heldout.reporting.style import figure_style


def count_of(names: Sequence[str], *, frozen: int = 0) -> Count:
    layers = tuple(
        LayerCount(
            name,
            "Conv2d",
            (4, 8, 8),
            Parameters(trainable=10 * (number + 1), frozen=frozen),
            Operations(multiply_adds=1000 * (number + 1)),
            Operations(),
            1024,
            None,
        )
        for number, name in enumerate(names)
    )
    return Count("net", (4, 8, 8), layers, Parameters())


def words_of(count: Count, depth: int | None = None) -> list[str]:
    with figure_style():
        figure = counting_figure(rows_of(count, depth=depth))
    (width, height) = figure.get_size_inches()
    assert 5 < width < 11
    assert 0.5 < height < 31
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    return texts + [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_few_rows_have_names_and_all_their_numbers() -> None:
    words = words_of(count_of(["0", "1", "head"]))
    assert {"0 Conv2d", "1 Conv2d", "head", "1.00 k", "2.00 k", "3.00 k", "10", "20", "30"} <= set(words)
    assert words.count("1.02 kB") == 3
    assert "parameters that are frozen" not in words


def test_frozen_parameters_have_a_colour_of_their_own() -> None:
    words = words_of(count_of(["a"], frozen=7))
    assert {"parameters that learn", "parameters that are frozen", "17"} <= set(words)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([f"layer{stage}.{block}" for stage in range(4) for block in range(40)], ["layer0", "layer1", "layer3"]),
        ([str(number) for number in range(150)], ["0", "10", "140"]),
        ([f"{number}.conv" for number in range(1000)], ["0.conv", "10.conv", "990.conv"]),
    ],
    ids=["stages", "chain", "a thousand"],
)
def test_of_many_rows_some_have_names_and_the_longest_their_number(names: list[str], shown: list[str]) -> None:
    words = words_of(count_of(names), depth=2)
    assert set(shown) <= set(words)
    assert len(words) < 3 + 3 + 110
    assert compact(1000 * len(names)) in words


def test_as_deep_as_few_rows_allow() -> None:
    blocks = [f"layer{stage}.{block}.conv{n}" for stage in range(4) for block in range(5) for n in range(3)]
    count = count_of(["stem", *blocks])
    assert deepest(count) == 2
    rows = rows_of(count)
    assert len(rows) == 21 <= MOST_ROWS
    assert [rows[0].name, rows[0].kind, rows[1].name, rows[1].kind] == ["stem", "Conv2d", "layer0.0", "3 layers"]
    assert rows[1].forward.multiply_adds == 2000 + 3000 + 4000
    assert rows_of(count, kinds={"layer0.0": "Block"})[1].kind == "Block"
    assert sum(row.parameters.total for row in rows) == sum(layer.parameters.total for layer in count.layers)
    assert len(rows_of(count, depth=1)) == 5
    assert len(rows_of(count, depth=3)) == 61
    assert deepest(count_of([str(number) for number in range(1000)])) == 1
    assert deepest(count_of([])) == 1
