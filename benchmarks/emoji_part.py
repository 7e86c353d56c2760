"""A part of an emoji set as a collection of its own, in a temporary folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persrv.errors import SourceError
from persrv.recipe import Recipe

_LISTING = "stickers.jsonl"
_PEOPLE = {"users": 6, "picks": 30, "noise": 0.15, "seed": 0}


@dataclass(frozen=True, slots=True)
class Part:
    """Some stickers of a set, and where a collection of them may be built.

    Attributes:
        recipe: Of a collection that holds them, with the picks of six simulated people.
        folder: Temporary.
        drawings: What the set's listing says of each.
    """

    recipe: Recipe
    folder: Path
    drawings: list[dict[str, Any]]

    @property
    def pictures(self) -> list[Path]:
        """The stickers' files."""
        return [self.folder / "set" / drawing["file"] for drawing in self.drawings]


def listing(emoji_set: Path) -> list[dict[str, Any]]:
    """Return what a set's listing says of each drawing.

    Raises:
        SourceError: There is no such set.
    """
    file = emoji_set / _LISTING
    if not file.is_file():
        raise SourceError(f"{emoji_set} has no {_LISTING}", "give a folder that scripts/make_emoji_set.py made")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@contextmanager
def emoji_part(emoji_set: Path, size: int | None) -> Iterator[Part]:
    """Lay out the first meanings of a set, in every style, until there are ``size`` stickers; ``None`` takes all.

    Raises:
        SourceError: There is no such set.
    """
    found = listing(emoji_set)
    rank = {emoji: number for number, emoji in enumerate(dict.fromkeys(drawing["emoji"] for drawing in found))}
    drawings = sorted(found, key=lambda drawing: rank[drawing["emoji"]])[:size]
    with tempfile.TemporaryDirectory() as name:
        laid_out = Path(name) / "set"
        laid_out.mkdir()
        for folder in {Path(drawing["file"]).parts[0] for drawing in drawings}:
            (laid_out / folder).symlink_to((emoji_set / folder).resolve(), target_is_directory=True)
        lines = [json.dumps(drawing, ensure_ascii=False) + "\n" for drawing in drawings]
        (laid_out / _LISTING).write_text("".join(lines), encoding="utf-8")
        source = {"loader": "emoji", "path": str(laid_out)}
        content = {"name": "benchmark", "stickers": source, "interactions": [source | {"options": _PEOPLE}]}
        content |= {"meaning": {"encoder": ""}, "ranking": {"own": 0.0}}  # what has no rival here is left out
        yield Part(Recipe.from_dict(content), Path(name), drawings)


def written(recipe: Recipe, file: Path) -> Path:
    """Write the sources of a recipe as TOML, which another process can read."""
    lines = [f"name = {json.dumps(recipe.name)}"]
    for heading, sources in (("stickers", recipe.stickers), ("interactions", recipe.interactions)):
        for source in sources:
            lines += [
                f"[[{heading}]]",
                f"loader = {json.dumps(source.loader)}",
                f"path = {json.dumps(str(source.path))}",
            ]
            options = ", ".join(f"{name} = {json.dumps(value)}" for name, value in source.options.items())
            lines.append(f"options = {{ {options} }}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file
