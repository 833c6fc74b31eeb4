"""H301: the highest of a single output."""

from auditing.rules.judged import found, plain


def test_the_highest_of_one_output() -> None:
    made = plain("val_loader")
    made.remarks("argmax over one output", n=12, line=47)
    (finding,) = found(made, "H301")
    assert (finding.severity, finding.place.line) == ("error", 47)
    assert finding.observed == (
        "The highest of one output was taken in 12 calls (first of 10 samples): it is always output 0."
    )


def test_a_line_that_never_did_it_is_silent() -> None:
    made = plain("val_loader")
    made.remarks("argmax over one output", n=0)
    assert found(made, "H301") == []
