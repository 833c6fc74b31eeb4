"""A run folder -> report.html: one file, no network, nothing in the data can run."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from heldout.records import write_atomic
from heldout.reporting import sections
from heldout.reporting.choose import choose_pictures
from heldout.reporting.figures import draw_figures
from heldout.reporting.headline import headline_of
from heldout.reporting.matrix import MAX_CLASSES_WITH_NUMBERS, matrix_of
from heldout.reporting.results import Results, read_results
from heldout.reporting.rules import StyleRules
from heldout.reporting.style import for_page

_TEMPLATES = Path(__file__).parent / "templates"
_STYLES = ("base.css", "parts.css", "answers.css", "print.css")
_SCRIPTS = ("report.js",)


def write_report(folder: Path) -> Path:
    """The path of the report.html written into a run folder, with its figures beside it.

    Reads the files of the run and nothing else, so that a report can be made again years later.

    Args:
        folder: A finished run.

    Raises:
        RunFolderError: The run is not whole.
        StorageError: The disk refused; a report that was there before is as it was.
    """
    results = read_results(folder)
    figures = draw_figures(results)
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
    style = "\n".join([*(_asset(name) for name in _STYLES), rules.text])
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("report.html.j2").render(
        **view,
        policy=content_policy(style, script),
        style=Markup(style),
        script=Markup(script),
    )
    # A file name may hold bytes that are no text: they are shown as escapes, where encoding would refuse them.
    return html.encode("utf-8", errors="backslashreplace")


def content_policy(style: str, script: str) -> str:
    """The page's content security policy: no source but our one style sheet, our one script, and data: pictures."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def json_for_page(value: Any) -> Markup:
    r"""JSON that may stand inside a script element: nothing in it can end the element or start a tag.

    Example:
        >>> print(json_for_page("</script>"))
        "\u003c/script\u003e"
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


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
        "headline": headline_of(results, rules),
        "findings": sections.findings_of(results.findings),
        "scores": sections.score_rows(results),
        "matrix": matrix_of(leading["confusion"], results.classes, rules),
        "class_rows": sections.class_rows(leading, rules),
        "few": sections.few_of(leading),
        "few_pictures": sections.FEW_PICTURES,
        "many_classes": len(results.classes) > MAX_CLASSES_WITH_NUMBERS,
        "mistakes": [pictures[name] for name in choice.mistakes],
        "least_sure": [pictures[name] for name in choice.least_sure],
        "samples": sections.sample_pictures(results.samples),
        "calibration": sections.calibration_words(leading),
        "data_facts": sections.data_facts(results),
        "counts": sections.count_rows(results),
        "model_facts": sections.model_facts(results),
        "times": times,
        "total_time": total_time,
        "environment_facts": sections.environment_facts(results),
        "data": json_for_page(sections.page_data(results, choice, pictures)),
    }


def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
