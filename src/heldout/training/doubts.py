"""What the course of a fit says against its result."""

from heldout.findings import Finding
from heldout.training.fitted import Fitted, Job


def doubts_about_fit(job: Job, fitted: Fitted) -> list[Finding]:
    """Findings about the fit itself: learning that brought nothing, and learning that had not ended.

    Args:
        job: What was asked for.
        fitted: What came of it.
    """
    about_learning = _about_epochs(job, fitted) if fitted.history else _about_path(fitted)
    found = fitted.rate_test.finding() if fitted.rate_test else None
    return [*_about_resuming(fitted), *([found] if found else []), *about_learning]


def _about_resuming(fitted: Fitted) -> list[Finding]:
    """Parts of the training were computed in circumstances that give other bits."""
    if not fitted.elsewhere:
        return []
    return [
        Finding(
            code="resumed-elsewhere",
            severity="note",
            what=f"the training was resumed where it is not bit-identical: {'; '.join(fitted.elsewhere)}",
            why="Another machine, number of threads or version rounds otherwise, so that the run cannot be had again "
            "bit for bit on one of them; the numbers are as good as those of any other run.",
            fix="Train again in one place where the same bits matter.",
            where=fitted.elsewhere,
        )
    ]


def _about_epochs(job: Job, fitted: Fitted) -> list[Finding]:
    n_epochs = fitted.history[-1].epoch
    if fitted.best_epoch == 0:
        return [
            Finding(
                code="training-brought-nothing",
                severity="warning",
                what=f"none of {n_epochs} epochs of {job.regime!r} made the validation loss lower than the fitted head "
                "alone has it",
                why="The weights kept are those before the first epoch: the scores are those of the regime frozen.",
                fix="Lower --learning-rate, raise --epochs, or be content with --regime frozen, which costs less.",
            )
        ]
    if fitted.best_epoch == n_epochs and job.settings is not None and n_epochs == job.settings.epochs:
        return [
            Finding(
                code="still-improving",
                severity="note",
                what=f"the last of {n_epochs} epochs has the lowest validation loss",
                why="The scores may be lower than what this training could reach.",
                fix="Raise --epochs.",
            )
        ]
    return []


def _about_path(fitted: Fitted) -> list[Finding]:
    """The penalty was chosen at an end of the path: the best one may lie beyond."""
    chosen = [number for number, point in enumerate(fitted.path) if point.chosen]
    if chosen and chosen[0] == 0:
        return [
            Finding(
                code="penalty-at-the-edge",
                severity="note",
                what=f"the strongest L2 penalty that was tried, {fitted.path[0].l2:g}, has the lowest validation loss",
                why="The features hardly help, or the validation part is too small to say.",
                fix="Look at the baselines beside the score before you trust it; add examples.",
            )
        ]
    return []
