"""H110: samples that are permuted and labels that are not, or not in the same way."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from heldout.auditing.reading.tree import Script, dotted, last_name, names_read
from heldout.auditing.rule import Hit

_LABELS = re.compile(
    r"(?i)^(?:y(?:s|b|i|t|batch|tr|train|te|test|va|val)?|t|lab|lbl|labels?|targets?|gts?|truths?|masks?)(?:_|\d|$)"
    r"|(?:_y|labels?|targets?)$"
)
_LOSS = re.compile(r"(?i)criterion|loss|cross_entropy|entropy|^nll|^ce$|^bce")
# Gives something in a random order: the numbers, or what it is given.
_ORDERS = frozenset({"randperm", "permutation"})
_SHUFFLED = frozenset({"shuffle", "permutation", "sample", "train_test_split", "random_split"})
_SEEDS = frozenset(
    {"seed", "manual_seed", "set_state", "setstate", "set_rng_state", "seed_everything", "seed_all", "set_seed"}
)
# What changes the numbers or the type, and not the order: methods of a thing, and functions with it as an argument.
_KEEPS_ORDER = frozenset(
    {"to", "float", "long", "int", "double", "half", "clone", "copy", "detach", "numpy", "cpu", "cuda", "astype"}
    | {"contiguous", "view", "reshape", "unsqueeze", "squeeze", "flatten", "requires_grad_", "list", "tuple"}
    | {"array", "asarray", "tensor", "from_numpy", "as_tensor", "Tensor", "FloatTensor", "LongTensor"}
)
_LISTS = frozenset({"listdir", "glob", "iglob", "rglob", "iterdir", "scandir"})
_MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class _Draw:
    """Something that put an expression in a random order.

    Attributes:
        made: The call that drew it.
        at: The statement that applied it.
        is_rebound: Whether the thing kept its name.
    """

    made: ast.Call
    at: ast.AST
    is_rebound: bool


@dataclass(slots=True)
class _Origin:
    """How an expression came to be in its order: the draws, the latest first, and where its first value was bound."""

    name: str
    at: ast.AST
    draws: list[_Draw]
    begun: int = -1
    is_known: bool = True


def find_permuted_apart(script: Script) -> Iterator[Hit]:
    """Samples and labels that are used side by side, of which one was permuted without the other."""
    told: set[ast.AST] = set()
    for samples, labels in _pairs(script):
        lone = _lone_draw(script, _origin(script, samples), _origin(script, labels))
        if lone is None or lone[0].at in told:
            continue
        draw, named, beside = lone
        told.add(draw.at)
        lone_too = any(not any(_is_same(script, each, own) for own in named.draws) for each in beside.draws)
        also = "in another one" if lone_too else "not"
        observed = (
            f"{named.name} is put into a random order ({ast.unparse(draw.made)[:50]}) and {beside.name} {also}; "
            f"line {script.place(samples).line} uses them side by side."
        )
        more = [*(script.place(each.at) for each in beside.draws), script.place(samples)]
        yield Hit(script.place(draw.at), observed, more=tuple(dict.fromkeys(more)))


def _lone_draw(script: Script, one: _Origin, other: _Origin) -> tuple[_Draw, _Origin, _Origin] | None:
    """The draw that only one of the two has, with that one and the other; None where both have the same."""
    if not (one.is_known and other.is_known):
        return None
    for named, beside in ((one, other), (other, one)):
        for draw in reversed(named.draws):
            # What is made of permuted samples comes in their order.
            made_before = beside.begun < script.order(draw.at)
            # Labels that get another name when they are permuted are meant to be: a mixture, or a control.
            is_meant = named is other and not one.draws and not draw.is_rebound
            if made_before and not is_meant and not any(_is_same(script, draw, each) for each in beside.draws):
                return draw, named, beside
    return None


def _is_same(script: Script, one: _Draw, other: _Draw) -> bool:
    """Whether two draws give the same order: one call, or two that begin at the same seed."""
    if one.made is other.made:
        return True
    first, second = sorted((script.order(one.made), script.order(other.made)))
    seeds = [each for name in _SEEDS for each in script.calls_of.get(name, ())]
    if any(first < script.order(each) < second for each in seeds):
        return True
    given = [_seed_of(script, each.made) for each in (one, other)]
    return given[0] is not None and given[0] == given[1]


def _seed_of(script: Script, call: ast.Call) -> str | None:
    """How a call is seeded by itself, as it is written; None where it is not."""
    for each in call.keywords:
        is_own = each.arg in {"random_state", "generator", "seed"}
        if is_own and not (isinstance(each.value, ast.Constant) and each.value.value is None):
            # A generator that has a name goes on where it was left.
            is_shared = isinstance(each.value, ast.Name) and each.arg == "generator"
            return None if is_shared else ast.dump(each.value)
    made = call.func.value if isinstance(call.func, ast.Attribute) else None
    return ast.dump(made) if isinstance(made, ast.Call) and (made.args or made.keywords) else _own_seed(script, made)


def _own_seed(script: Script, owner: ast.expr | None) -> str | None:
    """The seed of a generator that has a name and draws once."""
    made = script.value(owner) if isinstance(owner, ast.Name) else None
    if not isinstance(owner, ast.Name) or not isinstance(made, ast.Call) or not made.args:
        return None
    home = script.home(owner)
    return ast.dump(made) if home is not None and len(script.loads(home, owner.id)) == 1 else None


def _pairs(script: Script) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Samples and labels that are used side by side."""
    for call in script.calls:
        match call.args:
            case [samples, labels, *_]:
                asked = _asked(script, samples) if _LOSS.search(last_name(call.func)) else samples
                if _is_labels(labels) and not _is_labels(asked) and not _is_beside(script, call):
                    yield asked, labels
    given: list[ast.Return | ast.Yield] = [*script.every(ast.Return), *script.every(ast.Yield)]
    for node in given:
        match node.value:
            case ast.Tuple(elts=[samples, labels]) if _is_labels(labels) and not _is_labels(samples):
                yield samples, labels


def _asked(script: Script, outputs: ast.expr) -> ast.expr:
    """What a model was asked about, where these are its answers."""
    value = script.value(outputs)
    return value.args[0] if isinstance(value, ast.Call) and value.args else outputs


def _is_labels(node: ast.expr) -> bool:
    return bool(_LABELS.search(_name(node)))


def _is_beside(script: Script, call: ast.Call) -> bool:
    """Whether the same function is given the samples in their own order too: here they are permuted on purpose."""
    if last_name(call.func) in {"zip", "TensorDataset"}:
        return False
    own = _origin(script, call.args[0])
    others = [each for each in script.calls_of.get(last_name(call.func), ()) if each is not call and each.args]
    if not own.draws or len(others) > _MOST_STEPS:
        return False
    origins = [_origin(script, each.args[0]) for each in others]
    return any(each.name == own.name and not each.draws for each in origins)


def _name(node: ast.expr) -> str:
    """The name of what an expression holds the rows of: `y` for `torch.tensor(y[:800]).float()`."""
    for _ in range(_MOST_STEPS):
        match node:
            case ast.Name():
                return node.id
            case ast.Attribute():
                return node.attr
            case ast.Subscript():
                node = node.value
            case ast.Call() if (inner := _inside(node)) is not None:
                node = inner
            case _:
                return ""
    return ""


def _inside(call: ast.Call) -> ast.expr | None:
    """What a call gives in the same order; None where that is not known."""
    if last_name(call.func) not in _KEEPS_ORDER:
        return None
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    is_function = owner is None or (isinstance(owner, ast.Name) and owner.id in {"torch", "np", "numpy"})
    return (call.args[0] if call.args else None) if is_function else owner


def _origin(script: Script, node: ast.expr) -> _Origin:
    """How an expression came to be in its order."""
    origin = _Origin(_name(node) or "it", script.statement(node), [])
    following: ast.expr | None = node
    for _ in range(_MOST_STEPS):
        if following is None:
            break
        following = _one_back(script, following, origin)
    return origin


def _one_back(script: Script, node: ast.expr, origin: _Origin) -> ast.expr | None:
    """What an expression was made of, with the draws in between noted; None at the beginning."""
    at = origin.at
    match node:
        case ast.Name():
            return _bound_to(script, node, origin)
        case ast.Subscript():
            is_rebound = isinstance(at, ast.Assign) and _name(at.targets[0]) == _name(node.value)
            origin.draws += [_Draw(each, at, is_rebound) for each in _orders_in(script, node.slice)]
            return node.value
        case ast.Call() if _is_shuffle(node):
            is_rebound = isinstance(at, ast.Assign) and _name(at.targets[0]) == _name(node.args[0])
            origin.draws.append(_Draw(node, at, is_rebound))
            return node.args[0]
        case ast.Call() if (inner := _inside(node)) is not None:
            return inner
        case ast.Call() if origin.begun < 0 and any(names_read(each) for each in node.args):
            origin.begun = script.order(node)  # answers come in the order that the samples have there
        case ast.BinOp(right=ast.Constant() | ast.Attribute()):
            return node.left
        case ast.BinOp() | ast.IfExp() | ast.BoolOp():
            origin.is_known = False  # made of several things
    return None


def _bound_to(script: Script, node: ast.Name, origin: _Origin) -> ast.expr | None:
    binding = script.binding(node)
    begun = binding.order if binding is not None else -1
    origin.draws += _shuffled_in_place(script, node, begun, script.order(origin.at))
    origin.begun = begun
    if binding is None or isinstance(binding.at, ast.For) or binding.source is None:
        return None
    origin.at = binding.at
    if binding.value is None and isinstance(binding.source, ast.Call) and _is_shuffle(binding.source):
        origin.draws.append(_Draw(binding.source, binding.at, True))  # unpacked: several that are permuted as one
        return binding.source.args[0] if len(binding.source.args) == 1 else None
    return binding.value


def _is_shuffle(node: ast.Call) -> bool:
    """Whether a call gives its own arguments in a random order: not the numbers up to one of them."""
    if last_name(node.func) not in _SHUFFLED or not node.args:
        return False
    keeps = [each for each in node.keywords if each.arg == "shuffle" and getattr(each.value, "value", True) is False]
    return not keeps and not isinstance(node.args[0], ast.Call | ast.Constant | ast.Attribute)


def _shuffled_in_place(script: Script, name: ast.Name, after: int, before: int) -> list[_Draw]:
    """Shuffles of a thing between two points of its function, the latest first."""
    scope = script.scope(name)
    found = [
        _Draw(call, script.statement(call), True)
        for call in script.calls_of.get("shuffle", ())
        if call.args and isinstance(call.args[0], ast.Name) and call.args[0].id == name.id
        if after < script.order(call) < before and script.scope(call) is scope
        if isinstance(script.statement(call), ast.Expr)
    ]
    return sorted(found, key=lambda each: -script.order(each.made))


def _orders_in(script: Script, index: ast.expr, depth: int = 4) -> list[ast.Call]:
    """The calls that drew a random order of which an index is a part."""
    found: list[ast.Call] = []
    for node in ast.walk(index):
        if isinstance(node, ast.Call) and last_name(node.func) in _ORDERS:
            found.append(node)
        elif isinstance(node, ast.Name | ast.Attribute) and depth:
            found += _orders_of(script, node, depth - 1)
    return list(dict.fromkeys(found))


def _orders_of(script: Script, node: ast.Name | ast.Attribute, depth: int) -> list[ast.Call]:
    if isinstance(node, ast.Attribute):
        written = dotted(node)
        values = [
            each.value
            for each in script.every(ast.Assign)
            if written and any(dotted(target) == written for target in each.targets)
        ]
        return _orders_in(script, values[0], depth) if len(values) == 1 else []
    binding = script.binding(node)
    if binding is None or binding.source is None:
        return []
    shuffled = [each.made for each in _shuffled_in_place(script, node, binding.order, script.order(node))]
    return shuffled + _orders_in(script, binding.value or binding.source, depth)


def find_sorted_apart(script: Script) -> Iterator[Hit]:
    """Two listings of files that are paired, of which one is sorted and the other comes as the disk has it."""
    for pair in _pairs(script):
        values = [script.value(each) for each in pair]
        in_order = [_is_sorted(script, *each) for each in zip(pair, values, strict=True)]
        if all(_lists(each) for each in values) and sum(in_order) == 1:
            loose, tidy = pair[in_order.index(False)], pair[in_order.index(True)]
            binding = script.binding(loose) if isinstance(loose, ast.Name) else None
            observed = (
                f"{_name(loose) or 'One listing'} comes in the order of the disk, and {_name(tidy) or 'the other'} is "
                "sorted; they are used side by side."
            )
            yield Hit(script.place(binding.at if binding else loose), observed, severity="warning")


def _lists(value: ast.expr) -> bool:
    return any(isinstance(each, ast.Call) and last_name(each.func) in _LISTS for each in ast.walk(value))


def _is_sorted(script: Script, node: ast.expr, value: ast.expr) -> bool:
    calls = [each for each in ast.walk(value) if isinstance(each, ast.Call)]
    inside = any(last_name(each.func) in {"sorted", "natsorted"} for each in calls)
    sorts = [each.func.value for each in script.calls_of.get("sort", ()) if isinstance(each.func, ast.Attribute)]
    return inside or (isinstance(node, ast.Name) and any(_name(each) == node.id for each in sorts))


CHECKS = (("H110", find_permuted_apart), ("H110", find_sorted_apart))
