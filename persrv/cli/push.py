"""``persrv push``."""

from __future__ import annotations

from typing import Annotated

import typer

from persrv.cli.options import DEFAULT_RECIPE, JsonOption, RecipeOption, print_json


def push(
    url: Annotated[str, typer.Argument(help="The Qdrant server, such as http://127.0.0.1:6333.")],
    recipe: RecipeOption = DEFAULT_RECIPE,
    as_json: JsonOption = False,
) -> None:
    """Copy a built collection, stickers and users' styles, to a Qdrant server; the key is read from QDRANT_API_KEY.

    Example: `QDRANT_API_KEY=... persrv push http://127.0.0.1:6333`
    """
    from persrv.cli.progress import Bars
    from persrv.publish import push_collection

    pushed = push_collection(recipe, url, progress=Bars())
    if as_json:
        print_json({name: manifest.model_dump(exclude={"space"}) for name, manifest in pushed.items()})
    else:
        for name, manifest in pushed.items():
            typer.echo(f"{name}: {manifest.build} is live on {url}")
