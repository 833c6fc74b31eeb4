"""A look at a table before anything is trained: counts, columns, copies, leaks, one page of all."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heldout.bookkeeping import column_records, group_facts
from heldout.data.class_problems import class_problems
from heldout.data.examples import PARTS, Examples
from heldout.data.groups import group_problems
from heldout.data.small_classes import find_small_classes
from heldout.data.storage.remote import name_of
from heldout.data.tabular.encoding import Encoder
from heldout.data.tabular.table_looks import look_at_table
from heldout.data.tabular.table_problems import find_table_problems, judged_of, row_clusters
from heldout.data.tabular.tables import TableSource, find_table
from heldout.findings import Finding, by_severity
from heldout.records import to_json, write_atomic
from heldout.reporting.table_check_page import table_check_page
from heldout.run_folders import fresh_folder
from heldout.training.table_materials import encoder_of
from heldout.verbs.checking import counts

_FILES = ("columns.json", "check.html", "check.json")  # in the order in which they are written


@dataclass(frozen=True)
class TableCheck:
    """What a look at a table found.

    Attributes:
        examples: The rows that have a label.
        encoder: What each column would be to a model; of all rows but those of a given test part.
        findings: What weakens a score on this data, gravest first.
        folder: Where check.html, check.json and columns.json lie; None where nothing was written.
    """

    examples: Examples
    encoder: Encoder
    findings: tuple[Finding, ...]
    folder: Path | None

    @property
    def page(self) -> str | None:
        """The path of the page; none where nothing was written."""
        return str(self.folder / "check.html") if self.folder else None

    @property
    def must_act(self) -> bool:
        """Whether something must be mended before a score can be trusted."""
        return any(finding.severity == "error" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {
            "n": len(self.examples),
            "layout": self.examples.layout,
            "classes": list(self.examples.classes),
            "counts": counts(self.examples),
            "groups": group_facts(self.examples.groups),
            "columns": column_records(self.encoder),
            "passed_over": [{"name": thing.name, "reason": thing.reason} for thing in self.examples.passed_over],
            "findings": [finding.as_dict() for finding in self.findings],
            "must_act": self.must_act,
            "record": str(self.folder / "check.json") if self.folder else None,
        }


def check_table(
    data: str | Path | object,
    target: str,
    *,
    test: str | Path | object = None,
    out: str | Path | None = "checks",
    group_by: str = "",
) -> TableCheck:
    """Look at a table and say what weakens a score on it.

    Args:
        data: As for `train` with a target.
        target: The column of the labels.
        test: Rows that are the test part.
        out: Where a folder with check.html, check.json and columns.json is made; None writes nothing.
        group_by: The column that names what must not be parted.

    Raises:
        DataError: There is no such table, or its labels are none.
        StorageError: The disk refused.
    """
    examples = find_table(data, target, test=test, group_by=group_by, skip_bad=True)
    source = examples.source
    assert isinstance(source, TableSource), "rows come from a table"
    learned = np.flatnonzero(examples.given != PARTS.index("test"))
    encoder = encoder_of(examples.take(learned))
    findings = find_table_problems(examples, None, encoder)
    findings += class_problems(examples, examples.given, ())
    findings += find_small_classes(examples, None, row_clusters(source, examples.ids))
    if examples.groups:
        findings += group_problems(examples.groups, examples.given, group_by=group_by)
    found = TableCheck(examples, encoder, tuple(by_severity(findings)), None)
    if out is None:
        return found
    name = name_of(data) if isinstance(data, str | Path) else "table"
    look = look_at_table(judged_of(examples, None, encoder), found.findings)
    with fresh_folder(Path(out), name or "table", files=_FILES) as folder:
        found = TableCheck(examples, encoder, found.findings, folder)
        content = found.as_dict()
        write_atomic(folder / "columns.json", to_json(look.as_dict()))
        write_atomic(folder / "check.html", table_check_page(content, look, name=folder.name))
        write_atomic(folder / "check.json", to_json(content))
    return found
