"""Writes learnt weights into a recipe's file; everything else in it stays as it is, comments too."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from persrv.errors import MissingExtraError, RecipeError
from persrv.recipe import Recipe

MARK = "# persrv tune: "
"""Begins each line of evidence; the lines of an earlier tuning are replaced."""


def write_weights(file: Path, values: Mapping[str, float], evidence: list[str]) -> None:
    """Set values in a recipe's file, and end it with the evidence as comments.

    The file is replaced as a whole once the new one is a valid recipe, so an interruption leaves the old one.

    Args:
        file: The recipe's ``.toml``.
        values: Dotted key to value.
        evidence: Lines that say why.

    Raises:
        RecipeError: The file cannot be read or written, or would be no recipe any more.
        MissingExtraError: TOML Kit is not installed.
    """
    try:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError
    except ImportError as error:
        raise MissingExtraError("writing into a recipe", "tune") from error
    try:
        document = tomlkit.parse(file.read_bytes().decode("utf-8"))
        for key, value in values.items():
            _set(document, key.split("."), value, tomlkit.table)
        text = _with_evidence(tomlkit.dumps(document), evidence)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise RecipeError(
            f"{file} cannot be changed: {error}", "correct the file, or write the weights by hand"
        ) from error
    Recipe.from_dict(tomllib.loads(text), file)
    try:
        _replace(file, text)
    except OSError as error:
        problem = f"{file} cannot be written: {error.strerror}"
        raise RecipeError(problem, "copy the recipe to a folder of yours, or write the weights by hand") from error


def _set(place: Any, parts: list[str], value: float, table: Any) -> None:
    for at, part in enumerate(parts[:-1]):
        if part not in place:
            # Only the innermost table gets a header of its own.
            place[part] = table(is_super_table=at < len(parts) - 2)
        place = place[part]
    place[parts[-1]] = value


def _with_evidence(text: str, evidence: list[str]) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(MARK)).rstrip("\r\n")
    return end.join([kept, *(MARK + line for line in evidence)]) + end


def _replace(file: Path, text: str) -> None:
    target = file.resolve()
    with NamedTemporaryFile("w", encoding="utf-8", newline="", dir=target.parent, delete=False) as new:
        place = Path(new.name)
        try:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
            place.chmod(target.stat().st_mode)
            place.replace(target)
        except BaseException:
            place.unlink(missing_ok=True)
            raise
