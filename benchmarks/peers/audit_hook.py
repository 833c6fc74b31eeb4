"""Runs a script as it is, with a run-time checker hooked into its training; the peers' environment runs this.

    python audit_hook.py torchtest2|torch-audit FINDINGS SCRIPT

Both checkers want a call in the training loop, so one is put there for the user: after the forward and backward pass
that lead to the first step of each optimiser, when model, inputs, targets, loss and optimiser are all known.

    torchtest2    `check_model(model, inputs, targets, loss_fn=..., optimizer=...)` before that step; it puts back what
                  it changes. The loss is the last one of torch's that was called on outputs of that model.
    torch-audit   `autopatch(model, optimizer=..., every_n_steps=1)`, its own "zero-touch mode", which follows model and
                  optimiser from then on; `finish()` at the end.

What they find is written to FINDINGS as JSON: `[[check, severity, message], ...]`.
"""

import atexit
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

FOUND: list[tuple[str, str, str]] = []
LAST: dict[str, Any] = {"busy": False, "depth": 0}
AUDITORS: list[Any] = []
DONE: set[int] = set()


def main() -> None:
    tool, findings, script = sys.argv[1:4]
    atexit.register(lambda: Path(findings).write_text(json.dumps(FOUND)))
    follow_models()
    follow_losses()
    register_optimizer_step_pre_hook(lambda optimizer, *_: at_step(tool, optimizer))
    atexit.register(finish)
    sys.argv = [script]
    sys.path[0] = str(Path(script).parent)
    runpy.run_path(script, run_name="__main__")


def follow_models() -> None:
    """Remember the last model that was called from outside of any other, and its inputs."""
    original = nn.Module.__call__

    def call(module: nn.Module, *given: Any, **named: Any) -> Any:
        if LAST["busy"] or LAST["depth"] or next(module.parameters(), None) is None or not module.training:
            return original(module, *given, **named)
        LAST["depth"] = 1
        try:
            result = original(module, *given, **named)
        finally:
            LAST["depth"] = 0
        if torch.is_grad_enabled() and not named:
            LAST.update(model=module, inputs=given[0] if len(given) == 1 else given, loss=None)
        return result

    nn.Module.__call__ = call


def follow_losses() -> None:
    """Remember the last loss of torch's, as a function of outputs and targets."""
    functional = nn.functional
    for name in ("cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss"):
        original = getattr(functional, name)

        def loss(given: Any, target: Any, *more: Any, _original: Any = original, **named: Any) -> Any:
            if not LAST["busy"] and not LAST["depth"]:
                shape = given.shape

                def again(outputs: Any, targets: Any) -> Any:
                    fits = outputs.numel() == shape.numel()
                    return _original(outputs.reshape(shape) if fits else outputs, targets, *more, **named)

                LAST.update(loss=again, targets=target)
            return _original(given, target, *more, **named)

        setattr(functional, name, loss)


def at_step(tool: str, optimizer: Any) -> None:
    if LAST["busy"] or id(optimizer) in DONE or "model" not in LAST:
        return
    DONE.add(id(optimizer))
    LAST["kept"] = [*LAST.get("kept", ()), optimizer]  # lest another gets its identity
    LAST["busy"] = True
    try:
        if tool == "torchtest2":
            check_with_torchtest2(optimizer)
        else:
            check_with_torch_audit(optimizer)
    except Exception as error:
        FOUND.append(("the checker failed", "failure", f"{type(error).__name__}: {error}"[:300]))
    finally:
        LAST["busy"] = False


def check_with_torchtest2(optimizer: Any) -> None:
    import torchtest2

    targets = LAST.get("targets") if LAST.get("loss") is not None else None
    report = torchtest2.check_model(
        LAST["model"], LAST["inputs"], targets, loss_fn=LAST.get("loss"), optimizer=optimizer
    )
    for severity, results in (("error", report.failures), ("warning", report.warnings)):
        FOUND.extend((each.name, severity, each.message[:300]) for each in results)


def check_with_torch_audit(optimizer: Any) -> None:
    from torch_audit import autopatch

    AUDITORS.append(autopatch(LAST["model"], optimizer=optimizer, every_n_steps=1, reporters=[]))


def finish() -> None:
    LAST["busy"] = True
    for auditor in AUDITORS:
        auditor.finish()
        FOUND.extend((each.rule_id, each.severity.name.lower(), each.message[:300]) for each in auditor.findings)


if __name__ == "__main__":
    main()
