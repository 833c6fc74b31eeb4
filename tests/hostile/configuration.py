"""Plans and flags that cannot be meant, or that were made to harm."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from hostile.folders import Argument, Case, photos


def _plan(name: str, content: str | bytes, *says: str, flags: Sequence[str] = ()) -> Case:
    def make(home: Path) -> Sequence[Argument]:
        photos(home / "photos")
        data = content.encode() if isinstance(content, str) else content
        (home / "plan.toml").write_bytes(data)
        return ["train", "photos", "--plan", "plan.toml", *flags]

    return Case(name, make, says)


def _flags(name: str, flags: Sequence[str], *says: str) -> Case:
    def make(home: Path) -> Sequence[Argument]:
        photos(home / "photos")
        return ["train", "photos", *flags]

    return Case(name, make, says)


def _other_plan(name: str, make_plan: Callable[[Path], object], *says: str) -> Case:
    def make(home: Path) -> Sequence[Argument]:
        photos(home / "photos")
        make_plan(home / "plan.toml")
        return ["train", "photos", "--plan", "plan.toml"]

    return Case(name, make, ["plan.toml", *says])


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 10 * 2**30)


_FULL = '[model]\nregime = "full"\n[training]\n'
_NO_TOML = "the plan 'plan.toml' is no TOML: "

CONFIGURATION = (
    _plan("lists that nest deeply", "a = " + "[" * 16_000, _NO_TOML),
    _plan("tables that nest deeply", "a = " + "{a = " * 3000, _NO_TOML),
    _plan("a key of many parts", ".".join("a" * 8000) + " = 1", "the plan has no setting 'a.a'"),
    _plan("a key of very many parts", ".".join("a" * 20_000) + " = 1", "'plan.toml'", "40,003 bytes"),
    _plan("one key twice", "seed = 1\nseed = 2\n", _NO_TOML, "overwrite"),
    _plan("one table twice", '[model]\nregime = "full"\n[model]\nregime = "frozen"\n', _NO_TOML, "twice"),
    _plan("Python in YAML", '!!python/object/apply:os.system ["touch PWNED"]\n', _NO_TOML),
    _plan("JSON", '{"seed": 1}', _NO_TOML),
    _plan("UTF-16", "seed = 1\n".encode("utf-16"), _NO_TOML),
    _plan("a NUL in the file", b"seed = 1\0\n", _NO_TOML),
    _plan("a number of 5,000 digits", "seed = " + "1" * 5000, _NO_TOML),
    _plan("an unknown key", _FULL + "learing_rate = 0.1\n", "training.learing_rate", 'mean "training.learning_rate"?'),
    _plan("an unknown table", "[modle]\nregime = 'full'\n", "modle.regime", 'mean "model.regime"?'),
    _plan("a learning rate of nan", _FULL + "learning_rate = nan\n", "learning_rate is nan"),
    _plan("a learning rate of inf", _FULL + "learning_rate = inf\n", "learning_rate is inf"),
    _plan("a negative learning rate", _FULL + "learning_rate = -1\n", "learning_rate is -1"),
    _plan("a learning rate in quotes", _FULL + 'learning_rate = "1e-3"\n', "learning_rate is '1e-3'"),
    _plan("a learning rate that is a date", _FULL + "learning_rate = 2026-11-22\n", "learning_rate is datetime.date"),
    _plan("epochs without end", _FULL + "epochs = 1_000_000_000\n", "epochs is 1000000000"),
    _plan("epochs with a fraction", _FULL + "epochs = 1e9\n", "epochs is 1000000000.0"),
    _plan("a batch of -1", _FULL + "batch_size = -1\n", "batch_size is -1"),
    _plan("a batch of 10^18", _FULL + "batch_size = 1000000000000000000\n", "batch_size is 1000000000000000000"),
    _plan("a NUL in the name", 'name = "a\\u0000b"\n', r"name is 'a\x00b'"),
    _plan("a line end in the name", 'name = "a\\nb"\n', r"name is 'a\nb'"),
    _plan("a name that leads out", 'name = "../../a"\n', "name is '../../a'"),
    _plan("a NUL in the output", 'out = "a\\u0000b"\n', r"out is 'a\x00b'"),
    _plan("a NUL in the weights", '[model]\nweights = "a\\u0000b"\n', r"'a\x00b'"),
    _plan("a NUL in the device", 'device = "cpu\\u0000"\n', r"device is 'cpu\x00'"),
    _plan("a NUL in the groups", '[data]\ngroup_by = "a\\u0000b("\n', r"group_by is 'a\x00b('"),
    _flags("a NUL in the data", ["--set", 'data.path="a\\u0000b"'], r"a\x00b"),
    _flags("an escape sequence in a flag", ["--regime", "\x1b[31mred\n"], r"regime is '\x1b[31mred\n'"),
    _flags("an escape sequence in the plan's path", ["--plan", "\x1b[31m.toml"], r"'\x1b[31m.toml'"),
    _flags("a line end in the weights", ["--weights", "a\nb"], r"'a\nb'"),
    _flags("bytes that are no UTF-8", ["--set", "name=\udcff"], r"'\udcff'"),
    _flags("an address that is none", ["--set", "data.path=http://169.254.169.254/"], "http"),
    _flags("groups by an expression that is none", ["--group-by", "("], "group_by is '('"),
    _other_plan("a pipe as the plan", os.mkfifo, "no regular file"),
    _other_plan("an endless plan", lambda path: path.symlink_to("/dev/zero"), "no regular file"),
    _other_plan("a plan of 10 GB", _sparse, "10,737,418,240 bytes"),
    _other_plan("a folder as the plan", lambda path: path.mkdir(), "cannot be read"),
    _other_plan("a plan that is not there", lambda path: None, "cannot be read"),
)
