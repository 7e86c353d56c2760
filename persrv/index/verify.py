"""What must hold before a build may become the current version."""

from __future__ import annotations

from persrv.errors import VectorIndexError
from persrv.index.engine import Collection
from persrv.index.language import Filter, HasId, Nearest, Request, StoredVector
from persrv.index.manifest import Manifest
from persrv.index.schema import MEANING
from persrv.text.bm25f import SparseVector

_PROBES = 3


def verify(collection: Collection, points: int | None = None) -> Manifest:
    """Check a finished build: its size, and that points are found by their own vectors.

    Args:
        collection: The build.
        points: How many it must hold; ``None`` for as many as its manifest says.

    Returns:
        Its manifest, with the number of points.

    Raises:
        VectorIndexError: It holds another number of points, or does not find what it holds.
    """
    manifest = collection.manifest
    if points is not None:
        manifest = manifest.model_copy(update={"stickers": points})
    count = collection.count()
    if count != manifest.stickers:
        raise VectorIndexError(
            f"build {manifest.build} of {manifest.recipe} holds {count} points, not {manifest.stickers}",
            "run persrv build; the current version stays",
        )
    names = [name for name in collection.schema.vectors if name != MEANING]
    for _, record in zip(range(_PROBES), collection.scroll(with_vectors=names, batch=_PROBES), strict=False):
        for name, vector in record.vectors.items():
            _probe(collection, record.id, name, vector)
    return manifest


def _probe(collection: Collection, point: str, name: str, vector: StoredVector) -> None:
    if isinstance(vector, SparseVector):
        if not any(value > 0 for value in vector.values):
            return
        terms = sorted(zip(vector.indices, vector.values, strict=True))
        vector = SparseVector([index for index, _ in terms], [value for _, value in terms])
    request = Request(Nearest(vector, name), limit=1, filter=Filter(must=(HasId((point,)),)))
    if [found.id for found in collection.query(request)] != [point]:
        raise VectorIndexError(
            f"build {collection.manifest.build} does not find point {point} by its vector {name}",
            "run persrv build; the current version stays",
        )
