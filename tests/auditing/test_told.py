"""What a person reads."""

import pytest

from auditing.make_audits import WATCHED, audit, finding, here
from heldout.auditing.audited import Watched
from heldout.auditing.seen.place import Place


def test_a_finding_is_told_with_its_line_its_evidence_and_its_fix() -> None:
    told = audit(finding(more=(here(3), here(4), here(5), here(6), here(7, "model.py")))).summary()
    assert told == (
        "error H101 evaluated-on-trained-samples\n"
        "  train.py:85 (and train.py:3, train.py:4, train.py:5, train.py:6 and 1 more)\n"
        "    85 | source of 85\n"
        "  observed  100 % of the 816 samples evaluated here had been trained on.\n"
        "  believed  It was never seen.\n"
        "  effect    Too high.\n"
        "  fix       evaluate elsewhere\n"
        "  page      docs/audit/H101.md\n"
        "\n"
        "1 error, 0 warnings, 0 notes in train.py; "
        "watched 1 model, 1,200 optimiser steps, 2 evaluations, 300 samples in 12.3 s"
    )


def test_a_case_at_several_lines_is_explained_once() -> None:
    told = audit(finding(), finding(here(90)), finding(here(95), observed="Another.")).summary()
    assert [told.count(words) for words in ("H101 ", "816", "Another.", "effect", "page")] == [1, 1, 1, 1, 1]
    assert told.index("train.py:90") < told.index("816") < told.index("train.py:95") < told.index("Another.")


def test_places_without_a_line_in_a_cell_and_far_away() -> None:
    places = (Place(), Place("<cell 3>", 2), Place("/elsewhere/model.py", 4))
    told = audit(*(finding(place, f"H10{n}") for n, place in enumerate(places, 1))).summary()
    for words in ("train.py, no line of its own", "train.py, cell 3, line 2", "/elsewhere/model.py:4"):
        assert words in told


def test_lines_are_as_wide_as_asked() -> None:
    told = audit(finding(observed="word " * 60)).summary(width=60)
    assert max(map(len, told.splitlines()[:-1])) <= 60


@pytest.mark.parametrize(
    ("outcome", "exit_code", "watched", "words"),
    [
        ("finished", 0, WATCHED, "found nothing. That is no proof that the numbers are right."),
        ("finished", 0, Watched(), "the script never imported torch. What other processes do"),
        ("finished", 0, Watched(torch="2", n_models=1), "no optimiser took a step, 1 model was called."),
        ("finished", 0, Watched(torch="2", n_models=2), "2 models were called."),
        ("finished", 0, Watched(torch="2", n_steps=3), "No evaluation was seen"),
        ("exit 3", 3, WATCHED, "The script itself ended with exit code 3."),
        ("exit 0", 3, WATCHED, "The script itself ended with exit code 3."),
        ("KeyError: 'b'", 1, WATCHED, "ended by an error of its own (KeyError: 'b')"),
        ("interrupted", 130, WATCHED, "The script was interrupted"),
        ("killed by SIGKILL", 137, WATCHED, "was killed by SIGKILL: the last seconds"),
        ("stopped after 60 s", 0, WATCHED, "was stopped after 60 s, as asked"),
        ("finished", 0, Watched(faults=("a: b", "c")), "something may be missing: a: b (and 1 more)."),
        ("finished", 0, Watched(left_out={"printed": 2000}), "2,000 printed in the middle were not kept."),
        ("read", 0, None, "The script was read and not run"),
    ],
)
def test_what_a_reader_must_know_first(outcome: str, exit_code: int, watched: Watched | None, words: str) -> None:
    told = audit(outcome=outcome, exit_code=exit_code, watched=watched).summary(width=500)
    assert words in told
    assert told.splitlines()[-1].startswith("0 errors, 0 warnings, 0 notes in train.py")
    assert ("KeyError" in told) == ("KeyError" in outcome)
