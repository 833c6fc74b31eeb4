"""Numbers -> words: percent with one decimal, intervals in brackets, durations, sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from heldout.reporting.results import ScoreRecord

NARROW_SPACE = "\u202f"
NOT_DEFINED = "–"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class ScoreWords:
    """How one score is called and read.

    Attributes:
        title: The name a reader knows it by.
        meaning: One plain sentence.
        as_percent: Whether it is a share that reads best as a percentage.
    """

    title: str
    meaning: str
    as_percent: bool


_WORDS = {
    "accuracy": ScoreWords("Accuracy", "The share of all whose class was named right.", True),
    "balanced_accuracy": ScoreWords(
        "Balanced accuracy", "The mean of the classes' recalls: every class counts the same.", True
    ),
    "macro_f1": ScoreWords(
        "Macro F1", "The mean over the classes of F1, which weighs precision and recall alike.", False
    ),
    "negative_log_likelihood": ScoreWords(
        "Negative log-likelihood",
        "The mean surprise at the true class, in nats; lower is better, 0 is perfect.",
        False,
    ),
    "brier": ScoreWords(
        "Brier score",
        "The squared distance between the probabilities and the truth; lower is better, 0 is perfect.",
        False,
    ),
    "average_precision": ScoreWords(
        "Average precision",
        "The mean precision at the thresholds that each find one more; guessing scores the prevalence.",
        True,
    ),
    "roc_auc": ScoreWords(
        "Area under the ROC curve",
        "How often one of the class is ranked above one of the others; guessing scores 0.5.",
        False,
    ),
    "mcc": ScoreWords(
        "Matthews correlation",
        "The correlation of answer and truth, −1 to 1; always one answer scores 0.",
        False,
    ),
    "weighted_accuracy": ScoreWords(
        "Weighted accuracy", "The share named right, where each counts by the weight of its class.", True
    ),
    "f1": ScoreWords("F1", "Weighs the precision and the recall of the positive class alike.", False),
    "cost": ScoreWords("Mean cost", "What an answer costs on average; lower is better.", False),
    "mean_cost": ScoreWords("Mean cost", "What an answer costs on average; lower is better.", False),
    "majority": ScoreWords("Majority class", "Always answers the commonest class of the training part.", True),
    "ceiling": ScoreWords("Ceiling", "What always naming the true class would score on labels like these.", True),
    "nearest_centroid": ScoreWords(
        "Nearest centroid", "Answers the class whose mean training feature is nearest.", True
    ),
}


def words_of(name: str) -> ScoreWords:
    """The title and the meaning of a score; a score without an entry is titled by its own name.

    Example:
        >>> words_of("macro_f1").title, words_of("top_5_accuracy").title
        ('Macro F1', 'Top 5 accuracy')
    """
    return _WORDS.get(name) or ScoreWords(name.replace("_", " ").capitalize(), "", False)


def is_number(value: float | None) -> bool:
    """Whether there is a finite number to show."""
    return value is not None and isfinite(value)


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal; a dash where it is not defined.

    Example:
        >>> percent(0.9131), percent(1.0), percent(None)
        ('91.3\u202f%', '100.0\u202f%', '–')
    """
    if share is None or not isfinite(share):
        return NOT_DEFINED
    return f"{100 * share:.1f}{NARROW_SPACE}%"


def decimal(value: float | None) -> str:
    """A number with three decimals, or a dash."""
    return f"{value:.3f}".replace("-", "−") if value is not None and isfinite(value) else NOT_DEFINED


def amount(value: float | None) -> str:
    """A number of any size with three digits, such as a cost; a dash where it is not defined.

    Example:
        >>> amount(0.012345), amount(-12.345), amount(1234567.0), amount(None)
        ('0.0123', '−12.3', '1,234,567', '–')
    """
    if value is None or not isfinite(value):
        return NOT_DEFINED
    rounded = round(value, 9) + 0.0  # what differs from 0 by rounding alone is 0
    return (f"{rounded:,.0f}" if abs(rounded) >= 999.5 else f"{rounded:.3g}").replace("-", "−")


def value_of(score: ScoreRecord) -> str:
    """The value of a score as its kind reads best."""
    return percent(score["value"]) if words_of(score["name"]).as_percent else decimal(score["value"])


def interval_of(score: ScoreRecord) -> str:
    """The 95 % interval of a score in brackets, without the unit that the value beside it bears.

    Example:
        >>> interval_of({"name": "accuracy", "value": 0.9, "low": 0.81, "high": 0.95, "n": 60, "method": ""})
        '[81.0, 95.0]'
    """
    return bracket(score["low"], score["high"], as_percent=words_of(score["name"]).as_percent)


def bracket(low: float | None, high: float | None, *, as_percent: bool = True) -> str:
    """An interval in brackets, in percent or with three decimals; a dash where it is not defined."""
    if low is None or high is None or not (isfinite(low) and isfinite(high)):
        return NOT_DEFINED
    told = f"[{100 * low:.1f}, {100 * high:.1f}]" if as_percent else f"[{low:.3f}, {high:.3f}]"
    return told.replace("-", "−")


def count(n: int, noun: str, plural: str = "") -> str:
    """A number of things, grouped by thousands.

    Example:
        >>> count(1, "picture"), count(1797, "picture"), count(2, "class", "classes")
        ('1 picture', '1,797 pictures', '2 classes')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """A time in the unit that reads best.

    Example:
        >>> duration(0.0421), duration(3.26), duration(75), duration(7260)
        ('42 ms', '3.3 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def power_of_ten(value: float) -> str:
    """A large or small number with two digits and its power of ten.

    Example:
        >>> power_of_ten(1.234e12), power_of_ten(1e-5), power_of_ten(9.96e8)
        ('1.2 × 10¹²', '10⁻⁵', '10⁹')
    """
    digits, _, power = f"{value:.1e}".partition("e")
    raised = str(int(power)).translate(_RAISED)
    return f"10{raised}" if digits == "1.0" else f"{digits} × 10{raised}"


def points(difference: float | None) -> str:
    """A difference of two shares in percentage points, with its sign.

    Example:
        >>> points(0.031), points(-0.004), points(None)
        ('+3.1', '−0.4', '–')
    """
    if difference is None or not isfinite(difference):
        return NOT_DEFINED
    return f"{100 * difference:+.1f}".replace("-", "−")


def file_size(n_bytes: int) -> str:
    """A size in bytes in the decimal unit that reads best.

    Example:
        >>> file_size(980), file_size(13_500_000)
        ('980 B', '13.5 MB')
    """
    size = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.95 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def listing(words: Sequence[str]) -> str:
    """Words joined as a sentence would.

    Example:
        >>> listing(["a"]), listing(["a", "b"]), listing(["a", "b", "c"])
        ('a', 'a and b', 'a, b and c')
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def times(n: int) -> str:
    """How often, as a reader says it.

    Example:
        >>> times(1), times(2), times(7)
        ('once', 'twice', '7 times')
    """
    return {1: "once", 2: "twice"}.get(n, f"{n:,} times")
