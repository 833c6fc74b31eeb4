"""What is to be audited: a script, a module or a notebook that is there and can be read as Python."""

import importlib.util
import sys
import traceback
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Literal

from heldout.auditing.process.notebooks import cells_of
from heldout.errors import UsageError, nearest

Kind = Literal["script", "module", "notebook"]
# What is larger is no script that a person wrote. Assumed.
MOST_BYTES = 64 * 2**20
_EXPECTED = "a Python script, a notebook (.ipynb), or with -m the name of a module"


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be run.

    Attributes:
        kind: `script`, `module` or `notebook`.
        name: As the user gave it.
        file: Where its code is; None for a module whose place only running it can tell.
        lines: Its code, by the file's or the cell's name: a script may change or remove its own file.
    """

    kind: Kind
    name: str
    file: Path | None
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)


def find_target(script: str | Path, *, module: bool = False) -> Target:
    """What is to be run.

    Args:
        script: A file; or the name of a module.
        module: Whether it is a module, as after `python -m`.

    Raises:
        UsageError: It is not there, or no Python; with the line where Python stumbles.
    """
    name = str(script)
    if module:
        file = _file_of_module(name)
        return Target("module", name, file, _read_script(file) if file and file.suffix == ".py" else {})
    path = Path(script)
    _must_be_file(path)
    if path.suffix == ".ipynb":
        return Target("notebook", name, path, _read_notebook(path))
    return Target("script", name, path, _read_script(path))


def _must_be_file(path: Path) -> None:
    if path.is_dir():
        inside = sorted(each.name for each in path.glob("*.py"))
        main = next((each for each in ("__main__.py", "train.py", "main.py", *inside) if each in inside), "train.py")
        fix = f"name the script in it, such as heldout audit {path / main}"
        raise UsageError(f"{path} is a folder", expected=_EXPECTED, fix=fix)
    if not path.exists():
        beside = [each.name for each in path.parent.glob("*") if each.suffix in {".py", ".ipynb"}]
        near = nearest(path.name, beside)
        fix = "check the name" if beside else "go to the folder of the script first"
        raise UsageError(f"there is no file {path}{near}", expected=_EXPECTED, fix=fix)
    if not path.is_file():
        raise UsageError(f"{path} is no ordinary file", expected=_EXPECTED, fix="save the script in a file first")
    if path.stat().st_size > MOST_BYTES:
        raise UsageError(f"{path} has {path.stat().st_size:,} bytes", expected=_EXPECTED, fix="name a script")


def _read_script(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", expected=_EXPECTED, fix=f"chmod u+r {path}"
        ) from None
    _must_compile(content, str(path), path)
    return {str(path.absolute()): tuple(content.decode("utf-8", "replace").splitlines())}


def _read_notebook(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        cells = cells_of(path)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is no notebook that can be read: {error}", expected=_EXPECTED, fix="save it again in Jupyter"
        ) from None
    for cell in cells:
        _must_compile(cell.source, cell.file, path)
    return {cell.file: tuple(cell.source.splitlines()) for cell in cells}


def _must_compile(source: str | bytes, name: str, path: Path) -> None:
    import ast

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python says them again when it runs the script
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if name.startswith("<cell") else 0
            compile(source, name, "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        shown = _harmless("".join(traceback.format_exception_only(error)).rstrip())
        line = getattr(error, "lineno", None)
        cell = f"{name.strip('<>')} of " if name.startswith("<") else ""
        place = f"line {line} of {cell}{path}" if line else str(path)
        expected = f"Python {sys.version_info.major}.{sys.version_info.minor}, which is what would run it"
        what = f"{path} cannot be read as Python:\n{shown}"
        raise UsageError(what, expected=expected, fix=f"mend {place}") from None


def _harmless(text: str) -> str:
    """What a terminal shows and does not obey."""
    return "".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text)


def _file_of_module(name: str) -> Path | None:
    """The file of a module, found without importing anything.

    Raises:
        UsageError: There is no such module.
    """
    first, *rest = name.split(".")
    before = sys.path[:]
    sys.path.insert(0, str(Path.cwd()))  # where `python -m` looks first
    try:
        importlib.invalidate_caches()
        spec = PathFinder.find_spec(first, [str(Path.cwd())]) or _spec_of(first)
    finally:
        sys.path[:] = before
    for number, part in enumerate(rest, 1):
        if spec is None or spec.submodule_search_locations is None:
            break
        spec = PathFinder.find_spec(".".join([first, *rest[: number - 1], part]), spec.submodule_search_locations)
    if spec is not None and spec.submodule_search_locations is not None and (not rest or spec.name == name):
        spec = PathFinder.find_spec(f"{name}.__main__", spec.submodule_search_locations)
    if spec is None or spec.name not in {name, f"{name}.__main__"}:
        fix = f"heldout audit {name}" if name.endswith(".py") else "run it from the folder that holds the package"
        near = nearest(name, _modules_here())
        expected = "a module that `python -m` can run; a package needs a __main__.py"
        raise UsageError(f"there is no module {name} that can be run{near}", expected=expected, fix=fix)
    return Path(spec.origin) if spec.origin and Path(spec.origin).is_file() else None


def _spec_of(first: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(first)
    except (ValueError, ImportError):
        return None


def _modules_here() -> Iterable[str]:
    return [path.stem for path in Path.cwd().glob("*.py")]
