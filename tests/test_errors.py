import zlib

import pyarrow
import pytest

from heldout import errors
from heldout.errors import (
    DataError,
    HeldoutError,
    MissingExtra,
    StorageError,
    Unreadable,
    UnreadablePictures,
    is_want_of_memory,
    one_of,
)


def test_an_error_is_printed_as_what_expected_and_fix() -> None:
    assert str(HeldoutError("a", expected="b", fix="c")) == "a\n  expected: b\n  fix: c"


@pytest.mark.parametrize(
    ("name", "code", "builtin"),
    [
        ("HeldoutError", 70, Exception),
        ("UsageError", 2, ValueError),
        ("DataError", 2, ValueError),
        ("WeightsError", 2, ValueError),
        ("RunFolderError", 2, ValueError),
        ("StorageError", 74, OSError),
    ],
)
def test_each_error_has_its_exit_code_and_the_builtin_that_it_stands_for(
    name: str, code: int, builtin: type[Exception]
) -> None:
    error = getattr(errors, name)("a", expected="b", fix="c")
    assert error.exit_code == code
    assert isinstance(error, builtin)
    assert isinstance(error, HeldoutError)


def test_a_storage_error_keeps_its_words_although_it_is_an_os_error() -> None:
    assert str(StorageError("a", expected="b", fix="c")) == "a\n  expected: b\n  fix: c"


def test_a_missing_extra_says_how_to_install_it() -> None:
    assert "pip install 'heldout[timm]'" in str(MissingExtra("no timm", extra="timm"))


def test_at_most_twenty_unreadable_files_are_listed_and_the_others_counted() -> None:
    files = [Unreadable(f"{number}\n.jpg", "empty") for number in range(23)]
    error = UnreadablePictures(files, n_examples=99)
    assert error.files == tuple(files)
    lines = error.what.splitlines()
    assert lines[0].startswith("23 of 99 files")
    assert lines[1].strip() == r"'0\n.jpg': empty"
    assert len(lines) == 22
    assert lines[-1].strip() == "... and 3 more"


def test_an_unknown_word_brings_the_nearest_and_all_the_known() -> None:
    error = one_of("colour", "gren", ["red", "green"])
    assert error.what == "colour is 'gren', which is not known; did you mean \"green\"?"
    assert error.expected == "one of green, red"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        RuntimeError("std::bad_alloc"),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        zlib.error("Error -4 while decompressing data"),
        pyarrow.ArrowException("Unknown error: Failed to launch worker thread: Resource temporarily unavailable"),
    ],
    ids=repr,
)
def test_want_of_memory_is_known_whoever_says_it_and_whatever_is_made_of_it(error: Exception) -> None:
    assert is_want_of_memory(error)
    told = DataError("a file cannot be read", expected="a file", fix="another")
    assert not is_want_of_memory(told)
    told.__cause__ = error
    assert is_want_of_memory(told)


def test_other_errors_are_no_want_of_memory() -> None:
    for error in (ValueError("out of memory"), OSError(28, "No space left on device"), ImportError("no module")):
        assert not is_want_of_memory(error)
