"""Small pictures of stickers, made when they are first asked for and kept beside the collection."""

from __future__ import annotations

import io
from pathlib import Path
from threading import BoundedSemaphore, get_ident
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from persrv.images.decode import open_picture
from persrv.present.thumbnail import thumbnail

Kind = Literal["webp", "gif"]
SIDES = (64, 128, 256, 512)
"""Sides that are made; what is asked for is rounded up to one of them, so that nobody can fill the disk with others."""

SIDE = 256
"""The side where none is asked for, as on the page."""

_FRAMES = 16
_MILLISECONDS = 90
_AT_ONCE = 2
"""Pictures decoded at the same time; the others wait, so that a page of new stickers leaves room for searches."""

_QUALITY = {"quality": 80, "alpha_quality": 80, "method": 0}
"""WebP's quickest method takes a sixth of the time of its usual one, and a fifth more bytes; most of that time went
into the outline. Quality is 80 in place of 85, 42.6 dB in place of 44.1."""


class Thumbnails:
    """Makes and keeps thumbnails. Safe for several threads and processes.

    Args:
        folder: Where they are kept; it may be deleted at any time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._decoding = BoundedSemaphore(_AT_ONCE)

    def content(self, sticker_id: str, path: Path, side: int, *, moving: bool = False, kind: Kind = "webp") -> bytes:
        """Return a sticker's thumbnail.

        Args:
            sticker_id: Of which.
            path: Its picture.
            side: Pixels of the square's side.
            kind: Kind of file; GIF has 256 colours and no half-transparent pixels.
            moving: An animation of up to 16 of the frames that differ most; a still picture stays one.

        Raises:
            PictureError: The picture is gone, or cannot be decoded any more.
        """
        size = next((one for one in SIDES if one >= side), SIDES[-1])
        kept = self._folder / f"{size}{'-moving' if moving else ''}" / sticker_id[:2] / f"{sticker_id}.{kind}"
        if (known := _read(kept)) is not None:
            return known
        with self._decoding:
            if (known := _read(kept)) is not None:  # somebody else made it meanwhile
                return known
            picture = open_picture(path, max_frames=_FRAMES if moving else 4)
            frames = [_whole(frame, size) for frame in picture.frames] if moving else [thumbnail(picture, size)]
            content = _content(frames, kind)
            _put(kept, content)
        return content


def _whole(frame: NDArray[np.uint8], side: int) -> Image.Image:
    """Return the whole canvas, so that the frames of an animation keep their places."""
    image = Image.fromarray(frame)
    scale = side / max(image.size)
    fitted = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    square = Image.new("RGBA", (side, side))
    square.paste(fitted, ((side - fitted.width) // 2, (side - fitted.height) // 2))
    return square


def _content(frames: list[Image.Image], kind: Kind) -> bytes:
    buffer = io.BytesIO()
    more: dict[str, Any] = dict(_QUALITY) if kind == "webp" else {"disposal": 2}
    if len(frames) > 1:
        more |= {"save_all": True, "append_images": frames[1:], "duration": _MILLISECONDS, "loop": 0}
    frames[0].save(buffer, kind.upper(), **more)
    return buffer.getvalue()


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{get_ident()}")
    beside.write_bytes(content)
    beside.replace(file)
