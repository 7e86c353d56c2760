"""What an OCR engine is shown of a frame: on which grounds, and how large."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from persrv.images.compositing import on_neutral

GROUNDS = (128, 64, 192)
"""Grey values, the preferred first. All three are away from both black and white."""

_CONTRAST = 48
"""Difference in the strongest channel below which ink is lost on its ground."""

_LOST = 0.03
"""Share of lost outline that asks for a second ground."""

_OPAQUE = 128
_THINNEST = 32
"""Longer over shorter side above which no line of text fits in; engines would enlarge such a frame beyond measure."""

_ENLARGED = 4
_FINER = 4
"""How much finer than the side at which text is sought a picture may be: a line that is found there is at least some
eight pixels high, and recognition reads it at 48, so more detail than that only costs time."""


def pictures_to_read(frame: NDArray[np.uint8], max_side: int) -> list[NDArray[np.uint8]]:
    """Return the pictures that an engine is to read for one frame.

    Args:
        frame: Straight-alpha sRGB, shape (h, w, 4).
        max_side: The side at which text is sought, in pixels. Smaller frames are enlarged to it, at most four times;
            larger ones are reduced only from four times that side.

    Returns:
        One RGB picture for each ground of :func:`grounds`, all of one shape (h', w', 3); none for a frame in which
        nothing is visible, or
        whose one side is more than 32 times the other.
    """
    if max(frame.shape[:2]) > _THINNEST * min(frame.shape[:2]):
        return []
    return [_sized(on_neutral(frame, grey), max_side) for grey in grounds(frame)]


def grounds(frame: NDArray[np.uint8]) -> tuple[int, ...]:
    """Choose the greys on which everything in a frame stands out.

    What counts is the outline, the visible pixels beside an invisible one: text without a ground of its own is mostly
    outline. The grey that loses least of it is chosen, the preferred one among equals; where even that one loses a
    noticeable part, the grey that brings most of it back is added.

    Args:
        frame: Straight-alpha sRGB, shape (h, w, 4).

    Returns:
        One or two of :data:`GROUNDS`, the better first; none for a frame in which nothing is visible.
    """
    if not frame[..., 3].any():
        return ()
    outline = _outline(frame)
    if not len(outline):
        return GROUNDS[:1]
    lost = {grey: np.abs(outline - grey).max(axis=1) < _CONTRAST for grey in GROUNDS}
    best = min(GROUNDS, key=lambda grey: int(lost[grey].sum()))
    if lost[best].mean() < _LOST:
        return (best,)
    second = min((grey for grey in GROUNDS if grey != best), key=lambda grey: int((lost[best] & lost[grey]).sum()))
    return best, second


def _outline(frame: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the colours of visible pixels that have an invisible neighbour, shape (n, 3)."""
    visible = frame[..., 3] >= _OPAQUE
    inner = visible.copy()
    inner[1:] &= visible[:-1]
    inner[:-1] &= visible[1:]
    inner[:, 1:] &= visible[:, :-1]
    inner[:, :-1] &= visible[:, 1:]
    return frame[visible & ~inner][:, :3].astype(np.int16)


def _sized(picture: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    longest = max(picture.shape[:2])
    scale = min(max_side / longest, _ENLARGED) if longest < max_side else min(1.0, _FINER * max_side / longest)
    if scale == 1.0:
        return picture
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))
