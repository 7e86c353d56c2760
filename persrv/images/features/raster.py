"""The small fixed raster on which every feature is computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.images.compositing import content_box, fit
from persrv.images.oklab import to_oklab

SIDE = 64
MARGIN = 2
"""Empty pixels around the drawing, so that its outermost contour has an outside."""

DEEPEST = 12
_SOLID = 0.5

_LARGEST_PART = 256
"""Side in pixels of the part whose own pixels are looked at."""

Plane = NDArray[np.float32]
Pixels = NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """One frame at 64 x 64 pixels, its drawing fitted to 60 x 60 whatever empty canvas was around it.

    Attributes:
        lightness: Oklab lightness, [0, 1]; like all planes of shape (64, 64). Meaningless where alpha is 0.
        red: Oklab green (negative) to red.
        yellow: Oklab blue (negative) to yellow.
        chroma: ``hypot(red, yellow)``, 0 for greys to about 0.32.
        alpha: Coverage, [0, 1].
        total: Sum of ``alpha``, > 0.
        depth: Distance in steps (4-neighbours) from the outside: 0 outside the drawing (alpha <= 0.5), 1 for its
            outermost pixels, at most 12.
        grounded: The three colour planes composited on the drawing's own mean colour, shape (3, 64, 64), so that
            filters neither see transparent pixels nor a contrast with an arbitrary ground.
        pixels: The middle of the drawing as it was, at most 256 x 256, shape (h, w, 4), 0 to 255, premultiplied.
        aspect: Shorter side of the drawing's box divided by the longer one, (0, 1].
    """

    lightness: Plane
    red: Plane
    yellow: Plane
    chroma: Plane
    alpha: Plane
    total: float
    depth: NDArray[np.int64]
    grounded: Plane
    pixels: Pixels
    aspect: float


def rasterise(frame: NDArray[np.uint8]) -> Raster | None:
    """Make the raster of a frame, shape (h, w, 4) straight-alpha sRGB; ``None`` where nothing is visible."""
    box = content_box(frame)
    if box is None:
        return None
    small = fit(frame, SIDE, MARGIN)
    alpha = small[..., 3].astype(np.float32) / np.float32(255)
    total = float(alpha.sum())
    if total == 0:
        return None
    planes = to_oklab(small[..., :3])
    ground = (planes * alpha).sum(axis=(1, 2), keepdims=True) / np.float32(total)
    width, height = box[2] - box[0], box[3] - box[1]
    return Raster(
        lightness=planes[0],
        red=planes[1],
        yellow=planes[2],
        chroma=np.hypot(planes[1], planes[2]),
        alpha=alpha,
        total=total,
        depth=_depth(alpha > _SOLID),
        grounded=alpha * planes + (1 - alpha) * ground,
        pixels=_middle(frame, box),
        aspect=min(width, height) / max(width, height),
    )


def _middle(frame: NDArray[np.uint8], box: tuple[int, int, int, int]) -> Pixels:
    left, top, right, bottom = box
    x, y = left + max(0, (right - left - _LARGEST_PART) // 2), top + max(0, (bottom - top - _LARGEST_PART) // 2)
    part = frame[y : min(bottom, y + _LARGEST_PART), x : min(right, x + _LARGEST_PART)].astype(np.int32)
    part[..., :3] = (part[..., :3] * part[..., 3:] + 127) // 255
    return part.astype(np.int16)


def _depth(solid: NDArray[np.bool_]) -> NDArray[np.int64]:
    depth = np.zeros(solid.shape, np.int64)
    left = np.pad(solid, 1)
    for _ in range(DEEPEST):
        depth += left[1:-1, 1:-1]
        shrunk = np.zeros_like(left)
        shrunk[1:-1, 1:-1] = left[1:-1, 1:-1] & left[:-2, 1:-1] & left[2:, 1:-1] & left[1:-1, :-2] & left[1:-1, 2:]
        left = shrunk
    return depth
