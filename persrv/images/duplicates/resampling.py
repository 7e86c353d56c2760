"""How much of the difference between two pictures no resampling explains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LIMITS = np.array([0.5, 0.5, 0.5, 0.5, 0.3], dtype=np.float32)
"""Most cells by which a copy may be shifted and, at its edges, stretched along each axis; most it may be blurred."""

_FLAT = 0.2
"""Contrast that a place without any is taken to have: differences are judged relative to contrast, and this."""

_RIDGE = 1e-3
"""Keeps the normal equations of an even picture, in which no shift can be seen, solvable."""


def unexplained(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest difference, relative to contrast, that is left between pictures after the best resampling.

    To first order, whatever a resampling does is a sum of five fields of the pictures' mean: its gradient along x and
    y (a shift), each times the coordinate (a stretch), and its Laplacian (blur, or sharpening). Their best coefficients
    by least squares are held within limits, and what they explain is subtracted: Lucas & Kanade's registration (1981),
    one step, symmetric in its arguments. A drawing that differs anywhere keeps its difference there. At an edge more
    is tolerated than on an even ground, since an edge is where rounding, compression and what the five fields leave out
    show.

    Args:
        left: n pictures, shape (n, side, side, channels).
        right: n pictures, the same shape.

    Returns:
        Shape (n,), >= 0, 0 for the same picture twice: the largest ``|difference| / (0.2 + contrast)`` of any cell,
        where contrast is the largest of any channel's gradient, or half its Laplacian, there.
    """
    n = len(left)
    difference = right - left
    fields = _fields((left + right) / np.float32(2))
    size = int(np.prod(left.shape[1:]))
    flat, target = fields.reshape(n, len(_LIMITS), size), difference.reshape(n, size)
    normal = flat @ flat.transpose(0, 2, 1) + np.float32(_RIDGE) * np.eye(len(_LIMITS), dtype=np.float32)
    best = np.linalg.solve(normal, flat @ target[..., None])[..., 0]
    explained = np.einsum("nf,nfk->nk", np.clip(best, -_LIMITS, _LIMITS), flat)
    remainder = np.abs(target - explained).reshape(difference.shape).max(axis=-1)
    contrast = np.maximum(np.hypot(fields[:, 0], fields[:, 1]), np.abs(fields[:, 4]) / 2).max(axis=-1)
    return np.asarray((remainder / (np.float32(_FLAT) + contrast)).max(axis=(1, 2)), dtype=np.float32)


def _fields(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the five fields of each picture, shape (n, 5, side, side, channels)."""
    side = pictures.shape[1]
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    up, down = padded[:, :-2, 1:-1], padded[:, 2:, 1:-1]
    before, after = padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]
    along_x, along_y = (after - before) / 2, (down - up) / 2
    place = ((2 * np.arange(side) + 1) / side - 1).astype(np.float32)
    stretch_x, stretch_y = along_x * place[None, None, :, None], along_y * place[None, :, None, None]
    return np.stack([along_x, along_y, stretch_x, stretch_y, up + down + before + after - 4 * pictures], axis=1)
