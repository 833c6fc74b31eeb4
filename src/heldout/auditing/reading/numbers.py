"""H302, H303, H305 and H405: numbers that are printed or chosen by, and how they were counted."""

import ast
import re
from collections.abc import Iterator

from heldout.auditing.reading.training import is_epoch_loop
from heldout.auditing.reading.tree import Binding, Loop, Script, calls_in, iterated, last_name, names_read
from heldout.auditing.rule import Hit

_RIGHT = re.compile(r"(?i)(?:correct|n_right|num_right|hits)")
_TEST = re.compile(r"(?i)(?:^|_)test(?:_|$|set|load|data|dl|iter)")
_VALIDATION = re.compile(r"(?i)(?:^|[^a-z])(?:val|valid|validation|dev)(?:[^a-z]|$|set|load|data|dl|iter|acc|loss)")
_STOPS = re.compile(r"(?i)early|stop|patience")
_HELD_OUT = re.compile(r"(?i)\b(?:test|val|valid|validation|held.out)\b")
_TRAIN = re.compile(r"(?i)train")
_BEST = re.compile(r"(?i)(?:^|_)(?:best|max|top|highest|lowest|min)")
_LOSS_SUM = re.compile(r"(?i)^(?:running|epoch|train|val|test|sum|batch)_?\w*loss$|^loss_sum$")
# A product below this is no length of a data set (assumed).
SMALLEST = 10


def find_fixed_divisor(script: Script) -> Iterator[Hit]:
    """Counts of right answers that are divided by a product of typed-in numbers."""
    divisions: list[tuple[ast.AST, ast.expr, ast.expr]] = [
        (node, node.left, node.right) for node in script.every(ast.BinOp) if isinstance(node.op, ast.Div)
    ]
    divisions += [
        (node, node.target, node.value) for node in script.every(ast.AugAssign) if isinstance(node.op, ast.Div)
    ]
    for node, count, divisor in divisions:
        product = _product(divisor)
        words = [last_name(each) for each in ast.walk(count) if isinstance(each, ast.Name | ast.Attribute)]
        counted = [word for word in words if _RIGHT.search(word)]
        if product >= SMALLEST and counted:
            observed = f"{counted[0]} is divided by {ast.unparse(divisor)} = {product:,}, whatever was counted."
            yield Hit(script.place(node), observed, severity="warning")


def _product(node: ast.expr) -> int:
    """The value of a product of whole numbers that are typed in; 0 for anything else."""
    if isinstance(node, ast.Call) and last_name(node.func) in {"float", "int"} and len(node.args) == 1:
        node = node.args[0]
    match node:
        case ast.BinOp(left=ast.Constant(value=int(left)), op=ast.Mult(), right=ast.Constant(value=int(right))):
            return left * right if left > 1 and right > 1 else 0
    return 0


def find_accumulated(script: Script) -> Iterator[Hit]:
    """Counters that begin before the epochs, are added to in each, told in each, and never begin again."""
    for loop in script.every(ast.For):
        if not is_epoch_loop(script, loop):
            continue
        told: set[int] = set()
        for name, start in _counters(script, loop):
            shown = _told_in(script, loop, name)
            if shown is not None and script.place(shown).line not in told:
                told.add(script.place(shown).line)
                observed = f"{name} begins at 0 before the loop over epochs, is added to in every epoch and told here."
                yield Hit(script.place(shown), observed, severity="warning", more=(script.place(start.at),))


def _counters(script: Script, loop: Loop) -> Iterator[tuple[str, Binding]]:
    scope = script.scope(loop)
    added = {_added_to(each) for each in ast.walk(loop)} - {""}
    for name in sorted(name for name in added if _RIGHT.search(name) or _LOSS_SUM.search(name)):
        bound = script.bindings(scope, name)
        before = [each for each in bound if loop not in script.loops(each.at) and each.order < script.order(loop)]
        inside = [each for each in bound if loop in script.loops(each.at)]
        resets = [each for each in inside if _added_to(each.at) != name]
        if before and not resets and isinstance(before[-1].value, ast.Constant) and before[-1].value.value == 0:
            # A number of the whole training that an outer loop begins anew is a run's own.
            yield name, before[-1]


def _added_to(node: ast.AST) -> str:
    match node:
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add()):
            return name
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.BinOp(op=ast.Add()) as total) if name in names_read(
            total
        ):
            return name
    return ""


def _told_in(script: Script, loop: Loop, name: str) -> ast.Call | None:
    """The call that tells a counter once an epoch: printed, logged or kept."""
    made = {name}
    for node in ast.walk(loop):
        match node:
            case ast.Assign(targets=[ast.Name(id=other)], value=value) if name in names_read(value):
                made |= {other} if script.loops(node)[:1] == [loop] else set()
    for call in calls_in(loop, "print", "write", "info", "append", "add_scalar", "log", "set_postfix"):
        given = [*call.args, *(each.value for each in call.keywords)]
        if script.loops(call)[:1] == [loop] and any(made & names_read(each) for each in given):
            return call
    return None


def find_training_number(script: Script) -> Iterator[Hit]:
    """Lines that name a held-out part and tell a count of the loop that trains."""
    for call in script.calls_of.get("print", ()):
        texts = [
            each.value for each in ast.walk(call) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        text = " ".join(texts)
        if not _HELD_OUT.search(text) or _TRAIN.search(text):
            continue
        named = [each for each in ast.walk(call) if isinstance(each, ast.Name) and _RIGHT.search(each.id)]
        for name in named:
            home = script.home(name)
            bound = script.bindings(home, name.id) if home is not None and home is script.scope(name) else []
            adding = [each.at for each in bound if _added_to(each.at) == name.id]
            loop = _training_loop(script, adding)
            if loop is not None:
                over = ast.unparse(iterated(loop) or loop)
                observed = f"{name.id} is printed as a held-out number, and is only counted in the loop over {over}"
                observed += f" (line {script.place(loop).line}), which trains."
                yield Hit(script.place(call), observed, more=(script.place(adding[0]),))
                break


def _training_loop(script: Script, adding: list[ast.AST]) -> Loop | None:
    """The one loop over a training loader, with a backward pass in it, in which all of these stand."""
    found = set()
    for node in adding:
        over = [each for each in script.loops(node) if _TRAIN.search(last_name(iterated(each) or each))]
        found.add(over[0] if over else None)
    loop = found.pop() if len(found) == 1 else None
    return loop if loop is not None and calls_in(loop, "backward") else None


def find_best_on_test(script: Script) -> Iterator[Hit]:
    """The best of many epochs, chosen by what was measured on the test part."""
    for condition in script.every(ast.If):
        loops = [each for each in script.loops(condition) if is_epoch_loop(script, each)]
        test = condition.test
        if not loops or not isinstance(test, ast.Compare) or len(test.comparators) != 1:
            continue
        sides = [test.left, test.comparators[0]]
        best = [each for each in sides if isinstance(each, ast.Name) and _BEST.search(each.id)]
        number = [each for each in sides if each not in best]
        if len(best) != 1 or not isinstance(number[0], ast.Name) or best[0].id not in _assigned(condition):
            continue
        loader = _measured_on(script, number[0])
        if loader and (_keeps(condition) or _is_told(script, best[0].id, loops[0])):
            observed = f"Of all epochs the one is kept whose {number[0].id} is best, and that is measured on {loader}."
            yield Hit(script.place(condition), observed)


def _assigned(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _keeps(node: ast.AST) -> bool:
    """Whether weights are kept, and not only the best number."""
    return bool(calls_in(node, "save", "state_dict", "deepcopy", "save_checkpoint", "save_model", "save_pretrained"))


def _is_told(script: Script, name: str, loop: Loop) -> bool:
    """Whether a best number is printed, after the loop, as that of the test part."""
    for call in script.calls_of.get("print", ()):
        texts = [
            each.value for each in ast.walk(call) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        is_test = bool(_TEST.search(" ".join(texts).replace(" ", "_"))) and not _VALIDATION.search(" ".join(texts))
        if is_test and name in names_read(call) and loop not in script.loops(call) and not _has_validation(script):
            return True
    return False


def _has_validation(script: Script) -> bool:
    """Whether anything of the script's is called validation."""
    return any(_VALIDATION.search(word) for word in script.words)


def find_stopped_on_test(script: Script) -> Iterator[Hit]:
    """Trainings that are stopped by what was measured on the test part, where nothing is called validation."""
    for call in script.calls:
        told = " ".join([*(last_name(each) for each in ast.walk(call.func)), *_made_as(script, call)])
        given = [each for each in [*call.args, *(each.value for each in call.keywords)] if isinstance(each, ast.Name)]
        test = [each.id for each in given if _TEST.search(each.id)]
        if _STOPS.search(told) and test and script.loops(call) and not _has_validation(script):
            yield Hit(
                script.place(call), f"When to stop is decided here by {test[0]}, and nothing is called validation."
            )


def _made_as(script: Script, call: ast.Call) -> list[str]:
    """The class of what a method is called of."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    value = script.value(owner) if isinstance(owner, ast.Name) else None
    return [last_name(value.func)] if isinstance(value, ast.Call) else []


def _measured_on(script: Script, name: ast.Name) -> str:
    """The loader called test by which a number was measured; empty where it is none."""
    binding = script.binding(name)
    source = binding.source if binding is not None else None
    if not isinstance(source, ast.Call):
        return ""
    given = [last_name(each) for each in source.args if isinstance(each, ast.Name | ast.Attribute)]
    return next((each for each in given if _TEST.search(each) and not _TRAIN.search(each)), "")


CHECKS = (
    ("H302", find_fixed_divisor),
    ("H303", find_accumulated),
    ("H305", find_training_number),
    ("H405", find_best_on_test),
    ("H405", find_stopped_on_test),
)
