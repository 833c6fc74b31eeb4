"""The real command line in a process of its own, and what it left behind."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from journeys.forked import READ_AT_IMPORT, start

COMMAND = (sys.executable, "-m", "heldout.cli.main")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Standard output, which must be one JSON object and nothing else."""
        content = json.loads(self.out)
        assert isinstance(content, dict)
        return content


def heldout(
    *arguments: str | Path,
    cwd: Path,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
    is_fresh: bool = False,
) -> Outcome:
    """Run one command in `cwd` and wait for its end.

    Args:
        arguments: Of the command.
        cwd: Its working folder.
        stdin: What it reads.
        environment: Variables beside those of the tests.
        before: Runs in its process before Python starts.
        is_fresh: Whether Python is started anew; otherwise a process that has imported everything forks, unless what
            is asked for must be there before.
    """
    if not (is_fresh or before or READ_AT_IMPORT & (environment or {}).keys()):
        process = start([*map(str, arguments)], cwd=cwd, environment=os.environ | dict(environment or {}), stdin=stdin)
        out, err = process.communicate()
        return Outcome(process.wait(0), out, err)
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        env=os.environ | dict(environment or {}),
        preexec_fn=before,
        capture_output=True,
        timeout=280,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode())


def fine(outcome: Outcome) -> Outcome:
    """The same, after seeing that it went well."""
    assert outcome.code == 0, outcome.err
    return outcome


def is_told(outcome: Outcome, code: int = 2) -> None:
    """An error for a reader: the code, the three parts, no traceback, nothing on standard output."""
    assert outcome.code == code, (outcome.code, outcome.err)
    assert "Traceback" not in outcome.err, outcome.err
    lines = outcome.err.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("error: "))
    assert len(lines[first].removeprefix("error: ").strip()) > 10, outcome.err
    assert any(line.startswith("  expected: ") for line in lines[first:]), outcome.err
    assert any(line.startswith("  fix: ") for line in lines[first:]), outcome.err
    assert outcome.out == ""


def content_of(folder: Path) -> dict[str, str]:
    """Every name below a folder, with a hash of the bytes of those that are files."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }
