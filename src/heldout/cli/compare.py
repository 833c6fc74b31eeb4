"""heldout compare."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from heldout.cli.options import Json
from heldout.cli.showing import finding_lines, percent, print_json, print_lines, score_line

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
N_NAMED = 5  # pictures of each kind that are named in the terminal


@app.command()
def compare(
    run_a: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a finished run; or, alone, that of a finished sweep.")
    ],
    run_b: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN]", help="Another run, scored on the same held-out pictures.", show_default=False),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Where a folder with compare.html and compare.json is made; not for a sweep.")
    ] = Path("comparisons"),
    as_json: Json = False,
) -> None:
    """Which of two models is better on the same held-out pictures, if these can tell; or how a sweep came out.

    Two fitted models are compared picture by picture: exact McNemar test, interval of the difference, the pictures that
    only one gets right, the smallest difference this test set could show.

    The exit code is 1 when a finding is an error.
    """
    from heldout.verbs.comparing import compare as compare_runs
    from heldout.verbs.sweeps import Sweep

    # Written out, for the types: with one run alone it is the standings of a sweep.
    found = compare_runs(run_a, run_b, out=out) if run_b is not None else compare_runs(run_a)
    content = found.as_dict()
    if as_json:
        print_json(content)
    elif isinstance(found, Sweep):
        print_lines(sweep_lines(content))
    else:
        print_lines(_compared_lines(content))
    if any(finding["severity"] == "error" for finding in content["findings"]):
        raise typer.Exit(1)


def _compared_lines(content: dict[str, Any]) -> list[str]:
    words, balanced = content["words"], content["balanced_accuracy"]
    lines = ["", *finding_lines(content["findings"])] if content["findings"] else []
    lines.append("")
    for side in ("a", "b"):
        facts = content[side]
        lines.append(
            f"{side.upper()}  {facts['run']}  ({' '.join(filter(None, (facts['regime'], facts['backbone'])))})"
        )
        lines.append(f"   {score_line('accuracy', facts['accuracy'])}")
    lines += ["", words["verdict"], words["difference"], words["table"]]
    if balanced:
        lines.append(f"balanced accuracy: A minus B {_difference_words(balanced)}")
    lines += ["", words["power"], words["needed"], words["meaning"], words["opened"], ""]
    for side in ("a", "b"):
        named = [f"{one['id']} ({one['label']})" for one in content[f"only_{side}"][:N_NAMED]]
        if named:
            more = content[f"n_only_{side}"] - len(named)
            lines.append(f"only {side.upper()} right: {', '.join(named)}{f' and {more:,} more' if more else ''}")
    return [*lines, "", f"page   {content['page']}"]


def _difference_words(difference: dict[str, Any]) -> str:
    from heldout.reporting.compare_words import interval_words, p_value, points

    return f"{points(difference['value'])} points ({interval_words(difference)}; {p_value(difference['p'])})"


def sweep_lines(content: dict[str, Any]) -> list[str]:
    """What a sweep came to, for a person."""
    lines = ["", *finding_lines(content["findings"])] if content["findings"] else []
    is_cost = content["metric"] == "mean_cost"
    metric = "cost of an answer" if is_cost else content["metric"].replace("_", " ")
    lost = "".join(f", {content[f'n_{kind}']:,} {kind}" for kind in ("diverged", "failed") if content[f"n_{kind}"])
    lines += [
        "",
        f"{content['name']}: {len(content['settings']):,} settings, {content['n_seeds']:,} seeds, "
        f"{content['n_trials']:,} trials ({content['n_finished']:,} finished{lost})",
        f"{metric} on validation, {'lowest' if is_cost else 'best'} first; = where nothing tells them apart",
        "",
    ]
    width = max(len(setting["name"]) for setting in content["settings"])
    n_of_rank = Counter(setting["rank"] for setting in content["settings"])
    for setting in content["settings"]:
        rank = f"{'=' if n_of_rank[setting['rank']] > 1 else ''}{setting['rank']}" if setting["rank"] else "-"
        lines.append(f"  {rank:>4}  {setting['name']:{width}}  {_mean_words(setting, is_cost=is_cost)}")
    if content["compared"]:
        lines += ["", "the best settings of the regimes, paired over the seeds:"]
        lines += [f"  {_pair_words(one, is_cost=is_cost)}" for one in content["compared"]]
    return [*lines, "", *_outcome_lines(content)]


def _pair_words(pair: dict[str, Any], *, is_cost: bool) -> str:
    if is_cost:
        return f"{pair['a']} against {pair['b']}: saves {_saved_words(pair['difference'])}"
    return f"{pair['a']} minus {pair['b']}: {_difference_words(pair['difference'])}"


def _saved_words(difference: dict[str, Any]) -> str:
    from heldout.reporting.compare_words import p_value
    from heldout.reporting.wording import amount

    value, low, high = (amount(difference[key]) for key in ("value", "low", "high"))
    return f"{value} an answer (95 % interval {low} to {high}; {p_value(difference['p'])})"


def _mean_words(setting: dict[str, Any], *, is_cost: bool) -> str:
    counts = {"n_diverged": "diverged", "n_failed": "failed", "n_in_vain": "kept their start"}
    told = "".join(f", {setting[key]} {word}" for key, word in counts.items() if setting[key])
    if setting["mean"] is None:
        return f"no score{told}"
    from heldout.reporting.wording import amount

    mean, low, high = ((amount if is_cost else percent)(setting[key]) for key in ("mean", "low", "high"))
    n = sum(score is not None for score in setting["scores"])
    behind = setting["versus_best"]
    rest = ""
    if behind:
        rest = (
            f"  the best saves {_saved_words(behind)}" if is_cost else f"  best minus this {_difference_words(behind)}"
        )
    return f"{mean} [{low}, {high}] of {n} seeds, {setting['seconds']:,.1f} s each{told}{rest}"


def _outcome_lines(content: dict[str, Any]) -> list[str]:
    from heldout.reporting.wording import amount

    lines = []
    if recommendation := content["recommendation"]:
        lines += [recommendation["text"], *(f"  {sentence}" for sentence in recommendation["evidence"])]
    if winner := content["winner"]:
        score = winner["test"]["name"].replace("_", " ")
        is_cost = content["metric"] == "mean_cost"
        told, end = (amount, "low") if is_cost else (percent, "high")
        expected = "" if winner["expected"] is None else f": expect about {told(winner['expected'])}"
        mean = told(winner["validation_mean"])
        lines += ["", f"the winner's mean on validation, {mean}, was chosen for being {end}{expected}"]
        lines.append(score_line(f"held-out test of {winner['name']}: {score}", winner["test"]))
    return lines
