"""Which entries of an axis of the input each entry of a tensor can see, kept exactly.

Along one axis of a tensor that is a `Pattern`: the first and last input entry that each place sees, for one period of
places; the next period sees the same, moved by `jump`. A convolution has a period of 1. A transposed convolution and
resampling have longer ones: not every place sees equally many. Padding is not cut off: places go on beyond the edges.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from heldout.anatomy.counting.counts import ReceptiveField

# What a place that sees nothing starts and ends with.
_NOTHING = 1 << 60
# Longer periods are not followed: odd factors of resampling multiply.
_LONGEST_PERIOD = 4096


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the places of one axis see.

    Attributes:
        low: First entry that each place of a period sees.
        high: Last entry.
        jump: How far the next period looks on.
    """

    low: tuple[int, ...] = (0,)
    high: tuple[int, ...] = (0,)
    jump: int = 1

    @property
    def size(self) -> int:
        """The most entries that one place sees, with those between."""
        return max(0, *(high - low + 1 for low, high in zip(self.low, self.high, strict=True)))

    @property
    def step(self) -> float:
        """From one place to the next, on average."""
        return self.jump / len(self.low)

    def at(self, place: int) -> tuple[int, int]:
        """First and last entry that a place sees.

        Args:
            place: Any whole number: the pattern goes on beyond the edges.
        """
        periods, rest = divmod(place, len(self.low))
        return self.low[rest] + periods * self.jump, self.high[rest] + periods * self.jump

    def through(self, taps: Callable[[int], Iterable[int]], n_places: int = 1, n_taps: int = 1) -> "Pattern | None":
        """What an operation sees that reads this axis; None where the period gets too long.

        Args:
            taps: The places of this axis that a place of the result reads.
            n_places: After so many places of the result the taps are the same again,
            n_taps: moved by so many.

        Example:
            >>> Pattern().through(lambda place: (2 * place - 1, 2 * place + 1), n_taps=2)
            Pattern(low=(-1,), high=(1,), jump=2)
        """
        n_repeats = len(self.low) // gcd(len(self.low), n_taps)
        if n_places * n_repeats > _LONGEST_PERIOD:
            return None
        seen = [[self.at(tap) for tap in taps(place)] for place in range(n_places * n_repeats)]
        low = tuple(min((low for low, _ in each), default=_NOTHING) for each in seen)
        high = tuple(max((high for _, high in each), default=-_NOTHING) for each in seen)
        return _shortened(Pattern(low, high, self.jump * (n_taps * n_repeats // len(self.low))))

    def beside(self, other: "Pattern") -> "Pattern | None":
        """What two together see; None where they look at different paces.

        Args:
            other: Of the same places.
        """
        n = lcm(len(self.low), len(other.low))
        if n > _LONGEST_PERIOD or self.jump * (n // len(self.low)) != other.jump * (n // len(other.low)):
            return None
        both = [(self.at(place), other.at(place)) for place in range(n)]
        low = tuple(min(a[0], b[0]) for a, b in both)
        high = tuple(max(a[1], b[1]) for a, b in both)
        return _shortened(Pattern(low, high, self.jump * (n // len(self.low))))


def _shortened(pattern: Pattern) -> Pattern:
    n = len(pattern.low)
    for shorter in range(1, n // 2 + 1):
        if n % shorter or pattern.jump * shorter % n:
            continue
        short = Pattern(pattern.low[:shorter], pattern.high[:shorter], pattern.jump * shorter // n)
        if all(short.at(place) == (pattern.low[place], pattern.high[place]) for place in range(n)):
            return short
    return pattern


@dataclass(frozen=True, slots=True)
class Along:
    """An axis of the input that is seen along an axis of the tensor.

    Attributes:
        axis: Of the tensor.
        pattern: What its places see.
        inner: Where axes are merged: entries of the axes behind this one.
        length: Where axes are merged: places of this one; 0 where it stands alone.
    """

    axis: int
    pattern: Pattern
    inner: int = 1
    length: int = 0

    @property
    def alone(self) -> bool:
        """Whether the tensor's axis is this one and no other."""
        return self.length == 0


@dataclass(frozen=True, slots=True)
class Fixed:
    """An axis of the input of which every entry of the tensor sees the same stretch."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Whole:
    """An axis of the input that every entry of the tensor sees from end to end."""


@dataclass(frozen=True, slots=True)
class Scattered:
    """An axis of the input that is seen in pieces, of which nobody can tell which is where.

    Attributes:
        axes: Of the tensor, along which the pieces are spread: what mixes all of these sees everything.
    """

    axes: frozenset[int]


Seen = Along | Fixed | Whole | Scattered
# What a tensor sees of every axis of the input.
Field = tuple[Seen, ...]
WHOLE = Whole()


def axes_of(seen: Seen) -> frozenset[int]:
    """The axes of the tensor along which entries see different things.

    Args:
        seen: What the tensor sees of an axis of the input.
    """
    if isinstance(seen, Along):
        return frozenset({seen.axis})
    return seen.axes if isinstance(seen, Scattered) else frozenset()


def scattered(axes: Iterable[int]) -> Seen:
    """What is seen in pieces along some axes of the tensor; everything where none is left.

    Args:
        axes: Of the tensor.
    """
    kept = frozenset(axes)
    return Scattered(kept) if kept else WHOLE


def anywhere(shape: Sequence[int]) -> Seen:
    """What is seen in pieces that may lie along any axis.

    Args:
        shape: Of the tensor; nothing is spread along an axis of one place.
    """
    return scattered(axis for axis, length in enumerate(shape) if length > 1)


def mixed(seen: Seen, axes: Iterable[int]) -> Seen:
    """What an operation sees that reads axes of the tensor from end to end.

    Args:
        seen: What the tensor sees of an axis of the input.
        axes: Of the tensor.
    """
    own = axes_of(seen)
    return scattered(own - frozenset(axes)) if own & frozenset(axes) else seen


def together(first: Seen, second: Seen) -> Seen:
    """What an entry sees that is made of two.

    Args:
        first: What one sees of an axis of the input.
        second: What the other sees of it.
    """
    if first == second:
        return first
    if Whole in {type(first), type(second)}:
        return WHOLE
    if isinstance(first, Fixed) and isinstance(second, Fixed):
        return Fixed(min(first.low, second.low), max(first.high, second.high))
    if isinstance(first, Along) and isinstance(second, Along) and _same_place(first, second):
        pattern = first.pattern.beside(second.pattern)
        if pattern is not None:
            return Along(first.axis, pattern, first.inner, first.length)
    return scattered(axes_of(first) | axes_of(second))


def _same_place(first: Along, second: Along) -> bool:
    return (first.axis, first.inner, first.length) == (second.axis, second.inner, second.length)


def read(seen: Seen, taps: Callable[[int], Iterable[int]], n_places: int = 1, n_taps: int = 1) -> Seen:
    """What an operation sees that slides along the axis.

    Args:
        seen: What the axis sees.
        taps: As of `Pattern.through`.
        n_places: As of `Pattern.through`.
        n_taps: As of `Pattern.through`.
    """
    if not isinstance(seen, Along):
        return seen
    pattern = seen.pattern.through(taps, n_places, n_taps) if seen.alone else None
    return scattered({seen.axis}) if pattern is None else Along(seen.axis, pattern)


def window(seen: Seen, kernel: int, *, stride: int = 1, before: int = 0, dilation: int = 1) -> Seen:
    """What a sliding window sees.

    Args:
        seen: What the axis sees.
        kernel: Taps.
        stride: From one place to the next.
        before: Padding in front of entry 0.
        dilation: From one tap to the next.
    """
    # Places of a period of 1 look on steadily: the first and the last tap say it all.
    ends = isinstance(seen, Along) and len(seen.pattern.low) == 1
    offsets = sorted({0, kernel - 1}) if ends else range(kernel)
    return read(seen, lambda place: [place * stride - before + dilation * tap for tap in offsets], n_taps=stride)


def shifted(seen: Seen, by: int) -> Seen:
    """What an axis sees whose places begin earlier.

    Args:
        seen: What the axis saw.
        by: How many places come before the first one now.
    """
    return window(seen, 1, before=by)


def upscaled(seen: Seen, factor: int) -> Seen:
    """What an axis sees of which every place has become several.

    Args:
        seen: What the axis saw.
        factor: How many.
    """
    return read(seen, lambda place: [place // factor], n_places=factor)


def transposed_window(seen: Seen, kernel: int, *, stride: int, before: int, dilation: int) -> Seen:
    """What a transposed convolution sees.

    Args:
        seen: What the axis sees.
        kernel: Taps.
        stride: From one entry's window to the next one's.
        before: Cut off in front.
        dilation: From one tap to the next.
    """

    def taps(place: int) -> list[int]:
        starts = (place + before - dilation * tap for tap in range(kernel))
        return [start // stride for start in starts if start % stride == 0]

    return read(seen, taps, n_places=stride)


def adaptive_window(seen: Seen, length: int, n_outputs: int) -> Seen:
    """What adaptive pooling sees: from floor(i L / n) to ceil((i + 1) L / n).

    Args:
        seen: What the axis sees.
        length: L.
        n_outputs: n; a single one sees everything.
    """
    if n_outputs == 1:
        return WHOLE
    common = gcd(length, n_outputs)

    def taps(place: int) -> list[int]:
        return [place * length // n_outputs, -((place + 1) * length // -n_outputs) - 1]

    return read(seen, taps, n_places=n_outputs // common, n_taps=length // common)


def resampled(seen: Seen, way: str, scale: Fraction, *, from_corners: bool = False) -> Seen:
    """What resampling sees.

    Args:
        seen: What the axis sees.
        way: `nearest`, `nearest-exact`, `linear` or `cubic`.
        scale: Entries of the input for each of the result.
        from_corners: Whether the first and last places of both lie on each other.
    """

    def taps(place: int) -> list[int]:
        if way == "nearest":
            return [int(place * scale // 1)]
        centre = place * scale if from_corners else (place + Fraction(1, 2)) * scale - Fraction(1, 2)
        if way == "nearest-exact":
            return [int((centre + Fraction(1, 2)) // 1)]
        left = int(centre // 1)
        if centre == left:
            return [left]
        return [left, left + 1] if way == "linear" else [left - 1, left + 2]

    return read(seen, taps, n_places=scale.denominator, n_taps=scale.numerator)


def stretch(seen: Seen, place: int) -> Seen:
    """What is seen by one place of an axis that goes.

    Args:
        seen: What the axis sees.
        place: Which.
    """
    if not isinstance(seen, Along):
        return seen
    return Fixed(*seen.pattern.at(place // seen.inner % (seen.length or place + 1)))


def receptive_field(field: Field, lengths: tuple[int, ...]) -> ReceptiveField | None:
    """The field in the words of `ReceptiveField`, or None where it cannot be told.

    Args:
        field: What a tensor sees, of the spatial axes of the input alone.
        lengths: Of these axes.
    """
    if all(isinstance(seen, Whole) for seen in field):
        return ReceptiveField()
    sizes: list[int] = []
    jumps: list[float] = []
    for seen, length in zip(field, lengths, strict=True):
        if isinstance(seen, Scattered):
            return None
        if isinstance(seen, Along):
            sizes.append(seen.pattern.size)
            jumps.append(seen.pattern.step)
        else:
            sizes.append(length if isinstance(seen, Whole) else seen.high - seen.low + 1)
            jumps.append(0.0)
    return ReceptiveField(tuple(sizes), tuple(jumps))
