"""What a sample is, whatever is done to it on its way to a model: the data set's own item, found and hashed.

A sample of a `Subset` is the sample of what it is a subset of. A data set that holds its items (tensors, arrays, paths,
rows of a frame) has them hashed where they lie: before augmentation, and the same in every worker. Of one that makes
its items up as it is asked, an item is known by its number alone.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any
from weakref import ref

import numpy as np
from jaxtyping import Int, UInt64

from heldout.auditing.watch.hashing import distinct, mixed, row_hashes, text_hash

_MOST_DEEP = 8
# Models and parts of a data set that are told apart: a part made anew each epoch would take memory without end.
_MOST_TOLD_APART = 64
# Numbers of a tensor that are compared with those of another to tell whether they are the same.
N_COMPARED = 4096
# What is left of numbers that are all alike when their mean is taken off, of their size.
_ROUNDED = 1e-9
# Bytes of a data set's array that are hashed at once when the first of its items is asked for.
_HASHED_AT_ONCE = 2**22


class Population:
    """The samples of one data set, by number: 8 bytes each, found when a model is first given them.

    Attributes:
        n_samples: How many.
        has_content: Whether an item is known by what it holds, so that copies elsewhere can be found.
    """

    def __init__(self, data_set: Any, n_samples: int, *, salt: int) -> None:
        self.n_samples = n_samples
        self._source = _source_of(data_set, n_samples)
        self.has_content = self._source is not None
        self._is_small = 0 < getattr(self._source, "nbytes", 0) <= _HASHED_AT_ONCE
        self._salt = np.uint64(salt)
        self._items = np.zeros(n_samples, np.uint64)
        # Which items each model was given: (family, whether it learned from them, what the loader was given, which may
        # be a part of this) -> a truth value a sample.
        self.given: dict[tuple[int, bool, int], np.ndarray] = {}
        # Four bytes of the hash of the sample as a model was given it; 0 where that was not looked at.
        self.views: np.ndarray | None = None
        # The same of the first time that a model learned from it; where an item is known by its name alone.
        self.learned_views: np.ndarray | None = None
        self.is_named = self._source is None or _is_named(self._source)

    @property
    def all_items(self) -> UInt64[np.ndarray, " samples"]:
        """The hashes of all of them, in their order; 0 where nobody asked."""
        return self._items

    def items(self, numbers: Int[np.ndarray, " samples"]) -> UInt64[np.ndarray, " samples"]:
        """The hashes of some of them."""
        found = self._items[numbers]
        if not found.all():
            asked = numbers[found == 0] if not self._is_small else np.flatnonzero(self._items == 0)
            fresh = self._hashed(asked)
            fresh[fresh == 0] = 1
            self._items[asked] = fresh
            found = self._items[numbers]
        return np.asarray(found)

    def _hashed(self, numbers: Int[np.ndarray, " samples"]) -> UInt64[np.ndarray, " samples"]:
        if self._source is None:
            return mixed(numbers.astype(np.uint64) + (self._salt << np.uint64(40)))
        return _hashes(self._source, numbers)

    def let_go(self) -> None:
        """Keep the data alive no longer: the user has let it go, and what a model was given is known."""
        self._source = None

    def mark(self, numbers: Int[np.ndarray, " samples"], family: int, *, trained: bool, shown_as: int = -1) -> int:
        """Remember that a model was given these.

        Args:
            numbers: Which.
            family: The model's.
            trained: Whether it learned from them.
            shown_as: The number of the data set that the loader was given.

        Returns:
            That number; -1 where there are too many to be told apart.
        """
        key = (family, trained, shown_as)
        if key not in self.given and len(self.given) >= _MOST_TOLD_APART:
            key = (family, trained, -1)
        if key not in self.given:
            self.given[key] = np.zeros(self.n_samples, bool)
        self.given[key][numbers] = True
        self.items(numbers)
        return key[2]

    def changed(self, numbers: Int[np.ndarray, " samples"], views: UInt64[np.ndarray, " samples"]) -> tuple[int, int]:
        """How many of these came before, and how many of those look different now."""
        if self.views is None:
            self.views = np.zeros(self.n_samples, np.uint32)
        short = shortened(views)
        before = self.views[numbers]
        again = before != 0
        self.views[numbers] = short
        return int(again.sum()), int((again & (before != short)).sum())

    def learned_as(self, numbers: Int[np.ndarray, " samples"], views: UInt64[np.ndarray, " samples"]) -> None:
        """Remember what these looked like when a model first learned from them."""
        if self.is_named:
            if self.learned_views is None:
                self.learned_views = np.zeros(self.n_samples, np.uint32)
            fresh = self.learned_views[numbers] == 0
            self.learned_views[numbers[fresh]] = shortened(views)[fresh]


def shortened(hashes: UInt64[np.ndarray, " samples"]) -> np.ndarray:
    """Four bytes of each hash; never 0."""
    return np.asarray((hashes >> np.uint64(32)).astype(np.uint32) | np.uint32(1))


def root_of(data_set: Any, numbers: Sequence[int]) -> list[tuple[Any, Int[np.ndarray, " samples"]]]:
    """The data sets that hold samples in the end, with the samples' numbers there.

    Args:
        data_set: A torch data set, perhaps a part or a wrapper of others.
        numbers: Which of its samples.
    """
    wanted = np.asarray(numbers, np.int64)
    return [(root, there) for root, there, _ in _rooted(data_set, wanted, np.arange(len(wanted)), _MOST_DEEP)]


def order_of(data_set: Any, numbers: Sequence[int]) -> Int[np.ndarray, " samples"]:
    """At which places of `numbers` the samples stand that `root_of` gives, one data set after the other.

    Args:
        data_set: A torch data set, perhaps a part or a wrapper of others.
        numbers: Which of its samples.
    """
    wanted = np.asarray(numbers, np.int64)
    return np.concatenate([at for _, _, at in _rooted(data_set, wanted, np.arange(len(wanted)), _MOST_DEEP)])


def _rooted(data_set: Any, numbers: Any, at: Any, depth: int) -> list[tuple[Any, Any, Any]]:
    if depth == 0:
        return [(data_set, numbers, at)]
    held = vars(data_set) if hasattr(data_set, "__dict__") else {}
    parts, ends = held.get("datasets"), held.get("cumulative_sizes")
    if isinstance(parts, list) and isinstance(ends, list) and len(parts) == len(ends):
        which = np.searchsorted(ends, numbers, side="right")
        starts = np.concatenate([[0], ends[:-1]])
        return [
            found
            for part in distinct(which).tolist()
            for found in _rooted(parts[part], numbers[which == part] - starts[part], at[which == part], depth - 1)
        ]
    inner, indices = held.get("dataset"), held.get("indices")
    if inner is not None and indices is not None and hasattr(inner, "__getitem__"):
        return _rooted(inner, np.asarray([indices[number] for number in numbers.tolist()], np.int64), at, depth - 1)
    wrapped = [value for value in held.values() if is_data_set(value) and _length(value) == _length(data_set)]
    if len(wrapped) == 1 and _length(data_set) is not None:
        return _rooted(wrapped[0], numbers, at, depth - 1)
    return [(data_set, numbers, at)]


def is_data_set(thing: Any) -> bool:
    """Whether a thing is one of torch's data sets, or derived from one."""
    return any(base.__name__ == "Dataset" for base in type(thing).__mro__)


def _length(thing: Any) -> int | None:
    try:
        return len(thing)
    except (TypeError, NotImplementedError, AttributeError):
        return None


def _source_of(data_set: Any, n_samples: int) -> Any:
    """What of a data set holds its items: the widest of its arrays with a row an item, or a list of them."""
    if isinstance(data_set, list | tuple | np.ndarray):
        return data_set if n_samples else None
    held = list(vars(data_set).values()) if hasattr(data_set, "__dict__") else []
    held += _items_of_lists(vars(data_set).get("tls") if hasattr(data_set, "__dict__") else None)
    flat = [each for value in held for each in (value if _is_short_tuple(value, n_samples) else [value])]
    sized = [each for each in flat if hasattr(each, "__getitem__") and _length(each) == n_samples]
    arrays = [each for each in sized if getattr(each, "ndim", 0) > 1 and hasattr(each, "dtype")]
    if arrays:
        return max(arrays, key=lambda array: int(np.prod([int(size) for size in array.shape[1:]])))
    frames = [each for each in sized if hasattr(each, "iloc") and getattr(each, "ndim", 0) == 2]
    lists = [each for each in sized if isinstance(each, list | tuple) and n_samples and _tells(each[0])]
    texts = [each for each in sized if getattr(getattr(each, "dtype", None), "kind", None) in {"O", "U", "S"}]
    return next(iter([*frames, *lists, *texts]), None)


def _items_of_lists(lists: Any) -> list[Any]:
    """What a fastai data set makes its inputs of: the paths or rows that the first of its lists holds."""
    first = lists[0] if lists is not None and _length(lists) else None
    items = getattr(first, "items", None)
    plain = getattr(items, "items", items)  # its own kind of list holds a plain one
    return [each for each in (plain, items) if isinstance(each, list | tuple) or hasattr(each, "iloc")][:1]


def _is_short_tuple(value: Any, n_samples: int) -> bool:
    return isinstance(value, tuple | list) and 0 < len(value) <= 8 and len(value) != n_samples


def _tells(item: Any) -> bool:
    """Whether an item of a list says what the sample is: a path, or something with content; a bare number does not."""
    if isinstance(item, tuple | list):
        return bool(item) and _tells(item[0])
    return (
        isinstance(item, str | bytes) or hasattr(item, "__fspath__") or getattr(item, "ndim", 0) >= 1 or _is_image(item)
    )


def _is_named(source: Any) -> bool:
    """Whether the items of a data set are names of files."""
    if not isinstance(source, list | tuple):
        return False
    item = source[0]
    while isinstance(item, tuple | list) and item:
        item = item[0]
    return hasattr(item, "__fspath__") or (isinstance(item, str) and bool(re.search(r"\.\w{1,5}$", item)))


def _is_image(item: Any) -> bool:
    return hasattr(item, "tobytes") and hasattr(item, "size") and hasattr(item, "mode")


def _hashes(source: Any, numbers: Any) -> UInt64[np.ndarray, " samples"]:
    if hasattr(source, "iloc"):
        rows = source.iloc[numbers]
        return np.array([text_hash(repr(tuple(row))) for row in rows.itertuples(index=False)], np.uint64)
    if hasattr(source, "dtype") and getattr(source, "ndim", 0) >= 1:
        return row_hashes(as_array(source[numbers]))
    return np.array([_item_hash(source[number]) for number in numbers.tolist()], np.uint64)


def _item_hash(item: Any) -> int:
    """Of one item; of a pair, of its first part: the second is the label."""
    if isinstance(item, tuple | list) and item:
        return _item_hash(item[0])
    if isinstance(item, str):
        return text_hash(item)
    if hasattr(item, "__fspath__"):
        return text_hash(str(item.__fspath__()))
    if isinstance(item, bytes):
        return text_hash(item.decode("latin-1"))
    if _is_image(item):
        return text_hash(f"{item.size} {item.mode} " + item.tobytes().decode("latin-1"))
    return int(row_hashes(as_array(item).reshape(1, -1))[0])


def as_array(values: Any) -> np.ndarray:
    """A tensor or an array as a numpy array of the same bytes; a type that numpy lacks comes as float32."""
    if hasattr(values, "detach"):
        values = values.detach()
        try:
            return values.numpy()  # type: ignore[no-any-return]
        except (TypeError, RuntimeError):  # it lies elsewhere, is sparse, or of a type that numpy lacks
            values = values.cpu()
        if str(values.dtype) in {"torch.bfloat16", "torch.float8_e4m3fn", "torch.float8_e5m2"}:
            values = values.float()
        if values.layout is not None and str(values.layout) != "torch.strided":
            values = values.to_dense()
        return np.asarray(values.resolve_conj().resolve_neg().numpy())
    return np.asarray(values)


@dataclass(slots=True, eq=False)
class Glimpse:
    """What is remembered of a tensor that a loader gave out: enough to know it again, and nothing that keeps it alive.

    Attributes:
        tensor: Gives it while it is there.
        n_rows: Its length.
        n_values: How many numbers it holds.
        numbers: The first few thousand of them, or more; none of complex ones.
        labels: All of them, where there is one a row; None otherwise.
    """

    tensor: Callable[[], Any]
    n_rows: int
    n_values: int
    numbers: np.ndarray
    labels: np.ndarray | None
    _first: np.ndarray | None = None
    _unit: np.ndarray | None = None

    @property
    def first(self) -> np.ndarray:
        """The first few thousand numbers, as any tensor's."""
        if self._first is None:
            self._first = np.asarray(self.numbers[:N_COMPARED], float)
        return self._first

    def unit(self) -> np.ndarray:
        """The first numbers without their mean and with length 1; none where they are all alike, or not all finite."""
        if self._unit is None:
            first, n = self.first, len(self.first)
            with np.errstate(all="ignore"):
                centred = first - np.add.reduce(first) / n if n else first
                length = sqrt(float(np.dot(centred, centred)))
                least = _ROUNDED * sqrt(float(np.dot(first, first)))
            self._unit = centred / length if least < length < np.inf else centred[:0]
        return self._unit


def glimpse_of(tensor: Any) -> Glimpse:
    """What is remembered of a tensor."""
    n_rows, n_values = len(tensor), tensor.numel()
    if n_values == n_rows and not tensor.is_complex():
        labels = np.array(as_array(tensor).reshape(-1))
        return Glimpse(weakly(tensor), n_rows, n_values, labels, labels)
    return Glimpse(weakly(tensor), n_rows, n_values, first_numbers(tensor), None)


def first_numbers(tensor: Any) -> np.ndarray:
    """A copy of the first few thousand numbers of a tensor, in the order of its elements; none of a complex one."""
    if tensor.is_complex():
        return np.zeros(0)
    try:
        if tensor.is_cpu and tensor.is_contiguous():
            return np.array(tensor.detach().numpy().reshape(-1)[:N_COMPARED])
    except (TypeError, RuntimeError):  # of a kind or a type that numpy lacks
        return _first_of(tensor)
    return _first_of(tensor)


def _first_of(tensor: Any) -> np.ndarray:
    return np.array(as_array(tensor.detach().reshape(-1)[:N_COMPARED]))


def weakly(thing: Any, then: Callable[[], None] | None = None) -> Callable[[], Any]:
    """Gives a thing as long as it lives; of a kind of which that cannot be told, never.

    Args:
        thing: Is not kept alive.
        then: Is called when it is gone.
    """
    try:
        return ref(thing, (lambda _: then()) if then is not None else None)
    except TypeError:
        return lambda: None
