"""Settings as text: a TOML file, `--set NAME=VALUE`, and how a plan is written so that it is read back equal."""

import errno
import json
import os
import stat
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from heldout.errors import UsageError

# A plan with every setting has 1,300. Of a key of n parts, a.a.a and so on, Python's parser takes 4 n^2 bytes.
_MAX_BYTES = 2**14


def merged_settings(
    settings: Mapping[str, Any], *, file: Path | None = None, assignments: Iterable[str] = ()
) -> dict[str, Any]:
    """What settings, a file and assignments say together, by dotted name; nothing of it is checked yet.

    Arguments are those of `plan.make_plan`.

    Raises:
        UsageError: The file is no TOML, or a text is no assignment.
    """
    merged = _flatten(_read_toml(file)) if file else {}
    merged |= {name: value for name, value in settings.items() if value is not None}
    return merged | dict(_assignment(text) for text in assignments)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read_text(file))
    except OSError as error:
        raise UsageError(
            f"the plan {str(file)!r} cannot be read: {error.strerror or error}",
            expected="a TOML file",
            fix="check the path after --plan",
        ) from error
    except (ValueError, RecursionError) as error:  # ValueError: no TOML, no UTF-8, a number of thousands of digits
        raise UsageError(
            f"the plan {str(file)!r} is no TOML: {error}",
            expected='lines such as `seed = 1` and, below [model], `regime = "full"`',
            fix="correct that line; plan.toml of any run is an example",
        ) from error


def _read_text(file: Path) -> str:
    """The text of a plan, which is neither endless nor makes us wait."""
    found = file.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no regular file")
    if found.st_size > _MAX_BYTES:
        raise OSError(f"it has {found.st_size:,} bytes, more than the limit of {_MAX_BYTES:,}")
    return file.read_text(encoding="utf-8")


def _flatten(content: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": deep for inner, deep in value.items()}
        else:
            flat[name] = value
    return flat


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(
            f"--set {text!r} is no assignment", expected="NAME=VALUE", fix="such as --set training.weight_decay=0.01"
        )
    try:
        return name.strip(), tomllib.loads(f"value = {value.strip()}")["value"]
    except (ValueError, RecursionError):
        return name.strip(), value.strip()


def toml_value(value: Any) -> str:
    """A value as TOML writes it.

    Example:
        >>> toml_value(True), toml_value("a b"), toml_value(0.5)
        ('true', '"a b"', '0.5')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    # JSON's strings are TOML's basic strings; DEL is the one character that JSON leaves and TOML forbids.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") if isinstance(value, str) else repr(value)
