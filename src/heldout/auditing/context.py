"""A watch inside a program of one's own, a notebook or a test: `with watching() as watched:`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from heldout.auditing.audited import Audit, lines_at, shown_file, watched_in
from heldout.auditing.judging import judge
from heldout.auditing.rule import AuditFinding
from heldout.auditing.watch.watching import Watch, outcome_of
from heldout.errors import UsageError


class Watching:
    """What a watch brings; all of it once its block has been left."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._audit: Audit | None = None

    @property
    def audit(self) -> Audit:
        """The findings, what they rest on, and how the block ended.

        Raises:
            UsageError: The block is not over yet.
        """
        if self._audit is None:
            raise UsageError(
                "the watch is not over yet",
                expected="its findings to be asked for after the block `with heldout.watching() as watched:`",
                fix="move this line out of the block",
            )
        return self._audit

    @property
    def findings(self) -> tuple[AuditFinding, ...]:
        """Why the numbers of the block cannot be trusted, the gravest first; none says only that no rule spoke."""
        return self.audit.findings

    def summary(self, *, width: int = 100) -> str:
        """All of it, for a person to read.

        Args:
            width: Of a line.
        """
        return self.audit.summary(width=width)

    def close(self, outcome: str = "finished") -> None:
        """End the watch and judge what was seen; once it is over this does nothing.

        Args:
            outcome: How the block ended.
        """
        from heldout.auditing.rules.every import RULES

        if self._audit is None:
            log = self._watch.end(outcome)
            findings = judge(log, RULES)
            lines = lines_at(findings, {})
            self._audit = Audit(log.script, findings, watched_in(log), log.outcome, seconds=log.seconds, lines=lines)


@contextmanager
def watching() -> Iterator[Watching]:
    """Watch what is trained and evaluated in a block, and judge it when the block is left.

    Models, optimisers and loaders that were made before may be used in it; functions of torch that were imported by
    their own name before (`from torch.nn.functional import cross_entropy`) are not seen.

    Raises:
        UsageError: A watch is under way already.

    Example:
        >>> with watching() as watched:  # doctest: +SKIP
        ...     train(model)
        >>> print(watched.summary())  # doctest: +SKIP
    """
    if _under_way:
        raise UsageError(
            "a watch is under way already",
            expected="one `with heldout.watching()` at a time",
            fix="leave out the inner one: the outer one sees what it would see",
        )
    watch = Watch(_name())
    watched, outcome = Watching(watch), "finished"
    _under_way.append(watched)
    try:
        watch.begin()
        yield watched
    except BaseException as error:
        outcome = outcome_of(error)
        raise
    finally:
        _under_way.pop()
        watched.close(outcome)


# One at most: what is wrapped is wrapped for the whole process.
_under_way: list[Watching] = []


def _name() -> str:
    """What the program is called: the script, or a word for a notebook."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    return shown_file(file) if file else "this notebook"
