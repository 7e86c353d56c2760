"""``persrv backup`` and ``persrv restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from persrv.cli.options import DEFAULT_RECIPE, RecipeOption, say


def backup(
    file: Annotated[Path, typer.Argument(help="The tar file to write.")],
    recipe: RecipeOption = DEFAULT_RECIPE,
) -> None:
    """Copy a collection's catalog, vectors and added pictures into one file, also while it is searched.

    Example: `persrv backup emoji.tar`
    """
    from persrv.offline.backup import back_up

    made = back_up(recipe, file)
    size = sum(size for size, _ in made.files.values())
    say(f"{file}: {made.name}, {len(made.files)} files, {size / 1e6:.1f} MB")


def restore(
    file: Annotated[Path, typer.Argument(help="What `persrv backup` wrote.")],
    name: Annotated[str, typer.Option("--as", help="Another name for the collection.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Remove the collection that is there.")] = False,
) -> None:
    """Put a backup in place after every check sum was compared; the next build makes the index from it.

    Example: `persrv restore emoji.tar --as emoji-of-may`
    """
    from persrv.offline.restore import restore as restore_backup

    made, folder = restore_backup(file, name=name, replace=replace)
    say(f"{made.name} of {made.created} is in {folder}")
    say(f"now run: persrv build -c {folder.name}", err=True)
