"""``persrv search`` and ``persrv similar``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from persrv.cli.options import (
    DEFAULT_RECIPE,
    FilterOption,
    ImagesOption,
    JsonOption,
    LimitOption,
    OffsetOption,
    RecipeOption,
    UrlOption,
    opened,
    parse_filter_options,
    print_json,
)
from persrv.errors import SourceError

if TYPE_CHECKING:
    from persrv.online.answer import Answer

HtmlOption = Annotated[Path | None, typer.Option("--html", help="Write a contact sheet to this file.")]


def search(
    query: Annotated[
        str, typer.Argument(help="What to look for: words, Chinese, emoji; empty for what is popular.")
    ] = "",
    user: Annotated[str | None, typer.Option("--user", "-u", help="Whose taste counts.")] = None,
    by: Annotated[
        Literal["text", "picture"],
        typer.Option("--by", help="Search what stickers say and mean, or compare the query with their pictures."),
    ] = "text",
    recipe: RecipeOption = DEFAULT_RECIPE,
    url: UrlOption = "",
    limit: LimitOption = 20,
    offset: OffsetOption = 0,
    filters: FilterOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say where each score came from.")] = False,
    images: ImagesOption = None,
    html: HtmlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search a collection, for somebody or for anybody.

    Example: `persrv search "happy birthday" --user ann`, `persrv search 笑哭 -f style=noto --explain`
    """
    chosen = parse_filter_options(filters)
    with opened(recipe, url) as retriever:
        answer = retriever.search(
            query, user, by=by, limit=limit, offset=offset, filters=chosen, explain=explain or as_json
        )
        label, title = user or "everybody", query.strip() or "popular"
        _show(answer, label, title, explain=explain, images=images, html=html, as_json=as_json)


def trending(
    query: Annotated[str, typer.Argument(help="Only what was picked for just this; empty for all.")] = "",
    days: Annotated[float, typer.Option("--days", help="How far back.")] = 7.0,
    recipe: RecipeOption = DEFAULT_RECIPE,
    limit: LimitOption = 20,
    offset: OffsetOption = 0,
    filters: FilterOption = None,
    images: ImagesOption = None,
    html: HtmlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what most people picked lately, for a query or whatever was typed.

    Example: `persrv trending 晚安 --days 7`, `persrv trending -f language=zh`
    """
    chosen = parse_filter_options(filters)
    from persrv.online.retriever import Retriever

    with Retriever.open(recipe) as retriever:
        answer = retriever.trending(query, days=days, limit=limit, offset=offset, filters=chosen)
        title = query.strip() or "trending"
        _show(answer, "everybody", title, explain=False, images=images, html=html, as_json=as_json)


def similar(
    sticker: Annotated[str, typer.Argument(help="A sticker's id (or its beginning), or a picture's path.")],
    by: Annotated[Literal["meaning", "look", "both"], typer.Option("--by", help="What to compare.")] = "both",
    recipe: RecipeOption = DEFAULT_RECIPE,
    url: UrlOption = "",
    limit: LimitOption = 20,
    offset: OffsetOption = 0,
    filters: FilterOption = None,
    images: ImagesOption = None,
    html: HtmlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find more like a sticker, or like a picture of your own.

    Example: `persrv similar 3f2a9c --by look`, `persrv similar ./cat.png`
    """
    picture = Path(sticker).expanduser()
    wanted = picture if picture.is_file() or picture.suffix else sticker
    chosen = parse_filter_options(filters)
    with opened(recipe, url) as retriever:
        answer = retriever.similar(wanted, by=by, limit=limit, offset=offset, filters=chosen)
        _show(answer, "everybody", answer.note, explain=False, images=images, html=html, as_json=as_json)


def _show(
    answer: Answer, label: str, title: str, *, explain: bool, images: bool | None, html: Path | None, as_json: bool
) -> None:
    """Show an answer before its collection is closed: closing waits for the disk, a quarter of the time of a search."""
    if html:
        from persrv.present.sheet import contact_sheet

        _write(html, contact_sheet([(label, answer)], title=title))
    if as_json:
        print_json(answer.as_dict())
        return
    from rich.console import Console

    from persrv.present.terminal import print_answer

    print_answer(answer, Console(), images=images, explain=explain)
    if html:
        typer.echo(f"wrote {html}", err=True)


def _write(file: Path, content: str) -> None:
    try:
        file.expanduser().write_text(content, encoding="utf-8")
    except OSError as error:
        raise SourceError(
            f"{file} cannot be written: {error.strerror or error}", "give a path in a folder that exists"
        ) from error
