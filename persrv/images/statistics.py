"""A style descriptor without weights: statistics of colour, contour, edges, shading, texture and silhouette.

It needs NumPy and Pillow only, and says little about what a picture shows, which is what a style descriptor is for.
Every dimension is listed in docs/reference/style-descriptor.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from persrv.images.features import colours, grain, lines, shape, texture
from persrv.images.features.group import FeatureGroup
from persrv.images.features.raster import rasterise

if TYPE_CHECKING:
    from persrv.images.decode import Picture

GROUPS: tuple[FeatureGroup, ...] = (*colours.GROUPS, *lines.GROUPS, *texture.GROUPS, *shape.GROUPS, *grain.GROUPS)
"""All groups in the order of the descriptor's dimensions."""

DIMENSION = sum(len(group.meanings) for group in GROUPS)


def descriptor(frame: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """Return one frame's raw descriptor, shape (DIMENSION,), or ``None`` where nothing is visible.

    Args:
        frame: Straight-alpha sRGB, shape (h, w, 4).
    """
    raster = rasterise(frame)
    return None if raster is None else np.concatenate([group.compute(raster) for group in GROUPS])


class StatisticsEncoder:
    """The image encoder ``statistics``.

    An animation's vector is the mean over its representative frames, leaving out frames where nothing is visible,
    since many animations begin or end empty. A picture in which nothing is visible at all gets the zero vector.
    """

    name = "statistics"
    revision = "2"
    dimension = DIMENSION
    purpose: Literal["style"] = "style"
    licence = "Apache-2.0"

    def encode(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Return raw descriptors, shape (n_pictures, dimension), each value in the range of its group."""
        answer = np.zeros((len(pictures), DIMENSION), np.float32)
        for row, picture in zip(answer, pictures, strict=True):
            described = [vector for frame in picture.frames if (vector := descriptor(frame)) is not None]
            if described:
                row[:] = np.mean(described, axis=0, dtype=np.float64)
        return answer


def reference_table() -> str:
    """Return the Markdown table of every dimension, as docs/reference/style-descriptor.md shows it."""
    lines_ = ["| dimension | group | range | meaning |", "| ---: | --- | --- | --- |"]
    number = 0
    for group in GROUPS:
        for meaning in group.meanings:
            lines_.append(f"| {number} | {group.name} | {group.low:g} to {group.high:g} | {meaning} |")
            number += 1
    return "\n".join(lines_) + "\n"
