"""What is written about the house agrees with the house."""

import re
import tomllib
from pathlib import Path

import pytest

import heldout

ROOT = Path(__file__).parents[2]
SOURCE = Path(heldout.__file__).parent
FOLDERS = sorted(path.parent for path in SOURCE.rglob("__init__.py") if path.parent != SOURCE)


def test_the_changelog_starts_with_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_every_path_that_the_documents_name_is_there() -> None:
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = {
        (document.name, path)
        for document in documents
        for path in re.findall(r"\b((?:src/heldout|tests|docs|benchmarks)/[\w./-]*\w)", document.read_text())
    }
    assert [(name, path) for name, path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_readme_names_every_folder_of_the_source() -> None:
    readme = (ROOT / "README.md").read_text()
    missing = [folder.name for folder in FOLDERS if not re.search(rf"\b{folder.name}/", readme)]
    assert missing == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_says_what_it_is_for_and_holds_nothing_else_in_its_init(folder: Path) -> None:
    source = (folder / "__init__.py").read_text()
    assert re.fullmatch(r'"""[^"]+"""\n', source), "only a docstring"
    gone = [name for name in re.findall(r"\b(\w+\.py)\b", source) if not list(folder.rglob(name))]
    assert gone == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_tests_mirror_the_source(folder: Path) -> None:
    names = {path.name for path in folder.glob("*.py")}
    tests = ROOT / "tests" / folder.relative_to(SOURCE)
    assert names == {"__init__.py"} or list(tests.glob("test_*.py")), f"no tests of {folder.name}"
    alone = [path.name for path in tests.glob("test_*.py") if path.name.removeprefix("test_") not in names]
    # Properties of several files together are named after what they are about.
    assert set(alone) <= {
        *("test_browser.py", "test_interval_coverage.py", "test_brute_force.py"),
        *("test_cases.py", "test_everyday_shapes.py", "test_number_scripts.py", "test_ourselves.py", "test_pages.py"),
        *("test_numbers_counting.py", "test_numbers_parts.py", "test_labels.py", "test_samples.py", "test_shapes.py"),
    }
