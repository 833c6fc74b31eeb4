"""H214: losses that are added up with all that they were computed from."""

import ast
from collections.abc import Iterator

from heldout.auditing.reading.training import batch_loops, loss_names
from heldout.auditing.reading.tree import Loop, Script, calls_in, last_name, names_read
from heldout.auditing.rule import Hit

# What makes a number of a loss, or cuts it off its graph.
_CUTS = frozenset({"item", "detach", "data", "numpy", "tolist", "detach_", "reduce", "gather", "all_reduce"})


def find_summed(script: Script) -> Iterator[Hit]:
    """Sums over batches of a loss that the same loop differentiates, where the sum is never differentiated."""
    for loop in batch_loops(script):
        if not calls_in(loop, "step"):
            continue
        losses = loss_names(script, loop)
        for statement in (each for each in ast.walk(loop) if isinstance(each, ast.stmt)):
            total, added = _sum(statement)
            if total is None or added is None or script.loops(statement)[:1] != [loop]:
                continue
            loss = _with_graph(script, added, losses)
            if loss and not _is_cut(script, statement) and _only_counts(script, loop, total, losses):
                observed = f"{ast.unparse(total)} adds up {loss}, which backward() is called on in the same loop."
                yield Hit(script.place(statement), f"{observed} It is not made a number first.")


def _sum(node: ast.stmt) -> tuple[ast.expr | None, ast.expr | None]:
    match node:
        case ast.AugAssign(target=ast.Name() | ast.Attribute(), op=ast.Add()):
            return node.target, node.value
        case ast.Assign(targets=[ast.Name(id=name) as target], value=ast.BinOp(op=ast.Add()) as total):
            if isinstance(total.left, ast.Name) and total.left.id == name:
                return target, total.right
    return None, None


def _with_graph(script: Script, node: ast.expr, losses: set[str]) -> str:
    """The name of a loss that comes with its graph, alone or times a number; empty where there is none."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        node = node.left if names_read(node.left) & losses else node.right
    if not isinstance(node, ast.Name) or node.id not in losses:
        return ""
    bound = script.bindings(script.scope(node), node.id)
    return "" if any(_is_number(each.source) for each in bound) else node.id


def _is_number(node: ast.expr | None) -> bool:
    """Whether a value is a number, or a tensor that is cut off: `float(loss)`, `loss.detach().cpu()`."""
    while isinstance(node, ast.Call | ast.Attribute):
        name = node.func if isinstance(node, ast.Call) else node
        if last_name(name) in _CUTS or (isinstance(name, ast.Name) and name.id == "float"):
            return True
        node = name.value if isinstance(name, ast.Attribute) else None
    return False


def _is_cut(script: Script, node: ast.AST) -> bool:
    """Whether a statement stands where nothing is recorded."""
    blocks = (each for each in script.above(node) if isinstance(each, ast.With))
    return any(calls_in(item.context_expr, "no_grad", "inference_mode") for each in blocks for item in each.items)


def _only_counts(script: Script, loop: Loop, total: ast.expr, losses: set[str]) -> bool:
    """Whether a sum is no part of what is differentiated, and is begun anew outside of the loop."""
    if not isinstance(total, ast.Name):
        return True
    bound = script.bindings(script.scope(total), total.id)
    inside = [
        each
        for each in bound
        if loop in script.loops(each.at) and not isinstance(each.at, ast.AugAssign) and each.value
    ]
    # A sum that is set back in the loop belongs to an accumulation; one that flows into a loss is part of it.
    flows = any(
        each.value is not None and total.id in names_read(each.value)
        for loss in losses
        for each in script.bindings(script.scope(total), loss)
    )
    resets = [each for each in inside if each.value is not None and total.id not in names_read(each.value)]
    return total.id not in losses and not flows and not resets


CHECKS = (("H214", find_summed),)
