"""``persrv add``, ``persrv remove`` and ``persrv edit``."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persrv.cli.options import DEFAULT_RECIPE, JsonOption, RecipeOption, UrlOption, opened, print_json, say
from persrv.errors import IndexLockedError, IndexMismatchError, NotFoundError, PictureError, QueryError

if TYPE_CHECKING:
    from persrv.records import Sticker


def add(
    pictures: Annotated[list[Path], typer.Argument(help="Picture files.", metavar="PICTURE...")],
    pack: Annotated[str, typer.Option("--pack", help="The set that they belong to.")] = "",
    tags: Annotated[list[str] | None, typer.Option("--tags", help="A tag of all of them; repeat for more.")] = None,
    name: Annotated[str, typer.Option("--name", help="What they are called.")] = "",
    recipe: RecipeOption = DEFAULT_RECIPE,
    url: UrlOption = "",
    as_json: JsonOption = False,
) -> None:
    """Add pictures to a collection; searches find them at once, and they stay whatever its sources hold.

    Example: `persrv add cat.png --pack mine --tags happy --tags 开心`
    """
    texts = {"name": [name]} if name else {}
    with opened(recipe, url) as retriever:
        report = retriever.add(pictures, pack=pack, tags=tags or [], texts=texts)
    if as_json:
        print_json({"added": [sticker.id for sticker in report.stickers], "skipped": [*map(asdict, report.skipped)]})
    else:
        for sticker in report.stickers:
            say(f"{sticker.title} ({sticker.id[:8]})")
        for item in report.skipped:
            say(f"skipped {ascii(item.key)[1:-1]}: {item.reason}", err=True)
    if not report.stickers:
        raise PictureError("no picture could be added", "see what was skipped")


def remove(
    sticker: Annotated[str, typer.Argument(help="The sticker's id, or its beginning.")],
    recipe: RecipeOption = DEFAULT_RECIPE,
    url: UrlOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take a sticker out of a collection; its sources do not bring it back, `persrv add` does.

    Example: `persrv remove 3f2a9c`
    """
    with opened(recipe, url) as retriever:
        gone = retriever.remove(sticker)
    if as_json:
        print_json({"removed": gone.id})
    else:
        say(f"{gone.title} ({gone.id[:8]}) is removed")


def edit(
    sticker: Annotated[str, typer.Argument(help="The sticker's id, or its beginning.")],
    field: Annotated[str, typer.Argument(help="name, tags, emoji, ..., language, rating or style.")],
    values: Annotated[
        list[str] | None, typer.Argument(help="What the field should say, one argument a phrase.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Drop the edit; the sources' text stands again.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Make the field say nothing.")] = False,
    recipe: RecipeOption = DEFAULT_RECIPE,
    url: UrlOption = "",
    as_json: JsonOption = False,
) -> None:
    """Correct what a sticker says by hand; searches find it at once, and no model or build overwrites it.

    Example: `persrv edit 3f2a9c tags "happy" "开心"`, `persrv edit 3f2a9c tags --reset`
    """
    given = list(values or ())
    if sum((bool(given), reset, clear)) != 1:
        raise QueryError("give values, --reset or --clear, and only one of them", "see persrv edit --help")
    change = (sticker, field, given, reset)
    now = _edited_there(recipe, url, *change) if url else _edited_here(recipe, *change)
    current = dict(now.semantics.items()).get(field, getattr(now, field, ()))
    shown = [current] if isinstance(current, str) else list(current)
    if as_json:
        print_json({"sticker_id": now.id, "field": field, "values": shown})
        return
    say(f"{now.title} ({now.id[:8]}) {field}: {', '.join(shown) or '(nothing)'}")


def _edited_there(recipe: str, url: str, sticker: str, field: str, given: list[str], reset: bool) -> Sticker:
    with opened(recipe, url) as service:
        if reset:
            return service.reset(sticker, field, editor=_editor())
        return service.edit(sticker, field, given, editor=_editor())


def _edited_here(recipe: str, sticker: str, field: str, given: list[str], reset: bool) -> Sticker:
    from persrv.workspace import Workspace

    with Workspace.of(recipe).existing_catalog() as catalog:
        known = catalog.sticker(sticker)
        if reset:
            catalog.reset(known.id, field, editor=_editor())
        else:
            catalog.edit(known.id, field, given, editor=_editor())
        now = catalog.sticker(known.id)
    bring_in(recipe)
    return now


def bring_in(recipe: str) -> None:
    """Bring what changed in the catalog into the index, and say so where that has to wait."""
    from persrv.online.retriever import Retriever

    try:
        Retriever.open(recipe).close()
    except IndexLockedError:
        say("the program that has the collection open finds it within a second", err=True)
    except (NotFoundError, IndexMismatchError):
        say(f"run persrv build -c {recipe} to search by it", err=True)


def _editor() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
