"""Tables that anybody may put before heldout: refused in one clear message, or used by a rule that is written down.

Every refusal goes through the real command line, with a limit on memory and on time. What is used all the same is
looked at in the data folder alone, one process for all of it, with the same limits on memory.
"""

import gzip
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hostile.folders import Argument, Case
from hostile.limited import MAX_ADDRESS_BYTES, MAX_RESIDENT_BYTES, SECONDS, Commands
from hostile.test_bad_inputs import met


def written(content: bytes, name: str = "t.csv", target: str = "label") -> Callable[[Path], Sequence[Argument]]:
    """Makes a file, and gives the arguments that train on it."""

    def make(home: Path) -> Sequence[Argument]:
        (home / name).write_bytes(content)
        return ("train", home / name, "--target", target, "--out", home / "run")

    return make


def rows_of(label: Callable[[int], object], more: Callable[[int], object] | None = None, n: int = 60) -> bytes:
    """A CSV file with a column x, a label and perhaps one column more."""
    first = "x,label" + (",more" if more else "")
    rows = (f"{i * 37 % 61},{label(i)}" + (f",{more(i)}" if more else "") for i in range(n))
    return "\n".join([first, *rows, ""]).encode()


def fifo(home: Path) -> Sequence[Argument]:
    os.mkfifo(home / "t.csv")
    return ("train", home / "t.csv", "--target", "label", "--out", home / "run")


def two_files(home: Path) -> Sequence[Argument]:
    (home / "u.csv").write_bytes(b"y,label\n1,a\n")
    return (*written(rows_of(lambda i: "ab"[i % 2]))(home), "--test", home / "u.csv")


REFUSED = (
    Case("empty", written(b""), ["t.csv", "is empty"]),
    Case("header only", written(b"x,label\n"), ["t.csv", "no row below"]),
    Case("ragged rows", written(b"x,label\n1,a\n2\n3,b\n"), ["row 3 of", "t.csv", "has 1 cell"]),
    Case("duplicate headers", written(b"x,label,x\n1,a,2\n"), ["t.csv", "more than one column called 'x'"]),
    Case("NUL byte", written(b"x,label\n1,a\x00\n"), ["t.csv", "NUL byte"]),
    Case("UTF-16 without a mark", written("x,label\n1,a\n".encode("utf-16-le")), ["t.csv", "NUL byte"]),
    Case("Latin-1", written(b"x,label\n1,\xe9\n2,b\n"), ["t.csv", "no UTF-8 text"]),
    Case("unclosed quote", written(b'label,x\na,1\nb,"2\na,3\nb,4\n'), ["t.csv", "quote that is never closed"]),
    Case("packed bomb", written(gzip.compress(bytes(10**8)), "t.csv.gz"), ["t.csv.gz", "unpacks to more than"]),
    Case("no Parquet", written(b"PAR1" * 9, "t.parquet"), ["t.parquet", "cannot be read"]),
    Case("no Arrow", written(b"ARROW1" * 9, "t.arrow"), ["t.arrow", "cannot be read"]),
    Case("named pipe", fifo, ["t.csv", "a named pipe"]),
    Case("target absent", written(rows_of(lambda i: "ab"[i % 2]), target="labels"), ['did you mean "label"?']),
    Case("target by place", written(b"1 2\n3 4\n", "t.txt", "7"), ["2 columns without names"]),
    Case("target constant", written(rows_of(lambda i: "a")), ["'a' in all 60 rows"]),
    Case("target all unique", written(rows_of(lambda i: f"n{i}")), ["60 different labels in 60 rows"]),
    Case("target of quantities", written(rows_of(lambda i: i % 7 / 2)), ["not all whole"]),
    Case("target empty", written(rows_of(lambda i: "")), ["has no label"]),
    Case("some labels empty", written(rows_of(lambda i: "ab"[i % 2] if i else "")), ["1 of 60 rows", "'t.csv:01'"]),
    Case(
        "target equal to a feature",
        written(rows_of(lambda i: "ab"[i * i % 3 % 2], lambda i: "ab"[i * i % 3 % 2])),
        ["the column 'more' of", "t.csv", "says the label"],
    ),
    Case(
        "nothing but ids",
        written(b"row,label\n" + b"".join(b"%d,%d\n" % (i, i % 3 % 2) for i in range(60))),
        ["row number"],
    ),
    Case("files that differ", two_files, ["u.csv", "lacks 'x' and has 'y' more"]),
)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_bad_tables_are_refused(case: Case, training: Commands, tmp_path: Path) -> None:
    met(case, training, tmp_path)


_USE = """
import json, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
import numpy as np
from heldout.data.tabular.encoding import fit_encoder
from heldout.data.splits import make_split
from heldout.data.tabular.table_problems import find_table_problems, row_clusters
from heldout.data.tabular.tables import find_table
for path in sorted(Path(sys.argv[1]).iterdir()):
    examples = find_table(path, "label")
    source = examples.source
    split = make_split(examples, seed=0, clusters=row_clusters(source, examples.ids))
    encoder = fit_encoder(source.table, source.rows_of(examples.ids)[split.indices("train")])
    features = encoder.encode(source.table)
    assert np.isfinite(features).all()
    found = find_table_problems(examples, split, encoder)
    # Not ru_maxrss, which begins with what the process that started this one had.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(json.dumps([path.stem, examples.classes, len(examples), features.shape[1], [one.code for one in found],
        int(status["VmHWM"].split()[0]) * 1024]))
"""


def test_odd_tables_are_used_by_the_rules(tmp_path: Path) -> None:
    label = ["NA", "null", "None"].__getitem__
    tables = {
        "1 words for missing": rows_of(lambda i: label(i * i % 7 % 3), lambda i: i % 5 / 2),
        "2 infinite": rows_of(lambda i: "ab"[i % 3 % 2], lambda i: ["inf", "NaN", "1e400", "9" * 5000, i][i % 5]),
        "3 mixed lines": rows_of(lambda i: "ab"[i % 3 % 2]).replace(b"\n", b"\r\n", 9).replace(b"\r\n", b"\r", 2),
        "4 UTF-16": rows_of(lambda i: "éü"[i % 3 % 2]).decode().encode("utf-16"),
        "5 mark": b"\xef\xbb\xbf" + rows_of(lambda i: "ab"[i % 3 % 2]),
        "6 long cell": rows_of(lambda i: "ab"[i % 3 % 2], lambda i: "x" * (200_000 if i == 7 else 1 + i % 2)),
        "7 dates": rows_of(lambda i: "ab"[i % 3 % 2], lambda i: f"{i % 28 + 1:02d}/01/2020"),
        "8 ids": rows_of(lambda i: "ab"[i % 3 % 2], lambda i: f"id{i}"),
        "9 wide": b",".join([b"label", *(b"c%d" % i for i in range(1_000))])
        + b"".join(b"\n%d" % (i * i % 7 % 2) + b",%d" % (i * i % 11) * 1_000 for i in range(100)),
    }
    for name, content in tables.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [sys.executable, "-c", _USE, str(tmp_path), str(MAX_ADDRESS_BYTES)],
        capture_output=True,
        text=True,
        timeout=3 * SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert used.ru_utime - before.ru_utime < SECONDS
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [name for name, *_ in found] == sorted(tables)
    assert max(resident for *_, resident in found) < MAX_RESIDENT_BYTES
    classes, sizes, widths, codes = ([one[i] for one in found] for i in (1, 2, 3, 4))
    assert classes[0] == ["NA", "None", "null"]
    assert classes[3] == ["é", "ü"]
    assert set(sizes) == {60, 100}
    assert widths == [2, 3, 1, 1, 1, 3, 27, 1, 1_000]
    assert "infinite-values" in codes[1]
    assert "date-as-text" in codes[6]
    assert "id-column" in codes[7]
