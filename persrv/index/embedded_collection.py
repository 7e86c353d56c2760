"""One open version of an embedded collection: a Qdrant Edge shard, guarded."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import qdrant_edge as edge

from persrv.errors import QueryError, VectorIndexError
from persrv.index.edge_shard import check_room, engine_call, index_payload, is_damage, is_engine_failure, load_shard
from persrv.index.edge_translator import (
    from_edge_records,
    from_edge_scored,
    to_edge_filter,
    to_edge_points,
    to_edge_requests,
)
from persrv.index.language import Filter, Payload, Point, Record, Request, ScoredPoint
from persrv.index.lock import FileLock
from persrv.index.manifest import Manifest
from persrv.index.schema import NOBODY, Schema
from persrv.index.validate import check_ids, check_payloads, check_points, check_request


class EmbeddedCollection:
    """A :class:`persrv.index.engine.Collection` in this process.

    The engine holds the GIL in every call, so calls take turns, however many threads there are. It must not be used in
    a forked child: the engine's threads are not there, so that any call would hang; each call says so instead.

    Args:
        path: The engine's files.
        shard: The same, open.
        lock: Of this version; released at the end.
        schema: How its points are laid out.
        manifest: What it was built from.
        filling: Whether it is new and has no payload indexes yet: they are made when it is optimised, or searched.
    """

    def __init__(
        self,
        path: Path,
        shard: edge.EdgeShard,
        lock: FileLock,
        schema: Schema,
        manifest: Manifest,
        *,
        filling: bool = False,
    ) -> None:
        self._path = path
        self._shard = shard
        self._lock = lock
        self._schema = schema
        self._manifest = manifest
        self._filling = filling
        self._written = False
        self._pid = os.getpid()
        self._closed = False
        self._writing = threading.RLock()
        # Calls take turns anyway; with this lock none meets the shard while it is opened anew.
        self._reading = threading.Lock()

    @property
    def manifest(self) -> Manifest:
        """What the collection was built from."""
        return self._manifest

    @property
    def schema(self) -> Schema:
        """How its points are laid out."""
        return self._schema

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def query(self, request: Request) -> list[ScoredPoint]:
        """Answer one request, see :meth:`persrv.index.engine.Collection.query`."""
        return self.query_many([request])[0]

    def query_many(self, requests: Sequence[Request]) -> list[list[ScoredPoint]]:
        """Answer several requests in one call, see :meth:`persrv.index.engine.Collection.query_many`."""
        self._check_usable()
        for request in requests:
            check_request(request)
        self._end_filling()
        translated = to_edge_requests(requests)
        try:
            with self._reading:
                found = self._shard.query_batch(edge.QueryBatchRequest(translated))
        except BaseException as error:
            if not is_engine_failure(error):
                raise
            self._check_usable()
            if is_damage(error, self._schema):
                raise VectorIndexError(
                    f"the embedded index cannot answer: {error}", "run persrv build --rebuild if this persists"
                ) from error
            raise QueryError(
                f"the embedded index refuses the request: {error}",
                "check vector names and lengths, and that the formula neither divides by 0 nor takes ln of 0",
            ) from error
        return [from_edge_scored(points, request) for points, request in zip(found, requests, strict=True)]

    def upsert(self, points: Sequence[Point]) -> None:
        """Write whole points, see :meth:`persrv.index.engine.Collection.upsert`."""
        check_points(points, self._schema)
        translated = engine_call("take points", partial(to_edge_points, points))
        self._write("write points", [edge.UpdateOperation.upsert_points(translated)] if translated else [])

    def set_payload(self, payloads: Sequence[tuple[str, Payload]]) -> None:
        """Merge payload keys, see :meth:`persrv.index.engine.Collection.set_payload`."""
        check_payloads(payloads, self._schema)
        # By filter rather than by id: the engine fails at an id that is not there, after half of the batch.
        operations = [
            edge.UpdateOperation.set_payload_by_filter(edge.Filter(must=[edge.HasIdCondition({point})]), dict(payload))
            for point, payload in payloads
        ]
        self._write("change payloads", operations)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points, see :meth:`persrv.index.engine.Collection.delete`."""
        check_ids(ids)
        self._write("delete points", [edge.UpdateOperation.delete_points(list(ids))] if ids else [])

    def check_writable(self) -> None:
        """Nothing to do: who holds the version's lock may write."""
        self._check_usable()

    def purge(self) -> None:
        """Remove the bytes of what was deleted, see :meth:`persrv.index.engine.Collection.purge`.

        The engine never shortens its log of updates, so that it is removed too, while the shard is closed for a moment.
        A kill at any moment costs nothing: the next open numbers on, see :func:`load_shard`.
        """
        self.optimize()
        with self._writing, self._reading:
            self._check_usable()
            last = edge.UpdateOperation.upsert_points([edge.Point(NOBODY, {}, {})])
            engine_call("write the last number", partial(self._shard.update, last))
            engine_call("flush", self._shard.flush)
            engine_call("close", self._shard.close)
            try:
                shutil.rmtree(self._path / "wal")
            except OSError as error:
                raise VectorIndexError(
                    f"{self._path / 'wal'} cannot be removed: {error}", "remove it by hand"
                ) from error
            finally:
                self._shard = load_shard(self._path)

    def retrieve(
        self, ids: Sequence[str], with_vectors: Sequence[str] = (), *, with_payload: bool = True
    ) -> list[Record]:
        """Return points by id, see :meth:`persrv.index.engine.Collection.retrieve`."""
        self._check_usable()
        check_ids(ids)
        wanted = list(dict.fromkeys(ids))
        with self._reading:
            found = engine_call(
                "read points", partial(self._shard.retrieve, list(wanted), with_payload, list(with_vectors) or False)
            )
        by_id = {record.id: record for record in from_edge_records(found)}
        return [by_id[point] for point in wanted if point in by_id]

    def scroll(
        self, where: Filter | None = None, with_vectors: Sequence[str] = (), batch: int = 256
    ) -> Iterator[Record]:
        """Walk through all matching points, see :meth:`persrv.index.engine.Collection.scroll`."""
        chosen, offset = to_edge_filter(where), None
        while True:
            self._check_usable()
            request = edge.ScrollRequest(offset, batch, chosen, True, list(with_vectors) or False)
            with self._reading:
                found, offset = engine_call("scroll", partial(self._shard.scroll, request))
            yield from from_edge_records(found)
            if offset is None:
                return

    def count(self, where: Filter | None = None) -> int:
        """Return the exact number of matching points."""
        self._check_usable()
        request = edge.CountRequest(exact=True, filter=to_edge_filter(where))
        with self._reading:
            return engine_call("count points", partial(self._shard.count, request))

    def flush(self) -> None:
        """Wait for the disk, see :meth:`persrv.index.engine.Collection.flush`."""
        self._check_usable()
        with self._writing:
            if self._written:
                engine_call("flush", self._shard.flush)
                self._written = False

    def optimize(self) -> None:
        """Merge and vacuum; blocks, from seconds to half a minute with half a million points.

        Afterwards no segment holds a byte of deleted or overwritten points.
        """
        self._check_usable()
        with self._writing:
            # A segment is rewritten where it has a deleted point. Points that were overwritten in place leave none, and
            # their old bytes stay in the segment that takes new points: one comes and goes there.
            for operation in (
                edge.UpdateOperation.upsert_points([edge.Point(NOBODY, {}, {})]),  # no search finds it
                edge.UpdateOperation.delete_points([NOBODY]),
            ):
                engine_call("mark the newest segment", partial(self._shard.update, operation))
            engine_call("optimize", self._shard.optimize)
            self._end_filling()
            engine_call("flush", self._shard.flush)

    def detach(self) -> FileLock | None:
        """Close, but hand the lock over in place of releasing it; ``None`` where it was closed before."""
        if os.getpid() != self._pid:
            return None
        with self._writing:
            if self._closed:
                return None
            self._closed = True
            try:
                try:
                    if self._written:
                        engine_call("flush", self._shard.flush)
                finally:
                    # The engine's own lock must be free before ours is, or the next owner is told of damage.
                    engine_call("close", self._shard.close)
            except BaseException:
                self._lock.release()
                raise
            return self._lock

    def close(self) -> None:
        """Flush and let go; closing twice is harmless, and so is closing in a forked child, which does nothing."""
        if lock := self.detach():
            lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _write(self, what: str, operations: Sequence[edge.UpdateOperation]) -> None:
        self._check_usable()
        if operations:
            check_room(self._path)
        with self._writing:
            for operation in operations:
                engine_call(what, partial(self._shard.update, operation))
                # The engine logs an update without fsync: only a flush survives a power failure.
                self._written = True

    def _end_filling(self) -> None:
        if self._filling:
            with self._writing:
                index_payload(self._shard, self._schema)
                self._filling = False

    def _check_usable(self) -> None:
        if os.getpid() != self._pid:
            raise VectorIndexError(
                f"this collection was opened by process {self._pid} before it forked process {os.getpid()}",
                "open it after the fork, use threads in place of processes, or use a Qdrant server",
            )
        if self._closed:
            raise VectorIndexError("this collection is closed", "open it again")
