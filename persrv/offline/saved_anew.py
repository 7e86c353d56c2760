"""Tells whether a changed file shows the same picture as before: then what people did to the sticker stays its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from persrv.catalog import VectorCache
from persrv.errors import PictureError
from persrv.images.decode import open_picture
from persrv.images.duplicates import PerceptualHash

_SAME = 1e-3
"""Largest difference of a number of two hashes of the same pixels: the cache rounds."""


class SavedAnew:
    """Compares a file with the picture that stood in its place.

    Args:
        hashes: Perceptual hashes of the pictures that were looked at.
    """

    def __init__(self, hashes: VectorCache) -> None:
        self._hashes = hashes

    def __call__(self, before: str, file: Path) -> bool:
        """Return whether the file shows what the sticker ``before`` showed; unknown and broken ones do not."""
        if before not in self._hashes:
            return False
        try:
            (now,) = PerceptualHash().encode([open_picture(file)])
        except PictureError:
            return False
        return bool(np.abs(self._hashes.get([before])[0] - now).max() <= _SAME)
