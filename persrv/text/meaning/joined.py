"""Several text encoders as one: what one misses, another may see."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from persrv.text.meaning.encoder import TextEncoder


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
        self.symmetric = all(part.symmetric for part in parts)

    @property
    def dimension(self) -> int:
        """Length of a vector; loads the models whose own is not known before.

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
        """Return the unit vector of what somebody typed, shape (dimension,); the encoders read it at the same time.

        Raises:
            RecipeError: A model cannot be loaded.
        """
        others = [self._threads.submit(part.encode_query, text) for part in self._parts[1:]]
        row = np.concatenate([self._parts[0].encode_query(text), *(other.result() for other in others)])
        return np.asarray(row / np.sqrt(len(self._parts)), np.float32)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(len(self._parts), thread_name_prefix="text-encoder")
