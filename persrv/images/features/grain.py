"""What only the pixels themselves tell: blocks of pixel art, exactly even areas, soft edges of the silhouette."""

from __future__ import annotations

import numpy as np

from persrv.images.features.group import FeatureGroup, Values
from persrv.images.features.raster import Pixels, Raster

_LARGEST_BLOCK = 32
_FEWEST_BLOCKS = 3
_CHANGE = 24
"""Difference of neighbours, of 255, that is a border between blocks and no trace of compression."""
_ON_A_GRID = 0.5
_NEARLY_BEST = 0.9
_FEWEST_LINES = 8
"""Lines with changes from which they can be on a grid by more than chance."""
_SOFTEST = 0.25
"""Share of half-covered pixels from which a drawing counts as soft throughout."""


def _grain(raster: Raster) -> Values:
    pixels = raster.pixels
    across, down = _grid(pixels, 1), _grid(pixels, 0)
    alpha = pixels[..., 3]
    visible = max(int((alpha > 0).sum()), 1)
    soft = int(((alpha > 0) & (alpha < 255)).sum()) / visible
    return np.array([*across, *down, min(soft / _SOFTEST, 1.0)], np.float32)


def _grid(pixels: Pixels, axis: int) -> tuple[float, float, float]:
    """Return how well changes along an axis fall on a grid, that grid's width, and how many neighbours are equal.

    The score of a width is the share of changes on its best grid, 0 for what chance would give, 1 for all.
    """
    difference = np.abs(np.diff(pixels, axis=axis)).max(axis=2)
    if not difference.size:
        return 0.0, 0.0, 1.0
    even = float((difference == 0).mean())
    # Roots, so that a few long edges, which are on some grid by chance, do not outweigh all others.
    changes = np.sqrt((difference > _CHANGE).sum(axis=1 - axis, dtype=np.float64))
    total = float(changes.sum())
    widest = min(_LARGEST_BLOCK, len(changes) // _FEWEST_BLOCKS)
    if np.count_nonzero(changes) < _FEWEST_LINES or widest < 2:
        return 0.0, 0.0, even
    scores = np.zeros(widest - 1)
    for width in range(2, widest + 1):
        rows = -(-len(changes) // width)
        share = np.pad(changes, (0, rows * width - len(changes))).reshape(rows, width).sum(axis=0).max() / total
        scores[width - 2] = (share - 1 / width) / (1 - 1 / width)
    best = float(scores.max())
    if best <= _ON_A_GRID:
        return 0.0, 0.0, even
    # Every part of the true width fits as well, so the widest of the good ones is meant.
    width = int(np.flatnonzero(scores >= _NEARLY_BEST * best)[-1]) + 2
    return best, float(np.log2(width) / np.log2(_LARGEST_BLOCK)), even


GROUPS = (
    FeatureGroup(
        "grain",
        (
            *(
                f"{what} {way}"
                for way in ("from left to right", "from top to bottom")
                for what in (
                    "how well hard changes fall on a grid",
                    "width of that grid's blocks (logarithm, 1 for 32 pixels)",
                    "share of neighbours with exactly one colour",
                )
            ),
            "share of pixels that are neither clear nor opaque (1 for a quarter)",
        ),
        0,
        1,
        _grain,
    ),
)
