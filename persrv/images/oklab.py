"""Oklab, a perceptual colour space (Björn Ottosson, 2020, https://bottosson.github.io/posts/oklab/)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_VALUES = np.arange(256) / 255
_LINEAR = np.where(_VALUES <= 0.04045, _VALUES / 12.92, ((_VALUES + 0.055) / 1.055) ** 2.4).astype(np.float32)
"""The sRGB transfer function (IEC 61966-2-1) for every 8-bit value."""

_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    dtype=np.float32,
)
_OPPONENTS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    dtype=np.float32,
)


def to_oklab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert 8-bit sRGB, shape (..., 3), to Oklab, shape (3, ...).

    Returns:
        Lightness in [0, 1]; green to red in about [-0.24, 0.28]; blue to yellow in about [-0.32, 0.20].
    """
    cones = np.cbrt(_LINEAR[rgb] @ _CONES.T)
    return np.ascontiguousarray(np.moveaxis(cones @ _OPPONENTS.T, -1, 0))
