"""Which perceptual hashes are worth comparing: each with its nearest few, by a rough description of the drawing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from persrv.images.duplicates.layout import Layout, layout_on_grey, on_white, opaque
from persrv.images.duplicates.neighbours import near_pairs

NEAREST = 24
"""Most neighbours of each picture that are compared with it, so that a crowd of like drawings costs no more."""

FARTHEST = 0.14
"""Largest distance of descriptions that are compared: of all kinds of copies that were tried, none that
:func:`~persrv.images.duplicates.alike.alike` accepts lay farther than 0.13."""

_ROUGH = 4
_VIEW = 3 * _ROUGH**2
ROUGH_DIMENSION = 2 * _VIEW + 1


def rough(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rough descriptions of perceptual hashes.

    Args:
        rows: Shape (n, 3332).

    Returns:
        Shape (n, 97), in [-1, 1]: brightness and colour of 4 x 4 cells as alpha shows them (48) and on white (48), and
        1 where the picture is opaque.
    """
    parts = [_pooled(view(rows)) for view in (layout_on_grey, on_white)]
    return np.concatenate([*parts, opaque(rows)[:, None]], axis=1, dtype=np.float32)


def candidates(descriptions: NDArray[np.floating], new: int | None = None) -> NDArray[np.int64]:
    """Return which pictures to compare: two with transparency by what alpha shows, others as they look on white.

    Args:
        descriptions: From :func:`rough`, shape (n, 97).
        new: Only pairs with one of the last ``new`` rows; ``None`` for all pairs.

    Returns:
        Pairs of rows, the smaller first, sorted, each once, shape (k, 2).
    """
    n = len(descriptions)
    first = 0 if new is None else n - new
    flat = descriptions[:, -1] > 0.5
    found = []
    for places, view in ((np.flatnonzero(~flat), slice(_VIEW)), (np.flatnonzero(flat), slice(_VIEW, 2 * _VIEW))):
        points = descriptions[:, view] if len(places) == n else descriptions[places, view]
        found.append(places[near_pairs(points, NEAREST, FARTHEST, first=int(np.searchsorted(places, first)))])
    if flat.any() and not flat.all():
        white = descriptions[:, _VIEW : 2 * _VIEW]
        found.append(near_pairs(white, NEAREST, FARTHEST, first=first, side=flat))
    return np.unique(np.concatenate(found), axis=0)


def _pooled(view: Layout) -> NDArray[np.float32]:
    parts = []
    for cells in (view.light, view.colour[..., :2]):
        n, side, _, channels = cells.shape
        block = side // _ROUGH
        pooled = cells.reshape(n, _ROUGH, block, _ROUGH, block, channels).mean(axis=(2, 4))
        parts.append(pooled.reshape(n, _ROUGH**2 * channels))
    return np.concatenate(parts, axis=1)
