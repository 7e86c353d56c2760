"""Where a drawing lies in its picture to a fraction of a pixel, and what stands in each cell of that square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_POWER = 16
"""Of the moment that measures how far the drawing reaches: the higher, the nearer to its farthest pixel."""

_REACH = 1.45
"""Half the square's side over that moment's root: 99 in 100 drawings lie inside wholly, with a tenth to spare."""

_HALF_A_PIXEL = 0.5
"""How far a drawing of a single pixel reaches."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A square round a drawing.

    Attributes:
        x: Its centre, in pixels from the left edge.
        y: Its centre, in pixels from the upper edge.
        side: Its side in pixels, > 0; it may reach over the picture's edges.
    """

    x: float
    y: float
    side: float


def frame_of(weight: NDArray[np.float32]) -> Frame | None:
    """Return the square round what is drawn, or ``None`` where nothing is.

    A box of the drawn pixels moves by a whole pixel when an edge is blended a little more. Moments are sums over all
    pixels, so a copy at another size has the same square to within a hundredth: the centroid, and as far on each side
    as the 16th root of the 16th central moment says, along the longer axis.

    Args:
        weight: How strongly each pixel is drawn, shape (h, w), >= 0.
    """
    total = float(weight.sum(dtype=np.float64))
    if total <= 0.0:
        return None
    centres, reaches = [], []
    for axis in (0, 1):
        share = weight.sum(axis=axis, dtype=np.float64) / total
        place = np.arange(len(share)) + 0.5
        centre = float(share @ place)
        distance = np.abs(place - centre)
        farthest = max(float(distance.max()), _HALF_A_PIXEL)  # along one pixel nothing is far
        centres.append(centre)
        reaches.append(farthest * float(share @ (distance / farthest) ** _POWER) ** (1 / _POWER))
    return Frame(centres[0], centres[1], 2.0 * _REACH * max(*reaches, _HALF_A_PIXEL))


def sample(planes: NDArray[np.float32], frame: Frame, cells: int) -> NDArray[np.float32]:
    """Return the mean of each cell, weighted by a triangle two cells wide; beyond the picture is zero.

    The triangle is integrated over each pixel, so that a picture and its reduced copy give the same cells.

    Args:
        planes: Shape (h, w, c).
        frame: The square to divide.
        cells: Cells along a side, >= 1.

    Returns:
        Shape (cells, cells, c).
    """
    height, width, depth = planes.shape
    rows = _weights(height, frame.y, frame.side, cells)
    columns = _weights(width, frame.x, frame.side, cells)
    lines = (rows @ planes.reshape(height, width * depth)).reshape(cells, width, depth)
    return np.asarray(np.einsum("cw,rwd->rcd", columns, lines, optimize=True), dtype=np.float32)


def _weights(length: int, centre: float, side: float, cells: int) -> NDArray[np.float32]:
    """Return each pixel's weight in each cell, shape (cells, length); a row sums to 1 unless it reaches outside."""
    size = side / cells
    middle = centre - side / 2 + size * (np.arange(cells) + 0.5)
    # Cells smaller than a pixel are interpolated between pixels.
    edges = np.clip((np.arange(length + 1)[None, :] - middle[:, None]) / max(size, 1.0), -1.0, 1.0)
    below = np.where(edges < 0.0, (1.0 + edges) ** 2 / 2.0, 1.0 - (1.0 - edges) ** 2 / 2.0)
    return np.asarray(np.diff(below, axis=1), dtype=np.float32)
