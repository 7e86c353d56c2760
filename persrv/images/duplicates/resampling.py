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
    if not n:
        return np.zeros(0, dtype=np.float32)
    difference = right - left
    fields = _fields((left + right) * np.float32(0.5))
    flat, target = fields.reshape(n, len(_LIMITS), -1), difference.reshape(n, -1)
    normal = flat @ flat.transpose(0, 2, 1) + np.float32(_RIDGE) * np.eye(len(_LIMITS), dtype=np.float32)
    best = np.linalg.solve(normal, flat @ target[..., None])[..., 0]
    target -= (np.clip(best, -_LIMITS, _LIMITS)[:, None] @ flat)[:, 0]
    remainder = np.abs(difference, out=difference)
    contrast = fields[:, 0] ** 2 + fields[:, 1] ** 2
    np.maximum(contrast, fields[:, 4] ** 2 / np.float32(4), out=contrast)
    relative = _largest(remainder) / (np.float32(_FLAT) + np.sqrt(_largest(contrast)))
    return np.asarray(relative.reshape(n, -1).max(axis=1), dtype=np.float32)


def _largest(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest of the channels; over so short an axis NumPy's ``max`` takes ten times as long."""
    found = values[..., 0]
    for channel in range(1, values.shape[-1]):
        found = np.maximum(found, values[..., channel])
    return found


def _fields(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the five fields of each picture, shape (n, 5, side, side, channels); edges are repeated outside."""
    n, side, _, channels = pictures.shape
    fields = np.empty((n, len(_LIMITS), side, side, channels), dtype=np.float32)
    along_x, along_y, stretch_x, stretch_y, laplacian = (fields[:, i] for i in range(len(_LIMITS)))
    np.subtract(pictures[:, :, 2:], pictures[:, :, :-2], out=along_x[:, :, 1:-1])
    np.subtract(pictures[:, :, 1], pictures[:, :, 0], out=along_x[:, :, 0])
    np.subtract(pictures[:, :, -1], pictures[:, :, -2], out=along_x[:, :, -1])
    np.subtract(pictures[:, 2:], pictures[:, :-2], out=along_y[:, 1:-1])
    np.subtract(pictures[:, 1], pictures[:, 0], out=along_y[:, 0])
    np.subtract(pictures[:, -1], pictures[:, -2], out=along_y[:, -1])
    fields[:, :2] *= np.float32(0.5)
    place = ((2 * np.arange(side) + 1) / side - 1).astype(np.float32)
    np.multiply(along_x, place[:, None], out=stretch_x)
    np.multiply(along_y, place[:, None, None], out=stretch_y)
    np.multiply(pictures, np.float32(-4), out=laplacian)
    laplacian[:, 1:] += pictures[:, :-1]
    laplacian[:, 0] += pictures[:, 0]
    laplacian[:, :-1] += pictures[:, 1:]
    laplacian[:, -1] += pictures[:, -1]
    laplacian[:, :, 1:] += pictures[:, :, :-1]
    laplacian[:, :, 0] += pictures[:, :, 0]
    laplacian[:, :, :-1] += pictures[:, :, 1:]
    laplacian[:, :, -1] += pictures[:, :, -1]
    return fields
