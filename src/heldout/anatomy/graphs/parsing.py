"""A formula as a student writes it -> a computation graph. Nothing of the text is ever run.

The text is read with Python's own grammar, and every part of it must be on a short list: numbers, names, `+ - * / **`,
signs, brackets and the functions of `graph_operations`. Several steps may be named: `z = w*x; L = (z - y)**2`.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from heldout.anatomy.graphs.graph import Graph, Node, Tape, ancestors
from heldout.anatomy.graphs.operations import ALIASES, CONSTANTS, FUNCTIONS, OPERATIONS, Number
from heldout.errors import UsageError, nearest

# Far beyond what a page can show; beyond it the tables would say nothing.
MAX_CHARACTERS = 4_000
MAX_OPERATIONS = 300
_READ_AS = {"^": "**", "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "²": "**2", "³": "**3"}
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
}
_EXPECTED = "numbers, names, + - * / **, brackets and " + ", ".join(FUNCTIONS)
_EXAMPLE = 'write it such as "(w2*sigmoid(w1*x) - y)**2"'
_UNKNOWN: dict[type[ast.AST], str] = {
    ast.Attribute: "an attribute",
    ast.Subscript: "an index",
    ast.Compare: "a comparison",
    ast.BoolOp: "a logical operation",
    ast.IfExp: "a condition",
    ast.Lambda: "a function",
    ast.Tuple: "a list",
    ast.List: "a list",
    ast.JoinedStr: "a text",
    ast.NamedExpr: "a name given inside an expression",
}


def parse_graph(text: str) -> Graph:
    """The graph of a formula, or of several steps parted by `;` or line ends, of which the last is the result.

    Args:
        text: Such as `(w2*sigmoid(w1*x) - y)**2`.

    Raises:
        UsageError: The text is no formula; the message points at the place.

    Example:
        >>> graph = parse_graph("z = w*x; exp(z) + z")
        >>> [node.operation for node in graph.nodes], graph.names
        (['input', 'input', 'multiply', 'exp', 'add'], {2: 'z'})
    """
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"the expression is {text!r}", expected="a formula", fix=_EXAMPLE)
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"the expression has {len(text):,} characters",
            expected=f"at most {MAX_CHARACTERS:,}",
            fix="explain a part of it",
        )
    reading = _Reading("\n".join(line.strip() for line in _as_python(text).strip().splitlines()))
    output = _statements(reading)
    return _finished(reading, output, _remarks(text))


@dataclass
class _Reading:
    """What was read so far."""

    text: str
    tape: Tape = field(default_factory=Tape)
    given: dict[str, int] = field(default_factory=dict)
    met: dict[str, ast.AST] = field(default_factory=dict)  # inputs, where each is met first

    def error(self, what: str, at: ast.AST, *, expected: str = _EXPECTED, fix: str = _EXAMPLE) -> UsageError:
        line = self.text.splitlines()[getattr(at, "lineno", 1) - 1]
        # Python counts bytes; a Greek letter has two.
        before = len(line.encode()[: getattr(at, "col_offset", 0)].decode(errors="ignore"))
        return UsageError(what + pointed(line, before), expected=expected, fix=fix)


def pointed(line: str, at: int) -> str:
    """A line with a mark under one of its characters, to be put after a message; a long line is cut around it.

    Example:
        >>> print("here" + pointed("a $ b", 2))
        here
            a $ b
              ^
    """
    start = max(0, at - 60)
    return f"\n    {line[start : start + 100]}\n    {' ' * (at - start)}^"


def _as_python(text: str) -> str:
    return "".join(_READ_AS.get(character, character) for character in text)


def _remarks(text: str) -> tuple[str, ...]:
    return ("^ is read as a power.",) if "^" in text else ()


def _statements(reading: _Reading) -> int:
    body = _parsed(reading.text).body
    n_operations = sum(isinstance(each, ast.BinOp | ast.UnaryOp | ast.Call) for stmt in body for each in ast.walk(stmt))
    if n_operations > MAX_OPERATIONS:
        raise UsageError(
            f"the expression has {n_operations:,} operations",
            expected=f"at most {MAX_OPERATIONS}",
            fix="explain a part of it, or a Python function: FILE.py:NAME",
        )
    if not body:
        raise UsageError(f"the expression is {reading.text!r}", expected="a formula", fix=_EXAMPLE)
    place = 0
    for statement in body:
        if isinstance(statement, ast.Assign):
            place = _converted(reading, statement.value)
            _give_names(reading, statement.targets, place)
        elif isinstance(statement, ast.Expr) and statement is body[-1]:
            place = _converted(reading, statement.value)
        elif isinstance(statement, ast.Expr):
            raise reading.error("a step before the last one has no name", statement, expected="NAME = FORMULA")
        else:
            raise reading.error("this is no formula", statement)
    return place


def _parsed(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as "invalid decimal literal" before an error says it
            return ast.parse(text)
    except SyntaxError as error:
        lines = text.splitlines()
        number = min(max(error.lineno or 1, 1), len(lines))
        place = max((error.offset or 1) - 1, 0)
        what = "is not closed" if "never closed" in error.msg else "cannot be read here"
        raise UsageError(
            f"the expression {what} ({error.msg}){pointed(lines[number - 1], place)}",
            expected=_EXPECTED,
            fix=_hint(lines[number - 1]) or _EXAMPLE,
        ) from None
    except (RecursionError, MemoryError, ValueError) as error:
        raise UsageError(
            f"the expression cannot be read: {error or 'it is nested too deeply'}",
            expected="a formula without control characters that is not nested hundreds of times",
            fix="explain a part of it",
        ) from None


def _hint(line: str) -> str:
    if match := re.search(r"(?<![\w.])(\d[\d.]*)\s*([^\W\d_]\w*)", line):
        return f"write {match[1]}*{match[2]}: a product needs its *"
    if re.search(r"\blambda\b", line):
        return "lambda is a word of Python's own: call it lam"
    if match := re.search(r"(\w+|\))\s+(\w+|\()|(\))(\w+)", line):
        left, right = match[1] or match[3], match[2] or match[4]
        return f"write {left}*{right}: a product needs its *"
    return ""


def _give_names(reading: _Reading, targets: list[ast.expr], place: int) -> None:
    for target in targets:
        if not isinstance(target, ast.Name):
            raise reading.error("only a name can be given to a step", target, expected="NAME = FORMULA")
        name = target.id
        _check_name(reading, target)
        if name in CONSTANTS:
            raise reading.error(f"{name} is a number and cannot be given another value", target)
        if name in reading.given:
            raise reading.error(f"{name} is given twice", target, expected="every name once", fix="choose another name")
        if name in reading.met:
            raise reading.error(
                f"{name} is used before it is given",
                reading.met[name],
                expected="a step after those that it uses",
                fix=f"put {name} = ... first, or call the step something else",
            )
        reading.given[name] = place


def _converted(reading: _Reading, root: ast.expr) -> int:
    """The place of an expression. Without recursion, so that a sum of 300 terms is no problem."""
    order: list[ast.expr] = []
    waiting = [root]
    while waiting:
        part = waiting.pop()
        order.append(part)
        waiting.extend(_children(reading, part))
    places: dict[int, int] = {}
    for part in reversed(order):
        places[id(part)] = _place(reading, part, places)
    return places[id(root)]


def _children(reading: _Reading, part: ast.expr) -> Iterator[ast.expr]:
    """The operands, left first; an error for what is not on the list."""
    match part:
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            yield from (left, right)
        case ast.BinOp(op=sign):
            raise reading.error(f"the operation {type(sign).__name__} is not known", part)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            if not (isinstance(operand, ast.Constant) and isinstance(part.op, ast.USub)):
                yield operand
        case ast.Call():
            yield _argument(reading, part)
        case ast.Name():
            _check_name(reading, part)
        case ast.Constant():
            _number(reading, part)
        case _:
            raise reading.error(f"{_UNKNOWN.get(type(part), 'this')} is not understood", part)


def _argument(reading: _Reading, call: ast.Call) -> ast.expr:
    if not isinstance(call.func, ast.Name):
        raise reading.error("only a function can be called, by its plain name", call.func)
    name = call.func.id
    if ALIASES.get(name, name) not in FUNCTIONS:
        near = nearest(name, [*FUNCTIONS, *ALIASES])
        if name in reading.given or len(name) <= 2:
            near = near or f"; for a product write {name}*(...)"
        raise reading.error(f"there is no function {name!r}{near}", call, expected=f"one of {', '.join(FUNCTIONS)}")
    if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
        n_given = len(call.args) + len(call.keywords)
        raise reading.error(f"{name} is given {n_given} values", call, expected="one", fix=f"write {name}(z)")
    return call.args[0]


def _check_name(reading: _Reading, part: ast.Name) -> None:
    if part.id in FUNCTIONS or part.id in ALIASES:
        raise reading.error(
            f"{part.id} is a function and needs a value in brackets",
            part,
            expected="names that no function has",
            fix=f"write {part.id}(z), or call the variable something else",
        )
    if "__" in part.id or len(part.id) > 30:
        raise reading.error(f"{part.id!r} cannot be a name here", part, expected="a name of at most 30 letters")


def _number(reading: _Reading, part: ast.Constant) -> Number:
    number = part.value
    if isinstance(number, bool) or not isinstance(number, int | float):
        what = {"bool": "a truth value", "complex": "a complex number"}.get(type(number).__name__, "a text")
        raise reading.error(f"{what} is not understood", part)
    try:
        is_finite = float(number) - float(number) == 0
    except OverflowError:
        is_finite = False
    if not is_finite:
        raise reading.error("this number is too large for a double", part, expected="numbers below 1.8e308")
    return number


def _place(reading: _Reading, part: ast.expr, places: dict[int, int]) -> int:
    tape = reading.tape
    match part:
        case ast.Constant():
            return tape.number(_number(reading, part))
        case ast.Name(id=name):
            if name in reading.given:
                return reading.given[name]
            if name in CONSTANTS:
                return tape.number(CONSTANTS[name])
            reading.met.setdefault(name, part)
            return tape.input(name)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return places[id(operand)]
        case ast.UnaryOp(operand=ast.Constant() as number):
            return tape.number(-_number(reading, number))
        case ast.UnaryOp(operand=operand):
            return tape.apply("negate", places[id(operand)])
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return tape.apply(ALIASES.get(name, name), places[id(argument)])
        case ast.BinOp(left=left, op=sign, right=right):
            return _binary(tape, _BINARY[type(sign)], places[id(left)], places[id(right)])
    raise AssertionError(ast.dump(part))


def _binary(tape: Tape, operation: str, left: int, right: int) -> int:
    if operation == "power" and tape.nodes[right] == Node("number", number=2):
        return tape.apply("square", left)
    return tape.apply(operation, left, right)


def _finished(reading: _Reading, output: int, remarks: tuple[str, ...]) -> Graph:
    nodes = reading.tape.nodes
    needed = ancestors(nodes, [output])
    idle = [name for name, place in reading.given.items() if not needed[place]]
    if idle:
        raise UsageError(
            f"{', '.join(idle)} is given but the result does not need it",
            expected="steps that lead to the last one",
            fix="leave it out, or use it",
        )
    if not reading.met:
        raise UsageError(
            f"there is no variable in {reading.text!r}", expected="at least one name", fix='write it such as "w*x + b"'
        )
    # A number or an exponent 2 may be on the tape without being used: x**2 is a square.
    moved = {old: new for new, old in enumerate(place for place in range(len(nodes)) if needed[place])}
    kept = tuple(
        Node(node.operation, tuple(moved[operand] for operand in node.operands), node.name, node.number)
        for place, node in enumerate(nodes)
        if needed[place]
    )
    names: dict[int, str] = {}
    for name, place in reading.given.items():
        if nodes[place].operation in OPERATIONS:
            names.setdefault(moved[place], name)
    if nodes[output].operation in OPERATIONS and reading.given:
        last = [name for name, place in reading.given.items() if place == output]
        if last:
            names[moved[output]] = last[-1]
    return Graph(reading.text, kept, moved[output], names, remarks)
