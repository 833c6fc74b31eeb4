"""H305: numbers that are printed under the name of a held-out part, and read from what is called after training.

Only what stands beside each other in one statement is compared: the words before a number, and the names that the
number is made of.
"""

import ast
import re
from collections.abc import Iterator

from heldout.auditing.reading.tree import Script, last_name
from heldout.auditing.rule import Hit

_METRIC = re.compile(r"(?i)acc|loss|\bf1|auc|\br2\b|r\^2|mse|mae|err|score|precision|recall|iou|dice|perplexity|\bppl")
_HELD_OUT = frozenset({"val", "valid", "validation", "test", "tst", "dev", "eval", "holdout", "heldout", "te", "va"})
_TRAIN = frozenset({"train", "training", "trn", "tr", "fit"})
# Words of names that tell how many there were, and not how good.
_COUNTS = frozenset({"n", "num", "len", "size", "count", "counts", "idx", "index", "indices", "samples", "examples"})
_NUMBERED = re.compile(r"\{\w")
_FIELD = re.compile(r"%(?:\(\w+\))?[-+ #0]*\d*(?:\.\d+)?[diouxXeEfFgGrsa]|\{[^{}]*\}")
_BREAK = re.compile(r"[,;|\n\t]")
_TELLERS = ("print", "info", "warning", "debug", "write", "tqdm", "set_postfix_str", "set_description", "log")
# A printed word and the number after it, as it is made.
_Pair = tuple[str, ast.expr]


def find_other_name(script: Script) -> Iterator[Hit]:
    """Numbers told as held-out whose names all say training."""
    for call in (each for name in _TELLERS for each in script.calls_of.get(name, ())):
        for label, number in _pairs(call):
            words = _words(label)
            if not words & _HELD_OUT or words & _TRAIN or not _METRIC.search(label):
                continue
            named = _named(number)
            is_training = bool(named & _TRAIN) and all(_named(each) & _TRAIN for each in _operands(number))
            if is_training and not named & (_HELD_OUT | _COUNTS) and not _is_misnamed(script, number):
                observed = f"What is told as {' '.join(label.split())[-40:]!r} is {ast.unparse(number)[:60]}."
                yield Hit(script.place(call), observed, more=(script.place(number),))


def _pairs(call: ast.Call) -> Iterator[_Pair]:
    """The numbers that a call tells, each with the words before it."""
    label = ""
    for given in call.args:
        match given:
            case ast.JoinedStr(values=parts):
                yield from _in_pieces(parts)
                label = ""
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
                yield from _in_format(text, right.elts if isinstance(right, ast.Tuple) else [right])
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"), args=numbers):
                yield from _in_format(text, numbers)
            case ast.Constant(value=str(text)) if given is call.args[0] and _FIELD.search(text):
                yield from _in_format(text, call.args[1:])
                return
            case ast.Constant(value=str(text)):
                label = _last_of(text)
            case _:
                if label:
                    yield label, given
                label = ""


def _in_pieces(parts: list[ast.expr]) -> Iterator[_Pair]:
    before = ""
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            before = part.value
        elif isinstance(part, ast.FormattedValue):
            yield _last_of(before), part.value
            before = ""


def _in_format(text: str, numbers: list[ast.expr]) -> Iterator[_Pair]:
    pieces = _FIELD.split(text.replace("%%", " percent"))
    if len(pieces) == len(numbers) + 1 and not _NUMBERED.search(text):  # otherwise fields are named, or starred
        yield from ((_last_of(before), number) for before, number in zip(pieces, numbers, strict=False))


def _last_of(text: str) -> str:
    """The words that stand right before a number."""
    return _BREAK.split(text)[-1]


def _words(text: str) -> set[str]:
    return {each.lower() for each in re.findall(r"[A-Za-z][a-z]*|[A-Z]+", text)}


def _named(node: ast.expr) -> set[str]:
    """The words in the names and keys that a number is made of; what is called to make it is no such name."""
    called = {id(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
    found: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            found |= _words(each.value)
        elif isinstance(each, ast.Name | ast.Attribute) and id(each) not in called:
            found |= _words(last_name(each))
        elif isinstance(each, ast.Name | ast.Attribute):
            found |= _words(last_name(each)) & _HELD_OUT
    return found


def _operands(node: ast.expr) -> list[ast.expr]:
    """What a number is reckoned from, plain numbers aside."""
    if isinstance(node, ast.BinOp):
        return [*_operands(node.left), *_operands(node.right)]
    return [] if isinstance(node, ast.Constant) else [node]


def _is_misnamed(script: Script, node: ast.expr) -> bool:
    """Whether a name that says training was bound to what says otherwise."""
    for name in (each for each in ast.walk(node) if isinstance(each, ast.Name) and _words(each.id) & _TRAIN):
        binding = script.binding(name)
        source = binding.source if binding is not None else None
        words = {word for each in ast.walk(source) for word in _words(last_name(each))} if source is not None else set()
        if words & _HELD_OUT and not words & _TRAIN:
            return True
    return False


CHECKS = (("H305", find_other_name),)
