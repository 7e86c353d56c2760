"""A picture reduced to 16 x 16 cells: what is left when size, format and compression are forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from persrv.images.compositing import fit
from persrv.images.decode import Picture

CELLS = 16
_RASTER = 96


class Thumbprint:
    """Mean colour and cover of each cell; near-duplicates have near thumbprints.

    The picture is cut to its visible content and fitted into a square first, so that margins do not matter. Colours
    are multiplied by alpha: what is invisible has no colour. Of an animation, frames are averaged.
    """

    name = "thumbprint"
    revision = "1"
    dimension = CELLS * CELLS * 4
    purpose: Literal["content"] = "content"
    licence = "Apache-2.0"

    def encode(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Return red, green, blue and alpha of each cell, row by row, shape (n_pictures, 1024), in [0, 1]."""
        rows = [np.mean([_cells(frame) for frame in picture.frames], axis=0) for picture in pictures]
        return np.array(rows, dtype=np.float32).reshape(-1, self.dimension)


def _cells(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    square = fit(frame, _RASTER).astype(np.float64) / 255.0
    square[..., :3] *= square[..., 3:]
    block = _RASTER // CELLS
    cells: NDArray[np.float64] = square.reshape(CELLS, block, CELLS, block, 4).mean(axis=(1, 3))
    return cells.ravel()
