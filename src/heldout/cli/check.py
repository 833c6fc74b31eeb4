"""heldout check."""

from typing import Annotated, Any

import typer

from heldout.cli.options import Data, GroupBy, Json, Target, TestFile
from heldout.cli.showing import Progress, finding_lines, print_json, print_lines

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def check(
    data: Data,
    target: Target = None,
    test: TestFile = None,
    out: Annotated[str, typer.Option(help="Where a folder with check.html, check.json and more is made.")] = "checks",
    backbone: Annotated[str, typer.Option(help="Whose pixels the samples show.")] = "efficientnet-lite0",
    group_by: GroupBy = None,
    as_json: Json = False,
) -> None:
    """Look at labelled pictures: counts, unreadable files, copies, leaks, oddities, samples; all of it on one page.

    Of a table: counts, columns, copies, leaks.

    The exit code is 1 when something must be acted on before a score can be trusted.
    """
    if target is not None:
        _check_table(data, target, test=test, out=out, group_by=group_by or "", as_json=as_json)
        return
    from heldout.verbs.checking import check as check_data

    found = check_data(data, out=out, backbone=backbone, group_by=group_by or "", watcher=Progress())
    content = found.as_dict()
    if as_json:
        print_json(content)
    else:
        print_lines(_lines(content))
    if found.must_act:
        raise typer.Exit(1)


def _check_table(data: str, target: str, *, test: str | None, out: str, group_by: str, as_json: bool) -> None:
    from heldout.verbs.checking_tables import check_table

    found = check_table(data, target, test=test, out=out, group_by=group_by)
    content = found.as_dict()
    if as_json:
        print_json(content)
    else:
        lines = _count_lines(content, "rows")
        lines += ["", *(f"  {one['name']}: {one['kind']}, {_missing(one)}{one['words']}" for one in content["columns"])]
        lines += ["", *finding_lines(content["findings"])] if content["findings"] else ["", "nothing found to doubt"]
        print_lines([*lines, "", f"record  {content['record']}", f"page  {found.page}"])
    if found.must_act:
        raise typer.Exit(1)


def _missing(column: dict[str, Any]) -> str:
    return f"{column['n_missing']:,} missing, " if column["n_missing"] else ""


def _count_lines(content: dict[str, Any], things: str) -> list[str]:
    """How many examples each class has in each part, and how many groups there are."""
    lines = ["", f"{content['n']:,} {things} of {len(content['classes'])} classes, as {content['layout']}"]
    parts = list(content["counts"])
    width = max(len(name) for name in [*content["classes"], "class"])
    lines.append(f"  {'class':{width}}  " + "  ".join(f"{part:>10}" for part in parts))
    for number, name in enumerate(content["classes"]):
        row = "  ".join(f"{content['counts'][part][number]:>10,}" for part in parts)
        lines.append(f"  {name:{width}}  {row}")
    if groups := content["groups"]:
        lines.append(f"groups: {groups['n']:,}, the largest of {groups['largest']:,} {things}")
    return lines


def _lines(content: dict[str, Any]) -> list[str]:
    sizes = content["sizes"]
    lines = _count_lines(content, "pictures")
    if sizes["median"]:
        smallest, median, largest = (" x ".join(map(str, sizes[key])) for key in ("smallest", "median", "largest"))
        lines.append(f"sizes: median {median}, from {smallest} to {largest}, {sizes['n_different']:,} different")
    lines += [
        f"{what}: " + ", ".join(f"{name} {n:,}" for name, n in content[what].items()) for what in ("modes", "formats")
    ]
    if content["unreadable"]:
        lines += ["", f"error: {len(content['unreadable']):,} files cannot be read as pictures"]
        lines += [f"  {bad['id']}: {bad['reason']}" for bad in content["unreadable"]]
    if content["passed_over"]:
        lines += ["", f"passed over: {len(content['passed_over']):,}"]
        lines += [f"  {thing['name']}: {thing['reason']}" for thing in content["passed_over"][:20]]
    lines += ["", _pairs_line(content["pairs"])]
    lines += ["", *finding_lines(content["findings"])] if content["findings"] else ["", "nothing found to doubt"]
    return [*lines, "", f"page  {content['page']}", f"samples  {content['samples']}"]


def _pairs_line(pairs: dict[str, Any]) -> str:
    if not pairs["n"]:
        return "pairs of near copies: none"
    words = {
        "across-parts": "in two parts",
        "two-labels": "under two labels",
        "within-part": "of one label, not in two parts",
    }
    kinds = ", ".join(f"{n:,} {words[kind]}" for kind, n in pairs["n_of_kind"].items() if n)
    more = f"; at least {pairs['n_dropped']:,} more were left out" if pairs["n_dropped"] else ""
    return f"pairs of near copies: {pairs['n']:,} ({kinds}), {pairs['n_exact']:,} of them exact{more}"
