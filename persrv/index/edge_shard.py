"""The embedded engine's files: made and opened, with room for them, and its failures in our words."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import qdrant_edge as edge

from persrv.errors import PersrvError, VectorIndexError
from persrv.index.schema import MEANING, MEANING_LINKS, NOBODY, STYLE_CLUSTER, Schema
from persrv.ranking.style_clusters import LEAST

_Answer = TypeVar("_Answer")

_INDEXES = {
    "keyword": edge.KeywordIndexParams,
    "float": edge.FloatIndexParams,
    "integer": edge.IntegerIndexParams,
    "bool": edge.BoolIndexParams,
    "datetime": edge.DatetimeIndexParams,
}

_IN_MEMORY = ("rating", STYLE_CLUSTER)
"""Payload indexes that every search of the engine reads. The others stay in their files, and so do vectors and payload:
to read all of them takes most of the time and the memory that opening a collection takes, and a search is no slower."""

_LACKING = re.compile(r"(?:No range index for `order_by` key: `|Not existing vector name error: )([^`\s]+)")

_EF_CONSTRUCT = 128
_FULL_SCAN_KB = 10_000
_AT_ONCE = 100


ROOM, ROOM_TO_OPEN = 64 << 20, 8 << 20
"""Bytes that must be free on the disk before the engine writes its files, and before it opens them: it writes them
through memory maps, and a disk without room for a page of them ends the whole process."""


def check_room(path: Path, wanted: int = ROOM) -> None:
    """Refuse to go on with a disk that is nearly full.

    Raises:
        VectorIndexError: Less than ``wanted`` bytes are free.
    """
    try:
        free = shutil.disk_usage(path if path.exists() else path.parent).free
    except OSError:
        return
    if free < wanted:
        raise VectorIndexError(
            f"only {free / 1e6:.0f} MB are free on the disk of {path}, an index needs {wanted / 1e6:.0f}",
            "make room, and try again",
        )


def create_shard(path: Path, schema: Schema, stickers: int = 0) -> edge.EdgeShard:
    """Create the engine's files for an empty version, without payload indexes, see :func:`index_payload`.

    Args:
        path: Of the engine's folder, which is made.
        schema: Its layout.
        stickers: How many there will be. From :data:`persrv.ranking.style_clusters.LEAST` on, where most searches ask
            no engine, lists of words stay in their files as well.

    Raises:
        VectorIndexError: The engine refuses.
    """
    check_room(path)
    words = edge.Memory.Cold if stickers >= LEAST else edge.Memory.Pinned
    sparse = {name: edge.EdgeSparseVectorParams(memory=words) for name in schema.sparse_vectors} or None
    vectors = {
        name: edge.EdgeVectorParams(size=size, distance=edge.Distance.Dot, memory=edge.Memory.Cold)
        for name, size in schema.dense.items()
    }
    if schema.meaning:
        vectors[MEANING] = edge.EdgeVectorParams(
            size=schema.meaning,
            memory=edge.Memory.Cold,
            distance=edge.Distance.Cosine,
            multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim),
            hnsw_config=edge.HnswIndexConfig(MEANING_LINKS, _EF_CONSTRUCT, _FULL_SCAN_KB),
        )
    config = edge.EdgeConfig(
        vectors=vectors,
        sparse_vectors=sparse,
        hnsw_config=edge.HnswIndexConfig(schema.hnsw_m, _EF_CONSTRUCT, _FULL_SCAN_KB),
        payload_memory=edge.Memory.Cold,
        # Whoever optimises wants every deleted byte gone.
        optimizers=edge.EdgeOptimizersConfig(deleted_threshold=1e-9, vacuum_min_vector_number=1),
    )
    return engine_call(f"create {path}", partial(edge.EdgeShard.create, str(path), config))


def index_payload(shard: edge.EdgeShard, schema: Schema) -> None:
    """Create the payload indexes, at best when all points are there and optimised.

    An index that grows with each new point holds its values in memory: half of what a filling takes.

    Raises:
        VectorIndexError: The engine refuses.
    """
    for key, kind in schema.payload.items():
        place = edge.Memory.Pinned if key in _IN_MEMORY else edge.Memory.Cold
        operation = edge.UpdateOperation.create_field_index(key, _INDEXES[kind](memory=place))
        engine_call(f"index {key}", partial(shard.update, operation))


def load_shard(path: Path) -> edge.EdgeShard:
    """Open the engine's files.

    Raises:
        VectorIndexError: They are missing or damaged.
    """
    _remove_empty_segments(path)
    _remove_empty_chunks(path)
    shard = engine_call(f"open {path}", partial(edge.EdgeShard.load, str(path)))
    engine_call(f"number updates of {path}", partial(_number_on, shard))
    return shard


def _remove_empty_segments(path: Path) -> None:
    """Remove segments that the engine made for new points and never brought to the disk.

    A power cut in the middle of an optimisation leaves such a one with files that have no byte, and without a list of
    points. What was written to it stands in the log of updates; with it the engine opens nothing.

    Raises:
        VectorIndexError: One cannot be removed.
    """
    for tracker in path.glob("segments/*/payload_storage/tracker.dat"):
        segment = tracker.parent.parent
        try:
            if not tracker.stat().st_size and not any(segment.glob("*id_tracker*")):
                shutil.rmtree(segment)
        except OSError as error:
            raise VectorIndexError(f"{segment} cannot be removed: {error}", "make its folder writable") from error


def _remove_empty_chunks(path: Path) -> None:
    """Remove files of vectors that have no byte, where their segment has no vector: the engine makes them anew.

    It makes such a file at the first vector and then gives it its size. One that a power cut left without is opened
    without a word; the first write to it fails, and whoever opens it after that is told of damage.

    Raises:
        VectorIndexError: One cannot be removed.
    """
    for chunk in path.glob("segments/*/vector_storage-*/vectors/chunk_0.mmap"):
        try:
            if not chunk.stat().st_size and not any(chunk.with_name("status.dat").read_bytes()):
                chunk.unlink()
        except FileNotFoundError:
            continue  # damage, which the engine tells
        except OSError as error:
            raise VectorIndexError(f"{chunk} cannot be removed: {error}", "make its folder writable") from error


def _number_on(shard: edge.EdgeShard) -> None:
    """Number updates on from where they were before the log of updates was removed.

    Each update has a number, and one that is not above a point's last one is passed over. The numbers come from the
    log: after it was removed they begin anew. The point NOBODY was written last before, so the numbers are where they
    were when it can be deleted.
    """
    while shard.retrieve([NOBODY], False, False):
        for _ in range(_AT_ONCE):
            shard.update(edge.UpdateOperation.delete_points([NOBODY]))


def engine_call(what: str, call: Callable[[], _Answer]) -> _Answer:
    """Run one engine call; its errors are bare ``Exception`` objects, or panics, which are none.

    Raises:
        VectorIndexError: The engine failed.
    """
    try:
        return call()
    except PersrvError:
        raise
    except BaseException as error:
        if not is_engine_failure(error):
            raise
        raise VectorIndexError(
            f"the embedded index cannot {what}: {error}", "run persrv build --rebuild if this persists"
        ) from error


def is_engine_failure(error: BaseException) -> bool:
    """Whether the engine raised this: its panics are no ``Exception``, and their class is not to be imported."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def is_damage(error: BaseException, schema: Schema) -> bool:
    """Whether the engine failed at its own files: whatever it says of a request has another beginning.

    What it cannot find, though the schema has it, is lost as well: no request is to blame.
    """
    said = str(error)
    if not isinstance(error, Exception) or said.startswith(("Service runtime error", "Service internal")):
        return True
    lacking = _LACKING.search(said)
    return lacking is not None and lacking[1] in {*schema.payload, *schema.vectors}
