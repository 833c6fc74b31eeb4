"""Make a golden run: a finished run folder, its pictures, and what this version says about them, in one small .tar.

    python tests/golden/make_golden.py            writes tests/golden/run-VERSION.tar

It is made once for each version that changes what lies in a run folder, and never made again: every later version must
open it. `tests/golden/test_golden.py` opens all that are here.

    photos/         24 generated pictures of 3 classes, as files, for encoders change
    runs/           the run: regime scratch, timm's smallest network, 6 epochs
    expected.json   what `predict` and `evaluate` answered when it was made
"""

import json
import os
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from journeys.command_line import heldout
from make import class_folders

RUN = Path("runs/photos-001")
ARGUMENTS = ("--regime", "scratch", "--backbone", "timm:test_efficientnet", "--epochs", "6", "--batch-size", "8")
SETTINGS = ("--set", "training.precision=float32", "--learning-rate", "0.003")
KEPT = ("photos", "runs", "expected.json")


def main() -> None:
    """Write the .tar for the version that is installed."""
    with tempfile.TemporaryDirectory(prefix="golden-") as name:
        home = Path(name)
        os.environ |= {"HELDOUT_CACHE": str(home / "cache"), "OMP_NUM_THREADS": "1"}
        class_folders(home / "photos", 8)
        done = heldout("train", "photos", *ARGUMENTS, *SETTINGS, cwd=home)
        assert done.code == 0, done.err
        target = Path(__file__).parent / f"run-{version('heldout')}.tar"
        # Before the run is asked anything: an evaluation is one more opening of its held-out part.
        with tarfile.open(home / "golden.tar", "w") as archive:
            for kept in KEPT[:2]:
                archive.add(home / kept, kept, filter=_anonymous)
        expected = {"predict": _answer("predict", home), "evaluate": _answer("evaluate", home)}
        (home / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
        with tarfile.open(home / "golden.tar", "a") as archive:
            archive.add(home / KEPT[2], KEPT[2], filter=_anonymous)
        target.write_bytes((home / "golden.tar").read_bytes())
        print(f"{target}: {target.stat().st_size:,} bytes")


def _answer(command: str, home: Path) -> object:
    done = heldout(command, RUN, "photos", "--json", cwd=home)
    assert done.code in (0, 1), done.err
    return done.json()


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without who made it, and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main()
