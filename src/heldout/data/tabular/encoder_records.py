"""What `Encoder.as_dict` wrote -> the encoder, read strictly: a record that was changed is refused, not repaired."""

from dataclasses import fields
from typing import Any, get_args

import numpy as np

from heldout.data.tabular.encoding import Column, Dropped, Encoder, Kind


def encoder_of(content: object) -> Encoder:
    """The encoder that a record describes.

    Args:
        content: What `Encoder.as_dict` gave, also after JSON.

    Raises:
        ValueError: It is not one; says which part.
    """
    record = _record(content, Encoder, "the encoder")
    columns = [_column(one, f"column {n}") for n, one in enumerate(_list(record["columns"], "columns"), start=1)]
    dropped = [_dropped(one) for one in _list(record["dropped"], "dropped")]
    names = [*(one.name for one in columns), *(one.name for one in dropped)]
    _expect(bool(columns) and len(set(names)) == len(names), "the names of the columns", names)
    return Encoder(tuple(columns), tuple(dropped), _whole(record["n_rows"], "n_rows"))


def _column(content: object, where: str) -> Column:
    record = _record(content, Column, where)
    kind = record["kind"]
    _expect(kind in get_args(Kind), f"the kind of {where}", kind)
    numbers = {name: _number(record[name], f"{name} of {where}") for name in ("mean", "scale", "fill")}
    _expect(numbers["scale"] > 0, f"the scale of {where}", record["scale"])
    words = [_word(word, f"a category of {where}") for word in _list(record["categories"], f"categories of {where}")]
    is_sorted = words == sorted(set(words)) and bool(words) == (kind == "category")
    _expect(is_sorted, f"the categories of {where}", words)
    return Column(
        name=_word(record["name"], f"the name of {where}"),
        kind=kind,
        n_missing=_whole(record["n_missing"], f"n_missing of {where}"),
        categories=tuple(words),
        n_others=_whole(record["n_others"], f"n_others of {where}"),
        **numbers,
    )


def _dropped(content: object) -> Dropped:
    record = _record(content, Dropped, "a dropped column")
    return Dropped(_word(record["name"], "a dropped column"), _word(record["reason"], "why a column is dropped"))


def _record(content: object, kind: type[Any], where: str) -> dict[str, Any]:
    wanted = {field.name for field in fields(kind)}
    if not (isinstance(content, dict) and set(content) == wanted):
        found = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"{where} is {found}, and should have {sorted(wanted)}")
    return content


def _list(content: object, where: str) -> list[object]:
    _expect(isinstance(content, list | tuple), where, content)
    return list(content)  # type: ignore[call-overload, no-any-return]


def _word(content: object, where: str) -> str:
    _expect(isinstance(content, str), where, content)
    return str(content)


def _whole(content: object, where: str) -> int:
    _expect(isinstance(content, int) and not isinstance(content, bool) and content >= 0, where, content)
    return int(content)  # type: ignore[call-overload, no-any-return]


def _number(content: object, where: str) -> float:
    is_number = isinstance(content, int | float) and not isinstance(content, bool) and abs(content) < np.inf
    _expect(is_number, where, content)
    return float(content)  # type: ignore[arg-type]


def _expect(is_right: bool, where: str, found: object) -> None:
    if not is_right:
        raise ValueError(f"{where}: {str(found)[:100]!r} cannot be meant")
