"""``persrv edit``."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from persrv.cli.options import DEFAULT_RECIPE, JsonOption, RecipeOption, print_json
from persrv.errors import IndexLockedError, IndexMismatchError, NotFoundError, QueryError


def edit(
    sticker: Annotated[str, typer.Argument(help="The sticker's id, or its beginning.")],
    field: Annotated[str, typer.Argument(help="name, tags, emoji, ..., language, rating or style.")],
    values: Annotated[
        list[str] | None, typer.Argument(help="What the field should say, one argument a phrase.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Drop the edit; the sources speak again.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Make the field say nothing.")] = False,
    recipe: RecipeOption = DEFAULT_RECIPE,
    as_json: JsonOption = False,
) -> None:
    """Correct what a sticker says by hand; searches find it at once, and no model or build overwrites it.

    Example: `persrv edit 3f2a9c tags "happy" "开心"`, `persrv edit 3f2a9c tags --reset`
    """
    from persrv.workspace import Workspace

    given = list(values or ())
    if sum((bool(given), reset, clear)) != 1:
        raise QueryError("give values, --reset or --clear, and only one of them", "see persrv edit --help")
    workspace = Workspace.of(recipe)
    with workspace.existing_catalog() as catalog:
        known = catalog.sticker(sticker)
        if reset:
            catalog.reset(known.id, field, editor=_editor())
        else:
            catalog.edit(known.id, field, given, editor=_editor())
        now = catalog.sticker(known.id)
    bring_in(recipe)
    said = dict(now.semantics.items()).get(field, getattr(now, field, ()))
    shown = [said] if isinstance(said, str) else list(said)
    if as_json:
        print_json({"sticker_id": now.id, "field": field, "values": shown})
        return
    typer.echo(f"{now.title} ({now.id[:8]}) {field}: {', '.join(shown) or '(nothing)'}")


def bring_in(recipe: str) -> None:
    """Bring what changed in the catalog into the index, and say so where that has to wait."""
    from persrv.online.retriever import Retriever

    try:
        Retriever.open(recipe).close()
    except IndexLockedError:
        typer.echo("the program that has the collection open finds it within a second", err=True)
    except (NotFoundError, IndexMismatchError):
        typer.echo(f"run persrv build {recipe} to search by it", err=True)


def _editor() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
