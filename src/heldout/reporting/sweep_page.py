"""A sweep folder -> report.html: one file, no network, nothing in the data can run."""

from pathlib import Path
from typing import Any

from heldout.provenance import version
from heldout.records import write_atomic
from heldout.reporting import sweep_sections
from heldout.reporting.rendering import render
from heldout.reporting.rules import StyleRules
from heldout.reporting.sections import findings_of, image_address
from heldout.reporting.style import for_page
from heldout.reporting.sweep_costs import MAX_LABELLED
from heldout.reporting.sweep_figures import MAX_RATE_FIGURES, DrawnFigure, draw_sweep_figures
from heldout.reporting.sweep_losses import MAX_PANELS, panels_of
from heldout.reporting.sweep_rates import groups_of
from heldout.reporting.sweep_results import Sweep, read_sweep

_STYLES = ("base.css", "parts.css", "answers.css", "print.css", "sweep.css")
_SCRIPTS = ("sorting.js", "copying.js", "reading.js")


def write_sweep_report(folder: Path) -> Path:
    """The path of the report.html written into a sweep folder, with its figures beside it.

    Reads the files of the sweep and nothing else, so that a report can be made again years later.

    Args:
        folder: A sweep that has come to its end.

    Raises:
        RunFolderError: The sweep is not whole.
        StorageError: The disk refused; a report that was there before is as it was.
    """
    sweep = read_sweep(folder)
    figures = draw_sweep_figures(sweep)
    for name, figure in figures.items():
        write_atomic(folder / "figures" / f"{name}.svg", figure.svg)
        write_atomic(folder / "figures" / f"{name}.png", figure.png)
    return write_atomic(folder / "report.html", sweep_page(sweep, figures))


def sweep_page(sweep: Sweep, figures: dict[str, DrawnFigure]) -> bytes:
    """The whole page as UTF-8.

    Args:
        sweep: The record of the sweep.
        figures: As `draw_sweep_figures` gives them.
    """
    rules = StyleRules()
    view = {**_view(sweep, rules), "figures": {name: _shown(figure) for name, figure in figures.items()}}
    return render("sweep.html.j2", view, styles=_STYLES, scripts=_SCRIPTS, rules=rules.text)


def _view(sweep: Sweep, rules: StyleRules) -> dict[str, Any]:
    """Everything the template names, but the figures and the assets."""
    lost = sweep_sections.lost_rows(sweep)
    n_panels, n_groups = len(panels_of(sweep)), len(groups_of(sweep.settings))
    return {
        "sweep": sweep,
        "kind": "model" if sweep.content["data"].get("layout") == "table" else "regime",
        "metric": sweep_sections.metric_title(sweep),
        "is_cost": sweep.measure.is_cost,
        "most": sweep_sections.scale_of(sweep),
        "version": version(),
        "winner": sweep_sections.winner_words(sweep, rules),
        "findings": findings_of(sweep.findings),
        "rows": sweep_sections.setting_rows(sweep),
        "ties": sweep_sections.tie_words(sweep),
        "pairs": sweep_sections.pair_rows(sweep),
        "lost": lost[: sweep_sections.MAX_LOST],
        "n_lost": len(lost),
        "n_panels": n_panels,
        "n_panels_left_out": max(0, n_panels - MAX_PANELS),
        "n_rate_figures_left_out": max(0, n_groups - MAX_RATE_FIGURES),
        "names_all": sum(each["mean"] is not None for each in sweep.settings) <= MAX_LABELLED,
        "done": sweep_sections.done_facts(sweep),
        "versions": sweep_sections.version_facts(sweep),
    }


def _shown(figure: DrawnFigure) -> dict[str, str]:
    """A figure as the template takes it."""
    return {
        "title": figure.title,
        "source": image_address(for_page(figure.svg), "svg+xml"),
        "narrow": image_address(for_page(figure.narrow), "svg+xml") if figure.narrow else "",
        "words": figure.words,
    }
