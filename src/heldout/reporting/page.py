"""A run folder -> report.html: one file, no network, nothing in the data can run."""

from pathlib import Path
from typing import Any

from heldout.records import write_atomic
from heldout.reporting import sections
from heldout.reporting.choose import choose_pictures
from heldout.reporting.figures import draw_figures
from heldout.reporting.headline import headline_of
from heldout.reporting.imbalance_sections import imbalance_of
from heldout.reporting.matrix import MAX_CLASSES_WITH_NUMBERS, matrix_of
from heldout.reporting.painting import Painter
from heldout.reporting.rendering import compile_ahead, json_for_page, render
from heldout.reporting.results import Results, read_results
from heldout.reporting.rules import StyleRules
from heldout.reporting.style import for_page
from heldout.reporting.table_sections import boundary_words, table_of

_TEMPLATE = "report.html.j2"
_STYLES = ("base.css", "parts.css", "answers.css", "print.css")
_SCRIPTS = ("report.js", "sorting.js", "copying.js", "reading.js")


def write_report(folder: Path, painter: Painter | None = None) -> Path:
    """The path of the report.html written into a run folder, with its figures beside it.

    Reads the files of the run and nothing else, so that a report can be made again years later.

    Args:
        folder: A finished run.
        painter: Was given the run's figures to draw already; None draws them here.

    Raises:
        RunFolderError: The run is not whole.
        StorageError: The disk refused; a report that was there before is as it was.
    """
    results = read_results(folder)
    if painter:
        compile_ahead(_TEMPLATE)  # the figures take longer
    figures = painter.figures() if painter else draw_figures(results.drawable)
    for name, (svg, png, _) in figures.items():
        write_atomic(folder / "figures" / f"{name}.svg", svg)
        write_atomic(folder / "figures" / f"{name}.png", png)
    page = page_of(results, {name: (svg, words) for name, (svg, _, words) in figures.items()})
    return write_atomic(folder / "report.html", page)


def page_of(results: Results, figures: dict[str, tuple[bytes, str]]) -> bytes:
    """The whole page as UTF-8.

    Args:
        results: The record of the run.
        figures: For each figure its SVG and what it shows in words.
    """
    rules = StyleRules()
    view = _view(results, rules)
    view["figures"] = {
        name: {"source": sections.image_address(for_page(svg), "svg+xml"), "words": words}
        for name, (svg, words) in figures.items()
    }
    return render(_TEMPLATE, view, styles=_STYLES, scripts=_SCRIPTS, rules=rules.text)


def _view(results: Results, rules: StyleRules) -> dict[str, Any]:
    """Everything the templates name, but the figures and the assets."""
    answers, leading = results.answers, results.leading
    choice = choose_pictures(
        answers.ids,
        answers.labels,
        predicted=answers.predicted,
        confidence=answers.confidence,
        n_classes=len(results.classes),
    )
    pictures = sections.pictures_of(results, choice)
    times, total_time = sections.time_rows(results, rules)
    return {
        "results": results,
        "leading": leading,
        "part": answers.part,
        "thing": results.noun,
        "things": f"{results.noun}s",
        "headline": headline_of(results, rules),
        "findings": sections.findings_of(results.findings),
        "scores": sections.score_rows(results),
        "matrix": matrix_of(leading["confusion"], results.classes, rules, results.noun),
        "class_rows": sections.class_rows(leading, rules),
        "few": sections.few_of(leading),
        "few_pictures": sections.FEW_PICTURES,
        "many_classes": len(results.classes) > MAX_CLASSES_WITH_NUMBERS,
        "mistakes": [pictures[name] for name in choice.mistakes],
        "least_sure": [pictures[name] for name in choice.least_sure],
        "imbalance": imbalance_of(results, rules),
        "boundary_words": boundary_words(results),
        "table": table_of(results),
        "has_suspects": results.noun == "picture" or results.suspicion is not None,
        "suspicion": sections.suspicion_words(results),
        "suspects": sections.suspect_pictures(results),
        "samples": sections.sample_pictures(results.samples),
        "calibration": sections.calibration_words(leading, results.noun),
        "data_facts": sections.data_facts(results),
        "counts": sections.count_rows(results),
        "model_facts": sections.model_facts(results),
        "times": times,
        "total_time": total_time,
        "environment_facts": sections.environment_facts(results),
        "data": json_for_page(sections.page_data(results, choice, pictures)),
    }
