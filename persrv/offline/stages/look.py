"""What every sticker looks like: one vector for each picture, encoder and revision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog, VectorCache
from persrv.catalog.vectors import storable
from persrv.errors import PersrvError
from persrv.images.decode import Picture
from persrv.images.encoder import ImageEncoder
from persrv.images.together import encode_together
from persrv.indexing.looking import store_looks
from persrv.offline.stage import Item
from persrv.records import Skipped

Looks = tuple[NDArray[np.float32], ...]
"""One vector for each encoder, shape (dimension,)."""


class Looker:
    """Looks at pictures with several encoders; a picture is decoded once for all of them.

    Args:
        encoders: What looks, at least one.
    """

    def __init__(self, encoders: Sequence[ImageEncoder]) -> None:
        self._encoders = tuple(encoders)
        self.model = "+".join(f"{encoder.name}@{encoder.revision}" for encoder in encoders)

    def work(self, items: Sequence[Item]) -> list[Looks | Skipped]:
        """Return the vectors of each picture; one that an encoder fails on is reported, and costs nothing else."""
        pictures = [item.picture for item in items if item.picture is not None]
        found = iter(self._looks(pictures))
        return [
            _named(item, next(found)) if item.picture is not None else Skipped(item.sticker_id, "no picture")
            for item in items
        ]

    def _looks(self, pictures: Sequence[Picture]) -> list[Looks | str]:
        """Return each picture's vectors, or why it has none."""
        try:
            encoded = encode_together(self._encoders, pictures) if pictures else []
        except PersrvError:
            raise
        # Encoders are foreign code: whatever goes wrong in one, only the picture at fault shall be lost.
        except Exception as error:
            if len(pictures) > 1:
                return [found for picture in pictures for found in self._looks([picture])]
            return [f"it cannot be looked at: {str(error) or type(error).__name__}"]
        return [
            looks if all(storable(row) for row in looks) else "its vector holds a value that is no usable number"
            for looks in zip(*encoded, strict=True)
        ]


def _named(item: Item, found: Looks | str) -> Looks | Skipped:
    return Skipped(str(item.path), found) if isinstance(found, str) else found


class LookStage:
    """Encodes pictures into vector caches.

    Args:
        looker: Looks.
        caches: Where its vectors go, a cache of the same encoder and revision for each of its encoders.
        batch: Pictures encoded at once.
    """

    name = "look"
    title = "looking at pictures"
    blind_to = frozenset[str]()

    def __init__(self, looker: Looker, caches: Sequence[VectorCache], batch: int) -> None:
        self.work = looker.work
        self.model = looker.model
        self._caches = tuple(caches)
        self.batch = batch

    def missing(self, catalog: Catalog) -> list[str]:
        """Return the ids of pictures that lack a vector of some encoder, ascending."""
        pictured = sorted(catalog.pictured())
        return sorted({sticker_id for cache in self._caches for sticker_id in cache.missing(pictured)})

    def store(self, catalog: Catalog, results: Sequence[tuple[str, Looks]]) -> None:
        """Append what is missing to the caches."""
        ids = [sticker_id for sticker_id, _ in results]
        if ids:
            store_looks(
                self._caches, ids, [np.stack(rows) for rows in zip(*(looks for _, looks in results), strict=True)]
            )
            catalog.touch(ids)
