"""What the words beside a printed number say: what it is a value of, and of which part of the data.

Short lists, read whole: a word on none of them makes a name that is not *plain*, and a number under such a name is
never accused of meaning something else.
"""

import re
from collections.abc import Iterable
from typing import Literal


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


Metric = Literal["accuracy", "loss"]
PARTS = {
    "train": _set("train trn tr training trained fit fitting"),
    "validation": _set("val vl valid validation validate validating validated dev"),
    "test": _set("test tst testing tested tests"),
    "held-out": _set("eval evaluation evaluate evaluating evaluated held heldout hold holdout unseen"),
}
_ACCURACY = _set("acc accs accuracy accu correct correctly top1 @1 prec@1")
_ERROR = _set("error err")
_LOSS = _set("loss losses nll ce bce mse xent cost")
# Words that make of an accuracy something else, or of a result a wish.
_OTHER = _set(
    "target goal threshold required wanted baseline chance random majority human paper reported patience "
    "f1 auc auroc precision recall iou dice std stddev sd sem var variance delta diff difference change improvement "
    "gain gap drop ci interval confidence calibration ece time seconds"
)
# Words that say that a number is meant to go over several passes, or is smoothed.
CUMULATIVE = _set("running cumulative cum far lifetime prequential ema smoothed smooth moving overall")
_FILLERS = _set(
    "epoch epochs ep step steps iter iteration it batch round the a of on for in is are was be and with at after end "
    "model network net set dataset data images image samples sample examples pictures points final best last total "
    "avg average mean result results rate percent percentage got achieved current new mode split part score metric "
    "predicted prediction predictions classified classification answers right names label labels over all this "
    "by to from score info every mini batches fold out lr item tensor float per cent its our"
)
_WORD = re.compile(r"[Ff]1(?![0-9])|@\d+|[Tt]op\d+|[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def metric_of(words: list[str]) -> Metric | None:
    """What the words say that a number is a value of: the last of them that says so; None where none does."""
    if set(words) & _OTHER or any(_is_other_top(word) for word in words):
        return None
    for word in reversed(words):
        if word in _ACCURACY:
            return "accuracy"
        if word in _LOSS:
            return "loss"
    return "accuracy" if set(words) & _ERROR and set(words) & {"rate", "top1", "classification"} else None


def is_error(words: Iterable[str]) -> bool:
    """Whether the words speak of errors and not of right answers."""
    return bool(set(words) & _ERROR) and not set(words) & _ACCURACY


def says_accuracy(words: Iterable[str]) -> bool:
    """Whether the words name an accuracy, or its complement, and not only right answers."""
    return bool(set(words) & (_ACCURACY | _ERROR) - {"correct", "correctly"})


def _is_other_top(word: str) -> bool:
    return bool(re.fullmatch(r"top\d+|\w*@\d+", word)) and word not in {"top1", "@1", "acc@1", "prec@1"}


def words_of(text: str) -> list[str]:
    """The words of a name, in small letters: `valAcc`, `val_acc` and `val acc` are the same two.

    Example:
        >>> words_of("valAcc@1, train_loss")
        ['val', 'acc', '@1', 'train', 'loss']
    """
    spaced = re.sub(r"([A-Za-z])@", r"\1 @", text)
    return [word.lower() for word in _WORD.findall(spaced.replace("_", " "))]


def is_plain(words: Iterable[str]) -> bool:
    """Whether all words are known ones: the number is what they say, and nothing besides."""
    known = _FILLERS.union(_ACCURACY, _LOSS, _ERROR, *PARTS.values())
    return set(words) <= known


def part_of(words: Iterable[str]) -> str:
    """The part that words name; nothing where they name several."""
    given = set(words)
    named = [part for part, known in PARTS.items() if given & known]
    specific = [part for part in named if part != "held-out"]
    found = specific or named
    return found[0] if len(found) == 1 else ""
