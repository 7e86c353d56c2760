"""``persrv evaluate``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persrv.cli.evaluate_stickerqueries import stickerqueries, unanswered
from persrv.cli.options import DEFAULT_RECIPE, FormerArgument, JsonOption, RecipeOption, chosen, print_json

if TYPE_CHECKING:
    from persrv.lab.evaluation.run import Evaluation

SHOWN = ("M-MRR", "nM-MRR", "MRR", "Recall", "nDCG", "Hit")

app = typer.Typer(
    name="evaluate", help="Measure: is the ranking good, which part earns it, does a change help?", no_args_is_help=True
)


@app.command()
def run(
    former: FormerArgument = None,
    recipe: RecipeOption = DEFAULT_RECIPE,
    split: Annotated[
        str, typer.Option("--split", help="What is held back: time, last, query, cold-users or cold-stickers.")
    ] = "time",
    share: Annotated[float, typer.Option("--share", help="How much, for time, cold-users and cold-stickers.")] = 0.3,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the split, the intervals and the tests.")] = 0,
    metric: Annotated[str, typer.Option("--metric", help="Measure of the gains.")] = "M-MRR@20",
    fresh: Annotated[bool, typer.Option("--fresh", help="Leave out what the same user had asked before.")] = False,
    in_memory: Annotated[
        bool, typer.Option("--in-memory", help="Ours by its formulas, without building a copy of the index.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Hold back some of a collection's own picks and ask for them: baselines, and persrv with and without the user.

    Example: `persrv evaluate run -c emoji`, `persrv evaluate run -c mine.toml --split cold-users --json`
    """
    recipe = chosen(recipe, former)
    from persrv.cli.progress import Bars
    from persrv.lab.evaluation.run import evaluate
    from persrv.workspace import Workspace

    found = evaluate(
        Workspace.of(recipe),
        split=split,
        share=share,
        seed=seed,
        metric=metric,
        fresh=fresh,
        retriever=not in_memory,
        progress=Bars(),
    )
    if as_json:
        print_json(asdict(found))
        return
    _tell(found)


@app.command()
def experiment(
    name: Annotated[str, typer.Argument(help="Which; without one, all are listed.")] = "",
    users: Annotated[int, typer.Option("--users", help="Simulated people of each seed.")] = 48,
    seed: Annotated[int, typer.Option("--seed", help="The first seed.")] = 0,
    repeats: Annotated[int, typer.Option("--repeats", help="How many seeds, counted up from the first.")] = 3,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for NAME.md and NAME.html; default: Markdown to stdout.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run one of the experiments on the shipped stickers and simulated people; the same seed gives the same digits.

    Example: `persrv evaluate experiment personal --out reports`, `persrv evaluate experiment`
    """
    from persrv.cli.progress import Bars
    from persrv.lab.experiments import EXPERIMENTS, find_experiment
    from persrv.lab.experiments.bench import ExperimentSettings, prepare
    from persrv.lab.reports.markdown import to_markdown
    from persrv.lab.reports.report import machine

    if not name:
        if as_json:
            print_json(EXPERIMENTS)
        else:
            for known, question in EXPERIMENTS.items():
                typer.echo(f"{known:<12}{question}")
        return
    run_it, settings = find_experiment(name), ExperimentSettings(users, seed, repeats)
    report = run_it(prepare(Bars()), settings)
    if out is not None:
        from persrv.lab.reports.write import write_report

        files = write_report(report, out)
        typer.echo(f"written: {', '.join(str(file) for file in files)}", err=as_json)
    if as_json:
        print_json(asdict(report) | {"made_on": machine()})
    elif out is None:
        typer.echo(to_markdown(report, machine()))


app.command()(stickerqueries)
app.command()(unanswered)


def _tell(found: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    k = found.metric.partition("@")[2]
    typer.echo(
        f"{found.recipe}, split by {found.split}: {found.train} picks to learn from, {found.held_out} held back, "
        f"{found.questions} questions of {found.users} users; means over users"
    )
    table = Table("system", *(f"{name}@{k}" for name in SHOWN))
    for system, values in found.systems.items():
        table.add_row(system, *(f"{values[f'{name}@{k}'].mean:.4f}" for name in SHOWN))
    Console().print(table)
    for one in found.gains:
        interval = one.gain.interval
        typer.echo(
            f"{one.better} over {one.worse}: {interval.mean:+.4f} {found.metric} "
            f"({interval.low:+.4f} to {interval.high:+.4f}), p = {one.p:.4f}"
        )
