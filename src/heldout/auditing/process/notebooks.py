"""The Python of a notebook, a cell at a time. Imports nothing but Python."""

import ast
import json
import linecache
import re
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

# Cells that begin so hold Python all the same; all other `%%` cells hold something else, or go somewhere else.
_STILL_PYTHON = ("%%time", "%%timeit", "%%capture", "%%prun", "%%memit", "%%mprun")
_FOR_THE_NOTEBOOK = re.compile(r"^(\s*)(?:[%!?].*|.*\?)$")
_GIVEN_TO_A_NAME = re.compile(r"^(\s*[\w, ]+=\s*)[%!].*$")
_TIMED = re.compile(r"^(\s*)%time(?:it)?\s+(?:-\w+\s*\d*\s+)*(?=[^-\s])")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of code.

    Attributes:
        number: Its place among all cells, from 1.
        source: As Python reads it; as many lines as the cell has.
    """

    number: int
    source: str

    @property
    def file(self) -> str:
        """How tracebacks and findings call it."""
        return f"<cell {self.number}>"


def cells_of(path: str | Path) -> list[Cell]:
    """The cells of code of a notebook, in order.

    Raises:
        ValueError: The file holds no notebook.
    """
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("it holds no notebook")
    sheets = content.get("worksheets") or [content]  # notebooks before 2015 have sheets
    cells = [cell for sheet in sheets for cell in sheet.get("cells", ())]
    if "cells" not in sheets[0] or not all(isinstance(cell, dict) for cell in cells):
        raise ValueError("it has no cells")
    return [
        Cell(number, python_of_cell("".join(cell.get("source", cell.get("input", "")))))
        for number, cell in enumerate(cells, 1)
        if cell.get("cell_type") == "code"
    ]


def codes_of(path: str | Path) -> list[CodeType]:
    """What to run, in order: each cell, and apart from it the last value of a cell, which a notebook shows."""
    found = []
    for cell in cells_of(path):
        lines = cell.source.splitlines(keepends=True)
        linecache.cache[cell.file] = (len(cell.source), None, lines, cell.file)
        tree = compile(cell.source, cell.file, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        shows = bool(tree.body) and isinstance(tree.body[-1], ast.Expr) and not cell.source.rstrip().endswith(";")
        last = ast.Interactive([tree.body.pop()]) if shows else None
        for part, mode in ((tree, "exec"), (last, "single")):
            if part is not None and part.body:
                found.append(compile(part, cell.file, mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True))
    return found


def python_of_cell(source: str) -> str:
    r"""A cell as Python reads it: lines that speak to the notebook (`%`, `!`, `?`) become `pass`, so that numbers stay.

    Example:
        >>> python_of_cell("%matplotlib inline\nx = (7\n % 4)\nfiles = !ls")
        'pass\nx = (7\n % 4)\nfiles = None'
        >>> python_of_cell("%%time\ntrain()"), python_of_cell("%%bash\nls")
        ('pass\ntrain()', 'pass\npass')
    """
    lines = source.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if not lines[first].startswith(_STILL_PYTHON):
            return "\n".join("pass" for _ in lines)
        lines[first] = "pass"
    for _ in range(len(lines)):
        try:
            compile("\n".join(lines), "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError as error:
            # Only a line at which Python stumbles speaks to the notebook: `%` may go on an expression as well.
            if not _mend(lines, (error.lineno or 0) - 1):
                break
        except ValueError:  # null bytes
            break
        else:
            break
    return "\n".join(lines)


def _mend(lines: list[str], at: int) -> bool:
    """Replace a line that speaks to the notebook, with the lines that continue it; False where it does not."""
    if not 0 <= at < len(lines):
        return False
    line = lines[at]
    if (timed := _TIMED.sub(r"\1", line)) != line:
        lines[at] = timed
        return True
    if given := _GIVEN_TO_A_NAME.match(line):
        lines[at] = f"{given[1]}None"
    elif spoken := _FOR_THE_NOTEBOOK.match(line):
        lines[at] = f"{spoken[1]}pass"
    else:
        return False
    while line.endswith("\\") and at + 1 < len(lines):
        at += 1
        line, lines[at] = lines[at], ""
    return True
