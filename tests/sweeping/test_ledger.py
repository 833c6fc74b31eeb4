"""The ledger: whole lines count, others are done again, whatever happened to the file."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heldout.sweeping.ledger import LEDGER, TrialResult, append_result, read_ledger
from heldout.sweeping.space import Setting


def result(number: int) -> TrialResult:
    correct = np.random.default_rng(number).random(37) < 0.8
    return TrialResult(
        key=f"key{number}",
        setting=Setting("full", "resnet18", 0.1 / (number + 1), 32),
        seed=number,
        outcome="finished",
        initial="a" * 64,
        final=f"{number:064d}",
        n_train=148,
        n_validation=37,
        n_correct=int(correct.sum()),
        validation_loss=0.1 * number,
        score=float(correct.mean()),
        best_epoch=1,
        n_epochs=2,
        history=({"epoch": 1, "train_loss": None, "validation_loss": 0.3, "validation_accuracy": 0.5},),
        correct=np.packbits(correct).tobytes(),
        multiply_adds=10**15,
        seconds=1.5,
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / LEDGER
    for number in range(4):
        append_result(path, result(number))
    return path


def test_what_is_appended_is_read_back(ledger: Path) -> None:
    assert read_ledger(ledger) == [result(number) for number in range(4)]
    assert result(2).is_correct().sum() == result(2).n_correct
    assert read_ledger(ledger.with_name("absent.jsonl")) == []


def test_a_ledger_cut_at_any_byte_has_the_lines_that_were_whole(ledger: Path) -> None:
    content = ledger.read_bytes()
    ends = [position + 1 for position, byte in enumerate(content) if byte == ord("\n")]
    for length in range(0, len(content), 7):
        ledger.write_bytes(content[:length])
        n_whole = sum(end - 1 <= length for end in ends)
        assert [one.seed for one in read_ledger(ledger)] == list(range(n_whole))
        append_result(ledger, result(9))
        assert [one.seed for one in read_ledger(ledger)] == [*range(n_whole), 9], "the next line spoils nothing"


def test_a_changed_byte_costs_its_line_and_no_other(ledger: Path) -> None:
    content = ledger.read_bytes()
    first = content.index(b"\n") + 1
    for position in range(first, content.index(b"\n", first), 11):
        changed = bytearray(content)
        changed[position] ^= 1
        ledger.write_bytes(changed)
        assert {0, 2, 3} <= {one.seed for one in read_ledger(ledger)} <= {0, 1, 2, 3}
        assert all(one == result(one.seed) for one in read_ledger(ledger)), position


def test_a_trial_counts_once_as_it_came_first_unless_it_failed(ledger: Path) -> None:
    append_result(ledger, replace(result(1), final="other"))
    assert read_ledger(ledger)[1] == result(1)
    append_result(ledger, TrialResult(key="new", setting=result(0).setting, seed=7, outcome="failed", why="killed"))
    append_result(ledger, replace(result(7), key="new"))
    assert read_ledger(ledger)[-1].outcome == "finished"


def test_lines_are_json_that_any_program_reads(ledger: Path) -> None:
    for line in ledger.read_text().splitlines():
        assert set(json.loads(line)) == {"checksum", "record"}


def test_the_content_is_all_but_the_time() -> None:
    assert replace(result(1), seconds=9.0).content() == result(1).content() != result(2).content()
