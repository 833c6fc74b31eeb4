"""Whether a nuisance alone, such as the size or the JPEG quality, tells the classes apart -> Findings.

A tiny model is fitted to each nuisance and asked about pictures that it was not fitted to (five folds). It cuts every
number into intervals of as many examples each and counts the classes in them: a naive Bayes classifier, good enough
for a few numbers, and for many classes too. This stands here, and not with the other doubts about data, because its
score has an interval as every score has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from heldout.data.examples import some_of
from heldout.data.pictures.appearance import Appearance
from heldout.data.pictures.decoding import PictureFacts
from heldout.findings import MAX_NAMED, Finding, Severity
from heldout.measuring.intervals import Interval, bootstrap_from_confusion, statistic_of
from heldout.measuring.scores import mean_recall

N_FOLDS = 5
# More examples make the answer no clearer: the interval at 5,000 is a few points wide (assumed).
MAX_EXAMPLES = 5_000
MAX_BINS = 32
# In how many of 100 data sets without any shortcut a Finding may stand all the same, all nuisances together.
FALSE_ALARMS = 0.05
# A shortcut worth a word closes this share of the gap between chance and always right, at the lower end of the
# interval; and one that closes this share is all but the label itself (assumed).
WORTH_A_WORD = 0.1
NEARLY_ALL = 0.9
# Examples' worth of the overall shares that each class starts with: an empty interval is no proof (assumed).
_PRIOR = 2.0

_TOGETHER = "together"
_WORDS = {
    "size": "the width and height",
    "format and mode": "file format and colour mode",
    "JPEG quality": "the JPEG quality",
    "file size": "the size of the file",
    "border": "the border (a frame or plain background)",
    "sharpness": "the sharpness",
    "light": "lightness and contrast",
    "colour": "the mean colour",
    _TOGETHER: "size, format, quality, file size and border, together but",
}

_SHORTCUTS = 'Geirhos and others, "Shortcut Learning in Deep Neural Networks", 2020'

# What a nuisance has to do with what is shown: nothing at all (`error` where it tells nearly all), something (`warning`
# at most), or it may well be what the class is about (`note`).
_SEVERITIES: dict[str, tuple[Severity, Severity]] = {
    "size": ("warning", "error"),
    "format and mode": ("warning", "error"),
    "JPEG quality": ("warning", "error"),
    "file size": ("warning", "warning"),
    "border": ("warning", "warning"),
    "sharpness": ("note", "note"),
    "light": ("note", "note"),
    "colour": ("note", "note"),
}

Nuisances = Mapping[str, Float[np.ndarray, "examples numbers"]]


@dataclass(frozen=True, slots=True)
class Guess:
    """How well the class can be told by one nuisance.

    Attributes:
        nuisance: Its name.
        value: Balanced accuracy on pictures that the tiny model was not fitted to.
        low: Lower end of the interval, corrected for how many nuisances are tried.
        high: Upper end.
        chance: What always the same answer gets: 1 / number of classes that occur.
        n: Examples.
        told: The classes of which four in five are told, as indices.
    """

    nuisance: str
    value: float
    low: float
    high: float
    chance: float
    n: int
    told: tuple[int, ...]

    @property
    def gap_closed(self) -> float:
        """How much of the way from chance to always right, at the lower end of the interval."""
        return (self.low - self.chance) / (1 - self.chance)


def nuisances_of(appearances: Sequence[Appearance], facts: Sequence[PictureFacts]) -> Nuisances:
    """What is known of each picture that is not what it shows, by name.

    What does not apply, as the JPEG quality of a PNG, is -1.
    """
    looks = list(appearances)
    kinds = sorted({(one.format, one.mode) for one in facts})
    return {
        "size": np.array([(one.width, one.height) for one in facts], float),
        "format and mode": np.array([(kinds.index((one.format, one.mode)),) for one in facts], float),
        "JPEG quality": np.array([(-1 if look.jpeg_quality is None else look.jpeg_quality,) for look in looks], float),
        "file size": np.array([(one.n_bytes,) for one in facts], float),
        "border": np.array([(look.border, look.border_luma) for look in looks], float),
        "sharpness": np.array([(look.sharpness,) for look in looks], float),
        "light": np.array([(look.brightness, look.contrast, look.dark_end, look.light_end) for look in looks], float),
        "colour": np.array([(look.red, look.green, look.blue, look.is_grey) for look in looks], float),
    }


def find_shortcuts(
    nuisances: Nuisances,
    labels: Int[np.ndarray, " examples"],
    *,
    classes: Sequence[str],
    generator: np.random.Generator,
    clusters: Int[np.ndarray, " examples"] | None = None,
) -> list[Finding]:
    """A Finding for each nuisance that tells the class clearly better than chance, and for all together.

    Args:
        nuisances: As from `nuisances_of`.
        labels: The class of each example, as an index into `classes`.
        classes: Their names.
        generator: Draws the examples that are looked at, the folds and the intervals.
        clusters: Of examples with the same number one is looked at, for copies would give each other's label away;
            None where each is by itself.
    """
    guesses = guess_classes(nuisances, labels, generator=generator, clusters=clusters)
    told = [guess for guess in guesses if guess.gap_closed >= WORTH_A_WORD]
    # Together they are news only where none that matters tells much by itself.
    grave = [guess for guess in told if guess.nuisance != _TOGETHER and _severity(guess) != "note"]
    shown = [guess for guess in told if guess.nuisance != _TOGETHER or not grave]
    return [_finding(guess, classes) for guess in shown]


def guess_classes(
    nuisances: Nuisances,
    labels: Int[np.ndarray, " examples"],
    *,
    generator: np.random.Generator,
    clusters: Int[np.ndarray, " examples"] | None = None,
) -> list[Guess]:
    """How well the class can be told by each nuisance that beats chance by `WORTH_A_WORD`.

    The last is all those together that have nothing to do with what is shown. Empty where fewer than two classes have
    two examples each, for then nothing can be held back.
    """
    order = generator.permutation(len(labels))
    if clusters is not None:
        order = order[np.unique(clusters[order], return_index=True)[1]]
        generator.shuffle(order)
    chosen = order[:MAX_EXAMPLES]
    present, n_examples = np.unique(labels[chosen], return_counts=True)
    present = present[n_examples >= 2]
    chosen = chosen[np.isin(labels[chosen], present)]
    if len(present) < 2:
        return []
    dense = np.searchsorted(present, labels[chosen])
    folds = _folds(dense)
    varied = {name: table[chosen] for name, table in nuisances.items() if np.ptp(table[chosen], axis=0).any()}
    content_free = [table for name, table in varied.items() if _SEVERITIES.get(name, ("warning",))[0] != "note"]
    if len(content_free) > 1:
        varied[_TOGETHER] = np.concatenate(content_free, axis=1)
    guesses = []
    for name, table in varied.items():
        confusion = _confusion(table, dense, folds)
        value, chance = statistic_of(confusion, mean_recall), 1 / len(present)
        if value - chance < WORTH_A_WORD * (1 - chance):
            continue  # its lower end is lower still, and an interval takes longer than all the rest
        interval = _interval(confusion, len(varied), generator)
        told = present[confusion.diagonal() >= 0.8 * confusion.sum(axis=1)]
        guesses.append(Guess(name, value, interval.low, interval.high, chance, len(dense), tuple(told.tolist())))
    return guesses


def _interval(confusion: Int[np.ndarray, "classes classes"], n_tried: int, generator: np.random.Generator) -> Interval:
    # Bonferroni, one-sided: only the lower end decides.
    return bootstrap_from_confusion(
        confusion, mean_recall, generator=generator, confidence=1 - 2 * FALSE_ALARMS / max(2, n_tried)
    )


def _folds(labels: Int[np.ndarray, " examples"]) -> Int[np.ndarray, " examples"]:
    """Folds with nearly as many of each class in each, dealt in the order of the examples."""
    fold = np.empty(len(labels), np.int64)
    fold[np.argsort(labels, kind="stable")] = np.arange(len(labels)) % N_FOLDS
    return fold


def _confusion(
    table: Float[np.ndarray, "examples numbers"],
    labels: Int[np.ndarray, " examples"],
    folds: Int[np.ndarray, " examples"],
) -> Int[np.ndarray, "classes classes"]:
    """Labels by answers, each answer given by what was counted in the other folds."""
    n_classes = int(labels.max()) + 1
    evidence = np.zeros((len(labels), n_classes))
    for column in table.T:
        # Where to cut is decided on all examples: that sees no label.
        edges = _edges(column)
        bins = np.searchsorted(edges, column, side="right")
        shape = (N_FOLDS, n_classes, len(edges) + 1)
        counts = np.bincount(np.ravel_multi_index((folds, labels, bins), shape), minlength=int(np.prod(shape)))
        counts = counts.reshape(shape)
        elsewhere = counts.sum(axis=0) - counts
        evidence += _log_likelihoods(elsewhere)[folds, :, bins]
    answers = evidence.argmax(axis=1)
    return np.bincount(labels * n_classes + answers, minlength=n_classes**2).reshape(n_classes, n_classes)


def _log_likelihoods(counts: Int[np.ndarray, "folds classes bins"]) -> Float[np.ndarray, "folds classes bins"]:
    """How likely each class makes each interval, natural logarithm, from the counts outside of each fold."""
    of_bin = counts.sum(axis=1, keepdims=True) + 1
    overall = of_bin / of_bin.sum(axis=2, keepdims=True)
    shares = (counts + _PRIOR * overall) / (counts.sum(axis=2, keepdims=True) + _PRIOR)
    return np.asarray(np.log(shares))


def _edges(column: Float[np.ndarray, " examples"]) -> Float[np.ndarray, " edges"]:
    """Where to cut: between all values where they are few, else into intervals of as many examples each."""
    column = np.sort(column)
    values = column[np.append(True, column[1:] != column[:-1])]
    n_bins = int(np.clip(np.sqrt(len(column)), 2, MAX_BINS))
    if len(values) <= n_bins:
        return np.asarray((values[1:] + values[:-1]) / 2)
    cuts, n_equal = np.unique(column[np.arange(1, n_bins) * len(column) // n_bins], return_counts=True)
    # A value that many share, as 0 for no border, gets an interval of its own.
    return np.union1d(cuts, np.nextafter(cuts[n_equal > 1], np.inf))


def _severity(guess: Guess) -> Severity:
    usual, nearly_all = _SEVERITIES.get(guess.nuisance, ("warning", "warning"))
    return nearly_all if guess.gap_closed >= NEARLY_ALL else usual


def _finding(guess: Guess, classes: Sequence[str]) -> Finding:
    severity = _severity(guess)
    names = [classes[label] for label in guess.told]
    told = f"; four in five and more are told of {some_of(names)}" if names else ""
    what = (
        f"by {_WORDS.get(guess.nuisance, guess.nuisance)} alone the class can be told with a balanced accuracy of "
        f"{guess.value:.1%}, at least {guess.low:.1%}, where naming the commonest class gets {guess.chance:.1%} "
        f"(n = {guess.n:,}, {N_FOLDS} folds){told}"
    )
    if severity == "note":
        why = (
            "This may be what the classes are about, as the colour of flowers. If it is not, the score comes out too "
            "high for pictures taken elsewhere."
        )
        fix = "If it will not tell the classes apart in use, collect pictures of every class in the same way."
    else:
        why = (
            "It is no part of what is shown. A network may go by it all the same, and then the score comes out too "
            "high for pictures in which it does not go with the class."
        )
        fix = "Make all pictures alike in it, from originals of one kind, or collect every class in the same way."
    return Finding(
        code=f"shortcut-{guess.nuisance.lower().replace(' ', '-')}",
        severity=severity,
        what=what,
        why=why,
        fix=fix,
        where=tuple(names[:MAX_NAMED]),
        source=_SHORTCUTS,
    )
