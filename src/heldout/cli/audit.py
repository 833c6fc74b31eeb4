"""heldout audit."""

import os
import shutil
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperCommand

from heldout.cli.main import EXIT_INTERRUPTED
from heldout.cli.options import Json
from heldout.cli.showing import print_json, print_lines
from heldout.errors import StorageError, UsageError
from heldout.findings import SEVERITIES

if TYPE_CHECKING:
    from heldout.auditing.audited import Audit

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
# A line of a report is no wider than this: longer ones are hard to read.
_WIDEST = 110


class FailOn(StrEnum):
    """From which severity on the exit code is 1."""

    error = "error"
    warning = "warning"
    note = "note"
    never = "never"


class _AuditCommand(TyperCommand):
    """Says what to do about an option that was meant for the script."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["[OPTIONS]", "SCRIPT [-- ARGS]"]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given = list(args)
        parser_error = cast(type[Exception], typer.BadParameter.__mro__[1])  # as in main
        try:
            return super().parse_args(ctx, args)
        except parser_error as error:
            option = getattr(error, "option_name", None)
            if option is None or "--" in given or error.__class__.__name__ != "NoSuchOption":
                raise
            at = next((n for n, each in enumerate(given) if each.partition("=")[0] == option), len(given))
            before = " ".join(given[:at]) or "SCRIPT"
            fix = f"heldout audit {before} -- {' '.join(given[at:])}"
            what = str(error.format_message()).rstrip(".")  # type: ignore[attr-defined]
            raise UsageError(
                f"heldout audit: {what}",
                expected="options of the audit; the script's own arguments come after --",
                fix=fix,
            ) from None


@app.command(cls=_AuditCommand)
def audit(
    script: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SCRIPT",
            help="A training script or a notebook (.ipynb); its own arguments come after --.",
            show_default=False,
        ),
    ] = None,
    module: Annotated[
        str | None, typer.Option("-m", "--module", metavar="NAME", help="Run a module instead, as `python -m NAME`.")
    ] = None,
    static: Annotated[
        bool, typer.Option("--static", help="Only read it; nothing is run, and much less is found.")
    ] = False,
    max_seconds: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="SECONDS", help="Stop it then, and judge what was seen.", show_default=False),
    ] = None,
    max_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="STEPS",
            help="Stop it after so many optimiser steps, and judge what was seen.",
            show_default=False,
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option(help="The exit code is 1 from this severity on: error, warning, note or never.")
    ] = FailOn.error,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the findings as SARIF 2.1.0 too.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a PyTorch training script as it is, under watch, and say why its numbers cannot be trusted, if they cannot.

    The script runs as `python SCRIPT ARGS` would; the report follows what it prints. Nothing of it is changed.

    The exit code is the script's own where that is not 0; then 1 where a finding is at or above --fail-on.
    """
    name, arguments = _named(script or [], module)
    if sarif is not None:
        _must_be_writable(sarif)
    if static:
        from heldout.auditing.auditor import read_only

        found = read_only(name, module=module is not None)
    else:
        from heldout.auditing.auditor import audit_target
        from heldout.auditing.process.running import Limits
        from heldout.auditing.process.targets import find_target

        target = find_target(name, module=module is not None)
        sys.stdout.flush()
        limits = Limits(max_seconds or 0.0, max_steps or 0)
        found = audit_target(target, arguments, limits, stdout=2 if as_json else None)
    if sarif is not None:
        _write_sarif(found, sarif)
    _show(found, as_json=as_json)
    grave = () if fail_on is FailOn.never else SEVERITIES[: SEVERITIES.index(fail_on.value) + 1]
    code = found.exit_code or int(any(found.count(each) for each in grave))
    # The parser takes this code for a Ctrl-C of its own.
    raise SystemExit(code) if code == EXIT_INTERRUPTED else typer.Exit(code)


def _named(words: Sequence[str], module: str | None) -> tuple[str, list[str]]:
    """What is to be audited, and its own arguments."""
    if module is not None:
        return module, list(words)
    if not words:
        raise UsageError(
            "heldout audit: no script was named",
            expected="a Python script or a notebook (.ipynb); with -m the name of a module",
            fix="heldout audit train.py",
        )
    return words[0], list(words[1:])


def _show(found: "Audit", *, as_json: bool) -> None:
    if as_json:
        print_json(found.as_dict())
        return
    width = min(shutil.get_terminal_size((100, 24)).columns, _WIDEST)
    print_lines(["", f"heldout audit of {found.script}", "", *found.summary(width=width).splitlines()])


def _must_be_writable(path: Path) -> None:
    """Refuse before the script runs, and not after hours of it."""
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(
            f"--sarif {path} cannot be written",
            expected="a file in a folder that is there and can be written",
            fix=f"mkdir -p {folder}" if not folder.exists() else "name another file",
        )


def _write_sarif(found: "Audit", path: Path) -> None:
    import json

    from heldout.auditing.sarif import sarif_of
    from heldout.records import write_atomic

    try:
        write_atomic(path, (json.dumps(sarif_of(found), indent=1, ensure_ascii=False) + "\n").encode())
    except StorageError as error:  # the findings are told all the same
        print(f"error: {error}", file=sys.stderr)
