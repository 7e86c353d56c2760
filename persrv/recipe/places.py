"""Where recipes, loaders and data are found on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from persrv.errors import RecipeError, SourceError

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped(folder: str) -> Path:
    """Return the folder ``collections`` or ``loaders`` that came with this installation.

    In a checkout it stands beside the package, in a wheel inside it.
    """
    inside = _PACKAGE / "_shipped" / folder
    return inside if inside.is_dir() else _PACKAGE.parent / folder


def is_shipped(recipe: Path) -> bool:
    """Return whether a recipe's file is one of those that came with this installation."""
    return recipe.resolve().parent == shipped("collections").resolve()


def home() -> Path:
    """Return the folder that holds every collection's data: ``PERSRV_HOME``, else the user's data folder."""
    given = os.environ.get("PERSRV_HOME")
    return Path(given).expanduser().resolve() if given else platformdirs.user_data_path("persrv")


def find_recipe(name: str) -> Path:
    """Return the recipe's file for a path, or for a name in ``./collections`` or among the shipped ones.

    Raises:
        RecipeError: There is none; the text lists the names that exist.
    """
    return _find(name, "collections", ".toml", RecipeError, "recipe")


def find_loader(name: str) -> Path:
    """Return the loader's file for a path, or for a name in ``./loaders`` or among the shipped ones.

    Raises:
        SourceError: There is none; the text lists the names that exist.
    """
    return _find(name, "loaders", ".py", SourceError, "loader")


def _find(name: str, folder: str, suffix: str, error: type[RecipeError] | type[SourceError], kind: str) -> Path:
    if name.endswith(suffix):
        path = Path(name).expanduser()
        if path.is_file():
            return path.resolve()
        raise error(f"there is no {kind} {name}", f"give the path of a {suffix} file that exists")
    places = [Path.cwd() / folder, shipped(folder)]
    if not {"/", "\\", "\0"} & set(name):
        for place in places:
            if (place / f"{name}{suffix}").is_file():
                return (place / f"{name}{suffix}").resolve()
    known = sorted({file.stem for place in places if place.is_dir() for file in place.glob(f"*{suffix}")})
    names = ", ".join(known) or "none"
    raise error(f"there is no {kind} {name!r}", f"use one of {names}, or the path of a {suffix} file")
