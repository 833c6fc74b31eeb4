"""A log is kept in one piece, and read as it was written."""

from pathlib import Path

from auditing.make_logs import LogMaker
from heldout.auditing.seen.log import read_log, write_log


def test_a_log_comes_back_as_it_was_written(tmp_path: Path) -> None:
    made = LogMaker()
    made.model()
    made.loop(made.data_set("val_loader"), [9, 7], [10, 8])
    made.says("val acc 0.889")
    write_log(tmp_path / "log", made.log)
    read = read_log(tmp_path / "log")
    assert read is not None
    assert (read.passes, read.printed, read.stretches[0].sizes) == (
        made.log.passes,
        made.log.printed,
        made.log.stretches[0].sizes,
    )
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_where_none_was_written_there_is_none(tmp_path: Path) -> None:
    assert read_log(tmp_path / "log") is None


def test_what_is_right_is_known_where_labels_came_with_every_call() -> None:
    made = LogMaker()
    made.model()
    stretch = made.loop(made.data_set("val_loader"), [9, 7], [10, 8])
    assert (stretch.n_samples, stretch.n_right) == (18, 16)
    made.goes_on(stretch, [-1], [4])
    assert (stretch.n_samples, stretch.n_right) == (22, None)
