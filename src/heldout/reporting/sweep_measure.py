"""How the score that ranks a sweep is told and drawn: a share in percent, or a mean cost, of which less is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from heldout.reporting.style import numbers, whole_percents
from heldout.reporting.wording import amount, bracket, percent, points


@final
@dataclass(frozen=True, slots=True)
class ToldMeasure:
    """The score of a sweep, for its page and figures.

    Attributes:
        metric: Its name, as in sweep.json.
        highest: The highest that it can be: 1, or the highest cost.
    """

    metric: str = "accuracy"
    highest: float = 1.0

    @property
    def is_cost(self) -> bool:
        """Whether less is better."""
        return self.metric == "mean_cost"

    @property
    def leads(self) -> str:
        """What the best score is among all."""
        return "lowest" if self.is_cost else "highest"

    def goodness(self, score: float | None) -> float:
        """What is larger the better the score is; for sorting."""
        return -(score or 0.0) if self.is_cost else score or 0.0

    def value(self, score: float | None) -> str:
        """A score as a reader sees it.

        Example:
            >>> ToldMeasure("mean_cost", 10.0).value(0.1234), ToldMeasure("mean_cost", 10.0).value(None)
            ('0.123', '–')
        """
        return amount(score) if self.is_cost else percent(score)

    def interval(self, low: float | None, high: float | None) -> str:
        """The interval of a score in brackets."""
        if not self.is_cost or low is None or high is None:
            return bracket(low, high)
        return f"[{amount(low)}, {amount(high)}]"

    def difference(self, value: float | None) -> str:
        """A difference with its sign, in points or in what is saved.

        Example:
            >>> ToldMeasure("mean_cost", 10.0).difference(-0.05), ToldMeasure().difference(0.05)
            ('−0.05', '+5.0')
        """
        if not self.is_cost or value is None:
            return points(value)
        told = amount(value)
        return told if told.startswith("−") or told == "0" else f"+{told}"

    def amount_of(self, optimism: float) -> str:
        """How much better the best looks than it is.

        Example:
            >>> ToldMeasure("mean_cost", 10.0).amount_of(0.05), ToldMeasure().amount_of(0.05)
            ('0.05', '5.0 points')
        """
        return amount(optimism) if self.is_cost else f"{points(optimism).removeprefix('+')} points"

    def taken_off(self, optimism: float) -> str:
        """The same, and which way it moves the score."""
        return f"{'plus' if self.is_cost else 'less'} {self.amount_of(optimism)}"

    def ticks(self, low: float, high: float) -> tuple[list[float], list[str]]:
        """Round scores within a range, and what stands at them."""
        if self.is_cost:
            places = numbers(low, high)
            return places, [f"{place:g}" for place in places]
        places = [place for place in numbers(low, high) if place <= 1]
        return places, whole_percents(places)

    def limits(self, scores: Sequence[float]) -> tuple[float, float]:
        """A range that holds all scores with a little air, and nothing that a score cannot be."""
        low, high = (max(0.0, min(scores)), min(self.highest, max(scores))) if scores else (0.0, self.highest)
        air = max(0.02 * (high or self.highest) if self.is_cost else 0.02, 0.06 * (high - low))
        if self.is_cost:  # of marks at 0 the lower half would be cut off
            return max(0.0, low - air) - 0.02 * (high - low), min(self.highest, high + air)
        return max(0.0, low - air), min(1.0, high + air) + 0.004


SHARES = ToldMeasure()
