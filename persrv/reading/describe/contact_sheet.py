"""How a sticker is shown to a vision-language model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from persrv.images.compositing import content_box, fit, on_neutral
from persrv.images.decode import Picture

SIDE = 448
"""Pixels. Models scale to their own size (LLaVA-1.5 to 336); four frames need more than one does."""
_MOST_FRAMES = 4
_GAP = 0.04
"""Empty space between frames, as part of a frame's longer side."""


def frame_sheet(picture: Picture, side: int = SIDE) -> NDArray[np.uint8] | None:
    """Return one square picture that shows a still, or up to four frames of an animation.

    The frames stand in reading order, two in a row, all cut to the same box, so that what moves is seen to move. One
    square rather than several pictures or a long strip: LLaVA-1.5 was trained on one picture, and its processor cuts
    away what exceeds a square.

    Args:
        picture: A sticker.
        side: Pixels of the sheet.

    Returns:
        RGB on neutral grey, shape (side, side, 3); ``None`` where nothing is visible.
    """
    frames = picture.frames[:_MOST_FRAMES]
    boxes = [box for frame in frames if (box := content_box(frame)) is not None]
    if not boxes:
        return None
    left, top = (min(box[i] for box in boxes) for i in (0, 1))
    right, bottom = (max(box[i] for box in boxes) for i in (2, 3))
    height, width = bottom - top, right - left
    gap = round(_GAP * max(height, width)) if len(frames) > 1 else 0
    columns = min(len(frames), 2)
    rows = -(-len(frames) // columns)
    sheet = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4), np.uint8)
    for number, frame in enumerate(frames):
        y, x = number // columns * (height + gap), number % columns * (width + gap)
        sheet[y : y + height, x : x + width] = frame[top:bottom, left:right]
    return on_neutral(fit(sheet, side))
