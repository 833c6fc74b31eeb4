"""The entry point: finds the command, runs it, and turns errors into what / expected / fix and an exit code.

It imports next to nothing at its top: what comes before `main` cannot answer Ctrl-C.
"""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from heldout.errors import HeldoutError

# Name -> what the list of commands says. The file of the same name is imported when the command is called.
COMMANDS = {
    "demo": "train on real pictures that an installed package ships: no file, no network",
    "check": "look at labelled pictures: counts, unreadable files, copies, leaks, samples",
    "train": "labelled pictures -> a run folder with model, numbers and report.html",
    "sweep": "regimes x learning rates x seeds, fresh every time; the held-out part opened once, for the winner",
    "compare": "two models on the same held-out pictures: which is better, and can these pictures tell",
    "evaluate": "score a run on labelled pictures",
    "predict": "labels and calibrated probabilities of pictures",
    "report": "make report.html of a run again",
    "resume": "go on with a run that was killed or stopped; --verify replays a run and compares",
    "audit": "run a PyTorch training script as it is, and say why its numbers cannot be trusted",
    "explain": "the arithmetic behind a model: count, graph, decay, neuron, region",
    "doctor": "versions, devices, and which fast paths work here",
}
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
EXIT_INTERNAL = 70
HELP = """heldout: from labelled pictures to a trained classifier with numbers you can trust

usage: heldout COMMAND [options]        heldout COMMAND --help tells more

{commands}

exit codes: 0 fine · 1 a check failed · 2 usage or bad input · 70 a fault of heldout · 71 out of memory
            74 the disk refused · 75 the run folder is in use · 76 a run folder is damaged
            130 interrupted, 143 terminated: `heldout resume RUN` goes on
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        from heldout.interrupting import end_on_sigterm

        end_on_sigterm()
        code = run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = interrupted()
    except SystemExit as end:
        code = interrupted(EXIT_TERMINATED) if end.code == EXIT_TERMINATED else int(end.code or 0)
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        code = broken(error, as_json="--json" in arguments)
    sys.exit(code)


def interrupted(code: int = EXIT_INTERRUPTED) -> int:
    """Say what an interruption means, and give its exit code."""
    word = "terminated" if code == EXIT_TERMINATED else "interrupted"
    print(f"\n{word}: what was finished is kept, and `heldout resume RUN` goes on with a run", file=sys.stderr)
    return code


def broken(error: Exception, *, as_json: bool = False) -> int:
    """Say that something failed for which there is no error of ours, and give its exit code."""
    from heldout.errors import OutOfMemory, is_want_of_memory
    from heldout.memory_limits import is_short

    if is_want_of_memory(error) or is_short():
        fix = "use a machine with more memory, or end other programs; `heldout resume RUN` goes on with a run"
        expected = "the memory that was asked for"
        return say_error(OutOfMemory("there is not enough memory", expected=expected, fix=fix), as_json=as_json)
    import traceback

    print(f"error: a fault of heldout itself: {type(error).__name__}: {error}", file=sys.stderr)
    traceback.print_exception(error)
    return EXIT_INTERNAL


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code."""
    if not arguments or arguments[0] in {"--help", "-h", "help"}:
        width = max(map(len, COMMANDS))
        commands = "\n".join(f"  heldout {name:{width}}  {words}" for name, words in COMMANDS.items())
        print(HELP.format(commands=commands), end="")
        return 0
    if arguments[0] == "--version":
        from importlib.metadata import version

        print(f"heldout {version('heldout')}")
        return 0
    from heldout.errors import HeldoutError, OutOfMemory, UsageError, is_want_of_memory, nearest

    name = arguments[0]
    try:
        if name not in COMMANDS:
            raise UsageError(
                f"there is no command {name!r}{nearest(name, COMMANDS)}",
                expected=f"one of {', '.join(COMMANDS)}",
                fix="heldout --help",
            )
        if not {"--help", "-h"} & set(arguments):
            from heldout.memory_limits import begin_within_limits

            begin_within_limits()
        return _call(name, arguments[1:])
    except HeldoutError as error:
        if is_want_of_memory(error) and not isinstance(error, OutOfMemory):
            raise MemoryError from error  # a file that could not be read for want of memory is not damaged
        return say_error(error, as_json="--json" in arguments)


def _call(name: str, arguments: list[str]) -> int:
    import logging

    import typer

    from heldout.errors import UsageError

    # What the parser raises for a wrong option or value. Typer makes public only one kind of it, so this is its parent.
    parser_error = cast(type[Exception], typer.BadParameter.__mro__[1])
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("heldout").setLevel(logging.INFO)
    app = import_module(f"heldout.cli.{name}").app
    try:
        result = app(args=arguments, prog_name=f"heldout {name}", standalone_mode=False)
    except typer.Abort:
        return interrupted()
    except parser_error as error:
        what = str(error.format_message()).rstrip(".") + _received(error, arguments)  # type: ignore[attr-defined]
        raise UsageError(
            f"heldout {name}: {what}",
            expected=f"options and values as `heldout {name} --help` lists them",
            fix=f"heldout {name} --help",
        ) from None
    # Typer turns Ctrl-C into this code, without a word.
    return interrupted() if result == EXIT_INTERRUPTED else int(result or 0)


def _received(error: Exception, arguments: list[str]) -> str:
    """The value that a refused option was given, for the message; nothing where the message is about no value."""
    names = getattr(getattr(error, "param", None), "opts", ())
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name.startswith("-") and name in names and (equals or position + 1 < len(arguments)):
            return f"; received {value if equals else arguments[position + 1]!r}"
    return ""


def say_error(error: "HeldoutError", *, as_json: bool) -> int:
    """Print an error in its three parts, and for a program as JSON too; give the exit code."""
    print(f"error: {error}", file=sys.stderr)
    if as_json:
        import json

        parts = {"what": error.what, "expected": error.expected, "fix": error.fix, "exit_code": error.exit_code}
        print(json.dumps({"error": parts}))
    return error.exit_code


if __name__ == "__main__":
    main()
