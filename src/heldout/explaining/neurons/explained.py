"""`heldout explain neuron`: where a neuron of two inputs is 0, as an answer, a derivation and a drawing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from heldout.anatomy.neurons.facts import NeuronFacts, bias_of, facts_of
from heldout.anatomy.neurons.neurons import Neuron, Quadratic
from heldout.anatomy.neurons.parsing import parse_neuron
from heldout.anatomy.neurons.zero_set_cases import Cases
from heldout.errors import UsageError
from heldout.explaining.document import Explanation, Formula, Section, Text
from heldout.explaining.neurons import cases as neuron_cases
from heldout.explaining.neurons import lines as neuron_lines
from heldout.explaining.neurons.activations import activation_section, response_record
from heldout.explaining.neurons.arguments import (
    Number,
    PointLike,
    read_number,
    read_numbers,
    read_point,
    read_points,
    shortened,
)
from heldout.explaining.neurons.conditions import readable_body
from heldout.explaining.neurons.derivations import derivation
from heldout.explaining.neurons.formulas import body_formula, equal, number_formula, shown
from heldout.explaining.neurons.shapes import measures, shape_words, side_words, zero_set_record

_SOURCES = {
    "line": ("Hesse's normal form of a line: signed distance (w . x + b)/|w|.",),
    "conic": ("The principal axis theorem: conic sections by the signs of the eigenvalues of their quadratic form.",),
}


def explain_neuron(
    expression: str | Path,
    *,
    at: str | Mapping[str, Number] | None = None,
    point: PointLike | Sequence[PointLike] | None = None,
    through: PointLike | None = None,
    change_b: Number | None = None,
) -> Explanation[Any]:
    """Where a neuron of two inputs is 0: its line or curve, with every case where its numbers are not all given.

    Args:
        expression: Such as `exp(-(w1*x1^2 + w2*x2^2)) + b` or `0.3*step(x1 - 2*x2 + 1) + 0.2`; or the folder of a run
            on a table of two columns of numbers with a linear model.
        at: Numbers for its names: `{"w1": 1, "b": -0.5}` or `"w1=1,b=-0.5"`.
        point: One or more points that are placed beside the line or curve: `(1, 2)` or `"1,2"`.
        through: A point that it is to go through, by its bias alone.
        change_b: What is added to its bias, to see what that does.

    Raises:
        UsageError: The expression is not understood, a name has no number that is needed, or a number is none.
        RunFolderError: The folder is no finished run.

    Example:
        >>> found = explain_neuron("exp(-(x1^2 + x2^2)) + b", at={"b": -0.5})
        >>> found.facts.zero_set.kind, round(found.facts.zero_set.semi_axes[0], 6)
        ('circle', 0.832555)
    """
    asked: dict[str, Any] = {
        "points": read_points(point),
        "through": None if through is None else read_point(through, "through"),
        "change": None if change_b is None else read_number(change_b, "change_b"),
    }
    if isinstance(expression, Path) or _is_folder(expression):
        from heldout.explaining.neurons.runs import explain_run

        if at:
            raise UsageError(
                f"{str(expression)!r} is a run, and numbers are given to names",
                expected="an expression with names, or a run without `at`",
                fix="leave `at` (--at) out: the numbers of a run are those that it has learned",
            )
        return explain_run(Path(expression), **asked)
    facts = facts_of(parse_neuron(expression, at=read_numbers(at)), **asked)
    return explanation_of(facts)


def explanation_of(facts: NeuronFacts) -> Explanation[NeuronFacts]:
    """The explanation of a neuron whose facts are known."""
    neuron = facts.neuron
    sections = _line_sections(facts) if neuron.kind == "line" else _shape_sections(facts)
    short = neuron_cases.short_answer(neuron, facts.cases) if facts.cases is not None and neuron.names else None
    if short:
        sections.append(short[0])
    sections.append(_reading(neuron, facts.cases))
    record = _record(facts) | {"short_answer": short[1] if short else None}

    def draw() -> Any:
        from heldout.explaining.neurons.figure import neuron_figure

        return neuron_figure(facts)

    what = "The line of" if neuron.kind == "line" else "Where it is 0:"
    return Explanation(
        f"{what} {shortened(neuron.text)}",
        facts,
        tuple(sections),
        record,
        _SOURCES["line" if neuron.kind == "line" else "conic"],
        None if facts.zero_set is None and _is_nowhere(facts) else draw,
    )


def _is_folder(expression: str) -> bool:
    try:
        return bool(expression.strip()) and Path(expression).is_dir()
    except (OSError, ValueError):  # too long for a name, or with a character that no name has
        return False


def _line_sections(facts: NeuronFacts) -> list[Section]:
    inputs = facts.neuron.inputs
    found = [
        neuron_lines.answer(facts),
        activation_section(facts),
        None if facts.line is None else neuron_lines.places(facts.line, inputs),
        neuron_lines.bias_section(facts),
        neuron_lines.points_table(facts.points, inputs) if facts.points else None,
        _moved(facts),
        None if _is_nowhere(facts) else neuron_lines.weights_section(facts.line, inputs),
    ]
    return [each for each in found if each is not None]


def _is_nowhere(facts: NeuronFacts) -> bool:
    """Whether it has no weights at all, whatever its bias is."""
    return isinstance(facts.neuron.body, Quadratic) and facts.neuron.body.is_constant


def _shape_sections(facts: NeuronFacts) -> list[Section]:
    neuron, zero_set, cases = facts.neuron, facts.zero_set, facts.cases
    found: list[Section | None] = []
    if zero_set is not None:
        words = f"{shape_words(zero_set, neuron.inputs)} {side_words(zero_set, neuron.inputs, what=_subject(neuron))}"
        equation = equal(readable_body(neuron, cases), number_formula(0.0))
        found += [Section("Answer", (equation, Text(words))), derivation(neuron, zero_set, cases)]
        found += [measures(zero_set, neuron.inputs)]
        if cases is not None and neuron.kind == "bell":
            found.append(neuron_cases.by_bias(neuron, cases))
    elif cases is not None:
        found = [neuron_cases.answer(neuron, cases), neuron_cases.measures(neuron, cases)]
        found.append(neuron_cases.derivation(neuron, cases))
    found.append(activation_section(facts))
    found.append(
        neuron_lines.points_table(facts.points, neuron.inputs, what=_subject(neuron)) if facts.points else None
    )
    found.append(_moved(facts))
    return [each for each in found if each is not None]


def _subject(neuron: Neuron) -> str:
    """What is 0: y, or z within an activation."""
    return "z" if neuron.activation or neuron.kind == "line" else "y"


def _moved(facts: NeuronFacts) -> Section | None:
    """The bias that leads through a point, and what another bias does."""
    words, inputs = [], facts.neuron.inputs
    if facts.through is not None:
        told = neuron_lines.through_words(facts.through, bias_of(facts.neuron.body))
        words.append(Text(f"{told} {shape_words(facts.through.zero_set, inputs)}"))
    if facts.changed is not None and facts.changed.move is not None:
        words.append(Text(neuron_lines.changed_words(facts.changed, inputs)))
    elif facts.changed is not None:
        shape = shape_words(facts.changed.zero_set, inputs)
        words.append(Text(f"With b = {shown(facts.changed.bias)}: {shape[0].lower()}{shape[1:]}"))
    return Section("How it is moved", tuple(words)) if words else None


def _reading(neuron: Neuron, cases: Cases | None) -> Section:
    """How the text was understood."""
    parts: list[Any] = [equal(_named(_subject(neuron)), readable_body(neuron, cases))]
    told = []
    if neuron.activation is not None:
        told.append(f"z is what stands within {neuron.activation.kind}.")
    if neuron.at:
        told.append(f"With {', '.join(f'{name} = {number_formula(value).plain}' for name, value in neuron.at)}.")
    if "^" in neuron.text:
        told.append("^ was read as a power, as in mathematics; in Python it would be **.")
    if neuron.is_rounded:
        told.append("Numbers such as exp(1) or pi were rounded to 16 digits before anything was compared.")
    return Section("How it was read", (*parts, Text(" ".join(told))) if told else tuple(parts))


def _named(word: str) -> Formula:
    return Formula(word, word)


def _record(facts: NeuronFacts) -> dict[str, Any]:
    neuron, inputs = facts.neuron, facts.neuron.inputs
    return {
        "expression": neuron.text,
        "read_as": body_formula(neuron.body, inputs).plain,
        "kind": {"bell": "rbf", "conic": "polynomial", "line": "linear"}[neuron.kind],
        "inputs": inputs,
        "numbers": {name: float(value) for name, value in neuron.at},
        "names_left": neuron.names,
        "is_rounded": neuron.is_rounded,
        "zero_set": None if facts.zero_set is None else zero_set_record(facts.zero_set, inputs),
        "cases": None if facts.cases is None else neuron_cases.cases_record(neuron, facts.cases),
        "line": None if facts.line is None else neuron_lines.line_record(facts.line),
        "activation": None if facts.response is None else response_record(facts.response),
        "points": [
            {
                "point": each.point,
                "value": each.value,
                "side": each.side,
                "distance": each.distance,
                "nearest": each.foot,
            }
            for each in facts.points
        ],
        "through": None
        if facts.through is None
        else {
            "point": facts.through.point,
            "bias": facts.through.bias,
            "change": facts.through.change,
            "zero_set": zero_set_record(facts.through.zero_set, inputs),
        },
        "changed": None if facts.changed is None else _changed_record(facts),
    }


def _changed_record(facts: NeuronFacts) -> dict[str, Any]:
    changed = facts.changed
    assert changed is not None, "asked before"
    move = changed.move
    return {
        "change": changed.change,
        "bias": changed.bias,
        "shift": move and move.shift,
        "upwards": move and move.upwards,
        "rightwards": move and move.rightwards,
        "zero_set": zero_set_record(changed.zero_set, facts.neuron.inputs),
    }
