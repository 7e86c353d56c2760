"""``persrv push`` and ``persrv rollback``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from persrv.cli.options import DEFAULT_RECIPE, JsonOption, RecipeOption, print_json


def rollback(recipe: RecipeOption = DEFAULT_RECIPE, as_json: JsonOption = False) -> None:
    """Go back to the build before, stickers and users together; again goes forward.

    Example: `persrv rollback`
    """
    from persrv.offline.rollback import rollback_collection

    manifest = rollback_collection(recipe)
    if as_json:
        print_json(manifest.facts())
    else:
        typer.echo(f"{manifest.recipe}: build {manifest.build} of {manifest.created} answers now")


def push(
    urls: Annotated[
        list[str], typer.Argument(metavar="URL...", help="The Qdrant server, or nodes of it: http://127.0.0.1:6333.")
    ],
    name: Annotated[str | None, typer.Option("--as", help="Name there; default the recipe's.")] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="Also put every picture into this folder, named by its id.")
    ] = None,
    recipe: RecipeOption = DEFAULT_RECIPE,
    as_json: JsonOption = False,
) -> None:
    """Copy a built collection, stickers and users' styles, to a Qdrant server; the key is read from QDRANT_API_KEY.

    Example: `QDRANT_API_KEY=... persrv push http://127.0.0.1:6333`
    """
    from persrv.cli.progress import Bars
    from persrv.offline.publish import push_collection

    pushed = push_collection(recipe, urls, name=name, progress=Bars())
    if pictures:
        from persrv.offline.pictures import export_pictures

        count, gone = export_pictures(recipe, pictures, progress=Bars())
        typer.echo(f"{count} pictures are in {pictures}, {len(gone)} are gone", err=True)
    if as_json:
        print_json({name: manifest.facts() for name, manifest in pushed.items()})
    else:
        for name, manifest in pushed.items():
            typer.echo(f"{name}: {manifest.build} is live on {urls[0]}")
