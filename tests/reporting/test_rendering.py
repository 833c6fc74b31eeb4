"""What all pages rest on: escaping, the policy, and data that cannot leave its element."""

import json
import re
from pathlib import Path

import jinja2
import pytest

from heldout.reporting import rendering
from heldout.reporting.rendering import compile_ahead, content_policy, json_for_page


def test_the_data_in_the_page_cannot_end_its_element() -> None:
    nasty = {"name": "</script><script>alert(1)</script><!-- &amp; \u2028 \udcff"}
    text = json_for_page(nasty)
    assert not re.search("[<>&\u2028\ud800-\udfff]", text)
    assert json.loads(text) == nasty


def test_the_policy_allows_nothing_but_this_style_this_script_and_pictures_in_the_page() -> None:
    # printf 'a{}' | openssl dgst -sha256 -binary | base64, and the same of 'b()'
    assert content_policy("a{}", "b()") == (
        "default-src 'none'; img-src data:; "
        "style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; "
        "script-src 'sha256-cf242PFc/kb7xD0Qzhsmd9vvRkc+cWFmbi+k+YvtdKc='; "
        "base-uri 'none'; form-action 'none'"
    )


def test_what_is_compiled_ahead_is_all_that_a_page_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, source in {
        "page": "{% from 'macros' import word %}{% include 'part' %}{{ word() }}",
        "part": "{% include 'inner' %}",
        "inner": "inner ",
        "macros": "{% macro word() %}word{% endmacro %}{% include 'inner' %}",
        "other": "{% nothing that compiles %}",
    }.items():
        (tmp_path / name).write_text(source)
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path), autoescape=True)
    monkeypatch.setattr(rendering, "_environment", lambda: environment)
    monkeypatch.setattr(rendering, "_TEMPLATES", tmp_path)
    compile_ahead("page")
    monkeypatch.setattr(environment, "compile", None)
    assert environment.get_template("page").render() == "inner word"
