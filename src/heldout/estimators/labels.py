"""Labels of any type, as scikit-learn has them <-> the names and numbers of classes that a classifier has.

scikit-learn sorts classes by value, 9 before 10; a classifier sorts their names, "10" before "9".
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from heldout.data.examples import some_of
from heldout.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class ClassMap:
    """The classes in both orders.

    Attributes:
        values: What `y` held, each once, sorted as numpy sorts: `classes_`.
        names: Of the values, in their order, no two equal.
    """

    values: Shaped[np.ndarray, " classes"]
    names: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names as a classifier has them: sorted."""
        return tuple(sorted(self.names))

    @property
    def columns(self) -> Int[np.ndarray, " classes"]:
        """For each value the place of its name in `classes`."""
        place = {name: index for index, name in enumerate(self.classes)}
        return np.array([place[name] for name in self.names], np.int64)

    def name_of(self, value: Any) -> str:
        """The name of a class, by its value; what is none of them comes back as a text."""
        found = [name for each, name in zip(self.values.tolist(), self.names, strict=True) if each == value]
        return found[0] if found else str(value)


def class_map_of(values: Shaped[np.ndarray, " classes"]) -> ClassMap:
    """The classes that these different, sorted values are.

    Whole numbers are written without a point and truth values in lower case, as in the labels of a table.

    Raises:
        DataError: Two of them are written the same.

    Example:
        >>> class_map_of(np.array([9.0, 10.0])).classes
        ('10', '9')
    """
    names = tuple(_name_of(value) for value in values.tolist())
    if len(set(names)) < len(names):
        raise DataError(
            f"some of {len(names):,} classes are written the same: {some_of(sorted(names))}",
            expected="classes that differ as text too",
            fix="rename one of them",
        )
    return ClassMap(values, names)


def numbered(y: Shaped[np.ndarray, " rows"]) -> tuple[ClassMap, Int[np.ndarray, " rows"]]:
    """The classes of labels, and each label as an index into their sorted names.

    Raises:
        DataError: As `class_map_of`.

    Example:
        >>> classes, labels = numbered(np.array([10, 9, 10]))
        >>> classes.names, classes.classes, labels.tolist()
        (('9', '10'), ('10', '9'), [0, 1, 0])
    """
    values, places = np.unique(y, return_inverse=True)
    classes = class_map_of(values)
    return classes, classes.columns[places]


def _name_of(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
