"""The text in a picture: every frame read, readings merged, doubtful lines kept apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from persrv.images.decode import Picture
from persrv.reading.ocr.engine import Line, OcrEngine
from persrv.reading.ocr.grounds import pictures_to_read
from persrv.reading.ocr.lines import joined_columns
from persrv.reading.ocr.merging import merge_frames, merge_grounds, same_text
from persrv.records import Semantics

MORE_FRAMES = 16
"""Frames that are read of an animation whose caption changes; of others the few that stand for it suffice."""

_RULES = "2"
"""Changes with the rules of this package by which lines are merged and kept."""

_LONE_DOUBT = 1 / 8
"""Drawings are full of shapes like O, 8 and X, so a lone character is kept only where an eighth of the doubt is
left that other lines may have."""


@dataclass(frozen=True, slots=True)
class OcrText:
    """What was read in a picture.

    Attributes:
        lines: The lines that can be trusted, in the order in which they appear and are read.
        uncertain: The other ones, in the same order, without those that a trusted line says better.
    """

    lines: tuple[Line, ...]
    uncertain: tuple[Line, ...]

    @property
    def semantics(self) -> Semantics:
        """The trusted lines as the sticker's ``ocr`` field."""
        return Semantics(ocr=tuple(line.text for line in self.lines))


def read_picture(
    engine: OcrEngine,
    picture: Picture,
    *,
    min_confidence: float,
    max_side: int,
    more: Callable[[], Picture] | None = None,
) -> OcrText:
    """Read every representative frame of a picture.

    Args:
        engine: Reads one frame.
        picture: A decoded picture.
        min_confidence: A line below is uncertain, in [0, 1]. A line of a single character needs
            ``1 - (1 - min_confidence) / 8``, unless it belongs to a column.
        max_side: The side at which text is sought, in pixels; see :func:`persrv.reading.ocr.grounds.pictures_to_read`.
        more: Returns the same picture with :data:`MORE_FRAMES` frames; asked where the frames at hand hold different
            captions, of which there may be others between them.

    Raises:
        PictureError: The engine failed on a frame.
    """
    frames = _read(engine, picture, max_side)
    lines = merge_frames([line for line in frame if _trusted(line, min_confidence)] for frame in frames)
    if more is not None and picture.n_frames > len(frames) and len(lines) > max(map(len, frames)):
        frames = _read(engine, more(), max_side)
        lines = merge_frames([line for line in frame if _trusted(line, min_confidence)] for frame in frames)
    doubtful = merge_frames([line for line in frame if not _trusted(line, min_confidence)] for frame in frames)
    uncertain = [line for line in doubtful if not any(same_text(line, trusted) for trusted in lines)]
    return OcrText(tuple(lines), tuple(uncertain))


def reading_revision(engine: OcrEngine, *, min_confidence: float, max_side: int) -> str:
    """Return what identifies a reading: it changes whenever :func:`read_picture` might answer otherwise."""
    return f"{engine.name} {engine.revision}; confidence {min_confidence:g}, side {max_side}; rules {_RULES}"


def _read(engine: OcrEngine, picture: Picture, max_side: int) -> list[list[Line]]:
    """Return the lines of each frame."""
    return [
        joined_columns(merge_grounds([engine.read(ground) for ground in pictures_to_read(frame, max_side)]))
        for frame in picture.frames
    ]


def _trusted(line: Line, min_confidence: float) -> bool:
    lone = sum(character.isalnum() for character in line.text) == 1
    return line.confidence >= (1 - (1 - min_confidence) * _LONE_DOUBT if lone else min_confidence)
