"""The answers of both write-ups beside the exact ones: `examples/arithmetic`."""

import re
import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from heldout.cli.main import run as command

FOLDER = Path(__file__).parents[2] / "examples" / "arithmetic"
AGREES, INCOMPLETE, DISAGREES = "agrees", "agrees, incomplete", "disagrees"
# Question, part, what stands in the write-up, what stands in the exact answer (by hand), verdict.
EXPECTED = (
    ("4.1", "filters as large as the input", "393,312", "393,312", AGREES),
    ("4.1", "filters of 8x8, stride 4", "6,240", "6,240", AGREES),
    ("4.1", "filters of 1x1, stride 1", "192", "192", AGREES),
    ("4.2", "without weights", "circle", "circle if -1 < b < 0; point if b = -1; no point if b < -1", INCOMPLETE),
    ("4.2", "with weights", "ellipse", "no point 17, hyperbola 4, parallel lines 4, line 4, ellipse 2,", INCOMPLETE),
    ("4.3", "moving n5 up", "decrease b", "decrease b where w2 > 0, increase it where w2 < 0", INCOMPLETE),
    ("4.3", "the bias of y", "(-2.5, -2.2]", "(-2.5, -2.2]", AGREES),
    (
        "5.1",
        "forward pass",
        "sigmoid 1, multiplication 2,",
        "sigmoid 1, multiplication 2, subtraction 1, square 1",
        AGREES,
    ),
    ("5.1", "backward pass", "du/dz = u(1 - u)", "du/dz = u(1 - u)", AGREES),
    ("5.1", "dL/dw1", "2*(phi - y)*w2*u*(1 - u)*x", "2(phi - y) w2 u(1 - u) x", AGREES),
    ("5.1", "dL/dw2", "2*(phi - y)*u", "2(phi - y) u", AGREES),
    ("5.1", "what the backward pass saves", "half", "12 operations for L and both gradients: 56 %", INCOMPLETE),
    ("5.2", "(a) shapes of Z and U", "(46, 62, 20)", "(46, 62, 20) and (46, 62, 20)", AGREES),
    ("5.2", "(b) channels in and out", "10 to 20", "10 to 20", AGREES),
    ("5.2", "(c) multiplications", "256,680", "5,133,600", DISAGREES),
    ("5.2", "(c) additions", "513,360", "5,133,600 with biases, 5,076,560 without", DISAGREES),
    ("5.2", "(d) parameters", "1,800", "1,820", INCOMPLETE),
    ("5.3", "(a) the loss", "a norm", "J(w) = f(w) + L |w|^2", DISAGREES),
    ("5.3", "(b) the update", "(1 - 2 A L) w - A grad f", "(1 - 2 A L) w - A grad f", AGREES),
    ("5.3", "(c) why weights shrink", "below 1", "|1 - 2 A L| < 1", INCOMPLETE),
    ("5.3", "(d) a larger L", "more", "w* = h m / (h + 2 L)", AGREES),
    ("5.3", "(d) the learning rate", "between 0 and 1", "0 < A (h + 2 L) < 2", DISAGREES),
)
# What the reasons say, worked out by hand.
REASONS = {
    "filters of 8x8, stride 4": "(8*8*1 + 1)*96 = 6,240",
    "with weights": "a hyperbola if w1 > 0, w2 < 0 and -1 < b < 0, an ellipse again if w1 < 0, w2 < 0 and b < -1",
    # The line through (-1, 0) and (4, 1): -x1 + 5 x2 - 1 = 0, 1 / sqrt(26) from the origin.
    "moving n5 up": "b - 1 moves it up by 0.2. With w = (1, -5) it is on below the same line, and b - 1 moves it down",
    "the bias of y": "safest bias is -2.35, in the middle: 0 wrong answers in 16 cells",
    "what the backward pass saves": "7 operations to the 5 of the forward pass: 1.4 times",
    "(c) multiplications": "256,680 are those of one output channel, and there are 20",
    # 46 * 62 * 89, and 2 * 46 * 62 * 90.
    "(c) additions": "256,680 for one channel, or 253,828 without. 513,360 are",
    "(d) parameters": "1,800 weights; the 20 biases",
    "(a) the loss": "it is (0.6, 0.8), and that of the norm (0.06, 0.08)",
    "(b) the update": "leads to 2.54",
    "(c) why weights shrink": "3, -6, 12, -24, ...; where the loss has no gradient, A must stay below 1/L, here 0.667",
    "(d) a larger L": "end at 1, 0.833, 0.333, 0.0476",
    "(d) the learning rate": "= 5.001 is unstable. A = 5, L = 0.1, h = 0.1: `2 A L` is 1, and 1.5 is stable",
}


@pytest.fixture(scope="module")
def example() -> Any:
    """The modules of the example, which are no package."""
    names = ("answers", "homework4", "homework5", "run")
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: import_module(name) for name in names}
    finally:
        sys.path.remove(str(FOLDER))
        for name in names:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def questions(example: Any) -> Any:
    return example["run"].questions()


def answers_of(questions: Any) -> dict[str, Any]:
    return {answer.about: answer for question in questions for answer in question.answers}


def test_every_answer_has_the_hand_value_and_its_verdict(questions: Any) -> None:
    found = [
        (re.sub(r"Homework (\d), question (\d)", r"\1.\2", question.title), answer)
        for question in questions
        for answer in question.answers
    ]
    assert [(number, answer.about) for number, answer in found] == [each[:2] for each in EXPECTED]
    for (_, answer), (_, about, theirs, exact, verdict) in zip(found, EXPECTED, strict=True):
        assert theirs in answer.theirs, about
        assert exact in answer.exact, about
        assert answer.verdict == verdict, about


def test_the_reasons_have_the_numbers_that_are_worked_out_by_hand(questions: Any) -> None:
    found = answers_of(questions)
    assert {about: words for about, words in REASONS.items() if words not in found[about].why} == {}
    assert all(re.fullmatch(r"\S.*\.", answer.why) for answer in found.values())


def test_the_gradients_of_the_write_up_are_those_of_autograd(example: Any) -> None:
    assert example["homework5"].GRADIENT == {"w1": "2*(phi - y)*w2*u*(1 - u)*x", "w2": "2*(phi - y)*u"}
    generator = np.random.default_rng(5)
    for w1, w2, x, y in generator.normal(size=(20, 4)):
        weights = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in (w1, w2)]
        (weights[1] * torch.sigmoid(weights[0] * x) - y).square().backward()
        u = 1 / (1 + np.exp(-w1 * x))
        phi = w2 * u
        by_hand = {"w1": 2 * (phi - y) * w2 * u * (1 - u) * x, "w2": 2 * (phi - y) * u}
        assert [float(each.grad) for each in weights if each.grad is not None] == pytest.approx(list(by_hand.values()))


@pytest.mark.parametrize(
    ("claims", "says_all", "verdict"),
    [
        ([True, True], True, AGREES),
        ([True], False, INCOMPLETE),
        ([True, False], True, DISAGREES),
        ([False], False, DISAGREES),
    ],
)
def test_a_verdict_is_a_comparison(example: Any, claims: list[bool], says_all: bool, verdict: str) -> None:
    assert example["answers"].judged(claims, says_all=says_all) == verdict


@pytest.mark.parametrize(
    ("module", "claim", "wrong", "about", "verdict"),
    [
        ("homework4", "BIASES", "[-2.5, -2.2)", "the bias of y", DISAGREES),
        ("homework4", "BIAS", -2.5, "the bias of y", DISAGREES),
        ("homework4", "ROUND", {((1, 1), 0): "circle"}, "without weights", DISAGREES),
        ("homework4", "MOVED_UP_BY", 1, "moving n5 up", DISAGREES),
        ("homework5", "MULTIPLICATIONS", 5_133_600, "(c) multiplications", AGREES),
        ("homework5", "ADDITIONS", 5_076_560, "(c) additions", AGREES),
        ("homework5", "WEIGHTS", 1_820, "(d) parameters", DISAGREES),
    ],
)
def test_another_claim_has_another_verdict(
    example: Any, monkeypatch: pytest.MonkeyPatch, module: str, claim: str, wrong: Any, about: str, verdict: str
) -> None:
    monkeypatch.setattr(example[module], claim, wrong)
    asked = {"the bias of y": "threshold_neurons", "moving n5 up": "threshold_neurons", "without weights": "bells"}
    assert answers_of([getattr(example[module], asked.get(about, "convolution"))()])[about].verdict == verdict


def test_the_readme_holds_what_the_script_prints(example: Any, questions: Any) -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert example["answers"].as_markdown(questions) in readme
    figures = set(re.findall(r"\((\w+)\.svg\)", readme))
    assert figures == {question.figure[0] for question in questions if question.figure}
    assert [name for name in figures for ending in ("svg", "png") if not (FOLDER / f"{name}.{ending}").is_file()] == []


def test_the_terminal_sees_every_answer_within_100_columns(
    example: Any, questions: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(example["run"], "questions", lambda: questions)
    monkeypatch.setattr(sys, "argv", ["run.py", "--no-figures"])
    example["run"].main()
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 100
    assert "(c) multiplications: disagrees\n  the write-up  256,680\n  exact         5,133,600\n" in printed
    assert printed.endswith("22 answers: 12 agree, 6 agree but are incomplete, 4 disagree.\n")
    assert "`" not in printed


def test_the_figures_are_drawn_into_the_folder(example: Any, questions: Any, tmp_path: Path) -> None:
    one = [question for question in questions if question.figure and question.figure[0] == "region"]
    drawn = example["run"].draw(one, tmp_path)
    assert sorted(path.name for path in drawn) == ["region.png", "region.svg"]
    assert all(path.stat().st_size > 5_000 for path in drawn)


# Something that only the right answer prints.
SHOWN = ("6,240", "hyperbola on x2", "(-2.5, -2.2]", "2(phi - y) w2 u(1 - u) x", "5,133,600", "0 < A (h + 2 L) < 2")


def test_each_question_names_the_command_that_answers_it(questions: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for question, shown in zip(questions, SHOWN, strict=True):
        program, *arguments = shlex.split(question.command.split(" --plot")[0])
        assert (program, command(arguments)) == ("heldout", 0)
        assert shown in capsys.readouterr().out
