"""An explanation as a LaTeX document, for a write-up."""

from typing import Any

from heldout.explaining.document import Cell, Explanation, Formula, Part, Table, Text

_HEAD = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb,booktabs,longtable}
\begin{document}"""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "×": r"$\times$",
    "−": "$-$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "→": r"$\to$",
    "·": r"$\cdot$",
    "∞": r"$\infty$",
    "±": r"$\pm$",
    "…": r"\dots{}",
    "–": "--",
    "√": r"$\surd$",
}


def latex_of(explanation: Explanation[Any]) -> str:
    """The whole explanation; `pdflatex` reads it with the packages of any distribution."""
    blocks = [_HEAD, rf"\section*{{{escaped(explanation.title)}}}"]
    for section in explanation.sections:
        blocks.append(rf"\subsection*{{{escaped(section.title)}}}")
        blocks += [_part(part) for part in section.parts]
    if explanation.sources:
        blocks.append(r"\subsection*{Sources}")
        blocks += [escaped(each) + r"\par" for each in explanation.sources]
    return "\n\n".join([*blocks, r"\end{document}"])


def escaped(words: str) -> str:
    r"""Plain words as LaTeX shows them.

    Example:
        >>> print(escaped("50 % of w_1"))
        50 \% of w\_1
    """
    return "".join(_SPECIAL.get(character, character) for character in words)


def _part(part: Part) -> str:
    if isinstance(part, Text):
        return escaped(part.words)
    if isinstance(part, Formula):
        return rf"\[ {part.latex} \]"
    return _table(part)


def _table(table: Table) -> str:
    layout = "".join("r" if column in table.numeric else "l" for column in range(len(table.columns)))
    lines = [rf"\begin{{longtable}}{{{layout}}}", r"\toprule", _row(table.columns), r"\midrule", r"\endhead"]
    for number, row in enumerate(table.rows):
        if table.total and number == len(table.rows) - 1:
            lines.append(r"\midrule")
        lines.append(_row(row))
    return "\n".join([*lines, r"\bottomrule", r"\end{longtable}"])


def _row(cells: tuple[Cell, ...]) -> str:
    return " & ".join(f"${cell.latex}$" if isinstance(cell, Formula) else escaped(cell) for cell in cells) + r" \\"
