"""``persrv show``, ``persrv info`` and ``persrv doctor``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from persrv.cli.options import DEFAULT_RECIPE, ImagesOption, JsonOption, RecipeOption, print_json, say

FAILED = 1
"""Exit code of ``doctor`` when a check failed."""


def show(
    sticker: Annotated[str, typer.Argument(help="The sticker's id, or its beginning.")],
    recipe: RecipeOption = DEFAULT_RECIPE,
    images: ImagesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all that is known of one sticker: its texts, who said them, edits, and where its file is.

    Example: `persrv show 3f2a9c`
    """
    from rich.console import Console

    from persrv.catalog.affinity import PickedFor
    from persrv.present.terminal import print_picture
    from persrv.workspace import Workspace

    workspace = Workspace.of(recipe)
    with workspace.existing_catalog() as catalog:
        found = catalog.sticker(sticker)
        sources = catalog.semantics_sources(found.id)
        edits = catalog.edits(found.id)
        picked = catalog.picked_for([found.id]).get(found.id, PickedFor()).shown(workspace.recipe.text.min_users, 20)
    content: dict[str, Any] = asdict(found) | {
        "path": str(found.path) if found.path else None,
        "semantics": {name: list(phrases) for name, phrases in found.semantics.items()},
        "sources": [
            {"source": s.source, "model": s.model, "says": {n: list(p) for n, p in s.semantics.items()}}
            for s in sources
        ],
        "edits": [asdict(e) for e in edits],
        "picked_for": picked,
    }
    if as_json:
        print_json(content)
        return
    console = Console()
    if found.path:
        print_picture(found.path, console, images=images)
    say(f"{found.title}  {found.id}")
    say(f"{found.format or 'no picture'}  {found.width}x{found.height}  frames {found.frames}  {found.path or ''}")
    for name, value in (("packs", ", ".join(found.packs)), ("language", found.language), ("style", found.style)):
        if value:
            say(f"{name}: {value}")
    for name, phrases in found.semantics.items():
        # A model is named beside its stage: what it guessed must not pass for what a person said.
        said_by = [
            " ".join(part for part in (s.source, s.model.partition("@")[0]) if part)
            for s in sources
            if dict(s.semantics.items()).get(name)
        ]
        edited = [f"edited by {e.editor or 'somebody'}" for e in edits if e.field == name][-1:]
        who = ", ".join(edited or said_by)
        say(f"{name}: {', '.join(phrases)}{f'   [{who}]' if who else ''}")
    if picked:
        say(f"picked for: {', '.join(f'{query} ({people} people)' for query, people in picked.items())}")


def info(recipe: RecipeOption = DEFAULT_RECIPE, as_json: JsonOption = False) -> None:
    """Say what a collection holds, where it lives, and what it was built from.

    Example: `persrv info --json`
    """
    from persrv.online.overview import overview

    content = overview(recipe)
    if as_json:
        print_json(content)
        return
    for key, value in content.items():
        say(f"{key}: {value}")


def doctor(
    recipe: RecipeOption = DEFAULT_RECIPE,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Read everything: check sums, pictures, and every point against the catalog."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check that a collection can be searched, and say what to do where it cannot.

    Example: `persrv doctor`, `persrv doctor --deep`
    """
    from persrv.cli.progress import Bars
    from persrv.online.overview import examine

    checks = examine(recipe, deep=Bars() if deep else None)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            say(f"{'ok ' if check.passed else 'BAD'} {check.name}: {check.finding}")
    if not all(check.passed for check in checks):
        raise typer.Exit(FAILED)
