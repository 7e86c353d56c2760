"""``persrv learn``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from persrv.cli.options import DEFAULT_RECIPE, FormerArgument, JsonOption, RecipeOption, chosen, print_json


def learn(
    former: FormerArgument = None,
    recipe: RecipeOption = DEFAULT_RECIPE,
    encoder: Annotated[
        str, typer.Option("--encoder", help="Image encoder; one that sees what a picture shows.")
    ] = "efficientnet-lite0",
    as_json: JsonOption = False,
) -> None:
    """Learn from labelled stickers what the others may be called, for the describer `nearest`.

    Example: `persrv learn -c mine.toml`, then `persrv build -c mine.toml`
    """
    recipe = chosen(recipe, former)
    from persrv.cli.progress import Bars, stderr
    from persrv.offline.learning import learn_labels

    learnt = learn_labels(recipe, image_encoder=encoder, progress=Bars())
    if as_json:
        print_json(asdict(learnt) | {"file": str(learnt.file)})
        return
    for item in learnt.skipped:
        stderr.print(f"skipped {item.key}: {item.reason}", highlight=False, markup=False)
    labels = f"{learnt.labels} words and {learnt.emotions} emotions"
    typer.echo(f"learnt {labels} from {learnt.stickers} stickers with {learnt.encoder}")
