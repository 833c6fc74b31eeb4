"""Folders of pictures in which something is odd, or that cannot be used."""

import os
import socket
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hostile.limited import Limits
from hostile.pictures import drawn, saved

Argument = str | bytes | Path


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is wrong, and what must be said of it.

    Attributes:
        name: What it is.
        make: Makes it below a folder, and gives the arguments of the command that meets it there.
        says: Words that standard error must have, the path among them; of a check that is done, standard output.
        code: How the command must end.
        limits: What it may use.
    """

    name: str
    make: Callable[[Path], Sequence[Argument]]
    says: Sequence[str]
    code: int = 2
    limits: Limits = field(default_factory=Limits)


def photos(root: Path, *, classes: Sequence[str | bytes] = ("cat", "dog"), n: int = 4, start: int = 0) -> Path:
    """So many pictures a class, none like another."""
    for number, name in enumerate(classes):
        folder = root / os.fsdecode(name)
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(n):
            (folder / f"{index:03d}.png").write_bytes(saved(drawn(seed=start + 1000 * number + index), "PNG"))
    return root


ODD_NAMES = (
    "new\nline.png",
    "escape\x1b[31m\x1b]0;title\x07.png",
    "<script>alert(1)<.png",
    '"><img src=x onerror=alert(1)>.png',
    "{{7*7}}.png",
    "right to left \u202egnp.png",
    "x" * 251 + ".png",
    "-rf.png",
    "=cmd().png",
    " blanks .png",
    "#.png",
    "%2e%2e%2f.png",
    "日本 ünï ★.PNG",
)
ODD_CLASSES = ("no", "NA", "null", "1e3", "007", "<b>bold</b>".replace("/", "\u2215"), "{{7*7}}", "a\nb", "-x", "=1+1")


def with_odd_names(root: Path) -> Path:
    """Pictures and classes that are called what harms careless programs."""
    photos(root, classes=ODD_CLASSES, n=3)
    for number, name in enumerate(ODD_NAMES):
        (root / "no" / name).write_bytes(saved(drawn(seed=9000 + number), "PNG"))
    return root


# Name below the root -> why it is passed over.
PASSED_OVER = {
    "cat/pipe.jpg": "a named pipe",
    "cat/endless.jpg": "a character device",
    "cat/socket.jpg": "a socket",
    "cat/nowhere.jpg": "a link that leads nowhere",
    "cat/loop": "a link to a folder inside a class folder",
    "cat/round.jpg": "a link that leads nowhere",
    "cat/notes.txt": "no picture suffix",
    "cat/.hidden.jpg": "the name begins with a dot",
    "loop": "a link that leads back",
    "empty": "a class folder without pictures",
    "lonely.png": "outside of any class folder",
}


def with_no_files(root: Path) -> Path:
    """Pictures beside pipes, devices, sockets, links in circles, links out of the folder, and folders called .jpg."""
    photos(root)
    cat = root / "cat"
    os.mkfifo(cat / "pipe.jpg")
    (cat / "endless.jpg").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(cat / "socket.jpg"))
    (cat / "nowhere.jpg").symlink_to("absent.jpg")
    (cat / "loop").symlink_to(".")
    (cat / "round.jpg").symlink_to("round.jpg")
    (cat / "notes.txt").write_text("no picture")
    (cat / ".hidden.jpg").write_bytes(b"")
    (root / "loop").symlink_to(".")
    (root / "empty").mkdir()
    (root / "lonely.png").write_bytes(saved(drawn(seed=77), "PNG"))
    (cat / "folder.jpg").mkdir()
    outside = root.parent / "outside.png"
    outside.write_bytes(saved(drawn(seed=78), "PNG"))
    (cat / "outside.png").symlink_to(outside)
    return root


def _checked(make: Callable[[Path], object]) -> Callable[[Path], Sequence[Argument]]:
    """Of what is made, `photos` is checked."""

    def made(home: Path) -> Sequence[Argument]:
        make(home)
        return ["check", "photos"]

    return made


def _without_utf8(root: Path, name: bytes) -> None:
    photos(root / "photos")
    if name.endswith(b".png"):
        (root / "photos" / os.fsdecode(name)).write_bytes(saved(drawn(), "PNG"))
    else:
        photos(root / "photos", classes=[name])


def _unreadable(home: Path, name: str) -> None:
    photos(home / "photos")
    (home / "photos" / name).chmod(0)


def _out(out: str) -> Callable[[Path], Sequence[Argument]]:
    def made(home: Path) -> Sequence[Argument]:
        photos(home / "photos")
        return ["check", "photos", "--out", out]

    return made


def _read_only_out(home: Path) -> Sequence[Argument]:
    photos(home / "photos")
    (home / "shut").mkdir(mode=0o555)
    return ["check", "photos", "--out", "shut/checks"]


def _empty(home: Path) -> None:
    (home / "photos").mkdir()


def _empty_classes(home: Path) -> None:
    for name in ("cat", "dog"):
        (home / "photos" / name).mkdir(parents=True)


def _flat(home: Path) -> None:
    photos(home, classes=["photos"])


E_ACUTE = "caf\u00e9"
FOLDERS = (
    Case("a named pipe as the data", _checked(lambda home: os.mkfifo(home / "photos")), ["photos", "neither a folder"]),
    Case(
        "an endless device as the data",
        _checked(lambda home: (home / "photos").symlink_to("/dev/zero")),
        ["photos", "neither a folder"],
    ),
    Case(
        "a link to itself as the data",
        _checked(lambda home: (home / "photos").symlink_to("photos")),
        ["photos", "symbolic links"],
    ),
    Case("no such folder", _checked(lambda home: None), ["photos", "does not exist"]),
    Case("an empty folder", _checked(_empty), ["photos", "is empty"]),
    Case("pictures without classes", _checked(_flat), ["photos", "outside of class folders"]),
    Case("one class", _checked(lambda home: photos(home / "photos", classes=["cat"])), ["photos", "one class only"]),
    Case(
        "classes that are all empty",
        _checked(_empty_classes),
        ["photos", "no picture"],
    ),
    Case(
        "classes that differ in case",
        _checked(lambda home: photos(home / "photos", classes=["Cat", "cat", "dog"])),
        ["photos", "'Cat' and 'cat'"],
    ),
    Case(
        "classes that differ in Unicode form",
        _checked(lambda home: photos(home / "photos", classes=[E_ACUTE, unicodedata.normalize("NFD", E_ACUTE)])),
        ["photos", r"'cafe\u0301' and 'caf\xe9'"],
    ),
    Case("a class that is no UTF-8", _checked(lambda home: _without_utf8(home, b"\xff")), ["photos", r"'\udcff'"]),
    Case("a picture that is no UTF-8", _checked(lambda home: _without_utf8(home, b"cat/\xff.png")), [r"'\udcff.png'"]),
    Case(
        "a class that may not be read",
        _checked(lambda home: _unreadable(home, "cat")),
        ["photos/cat", "no permission"],
        limits=Limits(is_plain_user=True),
    ),
    Case(
        "a picture that may not be read",
        _checked(lambda home: _unreadable(home, "cat/001.png")),
        ["1 files cannot be read", "cat/001.png: cannot be opened: Permission denied"],
        code=1,
        limits=Limits(is_plain_user=True),
    ),
    Case("a class of one picture", _checked(lambda home: _single(home / "photos")), ["'dog (1: none in"], code=1),
    Case("output that is the input", _out("photos"), ["--out", "photos"]),
    Case("output inside the input", _out("photos/checks"), ["--out", "photos"]),
    Case("output that is a file", _out("photos/cat/000.png"), ["--out", "photos"]),
    Case(
        "output that may not be written",
        _read_only_out,
        ["shut/checks", "Permission denied"],
        code=74,
        limits=Limits(is_plain_user=True),
    ),
)


def _single(root: Path) -> None:
    photos(root, classes=["cat"], n=12)
    photos(root, classes=["dog"], n=1, start=5000)
