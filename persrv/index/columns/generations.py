"""Generations of columns in a folder: each is there whole or not at all, with the ids that were written since."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.durable import extend_file, sync_folder
from persrv.index.columns.merging import write_merged
from persrv.index.columns.segment import Segment

CHANGED, ID_BYTES = "changed", 16
"""The file of announced ids in a generation, and how long each one is."""


def newest(folder: Path) -> int | None:
    """Return the newest whole generation, ``None`` where there is none."""
    if not folder.is_dir():
        return None
    return max((int(each.name) for each in folder.iterdir() if each.name.isdecimal()), default=None)


def can_be_read(folder: Path) -> bool:
    """Return whether there is a generation all of whose files can be mapped."""
    try:
        generation = newest(folder)
        if generation is None:
            return False
        Segment.load(folder / str(generation))
        return (folder / str(generation) / CHANGED).is_file()
    except (OSError, ValueError):
        return False


def remove_others(folder: Path, generation: int) -> None:
    """Remove what is not a generation: older ones, and those that are not whole."""
    for each in folder.iterdir() if folder.is_dir() else ():
        if each.is_dir() and each.name != str(generation):
            shutil.rmtree(each)


def write_generation(folder: Path, number: int, parts: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> None:
    """Write a generation such that it is there whole or not at all.

    Args:
        folder: ``.../columns``.
        number: Larger than those before.
        parts: As for :func:`persrv.index.columns.merging.merge`.
    """
    draft = folder / f"{number}.part"
    shutil.rmtree(draft, ignore_errors=True)
    write_merged(parts, draft)
    for file in draft.iterdir():
        with file.open("rb+") as written:
            os.fsync(written.fileno())
    extend_file(draft / CHANGED, 0, b"")
    sync_folder(draft)
    draft.rename(folder / str(number))
    sync_folder(folder)


def announced(generation: Path) -> list[str]:
    """Return the stickers that were announced since a generation was written, each once."""
    content = (generation / CHANGED).read_bytes()
    ids = [content[at : at + ID_BYTES].hex() for at in range(0, len(content) - ID_BYTES + 1, ID_BYTES)]
    return [*dict.fromkeys(ids)]


def whole_ids(generation: Path) -> int:
    """Return how many changes were announced since a generation was written."""
    return (generation / CHANGED).stat().st_size // ID_BYTES
