"""Copies a collection to a server: in bulk, so that it can be gone on with, and checked at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose

from persrv.errors import IndexUnreachableError, VectorIndexError
from persrv.index.client_collection import ClientCollection
from persrv.index.client_store import ClientStore
from persrv.index.engine import Collection
from persrv.index.language import Point, Record, StoredVector
from persrv.index.manifest import Manifest
from persrv.index.schema import Schema
from persrv.index.uploads import Advance
from persrv.text.bm25f import SparseVector

_BATCH = 256
_SAMPLES = 32
_CLOSE = 1e-6


def push(
    source: Collection, store: ClientStore, name: str, schema: Schema, build: str, advance: Advance | None = None
) -> Manifest:
    """Copy every point with its vectors and payload, and publish the copy when it is complete.

    What ``store`` has under this name stays current until then. A push that breaks off, or whose server cannot be
    reached any more, is gone on with by the next one of the same ``build``: what is there already is compared by its
    payload and not sent again. One that is refused takes away what it made.

    Args:
        source: Where points come from; it must not be written to meanwhile.
        store: Where they go.
        name: The collection's name there.
        schema: The copy's layout; ``source.schema``, save for what belongs to the server (graph, placement).
        build: The copy's build id, which collections that belong together share.
        advance: Called after each batch, also for what was there already.

    Returns:
        The published manifest: the source's, with its own build id.

    Raises:
        VectorIndexError: The copy is incomplete, differs from the original, or does not fit the schema.
        IndexUnavailableError: The server failed; nothing was switched.
    """
    count = source.count()
    origin = source.manifest.build
    manifest = source.manifest.model_copy(update={"build": build, "stickers": count, "origin": origin})
    begun = store.begun_version(name, build)
    target = begun or store.create(name, schema, manifest)
    samples: list[str] = []
    try:
        records = _sampled(source.scroll(with_vectors=schema.vectors, batch=_BATCH), max(1, count // _SAMPLES), samples)
        if begun:
            records = _missing(records, begun, advance)
        target.load((Point(record.id, record.vectors, record.payload) for record in records), advance)
        _compare(source, target, samples)
        if store.current(name) == build:
            return manifest
        with store.publish(name, target, count) as published:
            return published.manifest
    except IndexUnreachableError:
        raise
    except VectorIndexError:
        if store.current(name) != build:
            store.discard(target)
        raise


def _sampled(records: Iterator[Record], step: int, samples: list[str]) -> Iterator[Record]:
    """Note the id of every ``step``-th record on its way."""
    for number, record in enumerate(records):
        if number % step == 0:
            samples.append(record.id)
        yield record


def _missing(records: Iterator[Record], target: ClientCollection, advance: Advance | None) -> Iterator[Record]:
    """Walk through both in ascending id: return what is not there or differs, and remove what is there in vain."""
    present = target.scroll(batch=_BATCH)
    there = next(present, None)
    gone = []
    for record in records:
        while there is not None and there.id < record.id:
            gone.append(there.id)
            there = next(present, None)
        if there is None or there.id != record.id:
            yield record
            continue
        if there.payload != record.payload:
            yield record
        elif advance:
            advance(1)
        there = next(present, None)
    if there is not None:
        gone += [there.id, *(left.id for left in present)]
    for start in range(0, len(gone), _BATCH):
        target.delete(gone[start : start + _BATCH])


def _compare(source: Collection, target: Collection, ids: Sequence[str]) -> None:
    """Refuse a copy of which some points are not those of the original.

    Raises:
        VectorIndexError: Naming the first such point.
    """
    names = target.schema.vectors
    copies = {record.id: record for record in target.retrieve(ids, names)}
    for original in source.retrieve(ids, names):
        copy = copies.get(original.id)
        if copy is None or not _alike(original, copy):
            raise VectorIndexError(f"the copy's point {original.id} is not the original's", "push it again")


def _alike(one: Record, other: Record) -> bool:
    return (
        one.payload == other.payload
        and one.vectors.keys() == other.vectors.keys()
        and all(_close(one.vectors[name], other.vectors[name]) for name in one.vectors)
    )


def _close(one: StoredVector, other: StoredVector) -> bool:
    mine, theirs = _numbers(one), _numbers(other)
    return len(mine) == len(theirs) and all(
        isclose(a, b, rel_tol=_CLOSE, abs_tol=_CLOSE) for a, b in zip(mine, theirs, strict=True)
    )


def _numbers(vector: StoredVector) -> Sequence[float]:
    """Return every number of a vector, row by row; of a sparse one indices before values."""
    if isinstance(vector, SparseVector):
        return [*vector.indices, *vector.values]
    return [number for part in vector for number in (part if isinstance(part, Sequence) else (part,))]
