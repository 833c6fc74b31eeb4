"""An explanation as a terminal shows it."""

import textwrap
from typing import Any

from heldout.explaining.document import Cell, Explanation, Formula, Part, Section, Table, Text

WIDTH = 100
_INDENT = "  "


def text_of(explanation: Explanation[Any]) -> str:
    """The whole explanation as lines; tables are as wide as their words.

    Example:
        >>> print(text_of(Explanation("Two", 2, (Section("Sum", (Formula("1 + 1 = 2", "1+1=2"),)),), {})))
        Two
        ===
        <BLANKLINE>
        Sum
        ---
          1 + 1 = 2
    """
    blocks = [f"{explanation.title}\n{'=' * len(explanation.title)}"]
    blocks += [_section(each) for each in explanation.sections]
    if explanation.sources:
        blocks.append(
            "\n".join(["Sources", "-------", *(_wrapped(each, hanging=True) for each in explanation.sources)])
        )
    return "\n\n".join(blocks)


def _section(section: Section) -> str:
    lines = [section.title, "-" * len(section.title)]
    for previous, part in zip((None, *section.parts), section.parts, strict=False):
        if isinstance(previous, Table) or (previous is not None and isinstance(part, Table)):
            lines.append("")
        lines += _part(part)
    return "\n".join(lines)


def _part(part: Part) -> list[str]:
    if isinstance(part, Text):
        return textwrap.wrap(part.words, WIDTH)
    if isinstance(part, Formula):
        return [_INDENT + line for line in part.plain.splitlines()]
    return _table(part)


def _table(table: Table) -> list[str]:
    rows = [table.columns, *(tuple(_plain(cell) for cell in row) for row in table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in table.numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append((_INDENT + "  ".join(cells)).rstrip())
    rule = _INDENT + "  ".join("-" * width for width in widths)
    lines.insert(1, rule)
    if table.total:
        lines.insert(-1, rule)
    return lines


def _plain(cell: Cell) -> str:
    return cell.plain if isinstance(cell, Formula) else cell


def _wrapped(words: str, *, hanging: bool) -> str:
    return textwrap.fill(words, WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT * 2 if hanging else _INDENT)
