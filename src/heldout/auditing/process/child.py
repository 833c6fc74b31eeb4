"""The process in which a script runs under watch: `python child.py LOG SECONDS STEPS KIND TARGET ARGS...`.

This file is run by its path, and not by `-m`, so that Python starts as it does for any script. What it does first is to
remember which modules Python had imported by itself: a file of the user's called `random.py` must be found by the
script although we have imported Python's own.
"""

import sys

_AT_FIRST = frozenset(sys.modules)


def main(arguments: list[str]) -> None:
    """Run the script, keep its log, and leave as the script leaves.

    Args:
        arguments: The log's file; seconds and steps after which it is stopped, 0 for never; `script`, `module` or
            `notebook`; what to run; and its own arguments.
    """
    # Python put the folder of this file where the script's belongs, unless it was asked to put none.
    finds_neighbours = not sys.flags.safe_path or __spec__ is not None
    if not sys.flags.safe_path:
        del sys.path[0]
    _load_ours()
    from heldout.auditing.process.as_main import Order, run

    log, seconds, steps, kind, target, *own = arguments
    order = Order(log, float(seconds), int(steps), kind, target, own)
    run(order, at_first=_AT_FIRST, finds_neighbours=finds_neighbours)


def _load_ours() -> None:
    """Import this very package, whatever else of its name lies on the path."""
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    if "heldout" not in sys.modules:
        folder = Path(__file__).absolute().parents[2]
        spec = spec_from_file_location("heldout", folder / "__init__.py", submodule_search_locations=[str(folder)])
        assert spec is not None
        assert spec.loader is not None
        sys.modules["heldout"] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules["heldout"])


if __name__ == "__main__":
    main(sys.argv[1:])
