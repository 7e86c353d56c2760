"""Whether two perceptual hashes are of one drawing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from persrv.images.duplicates.layout import LIGHT_CELLS, Layout, layout_on_grey, moves, on_white, opaque
from persrv.images.duplicates.resampling import unexplained

LIGHT = 0.16
"""Largest unexplained difference of brightness between copies, relative to contrast.

Of copies of 300 emoji at half or double size, as poor WebP or JPEG, or with a palette, 99 in 100 stay below; the
outlines of two drawings that an eye tells apart do not (docs/decisions/0017-near-duplicates.md).
"""

LIGHT_OF_SMALL = 0.13
"""The same in cells twice as wide, for a copy too small for the fine ones: 92 in 100 at a third of 96 pixels."""

COLOUR = 0.28
"""Largest unexplained difference of colour and alpha; higher, since JPEG and WebP keep a quarter of the colours."""

LIGHT_OF_ALL = 0.2
"""The same in cells twice as wide, for all: a copy that the fine cells accept stays below 0.18. It costs an eighth, and
refuses three of four pairs that are only near."""

_FEWEST_PIXELS = 1.5
"""Pixels to a fine cell, below which a copy is compared in cells twice as wide: fine ones would hold its blur only."""


def alike(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which pairs of perceptual hashes are copies of one drawing; the order of the two does not matter.

    Two pictures with transparency are compared by what their alpha shows, others as they look on white. An animation
    is no copy of a still, and a picture in which nothing is drawn no copy of anything.

    Args:
        left: Perceptual hashes, shape (n, 3332).
        right: Perceptual hashes, the same shape.

    Returns:
        Shape (n,).
    """
    found = np.zeros(len(left), dtype=bool)
    on_ground = opaque(left) | opaque(right)
    both = moves(left) == moves(right)
    for chosen, look in ((both & ~on_ground, layout_on_grey), (both & on_ground, on_white)):
        rows = np.flatnonzero(chosen)
        found[rows] = _same(look(left[rows]), look(right[rows]))
    return found


def _same(left: Layout, right: Layout) -> NDArray[np.bool_]:
    pixels = np.minimum(left.side, right.side)
    found = pixels > 0.0
    small = pixels < _FEWEST_PIXELS * LIGHT_CELLS
    # Each test is made only where those before it were passed, the cheapest first.
    halves = _halved(left.light), _halved(right.light)
    for where, bound, first, second in (
        (small, LIGHT_OF_SMALL, *halves),
        (~small, LIGHT_OF_ALL, *halves),
        (np.ones_like(small), COLOUR, left.colour, right.colour),
        (~small, LIGHT, left.light, right.light),
    ):
        rows = np.flatnonzero(found & where)
        found[rows] = unexplained(first[rows], second[rows]) <= bound
    return found


def _halved(light: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = light[:, ::2] + light[:, 1::2]
    halved: NDArray[np.float32] = (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
    return halved
