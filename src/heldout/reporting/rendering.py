"""What every page has in common: templates that escape, a policy that names what may run, and data that cannot."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta
from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"


def render(
    template: str, view: Mapping[str, Any], *, styles: Sequence[str], scripts: Sequence[str], rules: str = ""
) -> bytes:
    """A whole page as UTF-8, in one file: its style sheets and scripts stand in it.

    Args:
        template: A file of `templates/`.
        view: Everything the template names, but `policy`, `style` and `script`.
        styles: Files of `templates/`, in their order.
        scripts: The same.
        rules: Style rules made for this page, after the files.
    """
    style = "\n".join([*(_asset(name) for name in styles), rules])
    script = "\n".join(_asset(name) for name in scripts)
    html = (
        _environment()
        .get_template(template)
        .render(
            **view,
            policy=content_policy(style, script),
            style=Markup(style),
            script=Markup(script),
        )
    )
    # A file name may hold bytes that are no text: they are shown as escapes, where encoding would refuse them.
    return html.encode("utf-8", errors="backslashreplace")


def compile_ahead(template: str) -> None:
    """Compile a template and all that it includes, which takes 0.3 s for a report: while there is nothing else to do.

    Args:
        template: A file of `templates/`.
    """
    environment, waiting = _environment(), [template]
    for name in waiting:  # grows meanwhile
        environment.get_template(name)
        for included in jinja2.meta.find_referenced_templates(environment.parse(_asset(name))):
            if included is not None and included not in waiting:
                waiting.append(included)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


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


def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
