"""The audit beside its peers on the same scripts: which bugs each names, and on which correct scripts it speaks.

    python3.11 -m venv .venv-audit-peers
    .venv-audit-peers/bin/pip install torch==2.13.0          # a CPU build
    .venv-audit-peers/bin/pip install -r benchmarks/peers/requirements-audit-peers.txt
    python benchmarks/audit_peers.py --peers-python .venv-audit-peers/bin/python [--cases given own]

`given` are the scripts of `--folder` (`bugs/`, `writeups/`, `clean/`), `own` those of `tests/auditing/cases`. Static
checkers read each file; run-time checkers run each script as it is, with `peers/audit_hook.py` putting their call into
the training loop. A bug is *caught* where a finding is about its subject: heldout's by its code, a peer's by the table
`SUBJECTS` below, which is generous. On correct scripts everything that is said above a note is counted.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit_measured import REPOSITORY, circumstances, rewrite_section, run

HOOK = Path(__file__).with_name("peers") / "audit_hook.py"
OWN = REPOSITORY / "tests" / "auditing" / "cases"
SECONDS = 300.0
# Which of heldout's codes a peer's check is about. Generous: a symptom of the bug counts, if it is of that bug's kind.
SUBJECTS: Mapping[str, Mapping[str, str]] = {
    "torchfix": {"TOR002": "H203"},
    "ruff": {"B007": "H104 H105", "F841": "H104 H105", "ARG001": "H104 H105", "B023": "H104"},
    "torch-audit": {
        "TA102": "H201", "TA104": "H202", "TA500": "H202", "TA301": "H112", "TA100": "H210", "TA402": "H204",
    },
    "torchtest2": {
        "optimizer_coverage": "H202", "gradient_flow": "H202 H203", "params_change": "H202 H203",
        "frozen_params": "H203 H204", "eval_determinism": "H209 H208", "loss": "H210 H211",
        "initial_loss": "H210 H211 H213",
        "output_varies": "H212 H301", "overfit_batch": "H210 H211 H212", "output_range": "H210",
        "gradient_magnitude": "H201 H211",
    },
}  # fmt: skip
GIVEN: Mapping[str, str] = {
    "b01_argmax_1logit": "H301", "b02_fixed_divisor": "H302", "b04_test_train_sampler": "H107",
    "b05_sampler_len": "H108", "m01_no_zero_grad": "H201 H212", "m02_no_eval": "H208", "m03_val_is_train": "H101",
    "m05_aug_on_val": "H106", "m06_double_softmax": "H210", "m07_opt_before_head": "H202 H212",
    "m09_sched_never": "H205", "m11_val_last_batch": "H104 H105 H305", "m12_val_overlap": "H102",
    "m16_sweep_reuse": "H401", "m17_dropout_in_eval": "H209", "x01_same_factory": "H402",
    "hw4_flowers": "H211 H401 H402 H213", "hw4_imbalanced": "H107 H108 H201 H211 H301 H302",
    "hw5_catdog": "H104 H105 H208 H303 H305",
}  # fmt: skip
Finding = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Script:
    """A script, with the codes of what is wrong with it; none of a correct one."""

    path: Path
    codes: frozenset[str]


def given(folder: Path) -> list[Script]:
    paths = [path for part in ("bugs", "writeups", "clean") for path in sorted((folder / part).glob("*.py"))]
    return [Script(path, frozenset(GIVEN.get(path.stem, "").split())) for path in paths if path.stem != "common"]


def own() -> list[Script]:
    """The scripts of the tests; each bug's codes stand in the script itself."""
    found = []
    for path in sorted(OWN.glob("bugs/*.py")) + sorted(OWN.glob("legitimate/*.py")):
        marked = re.findall(r"(?:<- missed|<-|also) (H\d{3})", path.read_text())
        found.append(Script(path, frozenset(marked) if path.parent.name == "bugs" else frozenset()))
    return found


def by_heldout(script: Path, _: Path) -> list[Finding]:
    ended = run(
        [sys.executable, "-m", "heldout.cli.main", "audit", "--json", "--fail-on", "never", script], timeout=SECONDS
    )
    try:
        findings = json.loads(ended.out)["findings"]
    except (json.JSONDecodeError, KeyError):
        return [("the audit failed", "failure", ended.err[-300:])]
    return [(each["code"], each["severity"], each["observed"]) for each in findings if each["severity"] != "note"]


def by_torchfix(script: Path, python: Path) -> list[Finding]:
    ended = run([python.with_name("torchfix"), "--select", "ALL", script], timeout=SECONDS)
    return [(code, "warning", line) for line in ended.out.splitlines() for code in re.findall(r": (TOR\d+)", line)]


def by_ruff(script: Path, python: Path) -> list[Finding]:
    command = [python.with_name("ruff"), "check", "--isolated", "--select", "ALL", "--preview"]
    ended = run([*command, "--output-format", "json", script], timeout=SECONDS)
    return [(each["code"] or "", "warning", each["message"]) for each in json.loads(ended.out or "[]")]


def by_hook(tool: str) -> Callable[[Path, Path], list[Finding]]:
    def check(script: Path, python: Path) -> list[Finding]:
        with tempfile.TemporaryDirectory() as folder:
            findings = Path(folder) / "findings.json"
            ended = run([python, HOOK, tool, findings, script], timeout=SECONDS, cwd=Path(folder))
            found = [tuple(each) for each in json.loads(findings.read_text())] if findings.exists() else []
        if ended.code:
            found.append(("the script broke", "failure", ended.err[-300:]))
        return [each for each in found if each[1] != "info"]

    return check


TOOLS: Mapping[str, Callable[[Path, Path], list[Finding]]] = {
    "heldout": by_heldout,
    "torchfix": by_torchfix,
    "ruff": by_ruff,
    "torch-audit": by_hook("torch-audit"),
    "torchtest2": by_hook("torchtest2"),
}


def subjects(tool: str, findings: Sequence[Finding]) -> set[str]:
    """The codes that findings are about."""
    if tool == "heldout":
        return {code for code, _, _ in findings}
    return {code for name, _, _ in findings for code in SUBJECTS[tool].get(name, "").split()}


def section(scripts: Sequence[Script], found: Mapping[str, Sequence[Sequence[Finding]]]) -> list[str]:
    n_bugs, n_right = sum(bool(each.codes) for each in scripts), sum(not each.codes for each in scripts)
    lines = [
        f"| checker | bugs caught of {n_bugs} | correct scripts of {n_right} on which it says anything | "
        "of these, something of the kinds that count as catching | failed on |",
        "| --- | --- | --- | --- | --- |",
    ]
    for tool, each in found.items():
        told = [subjects(tool, findings) for findings in each]
        said = [any(severity != "failure" for _, severity, _ in findings) for findings in each]
        caught = sum(bool(script.codes & codes) for script, codes in zip(scripts, told, strict=True))
        right = [number for number, script in enumerate(scripts) if not script.codes]
        failed = sum(any(severity == "failure" for _, severity, _ in findings) for findings in each)
        lines.append(
            f"| {tool} | {caught} | {sum(said[number] for number in right)} "
            f"| {sum(bool(told[number]) for number in right)} | {failed} |"
        )
    lines += ["", "| script | what is wrong | caught by | something else is said by |", "| --- | --- | --- | --- |"]
    for number, script in enumerate(scripts):
        told = {tool: subjects(tool, each[number]) for tool, each in found.items()}
        caught_by = [tool for tool in found if told[tool] & script.codes]
        others = []
        for tool, each in found.items():
            names = dict.fromkeys(name for name, severity, _ in each[number] if severity != "failure")
            if names and tool not in caught_by:
                others.append(f"{tool} ({', '.join(list(names)[:3])}{', ...' if len(names) > 3 else ''})")
        codes = " ".join(sorted(script.codes)) or "nothing"
        lines.append(f"| {script.path.stem} | {codes} | {', '.join(caught_by)} | {', '.join(others)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers-python", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=REPOSITORY.parent / "shared" / "audit_cases")
    parser.add_argument("--cases", nargs="+", choices=("given", "own"), default=("given", "own"))
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=tuple(TOOLS))
    asked = parser.parse_args()
    for name, title in (("given", "Peers: the scripts that were given"), ("own", "Peers: the scripts of the tests")):
        if name not in asked.cases:
            continue
        scripts = given(asked.folder) if name == "given" else own()
        found: dict[str, list[list[Finding]]] = {}
        for tool in asked.tools:
            found[tool] = []
            for script in scripts:
                found[tool].append(TOOLS[tool](script.path, asked.peers_python.absolute()))
                print(tool, script.path.stem, found[tool][-1][:4], file=sys.stderr, flush=True)
        command = f"`python benchmarks/audit_peers.py --peers-python ... --cases {name}`; "
        rewrite_section(title, [command + circumstances(), "", *section(scripts, found)])


if __name__ == "__main__":
    main()
