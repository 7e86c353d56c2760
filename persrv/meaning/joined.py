"""Several text encoders as one: what one misses, another may see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.meaning.encoder import TextEncoder


class JoinedEncoder:
    """Vectors side by side, each of the same weight, so that a cosine is the mean of the encoders' cosines.

    Args:
        parts: At least one encoder.
    """

    def __init__(self, parts: Sequence[TextEncoder]) -> None:
        self._parts = tuple(parts)
        self.name = "+".join(part.name for part in parts)
        self.revision = "+".join(part.revision for part in parts)
        self.licence = " AND ".join(dict.fromkeys(part.licence for part in parts))

    @property
    def dimension(self) -> int:
        """Length of a vector; loads the models.

        Raises:
            RecipeError: A model cannot be loaded.
        """
        return sum(part.dimension for part in self._parts)

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors of phrases, shape (n, dimension), rounded to what float16 can hold.

        A part that finds nothing to read in a text has zeros there.

        Raises:
            RecipeError: A model cannot be loaded.
        """
        rows = np.concatenate([part.encode_documents(texts) for part in self._parts], axis=1)
        return np.asarray((rows / np.sqrt(len(self._parts))).astype(np.float16), np.float32)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of what somebody typed, shape (dimension,).

        Raises:
            RecipeError: A model cannot be loaded.
        """
        row = np.concatenate([part.encode_query(text) for part in self._parts])
        return np.asarray(row / np.sqrt(len(self._parts)), np.float32)
