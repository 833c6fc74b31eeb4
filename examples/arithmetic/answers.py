"""An answer of a write-up beside the exact one: what it is made of, who is right, and how both are printed."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from heldout.explaining.document import Explanation, Formula

Verdict = Literal["agrees", "agrees, incomplete", "disagrees"]
VERDICTS: tuple[Verdict, ...] = ("agrees", "agrees, incomplete", "disagrees")
WIDTH = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `backticks` in it mark what is code or a formula.

    Attributes:
        about: Which part of the question.
        theirs: What the write-up says, in few words.
        exact: What heldout says.
        verdict: Whether they agree.
        why: In a sentence or two.
    """

    about: str
    theirs: str
    exact: str
    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its answers.

    Attributes:
        title: Where it stands.
        asked: What it asks, in our own words.
        command: What to type for the exact answer, with its derivation.
        answers: One for each part.
        figure: What is drawn to it: the name of the file without its ending, what it shows, and who draws it.
    """

    title: str
    asked: str
    command: str
    answers: tuple[Answer, ...]
    figure: tuple[str, str, Explanation[Any]] | None = None


def judged(claims: Iterable[bool], *, says_all: bool = True) -> Verdict:
    """The verdict on an answer whose claims have been compared with the exact answer one by one.

    Args:
        claims: Whether each is right.
        says_all: Whether they are all that there is to say.

    Example:
        >>> judged([True]), judged([True], says_all=False), judged([True, False])
        ('agrees', 'agrees, incomplete', 'disagrees')
    """
    if not all(claims):
        return "disagrees"
    return "agrees" if says_all else "agrees, incomplete"


def formula(explanation: Explanation[Any], contains: str) -> str:
    """The first formula of an explanation with these words in it, as a terminal shows it."""
    formulas = [part for section in explanation.sections for part in section.parts if isinstance(part, Formula)]
    return next(each.plain for each in formulas if contains in each.plain)


def as_text(questions: Sequence[Question]) -> str:
    """For a terminal."""
    blocks = []
    for question in questions:
        blocks.append(f"{question.title}\n{'=' * len(question.title)}\n{_wrapped(question.asked)}")
        blocks.append(f"  {question.command}")
        blocks += [_text_of(answer) for answer in question.answers]
    return "\n\n".join([*blocks, tally(questions)]).replace("`", "")


def as_markdown(questions: Sequence[Question]) -> str:
    """For a README: a table a question, its figure, and the reasons."""
    blocks = []
    for question in questions:
        blocks += [f"## {question.title}", _wrapped(question.asked, width=120)]
        blocks += [f"```\n{question.command}\n```", _table_of(question)]
        if question.figure:
            name, words, _ = question.figure
            blocks.append(f"![{words}]({name}.svg)")
        blocks.append("\n".join(_reason(answer) for answer in question.answers))
    return "\n\n".join([*blocks, tally(questions)])


def either(words: Iterable[str]) -> str:
    """Such as `a, b or c`."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def tally(questions: Sequence[Question]) -> str:
    """How many answers agree."""
    found = [answer.verdict for question in questions for answer in question.answers]
    agree, incomplete, disagree = (found.count(verdict) for verdict in VERDICTS)
    return f"{len(found)} answers: {agree} agree, {incomplete} agree but are incomplete, {disagree} disagree."


def _text_of(answer: Answer) -> str:
    lines = [f"{answer.about}: {answer.verdict}"]
    for label, words in (("the write-up", answer.theirs), ("exact", answer.exact)):
        lines.append(textwrap.fill(words, WIDTH, initial_indent=f"  {label:<14}", subsequent_indent=" " * 16))
    lines.append(textwrap.fill(answer.why, WIDTH, initial_indent="  ", subsequent_indent="  "))
    return "\n".join(lines)


def _table_of(question: Question) -> str:
    rows = [("", "the write-up", "exact", "verdict"), ("---",) * 4]
    rows += [(answer.about, answer.theirs, answer.exact, answer.verdict) for answer in question.answers]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def _reason(answer: Answer) -> str:
    words = f"- **{answer.about}**: {answer.why}"
    return textwrap.fill(words, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _wrapped(words: str, width: int = WIDTH) -> str:
    return textwrap.fill(words, width, break_long_words=False, break_on_hyphens=False)
