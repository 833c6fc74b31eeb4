"""Calls are judged alike, whether alone or many together, small or large."""

import numpy as np
import torch

from heldout.auditing.seen.place import Place
from heldout.auditing.watch.answers import AnswerBook
from heldout.auditing.watch.calls import Call
from heldout.auditing.watch.identities import N_COMPARED


def call_of(book: AnswerBook, scores: torch.Tensor, labels: np.ndarray | None = None, family: int = 0) -> Call:
    call = Call(0, family, family, Place(), training_mode=False, grad=False, n_samples=len(scores))
    book.keep(call, scores, labels, torch.argmax)
    return call


def answers(call: Call) -> list[int]:
    assert call.predicted is not None
    assert call.scores is None
    return [int(each) for each in call.predicted]


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_the_highest_of_several_scores_is_the_answer_however_many_calls_wait() -> None:
    book = AnswerBook()
    tables = [drawn(5, 3), drawn(7, 3) + 1, drawn(4, 10), drawn(2, 3).double(), drawn(N_COMPARED, 3), drawn(1, 3)]
    labels = [np.arange(len(table)) % 3 for table in tables]
    calls = [call_of(book, table, own) for table, own in zip(tables, labels, strict=True)]
    book.judge()
    for call, table, own in zip(calls, tables, labels, strict=True):
        expected = table.argmax(1)
        assert answers(call) == expected.tolist()
        assert call.right == int((expected.numpy() == own).sum())
        assert call.n_outputs == table.shape[1]


def test_one_output_is_a_probability_until_one_lies_elsewhere() -> None:
    book = AnswerBook()
    first = call_of(book, torch.tensor([0.2, 0.7]))
    other = call_of(book, torch.tensor([[0.2], [0.7]]), family=1)
    logits = call_of(book, torch.tensor([[-3.0], [0.4], [2.0]]))
    after = call_of(book, torch.tensor([0.2, 0.7]))
    book.judge()
    later = call_of(book, torch.tensor([0.2, 0.7]))
    book.judge()
    calls = (first, other, logits, after, later)
    assert [answers(call) for call in calls] == [[0, 1], [0, 1], [0, 1, 1], [1, 1], [1, 1]]
    assert all(call.n_outputs == 1 and call.right == -1 for call in calls)


def test_a_large_call_is_judged_at_once_and_after_those_before_it() -> None:
    book = AnswerBook()
    first = call_of(book, torch.tensor([0.2, 0.7]), np.array([0, 0]))
    large = call_of(book, torch.linspace(-1, 1, 2 * N_COMPARED), np.ones(2 * N_COMPARED))
    assert answers(first) == [0, 1]
    assert first.right == 1
    assert sum(answers(large)) == large.right == N_COMPARED


def test_numbers_that_are_none_are_no_probabilities_and_no_fault() -> None:
    book = AnswerBook()
    strange = call_of(book, torch.tensor([float("nan"), 0.7]), np.array([0, 1]))
    assert answers(call_of(book, torch.zeros(N_COMPARED, 2))) == [0] * N_COMPARED
    book.judge()
    assert answers(strange) == [0, 1]
    assert strange.right == 2


def test_labels_of_other_samples_and_tables_of_pixels_are_not_judged() -> None:
    book = AnswerBook()
    fewer = call_of(book, drawn(4, 3), np.array([0, 1]))
    pixels, nothing = call_of(book, drawn(2, 3, 4)), call_of(book, torch.zeros(3, 0))
    book.judge()
    assert fewer.right == -1
    assert fewer.labels is None
    assert pixels.predicted is None
    assert nothing.predicted is None
