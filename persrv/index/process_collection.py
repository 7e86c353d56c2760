"""One version of a collection in the process of an embedded engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any, Self, cast

from persrv.errors import VectorIndexError
from persrv.index.engine_process import EngineProcess
from persrv.index.language import Filter, Payload, Point, Record, Request, ScoredPoint
from persrv.index.manifest import Manifest
from persrv.index.schema import Schema


class ProcessCollection:
    """A :class:`persrv.index.engine.Collection` in the engine's process; it is opened again when that was restarted.

    Args:
        process: Holds it.
        name: Of the collection.
        number: Its number in the process.
        schema: How its points are laid out.
        manifest: What it was built from.
        leave: Called once, when it was closed.
        published: Whether it may be opened again.
    """

    def __init__(
        self,
        process: EngineProcess,
        name: str,
        number: int,
        schema: Schema,
        manifest: Manifest,
        leave: Callable[[], None],
        *,
        published: bool,
    ) -> None:
        self._process = process
        self._name = name
        self._number = number
        self._schema = schema
        self._manifest = manifest
        self._leave = leave
        self._published = published
        self._starts = process.starts
        self._opening = Lock()
        self._closed = False

    @property
    def process(self) -> EngineProcess:
        """The process that holds it."""
        return self._process

    @property
    def number(self) -> int:
        """Its number in the process."""
        return self._number

    @property
    def manifest(self) -> Manifest:
        """What the collection was built from."""
        return self._manifest

    @property
    def schema(self) -> Schema:
        """How its points are laid out."""
        return self._schema

    def query(self, request: Request) -> list[ScoredPoint]:
        """Answer one request, see :meth:`persrv.index.engine.Collection.query`."""
        return cast(list[ScoredPoint], self._call("query", request))

    def query_many(self, requests: Sequence[Request]) -> list[list[ScoredPoint]]:
        """Answer several requests in one call, see :meth:`persrv.index.engine.Collection.query_many`."""
        return cast(list[list[ScoredPoint]], self._call("query_many", requests))

    def upsert(self, points: Sequence[Point]) -> None:
        """Write whole points, see :meth:`persrv.index.engine.Collection.upsert`."""
        self._call("upsert", points)

    def set_payload(self, payloads: Sequence[tuple[str, Payload]]) -> None:
        """Merge payload keys, see :meth:`persrv.index.engine.Collection.set_payload`."""
        self._call("set_payload", payloads)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points, see :meth:`persrv.index.engine.Collection.delete`."""
        self._call("delete", ids)

    def check_writable(self) -> None:
        """See :meth:`persrv.index.engine.Collection.check_writable`."""
        self._call("check_writable")

    def purge(self) -> None:
        """See :meth:`persrv.index.engine.Collection.purge`; only this process waits."""
        self._call("purge")

    def retrieve(
        self, ids: Sequence[str], with_vectors: Sequence[str] = (), *, with_payload: bool = True
    ) -> list[Record]:
        """Return points by id, see :meth:`persrv.index.engine.Collection.retrieve`."""
        return cast(list[Record], self._call("retrieve", ids, with_vectors, with_payload=with_payload))

    def scroll(
        self, where: Filter | None = None, with_vectors: Sequence[str] = (), batch: int = 256
    ) -> Iterator[Record]:
        """Walk through all matching points, see :meth:`persrv.index.engine.Collection.scroll`."""
        walk = self._call("scroll", where, with_vectors, batch)
        while found := self._process.call_again(0, "walk", walk, batch):
            yield from found

    def count(self, where: Filter | None = None) -> int:
        """Return the exact number of matching points."""
        return int(self._call("count", where))

    def flush(self) -> None:
        """Wait for the disk, see :meth:`persrv.index.engine.Collection.flush`; only this process waits."""
        self._call("flush")

    def close(self) -> None:
        """Flush and let go; closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._starts == self._process.starts:
                self._process.call(self._number, "close")
        except ConnectionError:
            return
        finally:
            self._leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _call(self, method: str, *arguments: object, **options: object) -> Any:
        # Every call can be made again: writes are whole points or whole values by id.
        if self._closed:
            raise VectorIndexError("this collection is closed", "open it again")
        if self._starts != self._process.starts:
            self._open_again()
        try:
            return self._process.call(self._number, method, *arguments, **options)
        except ConnectionError:
            self._process.restart(self._starts)
            self._open_again()
            return self._process.call_again(self._number, method, *arguments, **options)

    def _open_again(self) -> None:
        if not self._published:
            raise VectorIndexError("the engine's process died while a build was written", "build again")
        with self._opening:
            if self._starts != self._process.starts:
                self._number, _, _ = self._process.call_again(0, "open", self._name, self._manifest.build)
                self._starts = self._process.starts
