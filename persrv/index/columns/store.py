"""An embedded store whose large collections have columns."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from persrv.catalog.batches import chunks
from persrv.errors import writing
from persrv.index.columns.columns import Columns
from persrv.index.columns.filling import Filling
from persrv.index.columns.generations import can_be_read
from persrv.index.columns.live import LiveColumns, read_points
from persrv.index.engine import Collection, Store
from persrv.index.language import Filter, Payload, Point, Record, Request, ScoredPoint
from persrv.index.manifest import Manifest
from persrv.index.schema import PICKED, TEXT, Schema, sticker_id_of
from persrv.index.validate import check_ids, check_payloads, check_points
from persrv.ranking.style_clusters import LEAST

_BATCH = 1_024


class ColumnStore:
    """A :class:`persrv.index.engine.Store` that keeps columns beside the engine's points.

    Args:
        engine: The engine's store, in a folder.
        folder: Its folder.
        least: Stickers from which on a collection has columns: a small one is searched as fast without.
    """

    def __init__(self, engine: Store, folder: Path, least: int = LEAST) -> None:
        self.engine = engine
        self.folder = folder
        self._least = least

    def check_writable(self, name: str) -> None:
        """See :meth:`persrv.index.engine.Store.check_writable`."""
        self.engine.check_writable(name)

    def create(self, name: str, schema: Schema, manifest: Manifest) -> Collection:
        """Open a new, empty version, see :meth:`persrv.index.engine.Store.create`."""
        created = self.engine.create(name, schema, manifest)
        if not schema.sparse or manifest.stickers < self._least:
            return created
        folder = self._columns(name, manifest.build)
        try:
            with writing(folder):
                filling = Filling(folder, manifest.taste_vector, manifest.taste_dimension)
        except BaseException:
            created.close()
            raise
        return ColumnCollection(created, folder, filling=filling)

    def publish(self, name: str, collection: Collection, points: int | None = None) -> Collection:
        """Switch to a finished build, see :meth:`persrv.index.engine.Store.publish`."""
        if isinstance(collection, ColumnCollection):
            collection.finish()
            collection = collection.points
        return self._with_columns(name, self.engine.publish(name, collection, points))

    def rollback(self, name: str) -> Manifest:
        """Switch to the previous version, see :meth:`persrv.index.engine.Store.rollback`."""
        return self.engine.rollback(name)

    def open(self, name: str, build: str | None = None) -> Collection:
        """Open a version, see :meth:`persrv.index.engine.Store.open`."""
        return self._with_columns(name, self.engine.open(name, build))

    def current(self, name: str) -> str | None:
        """Return the current version's build, see :meth:`persrv.index.engine.Store.current`."""
        return self.engine.current(name)

    def previous(self, name: str) -> str | None:
        """Return the build before, see :meth:`persrv.index.engine.Store.previous`."""
        return self.engine.previous(name)

    def kept(self, name: str) -> list[str]:
        """Return the builds that are there, see :meth:`persrv.index.engine.Store.kept`."""
        return self.engine.kept(name)

    def manifest(self, name: str, build: str | None = None) -> Manifest | None:
        """Return a version's manifest, see :meth:`persrv.index.engine.Store.manifest`."""
        return self.engine.manifest(name, build)

    def names(self) -> list[str]:
        """Return the names of published collections, sorted."""
        return self.engine.names()

    def close(self) -> None:
        """Close every collection that this store opened."""
        self.engine.close()

    def lacks(self, name: str) -> bool:
        """Return whether the current version should have columns and has none that can be read."""
        manifest = self.engine.manifest(name)
        if manifest is None or manifest.stickers < self._least:
            return False
        return not can_be_read(self._columns(name, manifest.build))

    def complete(self, name: str) -> bool:
        """Make the columns of the current version where they are missing or damaged, see :func:`make_columns`."""
        manifest = self.engine.manifest(name)
        if manifest is None or not self.lacks(name):
            return False
        folder = self._columns(name, manifest.build)
        with self.engine.open(name, manifest.build) as points, writing(folder):
            if can_be_read(folder):  # who had it open wrote another generation when we looked
                return False
            if folder.is_dir():
                shutil.rmtree(folder)
            folder.unlink(missing_ok=True)
            filling = Filling(folder, manifest.taste_vector, manifest.taste_dimension)
            for batch in chunks(
                points.scroll(with_vectors=(TEXT, PICKED, manifest.taste_vector), batch=_BATCH), _BATCH
            ):
                filling.add(batch)
            filling.finish()
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _with_columns(self, name: str, points: Collection) -> Collection:
        if not points.schema.sparse:
            return points
        folder = self._columns(name, points.manifest.build)
        try:
            columns = LiveColumns.open(folder, points)
        except BaseException:
            points.close()
            raise
        return points if columns is None else ColumnCollection(points, folder, columns=columns)

    def _columns(self, name: str, build: str) -> Path:
        return self.folder / name / build / "columns"


class ColumnCollection:
    """A :class:`persrv.index.engine.Collection` that keeps columns of its points.

    Args:
        points: The engine's.
        folder: Of the columns.
        columns: Those of a published version.
        filling: Those of a version that is being filled.
    """

    def __init__(
        self, points: Collection, folder: Path, *, columns: LiveColumns | None = None, filling: Filling | None = None
    ) -> None:
        self.points = points
        self._folder = folder
        self._live = columns
        self._filling = filling

    @property
    def columns(self) -> Columns | None:
        """The columns as they are now, ``None`` where the engine has to answer alone."""
        return None if self._live is None else self._live.now

    @property
    def manifest(self) -> Manifest:
        """What the collection was built from."""
        return self.points.manifest

    @property
    def schema(self) -> Schema:
        """How its points are laid out."""
        return self.points.schema

    def query(self, request: Request) -> list[ScoredPoint]:
        """Answer one request, see :meth:`persrv.index.engine.Collection.query`."""
        return self.points.query(request)

    def query_many(self, requests: Sequence[Request]) -> list[list[ScoredPoint]]:
        """Answer several requests in one call, see :meth:`persrv.index.engine.Collection.query_many`."""
        return self.points.query_many(requests)

    def upsert(self, points: Sequence[Point]) -> None:
        """Write whole points, see :meth:`persrv.index.engine.Collection.upsert`."""
        check_points(points, self.schema)
        if self._live is not None:
            with self._live.changing(points):
                self.points.upsert(points)
        else:
            self.points.upsert(points)
            if self._filling is not None:
                with writing(self._folder):
                    self._filling.add(points)

    def set_payload(self, payloads: Sequence[tuple[str, Payload]]) -> None:
        """Merge payload keys, see :meth:`persrv.index.engine.Collection.set_payload`."""
        check_payloads(payloads, self.schema)
        ids = [point for point, _ in payloads]
        if self._live is not None:
            with self._live.changing_parts(ids):
                self.points.set_payload(payloads)
        else:
            self.points.set_payload(payloads)
            if self._filling is not None:
                with writing(self._folder):
                    self._filling.add(read_points(self.points, map(sticker_id_of, ids)))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points, see :meth:`persrv.index.engine.Collection.delete`."""
        check_ids(ids)
        if self._live is not None:
            with self._live.changing([], ids):
                self.points.delete(ids)
        else:
            self.points.delete(ids)
            if self._filling is not None:
                self._filling.remove(ids)

    def check_writable(self) -> None:
        """See :meth:`persrv.index.engine.Collection.check_writable`."""
        self.points.check_writable()

    def purge(self) -> None:
        """Remove the bytes of what was deleted, see :meth:`persrv.index.engine.Collection.purge`."""
        self.points.purge()
        if self._live is not None:
            self._live.compact()

    def retrieve(
        self, ids: Sequence[str], with_vectors: Sequence[str] = (), *, with_payload: bool = True
    ) -> list[Record]:
        """Return points by id, see :meth:`persrv.index.engine.Collection.retrieve`."""
        return self.points.retrieve(ids, with_vectors, with_payload=with_payload)

    def scroll(
        self, where: Filter | None = None, with_vectors: Sequence[str] = (), batch: int = 256
    ) -> Iterator[Record]:
        """Walk through all matching points, see :meth:`persrv.index.engine.Collection.scroll`."""
        return self.points.scroll(where, with_vectors, batch)

    def count(self, where: Filter | None = None) -> int:
        """Return the exact number of matching points."""
        return self.points.count(where)

    def flush(self) -> None:
        """Wait for the disk, see :meth:`persrv.index.engine.Collection.flush`."""
        self.points.flush()
        if self._live is not None:
            self._live.settle()

    def close(self) -> None:
        """Flush and let go; closing twice is harmless."""
        self.points.close()

    def finish(self) -> None:
        """Write the columns of a version that was filled."""
        if self._filling is not None:
            with writing(self._folder):
                self._filling.finish()
            self._filling = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def columns_of(collection: Collection) -> Columns | None:
    """Return the columns of a collection as they are now, ``None`` where it has none."""
    return collection.columns if isinstance(collection, ColumnCollection) else None


def lacks_columns(store: Store, name: str) -> bool:
    """Return whether the current version of a collection should have columns and has none that can be read."""
    return isinstance(store, ColumnStore) and store.lacks(name)


def make_columns(store: Store, name: str) -> bool:
    """Make the columns of the current version where they are missing or damaged; return whether they were.

    Reads all points once, 30 to 60 µs each.

    Args:
        store: Any; only an embedded one keeps columns.
        name: Of the collection.

    Raises:
        IndexLockedError: Another process has the version open.
        CatalogError: The disk refuses.
    """
    return isinstance(store, ColumnStore) and store.complete(name)
