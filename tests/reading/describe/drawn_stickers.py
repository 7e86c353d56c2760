"""Stickers drawn for the tests of describers."""

from __future__ import annotations

import numpy as np

from persrv.images.decode import Picture
from persrv.reading.describe.describer import Subject
from persrv.records import Semantics

RED, BLUE = (220, 30, 30), (30, 30, 220)


def picture(*colours: tuple[int, int, int], size: int = 40) -> Picture:
    """Return a picture with one frame a colour: a square on a transparent ground."""
    frames = []
    for colour in colours:
        frame = np.zeros((size, size, 4), np.uint8)
        frame[size // 4 : -size // 4, size // 4 : -size // 4] = (*colour, 255)
        frames.append(frame)
    return Picture("png", size, size, len(frames), tuple(frames))


def subject(number: int, colour: tuple[int, int, int] | None = RED, semantics: Semantics | None = None) -> Subject:
    return Subject(f"{number:032x}", picture(colour) if colour else None, semantics or Semantics())
