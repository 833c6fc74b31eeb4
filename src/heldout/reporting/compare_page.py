"""What a comparison of two runs found -> compare.html: one file, no network, nothing in the data can run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10
from typing import Any

from heldout.provenance import version
from heldout.reporting.compare_words import noun_of_comparison, points
from heldout.reporting.headline import ComparedRow
from heldout.reporting.rendering import render
from heldout.reporting.rules import StyleRules
from heldout.reporting.sections import findings_of, image_address
from heldout.reporting.wording import NARROW_SPACE, NOT_DEFINED, amount, bracket, count, percent

# Of each side: with 80 of both a page has about 1 MB of pictures (assumed).
MAX_PICTURES = 80
MAX_CLASSES = 2000
# So many classes are read at once; a longer table is folded away.
N_CLASSES_OPEN = 24

_STYLES = ("base.css", "parts.css", "answers.css", "print.css", "compare.css")
_SCRIPTS = ("reading.js",)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of the two said about a picture."""

    side: str
    predicted: str
    confidence: str
    right: bool


@dataclass(frozen=True, slots=True)
class DividedPicture:
    """A picture that only one of the two gets right; `source` is a data: address, empty where no picture is kept."""

    id: str
    label: str
    source: str
    answers: tuple[Answer, Answer]


@dataclass(frozen=True, slots=True)
class ClassLine:
    """A line of the class table; `difference` is in points, `bar` the style class of its interval."""

    name: str
    n: int
    recall_a: str
    recall_b: str
    only_a: int
    only_b: int
    difference: str
    interval: str
    bar: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A difference on an axis with 0 in the middle.

    Attributes:
        bar: The style class of its interval.
        reach: How far the axis goes to either side, in the unit.
        difference: A minus B with its sign; of costs what A saves.
        interval: Of it, in brackets.
        unit: What is counted.
        p: How often chance alone would make such a difference.
    """

    bar: str
    reach: str
    difference: str
    interval: str
    unit: str
    p: str


def compare_page(content: Mapping[str, Any], *, name: str, thumbnail: Callable[[str], bytes | None]) -> bytes:
    """The page as UTF-8, about a megabyte at most however many pictures there are.

    Args:
        content: What is written to compare.json.
        name: What the page is called.
        thumbnail: The small JPEG of the picture with that SHA-256; None where none is kept.
    """
    rules = StyleRules()
    comparison = content["comparison"]
    lines = content["per_class"][:MAX_CLASSES]
    n_classes = len(content["per_class"])
    reach = _reach([each["difference"] for each in lines if each["difference"]])
    noun = noun_of_comparison(content)
    view = {
        "name": name,
        "thing": noun,
        "things": f"{noun}s",
        "version": version(),
        "a": content["a"],
        "b": content["b"],
        "better": content["better"] or "",
        "words": {key: _typeset(words) for key, words in content["words"].items()},
        "summary": f"{count(comparison['n'], f'held-out {noun}')} of {count(n_classes, 'class', 'classes')}",
        "rows": _rows(content, rules),
        "scale": _scale(comparison["difference"], rules),
        "balanced": _scale(content["balanced_accuracy"], rules) if content["balanced_accuracy"] else None,
        "costs": _cost_scale(costs, rules) if (costs := content.get("mean_cost")) else None,
        "table": comparison,
        "method": _typeset(comparison["difference"]["method"]),
        "p": _p(comparison["difference"]),
        "p_mid": f"{comparison['p_mid']:.3f}",
        "class_lines": [_class_line(each, reach, rules) for each in lines],
        "class_reach": points(reach).removesuffix(".0"),
        "n_classes": n_classes,
        "n_classes_open": N_CLASSES_OPEN,
        "only_a": _pictures(content["only_a"], "a", thumbnail),
        "only_b": _pictures(content["only_b"], "b", thumbnail),
        "n_only_a": content["n_only_a"],
        "n_only_b": content["n_only_b"],
        "findings": findings_of(content["findings"]),
    }
    return render("compare.html.j2", view, styles=_STYLES, scripts=_SCRIPTS, rules=rules.text)


def _typeset(words: str) -> str:
    """The same words as they are set on a page: no break before a percent sign, a minus that is one."""
    set_words = (
        words.replace(" %", f"{NARROW_SPACE}%").replace("p = ", "p\u00a0=\u00a0").replace("p < ", "p\u00a0<\u00a0")
    )
    for before in (" ", "("):
        set_words = set_words.replace(f"{before}-", f"{before}\u2212")
    return set_words


def _signed(share: float) -> str:
    """A difference in points with its sign.

    Example:
        >>> _signed(0.031), _signed(-0.0004), _signed(-0.02)
        ('+3.1', '0.0', '−2.0')
    """
    shown = points(share)
    return shown.replace("-", "\u2212") if shown.startswith("-") or shown == "0.0" else f"+{shown}"


def _interval(difference: Mapping[str, Any]) -> str:
    return f"[{_signed(difference['low'])}, {_signed(difference['high'])}]"


def _p(difference: Mapping[str, Any]) -> str:
    return "< 0.001" if difference["p"] < 0.001 else f"{difference['p']:.3f}"


def _reach(differences: Sequence[Mapping[str, Any]]) -> float:
    """How far an axis must go to either side of 0, so that it holds the ends of all intervals."""
    ends = [abs(each[end]) for each in differences for end in ("low", "high") if isfinite(each[end])]
    furthest = max(ends, default=0.0)
    return next((step for step in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5) if furthest <= step), 1.0)


def _on_axis(difference: Mapping[str, Any], reach: float, rules: StyleRules) -> str:
    low, value, high = (0.5 + difference[key] / (2 * reach) for key in ("low", "value", "high"))
    return rules.bar(low, value, high)


def _scale(difference: Mapping[str, Any], rules: StyleRules) -> Scale:
    reach = _reach([difference])
    bar = _on_axis(difference, reach, rules)
    value, interval = _signed(difference["value"]), _interval(difference)
    return Scale(bar, points(reach).removesuffix(".0"), value, interval, "points", _p(difference))


def _cost_scale(difference: Mapping[str, Any], rules: StyleRules) -> Scale:
    """What A saves an answer, in the unit of the costs."""
    furthest = max(abs(difference[end]) for end in ("low", "high"))
    power = 10.0 ** floor(log10(furthest)) if furthest > 0 else 1.0
    # 1, 2, 5 or 10 of the power of ten below; the slack is for rounding.
    reach = next(step * power for step in (1, 2, 5, 10) if furthest <= step * power * (1 + 1e-9))
    low, high = (_signed_amount(difference[end]) for end in ("low", "high"))
    value, interval = _signed_amount(difference["value"]), f"[{low}, {high}]"
    return Scale(_on_axis(difference, reach, rules), amount(reach), value, interval, "an answer", _p(difference))


def _signed_amount(saved: float) -> str:
    """What is saved, with its sign.

    Example:
        >>> _signed_amount(0.25), _signed_amount(0.0), _signed_amount(-12.345)
        ('+0.25', '0', '−12.3')
    """
    told = amount(saved)
    return told if told.startswith("−") or told == "0" else f"+{told}"


def _rows(content: Mapping[str, Any], rules: StyleRules) -> list[ComparedRow]:
    """The accuracy of each of the two on one scale from 0 to 100 percent; their balanced one where it is compared."""
    names = ["accuracy", "balanced_accuracy"] if content["balanced_accuracy"] else ["accuracy"]
    rows = []
    for name in names:
        for side in ("a", "b"):
            facts = content[side]
            score = facts[name]
            rows.append(
                ComparedRow(
                    label=f"{side.upper()}, {name.replace('_', ' ')}",
                    note=" ".join(filter(None, (facts["regime"], facts["backbone"]))),
                    value=percent(score["value"]),
                    interval=bracket(score["low"], score["high"]),
                    n=score["n"],
                    bar=rules.bar(score["low"], score["value"], score["high"]),
                    kind="leader" if side == content["better"] else "baseline",
                )
            )
    return rows


def _class_line(record: Mapping[str, Any], reach: float, rules: StyleRules) -> ClassLine:
    difference = record["difference"]
    return ClassLine(
        name=record["name"],
        n=record["n"],
        recall_a=percent(record["recall_a"]["value"]),
        recall_b=percent(record["recall_b"]["value"]),
        only_a=record["n_only_a"],
        only_b=record["n_only_b"],
        difference=_signed(difference["value"]) if difference else NOT_DEFINED,
        interval=_interval(difference) if difference else "",
        bar=_on_axis(difference, reach, rules) if difference else "",
    )


def _pictures(
    records: Sequence[Mapping[str, Any]], right: str, thumbnail: Callable[[str], bytes | None]
) -> list[DividedPicture]:
    shown = []
    for record in records[:MAX_PICTURES]:
        jpeg = thumbnail(record["sha256"])
        first, second = (
            Answer(side.upper(), record[side]["predicted"], _confidence(record[side]["confidence"]), side == right)
            for side in ("a", "b")
        )
        shown.append(
            DividedPicture(record["id"], record["label"], image_address(jpeg) if jpeg else "", (first, second))
        )
    return shown


def _confidence(share: float) -> str:
    """A probability in percent; what would round to certainty is shown as almost that."""
    return f"> {percent(0.999)}" if 0.9995 <= share < 1 else percent(share)
