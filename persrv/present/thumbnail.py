"""One still picture of a sticker, safe to draw anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from persrv.errors import PictureError
from persrv.images.compositing import fit
from persrv.images.decode import Picture, open_picture


def decoded(path: Path | None) -> Picture | None:
    """Return the decoded picture, ``None`` where the file is missing or may not or cannot be decoded."""
    if path is None:
        return None
    try:
        return open_picture(path)
    except PictureError:
        return None


def thumbnail(picture: Picture, side: int) -> Image.Image:
    """Return a still of the picture, without its transparent surroundings, fitted into a transparent square.

    Of an animation it is the frame that covers most, the first of equals: many begin with nothing.

    Args:
        picture: From :func:`decoded`.
        side: Pixels of the square's side, >= 1; smaller pictures are enlarged.

    Returns:
        RGBA, ``side`` × ``side``.
    """
    covered = [int(np.count_nonzero(frame[..., 3] > 127)) for frame in picture.frames]
    return Image.fromarray(fit(picture.frames[int(np.argmax(covered))], side))


def on_ground(image: Image.Image | None, side: int, ground: str) -> Image.Image:
    """Return the image in the middle of an opaque RGB square.

    Args:
        image: RGBA and not larger than the square; ``None`` leaves the square empty.
        side: Pixels of the square's side.
        ground: Its colour, as Pillow writes colours.
    """
    square = Image.new("RGB", (side, side), ground)
    if image is not None:
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2), image)
    return square
