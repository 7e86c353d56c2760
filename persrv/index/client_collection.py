"""One open version of a collection behind a ``QdrantClient``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Self

from qdrant_client import QdrantClient
from qdrant_client import models as m

from persrv.errors import QueryError, QueryLimitError, VectorIndexError
from persrv.index.calls import Calls
from persrv.index.client_translator import (
    from_record,
    from_scored,
    to_filter,
    to_request,
)
from persrv.index.language import Filter, Payload, Point, Record, Request, ScoredPoint
from persrv.index.manifest import Manifest
from persrv.index.schema import NOBODY, Schema
from persrv.index.uploads import Advance, UploadLimits, Uploads
from persrv.index.validate import check_ids, check_payloads, check_points, check_request

_BATCH = 128
"""Points in one change of payloads, or one reading by id."""

_IDS = 10_000
"""Ids in one removal, less than half a megabyte of them."""


class ClientCollection:
    """A :class:`persrv.index.engine.Collection` behind a client.

    It reads and writes the version that it was opened on, not the alias: after a switch it goes on with the older
    one, as long as that is kept, then raises ``BuildGoneError``.

    Args:
        calls: Makes the calls.
        version: Name of the version's own Qdrant collection.
        schema: How its points are laid out.
        manifest: What it was built from.
        published: Whether any node may answer a query; what is being written is asked of the node that takes it.
    """

    def __init__(
        self,
        calls: Calls,
        version: str,
        schema: Schema,
        manifest: Manifest,
        *,
        published: bool,
    ) -> None:
        self._calls = calls
        self._version = version
        self._schema = schema
        self._manifest = manifest
        self._ask = calls.search if published else calls.read
        self._closed = False

    @property
    def version(self) -> str:
        """Name of the version's own Qdrant collection."""
        return self._version

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
        if not requests:
            return []
        translated = [to_request(request) for request in requests]
        try:
            answers = self._ask(lambda client: client.query_batch_points(self._version, translated))
        except QueryError:
            if len(requests) == 1:
                raise
            # A server may allow fewer at a time; and one that is impossible is named by its own refusal.
            return [self.query(request) for request in requests]
        return [[from_scored(point) for point in answer.points] for answer in answers]

    def upsert(self, points: Sequence[Point]) -> None:
        """Write whole points, see :meth:`persrv.index.engine.Collection.upsert`."""
        self._check_usable()
        check_points(points, self._schema)
        if points:
            self._uploads.write(points)

    def load(self, points: Iterable[Point], advance: Advance | None = None) -> None:
        """Write many points of another collection, which were checked there, with two writers that do not wait.

        Args:
            points: Read while others are sent.
            advance: Called after each batch.

        Raises:
            VectorIndexError: The server refuses some; those before them are written.
            IndexUnavailableError: The server failed.
        """
        self._check_usable()
        self._uploads.load(points, advance)

    def set_payload(self, payloads: Sequence[tuple[str, Payload]]) -> None:
        """Merge payload keys, see :meth:`persrv.index.engine.Collection.set_payload`."""
        self._check_usable()
        check_payloads(payloads, self._schema)
        # By filter rather than by id: servers refuse the rest of a batch at an id that is not there.
        operations: list[m.UpdateOperation] = [
            m.SetPayloadOperation(set_payload=m.SetPayload(payload=dict(payload), filter=_only([point])))
            for point, payload in payloads
        ]
        for start in range(0, len(operations), _BATCH):
            last = start + _BATCH >= len(operations)
            batch = operations[start : start + _BATCH]
            self._calls.write(partial(_update, version=self._version, operations=batch, wait=last))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points, see :meth:`persrv.index.engine.Collection.delete`."""
        self._check_usable()
        check_ids(ids)
        for start in range(0, len(ids), _IDS):
            chosen = m.PointIdsList(points=list(ids[start : start + _IDS]))
            self._calls.write(partial(_delete, version=self._version, chosen=chosen))

    def check_writable(self) -> None:
        """Check that points may be written, see :meth:`persrv.index.engine.Collection.check_writable`."""
        self.delete([NOBODY])

    def purge(self) -> None:
        """Nothing to do: the server's optimiser removes what was deleted."""

    def retrieve(
        self, ids: Sequence[str], with_vectors: Sequence[str] = (), *, with_payload: bool = True
    ) -> list[Record]:
        """Return points by id, see :meth:`persrv.index.engine.Collection.retrieve`."""
        self._check_usable()
        check_ids(ids)
        wanted = list(dict.fromkeys(ids))
        names = list(with_vectors) or False
        found: dict[str, Record] = {}
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            call = partial(_retrieve, version=self._version, ids=batch, with_payload=with_payload, with_vectors=names)
            found |= {str(record.id): from_record(record) for record in self._calls.read(call)}
        return [found[point] for point in wanted if point in found]

    def scroll(
        self, where: Filter | None = None, with_vectors: Sequence[str] = (), batch: int = 256
    ) -> Iterator[Record]:
        """Walk through all matching points, see :meth:`persrv.index.engine.Collection.scroll`."""
        names = list(with_vectors) or False
        offset: m.ExtendedPointId | None = None
        while True:
            self._check_usable()
            call = partial(
                _scroll,
                version=self._version,
                where=to_filter(where),
                limit=batch,
                offset=offset,
                with_vectors=names,
            )
            try:
                found, following = self._calls.read(call)
            except QueryLimitError as error:
                if error.allowed >= batch:
                    raise
                batch = error.allowed
                continue
            yield from map(from_record, found)
            if not isinstance(following, str | int):
                return
            offset = following

    def count(self, where: Filter | None = None) -> int:
        """Return the exact number of matching points."""
        self._check_usable()
        chosen = to_filter(where)
        return self._calls.read(lambda client: client.count(self._version, count_filter=chosen, exact=True)).count

    def flush(self) -> None:
        """Do nothing: a server waits for its disk before it answers."""

    def close(self) -> None:
        """Let go; closing twice is harmless."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @cached_property
    def _uploads(self) -> Uploads:
        """Read what one request may carry when the first one is written: most programs only search."""
        limits = UploadLimits()
        limits.obey(self._calls.read(lambda client: client.get_collection(self._version)).config.strict_mode_config)
        return Uploads(self._calls, self._version, self._schema.placement.shards, limits)

    def _check_usable(self) -> None:
        if self._closed:
            raise VectorIndexError("this collection is closed", "open it again")


def _update(client: QdrantClient, version: str, operations: list[m.UpdateOperation], wait: bool) -> None:
    client.batch_update_points(version, operations, wait=wait)


def _delete(client: QdrantClient, version: str, chosen: m.PointIdsList) -> None:
    client.delete(version, chosen, wait=True)


def _retrieve(
    client: QdrantClient, version: str, ids: list[str], with_payload: bool, with_vectors: list[str] | bool
) -> list[m.Record]:
    return client.retrieve(version, ids, with_payload=with_payload, with_vectors=with_vectors)


def _scroll(
    client: QdrantClient,
    version: str,
    where: m.Filter | None,
    limit: int,
    offset: m.ExtendedPointId | None,
    with_vectors: list[str] | bool,
) -> tuple[list[m.Record], m.ExtendedPointId | None]:
    return client.scroll(
        version, scroll_filter=where, limit=limit, offset=offset, with_payload=True, with_vectors=with_vectors
    )


def _only(ids: list[m.ExtendedPointId]) -> m.Filter:
    return m.Filter(must=[m.HasIdCondition(has_id=ids)])
