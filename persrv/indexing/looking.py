"""Looking at a few pictures at once, outside a build: their vectors go where a build keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import VectorCache
from persrv.images.decode import Picture
from persrv.images.together import encode_together
from persrv.indexing.vector_sources import VectorSources


def look_at(sources: VectorSources, pictures: Mapping[str, Picture]) -> None:
    """Encode pictures with every encoder of the collection that has not seen them.

    Args:
        sources: The collection's encoders and caches.
        pictures: Sticker id to its picture.
    """
    encoders, caches = sources.looking
    wanted = sorted({sticker_id for cache in caches for sticker_id in cache.missing([*pictures])})
    if wanted:
        store_looks(caches, wanted, encode_together(encoders, [pictures[sticker_id] for sticker_id in wanted]))


def store_looks(caches: Sequence[VectorCache], ids: Sequence[str], vectors: Sequence[NDArray[np.float32]]) -> None:
    """Append vectors to their caches; ids that a cache knows keep what is there.

    Args:
        caches: One for each encoder.
        ids: Sticker ids, n of them.
        vectors: For each encoder an array of shape (n, d).
    """
    for cache, rows in zip(caches, vectors, strict=True):
        new = set(cache.missing(ids))
        places = [row for row, sticker_id in enumerate(ids) if sticker_id in new]
        if places:
            cache.append([ids[row] for row in places], rows[places])
