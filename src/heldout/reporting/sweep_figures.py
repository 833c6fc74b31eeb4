"""Every figure of a sweep, as files and in words."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from heldout.reporting.style import figure_style, saved
from heldout.reporting.sweep_costs import cost_figure
from heldout.reporting.sweep_losses import MAX_PANELS, losses_figure, panels_of, told_losses
from heldout.reporting.sweep_rates import groups_of, rates_figure
from heldout.reporting.sweep_results import Sweep
from heldout.reporting.sweep_told import told_cost, told_rates

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# One figure a backbone and batch size; a reader does not compare more than so many (assumed).
MAX_RATE_FIGURES = 6


@dataclass(frozen=True, slots=True)
class DrawnFigure:
    """A figure as it stands in the folder and on the page.

    Attributes:
        title: What tells it from its siblings; empty where it has none.
        svg: For the folder and the page.
        png: For the folder.
        narrow: An SVG for narrow screens; empty where the same does.
        words: What is seen.
    """

    title: str
    svg: bytes
    png: bytes
    narrow: bytes
    words: str


def draw_sweep_figures(sweep: Sweep) -> dict[str, DrawnFigure]:
    """Every figure of a sweep by name, in the order of the page.

    The names are `learning_rates` (and `learning_rates_2` up to `_6` where backbones or batch sizes vary) where any
    setting has a rate, `time`, `multiply_adds` where any is known, and `losses` where a trial has epochs.
    """
    with figure_style():
        drawn, measure = {}, sweep.measure
        has_rates = any(each["setting"]["learning_rate"] is not None for each in sweep.settings)
        groups = groups_of(sweep.settings)[:MAX_RATE_FIGURES] if has_rates else []
        for number, (title, group) in enumerate(groups, start=1):
            name = "learning_rates" if number == 1 else f"learning_rates_{number}"
            drawn[name] = _drawn(rates_figure(group, measure), told_rates(group, measure), title)
        has_adds = any(each["multiply_adds"] for each in sweep.settings)
        for name in ("time", "multiply_adds") if has_adds else ("time",):
            drawn[name] = _drawn(cost_figure(sweep.settings, name, measure), told_cost(sweep, name))
        if panels := panels_of(sweep):
            shown = panels[:MAX_PANELS]
            wide = _drawn(losses_figure(shown, n_columns=4), told_losses(panels))
            drawn["losses"] = replace(wide, narrow=saved(losses_figure(shown, n_columns=2), "svg"))
        return drawn


def _drawn(figure: "Figure", words: str, title: str = "") -> DrawnFigure:
    return DrawnFigure(title, saved(figure, "svg"), saved(figure, "png"), b"", words)
