"""Style rules made for one page, so that bars and shades need neither script nor style attributes.

The page's policy forbids style attributes. A length that depends on the run therefore becomes a class with one
rule, in the one style sheet whose hash the policy names.
"""

from math import isfinite


class StyleRules:
    """The rules collected so far; equal ones share a class.

    Example:
        >>> rules = StyleRules()
        >>> rules.bar(0.25, 0.5, 0.75), rules.depth(0.4), rules.bar(0.25, 0.5, 0.75)
        ('v0', 'v1', 'v0')
        >>> print(rules.text)
        .v0{--low:25%;--at:50%;--high:75%}
        .v1{--depth:40%}
    """

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}

    @property
    def text(self) -> str:
        """All rules, one a line, in the order they were first asked for."""
        return "\n".join(f".{name}{{{body}}}" for body, name in self._classes.items())

    def bar(self, low: float | None, value: float | None, high: float | None) -> str:
        """The class of a bar from `low` to `high` with a mark at `value`, all 0 to 1; empty if undefined."""
        if low is None or value is None or high is None or not all(map(isfinite, (low, value, high))):
            return ""
        return self._class_of(f"--low:{_percent(low)};--at:{_percent(value)};--high:{_percent(high)}")

    def depth(self, share: float) -> str:
        """The class of a shade, 0 to 1, in steps of one percent."""
        return self._class_of(f"--depth:{round(100 * min(max(share, 0.0), 1.0))}%")

    def _class_of(self, body: str) -> str:
        return self._classes.setdefault(body, f"v{len(self._classes)}")


def _percent(share: float) -> str:
    return f"{round(100 * min(max(share, 0.0), 1.0), 1):g}%"
