"""heldout doctor."""

from typing import Any

import typer

from heldout.cli.options import Json
from heldout.cli.showing import print_json, print_lines

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Versions, devices, which fast paths work here, and what to do about those that don't."""
    from heldout.verbs.health import look_around

    found = look_around()
    if as_json:
        print_json(found)
    else:
        print_lines(_lines(found))


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"heldout {found['heldout']}, Python {found['python']}, {found['platform']}"]
    lines.append(f"{found['cpu']}, {found['n_cores']} cores")
    lines += ["", "packages: " + ", ".join(f"{name} {version}" for name, version in found["packages"].items()), ""]
    for path in found["fast_paths"]:
        lines.append(f"{'yes' if path['works'] else 'no '}  {path['name']}: {path['detail']}")
        if path["fix"]:
            lines.append(f"     fix: {path['fix']}")
    lines += ["", "backbones:"]
    for backbone in found["backbones"]:
        lines.append(f"  {backbone['name']}: {backbone['weights']}")
    return [*lines, "", f"cache: {found['cache']}"]
