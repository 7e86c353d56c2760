"""A collection in several shards, as a cluster has it: each answers from its own points, merged by score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import merge
from operator import attrgetter
from typing import Self
from uuid import UUID

from persrv.index.engine import Collection
from persrv.index.language import Filter, Payload, Point, Record, Request, ScoredPoint
from persrv.index.manifest import Manifest
from persrv.index.schema import Schema


class ShardedCollection:
    """A :class:`persrv.index.engine.Collection` over open shards."""

    def __init__(self, shards: Sequence[Collection]) -> None:
        self.shards = shards

    @property
    def manifest(self) -> Manifest:
        return self.shards[0].manifest

    @property
    def schema(self) -> Schema:
        return self.shards[0].schema

    def _of(self, point: str) -> Collection:
        return self.shards[UUID(point).int % len(self.shards)]

    def query(self, request: Request) -> list[ScoredPoint]:
        whole = replace(request, limit=request.offset + request.limit, offset=0)
        if request.query is None:
            ordered = sorted((p for shard in self.shards for p in shard.query(whole)), key=attrgetter("id"))
        else:
            answers = [shard.query(whole) for shard in self.shards]
            ordered = [*merge(*answers, key=attrgetter("score"), reverse=True)]
        return ordered[request.offset : request.offset + request.limit]

    def query_many(self, requests: Sequence[Request]) -> list[list[ScoredPoint]]:
        return [self.query(request) for request in requests]

    def upsert(self, points: Sequence[Point]) -> None:
        for shard in self.shards:
            shard.upsert([point for point in points if self._of(point.id) is shard])

    def set_payload(self, payloads: Sequence[tuple[str, Payload]]) -> None:
        for shard in self.shards:
            shard.set_payload(payloads)

    def delete(self, ids: Sequence[str]) -> None:
        for shard in self.shards:
            shard.delete([point for point in ids if self._of(point) is shard])

    def retrieve(
        self, ids: Sequence[str], with_vectors: Sequence[str] = (), *, with_payload: bool = True
    ) -> list[Record]:
        found = {
            record.id: record
            for shard in self.shards
            for record in shard.retrieve(ids, with_vectors, with_payload=with_payload)
        }
        return [found[point] for point in dict.fromkeys(ids) if point in found]

    def scroll(
        self, where: Filter | None = None, with_vectors: Sequence[str] = (), batch: int = 256
    ) -> Iterator[Record]:
        return merge(*(shard.scroll(where, with_vectors, batch) for shard in self.shards), key=attrgetter("id"))

    def count(self, where: Filter | None = None) -> int:
        return sum(shard.count(where) for shard in self.shards)

    def close(self) -> None:
        for shard in self.shards:
            shard.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
