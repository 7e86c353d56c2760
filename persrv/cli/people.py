"""``persrv pick`` and ``persrv users``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from persrv.cli.options import DEFAULT_RECIPE, JsonOption, RecipeOption, UrlOption, opened, print_json, say, visible
from persrv.errors import NotFoundError, QueryError


def pick(
    sticker: Annotated[str, typer.Argument(help="The sticker's id, or its beginning.")],
    user: Annotated[str, typer.Option("--user", "-u", help="Who picked it.")],
    query: Annotated[str, typer.Option("--query", "-q", help="What they had typed.")] = "",
    kind: Annotated[
        Literal["pick", "send", "favourite"], typer.Option("--kind", help="What they did with it.")
    ] = "pick",
    recipe: RecipeOption = DEFAULT_RECIPE,
    url: UrlOption = "",
    as_json: JsonOption = False,
) -> None:
    """Record that somebody picked a sticker; their style moves at once.

    Example: `persrv pick 3f2a9c --user ann --query "happy birthday"`
    """
    with opened(recipe, url) as retriever:
        receipt = retriever.record(user, query, sticker, kind=kind)
    shares = [round(float(share), 4) for share in receipt.profile.shares]
    if as_json:
        print_json({"user": user, "styles": len(shares), "shares": shares, "new": receipt.new, "note": receipt.note})
    else:
        if receipt.note:
            say(receipt.note, err=True)
        say(f"{user} now has {len(shares)} style(s): {', '.join(f'{share:.0%}' for share in shares) or 'none'}")


def users(
    user: Annotated[str | None, typer.Argument(help="One user; without it, all are listed.")] = None,
    export: Annotated[bool, typer.Option("--export", help="Print all that is stored about the user, as JSON.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Delete all that is stored about the user.")] = False,
    recipe: RecipeOption = DEFAULT_RECIPE,
    url: UrlOption = "",
    as_json: JsonOption = False,
) -> None:
    """List users, look at one's styles, export or forget them.

    Example: `persrv users`, `persrv users ann`, `persrv users ann --forget`
    """
    if user is None:
        if export or forget:
            raise QueryError("--export and --forget need a user", "name one: persrv users ann --export")
        if url:
            raise QueryError("a service lists no users here", "name one, or ask the service for /v1/users")
        _list(recipe, as_json)
    elif forget:
        _forget(recipe, url, user, as_json)
    else:
        _one(recipe, url, user, export=export, as_json=as_json)


def _list(recipe: str, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from persrv.workspace import Workspace

    with Workspace.of(recipe).existing_catalog() as catalog:
        found = catalog.users()
    if as_json:
        print_json([{"user": u.user, "picks": u.picks, "first": u.first, "last": u.last} for u in found])
        return
    table = Table("user", "picks", "first", "last", title=f"{len(found)} users")
    for u in found:
        table.add_row(Text(visible(u.user)), str(u.picks), f"{u.first:%Y-%m-%d}", f"{u.last:%Y-%m-%d}")
    Console().print(table)


def _one(recipe: str, url: str, user: str, *, export: bool, as_json: bool) -> None:
    with opened(recipe, url) as retriever:
        held = retriever.export(user)
        styles = retriever.styles(user)
    if not any(held[kind] for kind in ("interactions", "impressions", "edits", "styles", "marks")):
        raise NotFoundError(f"nothing is known of user {user!r}", "see persrv users")
    content = held if export else {kind: held[kind] for kind in ("user", "picks", "styles")}
    if as_json or export:
        print_json(content)
        return
    say(f"{user}: {held['picks']} picks, {len(styles)} style(s)")
    for number, style in enumerate(styles):
        say(f"  style {number + 1}: {style.share:.0%}, most like {style.title} ({style.sticker_id[:8]})")


def _forget(recipe: str, url: str, user: str, as_json: bool) -> None:
    with opened(recipe, url) as retriever:
        deleted = retriever.forget(user)
    if as_json:
        print_json({"user": user, "deleted": deleted})
    else:
        say(f"forgot {user}: {deleted} picks and the style profile are deleted; utility follows at the next build")
