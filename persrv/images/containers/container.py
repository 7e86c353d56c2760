"""What every walker answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["png", "jpeg", "gif", "webp", "bmp", "tiff", "avif", "heic", "jxl", "svg", "webm", "mp4", "tgs"]

MOST_FRAMES = 10_000
"""Frames of a video or vector animation above which it is no sticker, and only costs time to count."""


class MalformedError(ValueError):
    """A file's structure is broken; the text completes "the file cannot be used: ..."."""


@dataclass(frozen=True, slots=True)
class Container:
    """A file's structure.

    Attributes:
        format: Pillow's name of the format in lower case, or ``"heic"``, ``"jxl"``, ``"svg"``,
            ``"webm"``, ``"mp4"``, ``"tgs"``.
        width: Canvas width in pixels as stored, before any EXIF rotation, >= 1.
        height: Canvas height likewise.
        frames: Number of frames that are shown, >= 1.
        skipped: Frames at the start that only viewers without animation show (an APNG's default image): 0 or 1.
        exif: The EXIF block (TIFF bytes), empty when there is none.
        data: What a decoder should be given.
        seconds: How long a video or vector animation lasts, 0 for pictures.
        codec: FFmpeg's name of a video's decoder, ``""`` otherwise.
    """

    format: Format
    width: int
    height: int
    frames: int
    skipped: int
    exif: bytes
    data: bytes
    seconds: float = 0.0
    codec: str = ""


def slice_of(data: bytes, start: int, length: int) -> bytes:
    """Return exactly ``length`` bytes.

    Raises:
        MalformedError: The file ends before.
    """
    end = start + length
    if end > len(data):
        raise MalformedError("it is cut short")
    return data[start:end]


def canvas(width: int, height: int) -> tuple[int, int]:
    """Return both sides when each is at least one pixel.

    Raises:
        MalformedError: One is 0.
    """
    if width < 1 or height < 1:
        raise MalformedError(f"it claims a size of {width} × {height} pixels")
    return width, height
