"""Copies a collection into another store, typically from this machine to a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from persrv.index.engine import Collection, Store
from persrv.index.language import Point
from persrv.index.manifest import Manifest, new_build
from persrv.index.schema import Schema

_BATCH = 256

Advance = Callable[[int], None]
"""Is told the number of points copied since the last call."""


def push(
    source: Collection,
    store: Store,
    name: str,
    schema: Schema,
    advance: Advance | None = None,
    build: str | None = None,
) -> Manifest:
    """Copy every point with its vectors and payload, and publish the copy when it is complete.

    What ``store`` has under this name stays current until then. A push that broke off leaves an unpublished version,
    which the next push or build replaces: starting again is always right.

    Args:
        source: Where points come from; it must not be written to meanwhile.
        store: Where they go.
        name: The collection's name there.
        schema: The copy's layout; ``source.schema``, save for what belongs to the server (graph, replicas).
        advance: Called after each batch.
        build: The copy's build id, which collections that belong together share; default a new one.

    Returns:
        The published manifest: the source's, with its own build id.

    Raises:
        VectorIndexError: The copy is incomplete, or a point does not fit the schema.
        IndexUnavailableError: The server failed; nothing was switched.
    """
    manifest = source.manifest.model_copy(update={"build": build or new_build(), "stickers": source.count()})
    with store.create(name, schema, manifest) as target:
        batch: list[Point] = []
        for record in source.scroll(with_vectors=schema.vectors, batch=_BATCH):
            batch.append(Point(record.id, record.vectors, record.payload))
            if len(batch) == _BATCH:
                _copy(target, batch, advance)
                batch = []
        _copy(target, batch, advance)
        with store.publish(name, target) as published:
            return published.manifest


def _copy(target: Collection, batch: Sequence[Point], advance: Advance | None) -> None:
    target.upsert(batch)
    if advance:
        advance(len(batch))
