"""A printed line -> the accuracies and losses that it states: how much, how exactly, under which words.

A number belongs to the words before it, back to the number before or to a comma; a percentage and `57 of 64` may be
named by the words behind them, and a number of a table by the head of its column. `wording` reads the words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from heldout.auditing.seen.place import Place
from heldout.auditing.wording import Metric, is_error, is_plain, metric_of, part_of, says_accuracy, words_of

if TYPE_CHECKING:
    from heldout.auditing.facts import Line

_NUMBER = r"(?<![\w@.])(?<![A-Za-z]-)[-+]?(?:\d{1,3}(?:,\d{3})+(?![\d])|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?|(?<![\w.])\.\d+"
_TOKEN = re.compile(rf"(?P<k>\d+(?:\.0)?)\s*(?:/|of|out of)\s*(?P<n>\d+(?:\.0)?)(?![\d.])|(?P<number>{_NUMBER})")
_SEPARATOR = re.compile(r"[,;|{}\t]|\s-\s|\s--+\s")
_GROUP = re.compile(r"[|;\t]|\s-\s")
_BAR = re.compile(r"\d+%\|")
_WRAPPED = re.compile(r"(?:tensor|array|np\.\w+|float|item)\($")
# A float32 mean differs from the exact one by this (measured on means of 10^5 zeros and ones).
FLOAT_SLACK = 2e-6
MOST_LINES = 6000
MOST_PERCENT = 10_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A number that a line states.

    Attributes:
        moment: When it was printed.
        place: By which statement.
        label: The words it stands under, in small letters, without numbers.
        metric: What it is a value of.
        part: `train`, `validation`, `test`, `held-out`, or nothing.
        value: As a share, where it is an accuracy.
        below: How much less the true value may be, by the places that are printed.
        above: How much more.
        counted: `57 of 64`, where it is printed as such.
        is_plain: Whether all its words are known ones: it says that it is the accuracy, and of what.
        in_bar: Whether a progress bar wrote it, which may be one update late.
        has_percent: Whether a percent sign is beside it.
        text: As it is printed.
    """

    moment: int
    place: Place
    label: str
    metric: Metric
    part: str
    value: float
    below: float
    above: float
    counted: tuple[int, int] | None = None
    is_plain: bool = True
    in_bar: bool = False
    has_percent: bool = False
    text: str = ""

    def agrees(self, value: float) -> bool:
        """Whether a value is printed like this one."""
        return self.value - self.below <= value <= self.value + self.above

    def agrees_with_count(self, n_right: float, n: float) -> bool:
        """Whether so many of so many are printed like this one."""
        if n <= 0:
            return False
        return self.counted == (n_right, n) if self.counted else self.agrees(n_right / n)

    @property
    def width(self) -> float:
        """Of the range of values that are printed alike."""
        return 1 / self.counted[1] if self.counted else self.below + self.above

    def divided(self, by: float) -> "Claim":
        """The same on another scale."""
        below, above = (max(each / by, FLOAT_SLACK) for each in (self.below, self.above))
        return replace(self, value=self.value / by, below=below, above=above)


@dataclass(frozen=True, slots=True)
class Series:
    """The numbers that one statement prints under the same words, in the order of time."""

    claims: tuple[Claim, ...]

    @property
    def first(self) -> Claim:
        """The first of them: place, label, metric and part are the same for all."""
        return self.claims[0]

    @property
    def words(self) -> frozenset[str]:
        """Those that the numbers stand under."""
        return frozenset(self.first.label.split())

    @property
    def called(self) -> str:
        """The words, and the part where it stands elsewhere in the line."""
        part = self.first.part
        return repr(self.first.label) + (f" ({part})" if part and not part_of(self.words) else "")


def series_of(lines: Sequence["Line"]) -> tuple[Series, ...]:
    """The accuracies and losses in printed lines, as series; of very many lines the middle is left out."""
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES // 2], *lines[-MOST_LINES // 2 :]]
    found: dict[tuple[object, ...], list[Claim]] = {}
    for claim in _in_lines(lines):
        found.setdefault((claim.place, claim.label, claim.metric, claim.part), []).append(claim)
    return tuple(Series(_scaled(claims)) for claims in found.values())


def _scaled(claims: list[Claim]) -> tuple[Claim, ...]:
    """Accuracies as shares: without a sign they are percentages where one of them is above 1."""
    if claims[0].metric != "accuracy":
        return tuple(claims)
    claims = _alike_in_places(claims)
    is_percent = any(each.value > 1 and not each.counted and not each.has_percent for each in claims)
    return tuple(
        each.divided(100) if not each.counted and (each.has_percent or is_percent) else each for each in claims
    )


def _alike_in_places(claims: list[Claim]) -> list[Claim]:
    """Where the numbers have differing numbers of places, none was cut: all are as exact as the longest."""
    free = [each for each in claims if not each.counted]
    if len({each.below for each in free}) < 2:
        return claims
    below, above = min(each.below for each in free), min(each.above for each in free)
    return [each if each.counted else replace(each, below=below, above=above) for each in claims]


def _in_lines(lines: Sequence["Line"]) -> Iterator[Claim]:
    header: list[str] = []
    before: Line | None = None
    for number, line in enumerate(lines):
        if _BAR.search(line.text):
            following = lines[number + 1] if number + 1 < len(lines) else None
            if "100%|" not in line.text or (following is not None and _is_same_bar(line, following)):
                continue
        row = _row(line, header)
        if row:
            yield from row
        elif "acc" in line.text.lower() or _may_state(line.text):
            # A statement that prints several lines may say in the first what they are about.
            heading = _heading_of(before.text) if before is not None and before.place == line.place else ""
            yield from claims_in(line, heading)
        if not row:
            header = _header(line.text) or (header if not re.search(r"[A-Za-z]", line.text) else [])
        before = line


def _may_state(text: str) -> bool:
    small = text.lower()
    return any(word in small for word in ("correct", "loss", "err", "right", "top", "@1", "nll", "cost", "mse"))


def _is_same_bar(line: "Line", following: "Line") -> bool:
    return line.place == following.place and "100%|" in following.text


def claims_in(line: "Line", heading: str = "") -> Iterator[Claim]:
    """The accuracies and losses of one line.

    Args:
        line: What was printed.
        heading: The part that the line before it was about, if it was about one.
    """
    text = re.sub(r"(?i)\btop[\s_-]*(\d+)", r"top\1", line.text)
    text = re.sub(r"[\w./\\-]+\.py(?::\d+)?", " ", text)
    end = 0
    last: tuple[Metric, list[str]] | None = None
    for token in _TOKEN.finditer(text):
        if token.start() < end:
            continue
        segment, following = _WRAPPED.sub("", text[end : token.start()]), _following(text, token.end())
        named = _named(segment, following, token)
        in_brackets = re.fullmatch(r"\s*\(\s*", segment) and re.match(r"\s*%?\s*\)", text[token.end() :])
        if named is None and last is not None:
            named = last if in_brackets else _same_of_another_part(segment, last)
        if named is None:
            # A number that is something else takes its words with it: what follows is named anew.
            if re.search(r"[A-Za-z]", segment) and not metric_of(words_of(_clause(segment))):
                end, last = token.end(), None
            continue
        claim = _claim(line, token, named=named, around=(text[: token.start()], following))
        if claim is not None:
            end, last = token.end(), named
            label = f"{claim.label} (in brackets)" if in_brackets else claim.label
            part = part_of(named[1]) or _part_before(text[: token.start()]) or heading
            yield replace(claim, part=part, label=label)


def _same_of_another_part(segment: str, last: tuple[Metric, list[str]]) -> tuple[Metric, list[str]] | None:
    """What `val 0.9` says behind `accuracy: train 0.8`."""
    words = words_of(_clause(segment))
    return (last[0], [*words, last[0]]) if words and all(part_of([word]) for word in words) else None


def _following(text: str, start: int) -> str:
    """What stands between a number and the next one, or a separator."""
    rest = text[start:]
    token = _TOKEN.search(rest)
    rest = rest[: token.start()] if token else rest
    separator = _SEPARATOR.search(rest)
    return rest[: separator.start()] if separator else rest


def _clause(segment: str) -> str:
    """The last piece of a segment that has words in it."""
    pieces = [piece for piece in _SEPARATOR.split(segment) if re.search(r"[A-Za-z]", piece)]
    return pieces[-1] if pieces else ""


def _named(segment: str, following: str, token: "re.Match[str]") -> tuple[Metric, list[str]] | None:
    """What the words beside a number say that it is."""
    tail = _SEPARATOR.split(segment)[-1]
    clause = tail if re.search(r"[A-Za-z]", tail) or not re.search(r"[=:]\s*$", segment) else _clause(segment)
    words = words_of(clause)
    is_count = token["k"] is not None
    if is_count or (following.lstrip().startswith("%") and metric_of(words) is None):
        words = words + words_of(following)
    if is_count and "right" in words:
        words = [*words, "correct"]
    metric = metric_of(words)
    if metric is None or (is_count and metric != "accuracy"):
        return None
    is_progress = is_count and set(words) & {"epoch", "step", "iter", "fold"} and not set(words) & {"correct"}
    return None if is_progress else (metric, words)


def _claim(
    line: "Line", token: "re.Match[str]", *, named: tuple[Metric, list[str]], around: tuple[str, str]
) -> Claim | None:
    """What a number states; None where it cannot be a value of what it is named after.

    Args:
        line: Where it stands.
        token: The number.
        named: What it is a value of, and the words that say so.
        around: What stands before it in the line, and behind it up to the next number.
    """
    metric, words = named
    counted = (round(float(token["k"])), round(float(token["n"]))) if token["k"] is not None else None
    if counted:
        k, n = counted
        if not 0 <= k <= n or n == 0:
            return None
        value, below, above = k / n, FLOAT_SLACK, FLOAT_SLACK
    else:
        value = float(token["number"].replace(",", ""))
        below, above = _rounding(token["number"])
    percent = around[1].lstrip(" )'\"").startswith("%")
    is_whole = counted is None and re.fullmatch(r"[-+]?\d+", token["number"]) is not None
    is_bare = metric == "accuracy" and counted is None and value > 1 and not percent
    # `Correct: 57`, `on the 10000 test images`: how many, and no share.
    is_named = not is_whole or (value <= 100 and re.search(r"[:=(|]\s*$", around[0]) is not None)
    if is_bare and not (says_accuracy(words) and is_named):
        return None
    # More than all is told of too: it cannot be.
    if metric == "accuracy" and not 0 <= value <= MOST_PERCENT:
        return None
    if metric == "accuracy" and is_error(words) and counted is None:
        top = 100.0 if percent or value > 1 else 1.0
        value, below, above = top - value, above, below
    return Claim(
        line.moment,
        line.place,
        label=" ".join(words),
        metric=metric,
        part="",
        value=value,
        below=below,
        above=above,
        counted=counted,
        is_plain=is_plain(words),
        in_bar=_BAR.search(line.text) is not None,
        has_percent=percent,
        text=token.group().strip() + (" %" if percent else ""),
    )


def _rounding(number: str) -> tuple[float, float]:
    """How much less and how much more than a printed number the true one may be; a whole one may have been cut off."""
    mantissa, _, power = number.lower().partition("e")
    places = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(power or 0) - places)
    slack = max(0.501 * unit, FLOAT_SLACK * max(abs(float(number.replace(",", ""))), 1))
    return slack, (unit if places == 0 else slack)


def _part_before(text: str) -> str:
    """The part that a word by itself names, further left in the same group: `[val] loss 0.3 acc 0.9`."""
    group = _GROUP.split(text)[-1] if "|" in text else text
    alone = [word for word in re.findall(r"(?<![\w-])[A-Za-z]+(?![\w-])", group) if part_of([word.lower()])]
    return part_of([alone[-1].lower()]) if alone else ""


def _heading_of(text: str) -> str:
    return "" if re.search(r"\d\.\d|\d\s*%", text) else _part_before(text)


def _header(text: str) -> list[str]:
    """The columns of the head of a table; nothing where the line is none."""
    if re.search(r"\d\.\d|[.:!?]", text):
        return []
    columns = [each.strip() for each in re.split(r"\||\s+", text) if each.strip()]
    told = [metric_of(words_of(column)) for column in columns]
    return columns if len(columns) > 1 and any(told) else []


def _row(line: "Line", header: list[str]) -> list[Claim]:
    """The numbers of a row of a table under their columns."""
    fields = [each.strip() for each in re.split(r"\||\s+", line.text) if each.strip()]
    if not header or len(fields) not in {len(header), len(header) + 1} or not _is_number(fields[-2]):
        return []
    found = []
    for name, field in zip(header, fields[len(fields) - len(header) :], strict=True):
        words = words_of(name)
        metric, token = metric_of(words), _TOKEN.fullmatch(field.rstrip("%"))
        if metric is not None and token is not None and token["k"] is None:
            sign = "%" if field.endswith("%") else ""
            claim = _claim(line, token, named=(metric, words), around=("|", sign))
            if claim is not None:
                found.append(replace(claim, part=part_of(words)))
    return found


def _is_number(field: str) -> bool:
    return re.fullmatch(r"[-+]?\d*\.?\d+%?", field) is not None
