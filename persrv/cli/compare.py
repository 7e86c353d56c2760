"""``persrv compare``."""

from __future__ import annotations

from dataclasses import asdict

import typer

from persrv.cli.options import DEFAULT_RECIPE, FormerArgument, JsonOption, RecipeOption, chosen, print_json


def compare(
    former: FormerArgument = None,
    recipe: RecipeOption = DEFAULT_RECIPE,
    as_json: JsonOption = False,
) -> None:
    """Say which of two rankings people's picks prefer so far; look as often as you like.

    Example: `persrv compare -c mine.toml`
    """
    recipe = chosen(recipe, former)
    from persrv.lab.comparison.outcome import outcome
    from persrv.workspace import Workspace

    workspace = Workspace.of(recipe)
    with workspace.existing_catalog() as catalog:
        found = outcome(workspace.recipe, catalog)
    if as_json:
        print_json(asdict(found))
        return
    typer.echo(
        f"{found.experiment} ({found.method}): {found.impressions} impressions, {found.users} users, "
        f"{found.trials} trials (a user's query on one day)"
    )
    if found.earlier:
        typer.echo(f"{found.earlier} impressions by earlier settings are left out")
    if found.method == "ab":
        rates = ", ".join(f"{side.upper()} {rate:.1%}" for side, rate in found.success.items()) or "none yet"
        typer.echo(f"trials with a pick, mean over the {found.counted} users whose window is over: {rates}")
    else:
        typer.echo(f"first picks: A {found.wins['a']}, B {found.wins['b']}, of both {found.ties}")
    effect = found.effect
    typer.echo(
        f"B over A: {effect.value:+.3f} ({effect.low:+.3f} to {effect.high:+.3f}, 95 % at any time), "
        f"e = {found.e_value:.3g}, p = {found.p:.2g}"
    )
    typer.echo(found.verdict)
