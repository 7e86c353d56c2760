"""``persrv read``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persrv.cli.options import DEFAULT_RECIPE, JsonOption, RecipeOption, print_json, say

if TYPE_CHECKING:
    from persrv.offline.read_pictures import PictureReading

UNREADABLE = 4
"""Exit code when a picture could not be used."""


def read(
    pictures: Annotated[list[Path], typer.Argument(help="Pictures to read.")],
    recipe: RecipeOption = DEFAULT_RECIPE,
    as_json: JsonOption = False,
) -> None:
    """Show what a recipe's readers make of pictures; no catalog is touched.

    Example: `persrv read ./cat.webp -c mine.toml --json`
    """
    from persrv.offline.read_pictures import read_pictures

    readings = list(read_pictures(recipe, pictures))
    if as_json:
        print_json([asdict(reading) for reading in readings])
    else:
        for reading in readings:
            _tell(reading)
    if any(reading.problem for reading in readings):
        raise typer.Exit(UNREADABLE)


def _tell(reading: PictureReading) -> None:
    say(reading.file)
    if reading.problem:
        say(f"  problem: {reading.problem}")
    if not reading.format:
        return
    say(f"  {reading.format}, {reading.width} x {reading.height}, {reading.frames} frame(s)")
    for name, lines in (("text", reading.text), ("uncertain", reading.uncertain)):
        for line in lines:
            say(f"  {name}: {line['text']} ({line['confidence']:.2f})")
    for name, value in (
        ("description", reading.description),
        ("keywords", ", ".join(reading.keywords)),
        ("emotions", ", ".join(reading.emotions)),
        ("undescribed", reading.undescribed),
        ("vectors", ", ".join(f"{encoder} ({size})" for encoder, size in reading.vectors.items())),
        ("time", ", ".join(f"{step} {seconds * 1000:.0f} ms" for step, seconds in reading.seconds.items())),
    ):
        if value:
            say(f"  {name}: {value}")
