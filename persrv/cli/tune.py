"""``persrv tune``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persrv.cli.options import DEFAULT_RECIPE, FormerArgument, JsonOption, RecipeOption, chosen, print_json
from persrv.errors import QueryError, RecipeError

if TYPE_CHECKING:
    from persrv.lab.tuning.tune import Measured, Tuned
    from persrv.recipe import Recipe


def tune(
    former: FormerArgument = None,
    recipe: RecipeOption = DEFAULT_RECIPE,
    split: Annotated[
        str, typer.Option("--split", help="What is held back: time, last, query, cold-users or cold-stickers.")
    ] = "time",
    share: Annotated[float, typer.Option("--share", help="How much, for time, cold-users and cold-stickers.")] = 0.3,
    trials: Annotated[int, typer.Option("--trials", help="Most settings to try.")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the splits, the search and the tests.")] = 0,
    metric: Annotated[str, typer.Option("--metric", help="What to make large.")] = "nM-MRR@20",
    fresh: Annotated[bool, typer.Option("--fresh", help="Leave out what the same user had asked before.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the weights into the recipe, if they hold.")] = False,
    force: Annotated[bool, typer.Option("--force", help="With --write: also if the test part does not agree.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Learn a recipe's weights on a part of its own picks and test them on another part.

    Example: `persrv tune -c mine.toml`, then `persrv tune -c mine.toml --write`
    """
    recipe = chosen(recipe, former)
    from persrv.cli.progress import Bars
    from persrv.lab.tuning.tune import tune as learn
    from persrv.workspace import Workspace

    if force and not write:
        raise QueryError("--force writes nothing by itself", "add --write")
    workspace = Workspace.of(recipe)
    if write:
        _check_own(recipe, workspace.recipe.file)
    found = learn(
        workspace, split=split, share=share, trials=trials, seed=seed, metric=metric, fresh=fresh, progress=Bars()
    )
    written = write and bool(found.changes) and (found.confirmed or force)
    if written:
        _write(workspace.recipe, found)
    if as_json:
        print_json(asdict(found) | {"written": written})
        return
    _tell(found)
    _tell_written(workspace.recipe, found, wanted=write, written=written)


def _check_own(given: str, file: Path | None) -> None:
    """Refuse to change what came with persrv, unless that very file was named."""
    from persrv.recipe.places import is_shipped

    if file is not None and is_shipped(file) and not given.endswith(".toml"):
        raise RecipeError(
            f"{given} is a recipe that came with persrv, and the next installation would undo what is written there",
            f"copy {file} to a file of yours, make its relative paths absolute, and tune that: "
            "persrv tune -c mine.toml --write",
        )


def _write(recipe: Recipe, found: Tuned) -> None:
    from persrv.lab.tuning.write import write_weights

    if recipe.file is None:
        raise RecipeError(f"{recipe.name} has no file", "write the weights by hand")
    evidence = [
        f"split by {found.split}, seed {found.seed}, {found.trials} trials",
        _line("train", found.train, found.metric),
        _line("test", found.test, found.metric),
        ", ".join(f"{key} was {change.before:g}" for key, change in found.changes.items()),
    ]
    write_weights(recipe.file, {key: change.after for key, change in found.changes.items()}, evidence)


def _line(part: str, measured: Measured, metric: str) -> str:
    before, after, gain = measured.before, measured.after, measured.gain
    return (
        f"{part}: {metric} {before.mean:.4f} to {after.mean:.4f} on {measured.questions} questions of {after.groups} "
        f"users, {gain.interval.mean:+.4f} ({gain.interval.low:+.4f} to {gain.interval.high:+.4f}), p = {gain.p:.4f}"
    )


def _tell(found: Tuned) -> None:
    state = "no single change helps any more" if found.settled else "more trials may find more"
    typer.echo(f"{found.recipe}, split by {found.split}, seed {found.seed}: {found.trials} trials, {state}")
    for part, measured in (("train", found.train), ("test", found.test)):
        typer.echo(_line(part, measured, found.metric))
        for when, interval in (("before", measured.before), ("after", measured.after)):
            typer.echo(f"  {when:<7}{interval.mean:.4f} ({interval.low:.4f} to {interval.high:.4f})")
    for key, change in found.changes.items():
        typer.echo(f"{key}: {change.before:g} to {change.after:g}")


def _tell_written(recipe: Recipe, found: Tuned, *, wanted: bool, written: bool) -> None:
    if not found.changes:
        typer.echo("no other weights are better; nothing to write")
    elif written:
        again = any(key.startswith("text.") for key in found.changes)
        typer.echo(f"written into {recipe.file}" + (f"; run persrv build -c {recipe.file}" if again else ""))
    elif not found.confirmed:
        hint = "nothing is written, --write --force would" if wanted else "better keep what you have"
        typer.echo(f"the test part does not confirm the gain; {hint}")
    elif not wanted:
        typer.echo("the test part confirms the gain; --write puts it into the recipe")
