"""``persrv import``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persrv.cli.options import JsonOption, print_json

if TYPE_CHECKING:
    from persrv.offline.importing import Recognised, SourceSummary

RECIPES = Path("collections")
"""Where recipes are written, below the folder in which the command runs: there they are found by name."""

NAMED = 3
"""Packs, people and skipped items that are named."""


def import_(
    source: Annotated[Path, typer.Argument(help="An export, an archive, or a folder of stickers.")],
    name: Annotated[str, typer.Option("--name", help="The collection's name; default: made from the source's.")] = "",
    keep_text: Annotated[
        bool, typer.Option("--keep-text", help="Keep the beginning of texts that stickers answer, as queries.")
    ] = False,
    ocr: Annotated[
        bool | None,
        typer.Option("--ocr/--no-ocr", help="Read the text in pictures; default: where few have words."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it is and what it holds.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a collection of stickers as you have them: say what they are, write a recipe, build, and search.

    Importing the same source again adds only what is new. See docs/how-to/import-your-stickers.md for what is read.

    Example: `persrv import ~/Downloads/ChatExport_2026-11-27`, `persrv import pack.wastickers --name foxes`
    """
    from persrv.offline.importing import collection_folder, name_for, recognise, summarise, write_recipe

    name = name or name_for(source)
    folder = collection_folder(name)
    found = recognise(source, folder)
    options = {"keep_text": True} if keep_text and found.has_words else {}
    holds = summarise(found, folder, options)
    if not as_json:
        _tell(found, holds, keep_text)
    if dry_run or not holds.stickers:
        if as_json:
            print_json(_facts(found, holds))
        elif not holds.stickers:
            typer.echo("it holds no stickers, so nothing was written")
        return
    reads = ocr if ocr is not None else 2 * holds.worded < holds.pictures and _can_read()
    recipe = write_recipe(found, name, options, ocr=reads, folder=RECIPES)
    if not as_json:
        typer.echo(f"recipe: {recipe}")
    _build(recipe, name, found, holds, as_json)


def _build(recipe: Path, name: str, found: Recognised, holds: SourceSummary, as_json: bool) -> None:
    from persrv.cli.build import tell_build
    from persrv.cli.progress import Bars
    from persrv.offline import build_collection
    from persrv.online.examples import example_searches

    report = build_collection(recipe, progress=Bars())
    busiest = max(holds.people, key=lambda user: (holds.people[user], user), default=None)
    examples = example_searches(recipe, user=busiest)
    if as_json:
        built = {"stickers": report.stickers, "picks": report.picks, "skipped": [asdict(i) for i in report.skipped]}
        searches = [
            {"query": each.answer.query, "user": each.answer.user, "like": each.like, "hits": len(each.answer)}
            for each in examples
        ]
        print_json(_facts(found, holds) | {"recipe": str(recipe), "built": built, "searches": searches})
        return
    tell_build(report)
    typer.echo("\ntry:")
    for each in examples:
        answer = each.answer
        for_whom = f" --user {_quoted(answer.user)}" if answer.user else ""
        titles = ", ".join(hit.title for hit in answer)
        command = f"similar {each.like[:12]}" if each.like else f"search {_quoted(answer.query)}"
        typer.echo(f"  persrv {command} -c {name}{for_whom}    # {_one_line(titles)}")


def _tell(found: Recognised, holds: SourceSummary, keep_text: bool) -> None:
    from persrv.cli.progress import stderr

    typer.echo(
        f"{_one_line(found.what)}: {_count(holds.stickers, 'sticker')}, {_count(len(holds.packs), 'pack')}, "
        f"{_count(len(holds.people), 'person', 'people')}, {_count(holds.picks, 'pick')}"
    )
    for title, counts in (("packs", holds.packs), ("people", holds.people)):
        most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        named = ", ".join(f"{key} ({number})" for key, number in most[:NAMED])
        if named:
            typer.echo(f"{title}: {_one_line(named)}{', ...' if len(most) > NAMED else ''}")
    typer.echo(f"kept: {found.keeps}")
    leaves = found.leaves.replace(" (unless keep_text = true)", "") if keep_text else found.leaves
    typer.echo(f"left out: {leaves}")
    for item in holds.skipped[:NAMED]:
        stderr.print(f"skipped {_one_line(item.key)}: {_one_line(item.reason)}", markup=False, highlight=False)
    if len(holds.skipped) > NAMED:
        stderr.print(f"... and {len(holds.skipped) - NAMED} more; the build names them", highlight=False)


def _facts(found: Recognised, holds: SourceSummary) -> dict[str, Any]:
    return {
        "source": str(found.source),
        "loader": found.loader,
        "what": found.what,
        "kept": found.keeps,
        "left_out": found.leaves,
        "stickers": holds.stickers,
        "packs": dict(holds.packs),
        "people": dict(holds.people),
        "picks": holds.picks,
        "skipped": [asdict(item) for item in holds.skipped],
    }


def _can_read() -> bool:
    import importlib.util

    return all(importlib.util.find_spec(package) is not None for package in ("rapidocr", "onnxruntime"))


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(_one_line(text))
