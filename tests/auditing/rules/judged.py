"""What all rules together say of a log made by hand."""

from collections.abc import Sequence

import numpy as np

from auditing.make_logs import LogMaker
from heldout.auditing.judging import judge
from heldout.auditing.rule import AuditFinding
from heldout.auditing.rules.every import RULES
from heldout.auditing.seen.data import Samples


def found(made: LogMaker, code: str) -> list[AuditFinding]:
    """The findings of one rule, where all were asked and none failed."""
    findings = judge(made.log, RULES)
    assert made.log.faults == ()
    return [each for each in findings if each.code == code]


def grave_codes(made: LogMaker) -> list[str]:
    """The codes of all findings that are more than a note."""
    findings = judge(made.log, RULES)
    assert made.log.faults == ()
    return [each.code for each in findings if each.severity != "note"]


def keeps(made: LogMaker, data_set: int, items: Sequence[int], *, trained: bool, model: int = 0) -> Samples:
    """The watch keeps which samples of a data set a model was given in one role; -1 for tensors made by hand."""
    hashes = np.array(sorted(items), np.uint64)
    samples = Samples(model, data_set, trained, hashes, hashes, len(items))
    made.log.samples.append(samples)
    return samples


def plain(*names: str) -> LogMaker:
    """A log with a model of two outputs, an optimiser, a seed and these data sets."""
    made = LogMaker()
    made.happens("seed", value=0)
    made.model()
    for name in names:
        made.data_set(name)
    return made
