"""What a look at a table found -> check.html: one file, no network, nothing in the data can run."""

from collections.abc import Mapping
from typing import Any

from heldout.data.tabular.table_looks import TableLook
from heldout.reporting.check_parts import shared_view
from heldout.reporting.rendering import render
from heldout.reporting.sections import Fact, findings_of
from heldout.reporting.table_check_sections import column_cards, copies_shown, evidence_of
from heldout.reporting.wording import count

_STYLES = ("base.css", "parts.css", "answers.css", "print.css", "check.css", "table_check.css")
_SCRIPTS = ("reading.js",)


def table_check_page(content: Mapping[str, Any], look: TableLook, *, name: str) -> bytes:
    """The page as UTF-8, a megabyte or two at most however many columns and rows there are.

    Args:
        content: What is written to check.json.
        look: What is written to columns.json.
        name: What the page is called.
    """
    view = {
        **shared_view(content, name, "row"),
        "findings": findings_of(content["findings"]),
        "evidence": evidence_of(content["findings"], look),
        "look": look,
        "cards": column_cards(content, look),
        "copies": copies_shown(look.copies),
        "facts": _facts(content, look),
    }
    return render("table_check.html.j2", view, styles=_STYLES, scripts=_SCRIPTS)


def _facts(content: Mapping[str, Any], look: TableLook) -> list[Fact]:
    kinds: dict[str, int] = {}
    for column in content["columns"]:
        kinds[column["kind"]] = kinds.get(column["kind"], 0) + 1
    facts = [
        Fact("Rows", f"{content['n']:,}"),
        Fact("Columns", f"{look.n_columns:,}: " + ", ".join(f"{kind} {n:,}" for kind, n in kinds.items())),
    ]
    if groups := content["groups"]:
        facts.append(Fact("Groups", f"{groups['n']:,}, the largest of {count(groups['largest'], 'row')}"))
    return facts
