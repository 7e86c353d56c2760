"""Which frames of an animation stand for it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_SIDE = 16
_SAME = 0.01
"""Root mean square difference, as a share of full scale, below which two frames count as the same."""


def frame_samples(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a frame, shape (h, w, 4) RGBA, sampled on a grid of 16 x 16 points: shape (1024,), premultiplied, 0 to 1.

    Sampling points instead of averaging costs nothing, and serves as well to tell frames apart.
    """
    rows = (np.arange(_SIDE) * 2 + 1) * frame.shape[0] // (2 * _SIDE)
    columns = (np.arange(_SIDE) * 2 + 1) * frame.shape[1] // (2 * _SIDE)
    small: NDArray[np.float32] = frame[rows[:, None], columns].astype(np.float32) / np.float32(255)
    small[..., :3] *= small[..., 3:]
    return np.asarray(small, np.float32).reshape(-1)


def representative(thumbnails: Iterable[NDArray[np.float32]], count: int) -> tuple[int, ...]:
    """Choose at most ``count`` frames that differ from one another, by farthest-point selection.

    Args:
        thumbnails: One vector a frame, as :func:`frame_samples` makes them; at least one.
        count: Largest number of frames, >= 1.

    Returns:
        Ascending frame numbers: the first, then the last unless it looks like the first, then whichever differs
        most from those chosen (the earlier one on a tie), until nothing new is left (Gonzalez 1985).
    """
    small = np.stack(list(thumbnails))
    chosen = [0]
    distance = np.sqrt(((small - small[0]) ** 2).mean(axis=1))
    candidate = len(small) - 1
    while len(chosen) < count:
        if distance[candidate] >= _SAME:
            chosen.append(candidate)
            distance = np.minimum(distance, np.sqrt(((small - small[candidate]) ** 2).mean(axis=1)))
        candidate = int(distance.argmax())
        if distance[candidate] < _SAME:
            break
    return tuple(sorted(chosen))
