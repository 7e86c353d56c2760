"""Grounds and sizes: how a picture with transparency is handed to an encoder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEUTRAL_GREY = 128
_FAINT = 25
"""Alpha up to which a pixel does not count as drawn when the box is sought: faint shadows and dirt stay outside."""


def on_neutral(rgba: NDArray[np.uint8], grey: int = NEUTRAL_GREY) -> NDArray[np.uint8]:
    """Return the picture on an even grey ground, so that what is transparent never turns black.

    Args:
        rgba: Straight alpha, shape (h, w, 4).
        grey: The ground's sRGB value, 0 to 255.

    Returns:
        Shape (h, w, 3): ``alpha * colour + (1 - alpha) * grey`` on sRGB values, as browsers blend, rounded.
    """
    alpha = rgba[..., 3:].astype(np.uint32)
    blended = alpha * rgba[..., :3] + (255 - alpha) * np.uint32(grey)
    return ((blended + 127) // 255).astype(np.uint8)


def content_box(rgba: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """Return (left, top, right, bottom) of what is drawn, ``None`` for a picture without a visible pixel.

    Pixels with an alpha of at most 25 of 255 count only where nothing stronger is there.
    """
    alpha = rgba[..., 3]
    for threshold in (_FAINT, 0):
        rows = np.flatnonzero(alpha.max(axis=1) > threshold)
        columns = np.flatnonzero(alpha.max(axis=0) > threshold)
        if rows.size:
            return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    return None


def fit(rgba: NDArray[np.uint8], size: int, margin: int = 0) -> NDArray[np.uint8]:
    """Cut away the transparent surroundings and fit what is left, centred, into a transparent square.

    The aspect ratio is kept, small pictures are enlarged, and colours are averaged with their alpha as weight
    (bilinear, with a support that grows with the reduction), so no colour leaks from transparent pixels. How much
    empty canvas a pack leaves around its drawings therefore does not matter.

    Args:
        rgba: Straight alpha, shape (h, w, 4).
        size: The square's side in pixels.
        margin: Pixels left empty on every side, ``0 <= 2 * margin < size``.

    Returns:
        Shape (size, size, 4), straight alpha; all zero where nothing is visible.
    """
    square = np.zeros((size, size, 4), np.uint8)
    box = content_box(rgba)
    if box is None:
        return square
    left, top, right, bottom = box
    content = np.ascontiguousarray(rgba[top:bottom, left:right])
    scale = (size - 2 * margin) / max(right - left, bottom - top)
    width, height = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    # Imported here: opening a collection needs its encoder's name, and no picture.
    from PIL import Image

    small = np.asarray(Image.fromarray(content).resize((width, height), Image.Resampling.BILINEAR))
    x, y = (size - width) // 2, (size - height) // 2
    square[y : y + height, x : x + width] = small
    return square
