"""Signatures -> pairs of near copies -> clusters.

A pair is proposed by its hashes (`candidates.py`) and judged by its squares (`likeness.py`). Two kinds of picture are
judged otherwise, for after the normalising they would look like many others:

- Blank ones have nothing but a colour. They are chained in the order of their colours.
- Plain ones, such as a gradient, must agree nearly exactly, colour and contrast included.

Memory, besides the signatures: about 200 bytes a picture, one block of candidates, and the pairs.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from heldout.data.groups import components
from heldout.data.pictures.candidates import Candidates, find_candidates
from heldout.data.pictures.likeness import contrasts, mean_colours, n_details, spectra

MIN_LIKENESS = 0.96
# Below this many effective frequencies (a gradient, broad stripes) two different pictures easily agree, so that they
# must agree nearly exactly, colour and contrast included. Generated gradients had 1.4 at most, photos at least 3.0
# (of 8,739, measured here, 2026-11-22).
FEW_DETAILS = 3.0
_PLAIN_LIKENESS = 0.99
_PLAIN_LEVELS = 4.0
# Below this contrast, in grey levels, there is nothing in a picture to compare but its colour (assumed).
_BLANK_CONTRAST = 2.0

_BLOCK = 8192  # rows of 400 float32: 13 MB


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of pictures that look like copies of each other.

    Attributes:
        first: Index of the picture that stands first; pairs are sorted by `first`, then `second`.
        second: Index of the other, larger than `first`.
        likeness: From `MIN_LIKENESS` to 1, rounded to four digits.
        n_dropped: At least so many more were found and left out, the least alike, for there were more than asked for.
    """

    first: Int[np.ndarray, " pairs"]
    second: Int[np.ndarray, " pairs"]
    likeness: Float[np.ndarray, " pairs"]
    n_dropped: int = 0

    def __len__(self) -> int:
        return len(self.first)

    def keep(self, chosen: Bool[np.ndarray, " pairs"]) -> "Pairs":
        """The pairs that are chosen."""
        return Pairs(self.first[chosen], self.second[chosen], self.likeness[chosen], self.n_dropped)


def find_pairs(signatures: UInt8[np.ndarray, "pictures bytes"], *, max_pairs: int = 5_000_000) -> Pairs:
    """The near copies among pictures, by their signatures.

    Found are pictures re-encoded, resized, flipped left to right, cut by up to 5 % of a side and of another brightness;
    how surely, and how many pairs are false, stands in `docs/duplicates.md`. Not found, by design: larger crops,
    rotation, a frame or text laid over, and changed colours where the picture has few details.

    Args:
        signatures: One row a picture, as `likeness.signature` gives them.
        max_pairs: More are left out, the least alike first.

    Example:
        >>> from PIL import Image
        >>> from heldout.data.pictures.likeness import signature
        >>> pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
        >>> pictures = [Image.fromarray(p) for p in (pixels, pixels[::-1], pixels[:, ::-1])]
        >>> rows = np.stack([np.frombuffer(signature(p.resize((96, 72))), np.uint8) for p in pictures])
        >>> pairs = find_pairs(rows)
        >>> pairs.first, pairs.second
        (array([0]), array([2]))
    """
    is_blank = contrasts(signatures) < _BLANK_CONTRAST
    kept = [_blank_pairs(signatures, np.flatnonzero(is_blank))]
    n_kept = 0
    for candidates in find_candidates(signatures, np.flatnonzero(~is_blank)):
        kept.append(_judged(signatures, candidates))
        n_kept += len(kept[-1])
        if n_kept > 2 * max_pairs:
            kept = [_most_alike(_merged(kept), max_pairs)]
            n_kept = len(kept[0])
    return _most_alike(_merged(kept), max_pairs)


def clusters(n: int, pairs: Pairs) -> Int[np.ndarray, " pictures"]:
    """The number of the cluster that each of `n` pictures is in: the index of the cluster's first picture.

    Pictures hang together where a chain of pairs joins them, so the two ends of a chain (a burst of shots, say) may
    be less alike than any pair. For a split that is the safe side: nothing in a cluster is parted.

    Example:
        >>> pairs = Pairs(np.array([0, 1]), np.array([1, 4]), np.array([0.99, 0.97]))
        >>> clusters(5, pairs)
        array([0, 0, 2, 3, 0])
    """
    return components(n, pairs.first, pairs.second)


def _judged(signatures: UInt8[np.ndarray, "pictures bytes"], candidates: Candidates) -> Pairs:
    """The candidates that are near copies."""
    blocks = [
        _judged_block(signatures, candidates.part(i, i + _BLOCK)) for i in range(0, max(1, len(candidates)), _BLOCK)
    ]
    return _merged(blocks)


def _judged_block(signatures: UInt8[np.ndarray, "pictures bytes"], candidates: Candidates) -> Pairs:
    one, other = signatures[candidates.one], signatures[candidates.other]
    seen, plain = spectra(one, candidates.view), spectra(other, 0)
    # Rounded, so that the last digits, in which machines differ, decide next to nothing.
    likeness = np.round(np.einsum("pf,pf->p", seen, plain, dtype=np.float64), 4)
    is_copy = likeness >= MIN_LIKENESS
    has_few = np.minimum(n_details(seen), n_details(plain)) < FEW_DETAILS
    is_copy &= ~has_few | ((likeness >= _PLAIN_LIKENESS) & _same_levels(one, other))
    low, high = np.minimum(candidates.one, candidates.other), np.maximum(candidates.one, candidates.other)
    return Pairs(low[is_copy], high[is_copy], np.minimum(likeness[is_copy], 1.0))


def _same_levels(
    one: UInt8[np.ndarray, "pairs bytes"], other: UInt8[np.ndarray, "pairs bytes"]
) -> Bool[np.ndarray, " pairs"]:
    """Where mean colour and contrast agree."""
    apart = np.abs(mean_colours(one).astype(int) - mean_colours(other)).max(axis=1)
    same: Bool[np.ndarray, " pairs"] = np.maximum(apart, np.abs(contrasts(one) - contrasts(other))) <= _PLAIN_LEVELS
    return same


def _blank_pairs(signatures: UInt8[np.ndarray, "pictures bytes"], blank: Int[np.ndarray, " blank"]) -> Pairs:
    """Each blank picture with the next in the order of red, green, blue, where their colours agree."""
    colours = mean_colours(signatures[blank]).astype(int)
    order = np.lexsort(colours.T[::-1])
    apart = np.abs(np.diff(colours[order], axis=0)).max(axis=1, initial=0)
    ends = np.sort(np.stack([blank[order][:-1], blank[order][1:]]), axis=0)[:, apart <= _PLAIN_LEVELS]
    return Pairs(ends[0], ends[1], np.round(1.0 - apart[apart <= _PLAIN_LEVELS] / 255.0, 4))


def _merged(several: list[Pairs]) -> Pairs:
    """All pairs, each once with its highest likeness, in order."""
    first, second = (np.concatenate([getattr(p, end) for p in several]) for end in ("first", "second"))
    likeness = np.concatenate([pairs.likeness for pairs in several])
    order = np.lexsort((-likeness, second, first))
    first, second, likeness = first[order], second[order], likeness[order]
    is_new = np.append(True, (np.diff(first) != 0) | (np.diff(second) != 0))[: len(first)]
    return Pairs(first[is_new], second[is_new], likeness[is_new], max(pairs.n_dropped for pairs in several))


def _most_alike(pairs: Pairs, n: int) -> Pairs:
    """The `n` pairs of the highest likeness; of equals those that stand first."""
    if len(pairs) <= n:
        return pairs
    best = np.sort(np.argsort(-pairs.likeness, kind="stable")[:n])
    # A pair that was left out can come again under another view, so numbers left out earlier are not added.
    n_dropped = max(pairs.n_dropped, len(pairs) - n)
    return Pairs(pairs.first[best], pairs.second[best], pairs.likeness[best], n_dropped)
