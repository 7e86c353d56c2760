"""Which perceptual hashes are worth comparing: each with its nearest few, in a rough description of the drawing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from persrv.images.duplicates.layout import Layout

NEAREST = 24
"""Most neighbours of each picture that are compared with it, so that a crowd of like drawings costs no more."""

FARTHEST = 0.18
"""Largest distance of descriptions that are compared: copies lay nearer, save for some tiny JPEG and GIF files."""

_ROUGH = 4


def described(look: Layout) -> NDArray[np.float32]:
    """Return brightness and colour of 4 x 4 cells each, shape (n, 48)."""
    parts = [_pooled(look.light), _pooled(look.colour[..., :2])]
    return np.concatenate(parts, axis=1)


def near_pairs(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return pairs of descriptions that lie near each other.

    Args:
        left: Shape (m, d): for each the nearest of ``right`` are sought, with a k-d tree.
        right: Shape (n, d).

    Returns:
        Rows of ``left`` and of ``right``, shape (k, 2), k <= 24 m.
    """
    if not len(left) or not len(right):
        return np.zeros((0, 2), dtype=np.int64)
    from scipy.spatial import KDTree

    count = min(NEAREST, len(right))
    _, found = KDTree(right).query(left, k=[*range(1, count + 1)], distance_upper_bound=FARTHEST)
    rows, places = np.nonzero(found < len(right))
    return np.stack([rows, found[rows, places]], axis=1).astype(np.int64)


def pairs_in_line(descriptions: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return rows that follow each other when sorted, shape (n - 1, 2).

    Of a hundred equal pictures each has only some of the others among its nearest; this line joins all of them.
    """
    line = np.lexsort(descriptions.T)
    return np.stack([line[:-1], line[1:]], axis=1).astype(np.int64)


def _pooled(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    n, side, _, channels = cells.shape
    block = side // _ROUGH
    pooled = cells.reshape(n, _ROUGH, block, _ROUGH, block, channels).mean(axis=(2, 4))
    return np.asarray(pooled.reshape(n, _ROUGH**2 * channels), dtype=np.float32)
