"""A text encoder that remembers what it has encoded, so that a rebuild encodes only new phrases."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import VectorCache
from persrv.catalog.batches import chunks
from persrv.text.meaning.encoder import TextEncoder

BATCH = 512
"""Phrases that are encoded and stored at once: what a kill can cost."""


class CachedEncoder:
    """Gives the vectors of another encoder, rounded to what float16 can hold, whether remembered or not.

    Args:
        encoder: The other one.
        cache: Its vectors; a phrase's key is 128 bits of its BLAKE2b hash.
    """

    def __init__(self, encoder: TextEncoder, cache: VectorCache) -> None:
        self.name = encoder.name
        self.revision = encoder.revision
        self.dimension = encoder.dimension
        self.licence = encoder.licence
        self.symmetric = encoder.symmetric
        self._encoder = encoder
        self._cache = cache

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of phrases, shape (n, dimension); what is new is encoded and stored first."""
        keys = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest() for text in texts]
        by_key = dict(zip(keys, texts, strict=True))
        for new in chunks(self._cache.missing(keys), BATCH):
            self._cache.append(new, self._encoder.encode_documents([by_key[key] for key in new]))
        return self._cache.get(keys) if keys else np.zeros((0, self.dimension), np.float32)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a search, as the other encoder gives it."""
        return self._encoder.encode_query(text)
