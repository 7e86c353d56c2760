"""Collections in a folder of this machine, on Qdrant Edge: nothing to install, nothing to start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Self

from persrv.errors import BuildGoneError, NotFoundError, VectorIndexError
from persrv.index.edge_shard import ROOM_TO_OPEN, check_room, create_shard, load_shard
from persrv.index.embedded_collection import EmbeddedCollection
from persrv.index.engine import Collection
from persrv.index.lock import FileLock
from persrv.index.manifest import Manifest
from persrv.index.schema import Schema
from persrv.index.verify import verify
from persrv.index.versions import Pointer, Versions

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,126}")


class EmbeddedStore:
    """A :class:`persrv.index.engine.Store` in a folder.

    Each version has its own lock, so one process can build a new version while another one answers from the current
    one. A version that is in use when its time is over is removed at the next create or publish.

    Args:
        folder: Holds one folder for each collection; created at the first build.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: list[tuple[str, EmbeddedCollection]] = []

    def check_writable(self, name: str) -> None:
        """Refuse a build in vain, see :meth:`persrv.index.engine.Store.check_writable`."""
        versions = self._versions(name)
        own = {known.manifest.build for owner, known in self._opened if owner == name}
        with versions.changing():
            for build in versions.unpublished():
                if build not in own:
                    versions.lock(build).release()

    def create(self, name: str, schema: Schema, manifest: Manifest) -> EmbeddedCollection:
        """Open a new, empty version, see :meth:`persrv.index.engine.Store.create`."""
        versions = self._versions(name)
        build = manifest.build
        for owner, known in self._opened:
            if owner == name and versions.building(known.manifest.build):
                known.close()
        with versions.changing():
            pointer = versions.sound_pointer()
            for busy in versions.remove_others({pointer.current, pointer.previous}):
                if versions.building(busy):
                    versions.lock(busy).release()
            lock = versions.add(build)
        try:
            versions.write_description(build, schema, manifest)
            shard = create_shard(versions.shard(build), schema, manifest.stickers)
        except BaseException:
            lock.release()
            raise
        return self._keep(name, EmbeddedCollection(versions.shard(build), shard, lock, schema, manifest, filling=True))

    def publish(self, name: str, collection: Collection, points: int | None = None) -> EmbeddedCollection:
        """Switch to a finished build, see :meth:`persrv.index.engine.Store.publish`."""
        versions = self._versions(name)
        build = collection.manifest.build
        if not isinstance(collection, EmbeddedCollection) or not versions.building(build):
            raise VectorIndexError(f"{build} is no unpublished build of {name}", "publish what create() returned, once")
        collection.optimize()
        manifest = verify(collection, points)
        if manifest != collection.manifest:
            versions.write_description(build, collection.schema, manifest)
        collection.purge()
        lock = collection.detach() or versions.lock(build)
        try:
            with versions.changing():
                versions.publish(build)
                pointer = versions.pointer()
                versions.remove_others({pointer.current, pointer.previous})
        except BaseException:
            lock.release()
            raise
        return self._open(name, build, lock)

    def rollback(self, name: str) -> Manifest:
        """Switch to the previous version, see :meth:`persrv.index.engine.Store.rollback`."""
        versions = self._versions(name)
        if not versions.folder.is_dir():
            raise _nothing(name, self.folder)
        with versions.changing():
            pointer = versions.pointer()
            if not pointer.previous:
                raise NotFoundError(f"{name} has no previous version", f"run persrv build -c {name}")
            _, manifest = versions.description(pointer.previous)
            versions.point(Pointer(pointer.previous, pointer.current))
        return manifest

    def open(self, name: str, build: str | None = None) -> EmbeddedCollection:
        """Open a version, see :meth:`persrv.index.engine.Store.open`."""
        versions = self._versions(name)
        if build is not None:
            return self._open(name, build, self._lock_published(name, build))
        current = versions.pointer().current
        if not current:
            raise _nothing(name, self.folder)
        return self._open(name, current, versions.lock(current))

    def current(self, name: str) -> str | None:
        """Return the current version's build, see :meth:`persrv.index.engine.Store.current`."""
        return self._versions(name).pointer().current or None

    def previous(self, name: str) -> str | None:
        """Return the build before, see :meth:`persrv.index.engine.Store.previous`."""
        versions = self._versions(name)
        build = versions.pointer().previous
        return build if build and versions.published(build) else None

    def kept(self, name: str) -> list[str]:
        """Return the builds that are there, see :meth:`persrv.index.engine.Store.kept`."""
        versions = self._versions(name)
        folders = versions.folder.iterdir() if versions.folder.is_dir() else ()
        return sorted(folder.name for folder in folders if versions.published(folder.name))

    def manifest(self, name: str, build: str | None = None) -> Manifest | None:
        """Return a version's manifest, see :meth:`persrv.index.engine.Store.manifest`."""
        versions = self._versions(name)
        wanted = build or versions.pointer().current
        return versions.description(wanted)[1] if wanted else None

    def names(self) -> list[str]:
        """Return the names of published collections, sorted."""
        return sorted(pointer.parent.name for pointer in self.folder.glob("*/CURRENT"))

    def close(self) -> None:
        """Close every collection that this store opened."""
        while self._opened:
            self._opened.pop()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _versions(self, name: str) -> Versions:
        if not _NAME.fullmatch(name):
            raise NotFoundError(f"{name!r} is no collection name", "use lower-case letters, digits, - and _")
        return Versions(self.folder / name)

    def _lock_published(self, name: str, build: str) -> FileLock:
        """Own a published version: another process may remove it before it is owned."""
        versions = self._versions(name)
        gone = BuildGoneError(f"there is no build {build} of {name} in {self.folder}", "open the current one")
        if not versions.published(build):
            raise gone
        try:
            lock = versions.lock(build)
        except VectorIndexError as error:
            if not versions.published(build):
                raise gone from error
            raise
        if not versions.published(build):
            lock.release()
            raise gone
        return lock

    def _open(self, name: str, build: str, lock: FileLock) -> EmbeddedCollection:
        versions = self._versions(name)
        try:
            schema, manifest = versions.description(build)
            shard = _loaded(versions, build)
        except BaseException:
            lock.release()
            raise
        return self._keep(name, EmbeddedCollection(versions.shard(build), shard, lock, schema, manifest))

    def _keep(self, name: str, collection: EmbeddedCollection) -> EmbeddedCollection:
        self._opened = [known for known in self._opened if not known[1].closed]
        self._opened.append((name, collection))
        return collection


def _loaded(versions: Versions, build: str) -> EdgeShard:
    check_room(versions.shard(build), ROOM_TO_OPEN)
    try:
        return load_shard(versions.shard(build))
    except VectorIndexError as error:
        raise VectorIndexError(f"the index is damaged: {error.problem}", versions.mended_by) from error


def _nothing(name: str, folder: Path) -> NotFoundError:
    return NotFoundError(f"there is no index {name} in {folder}", f"run persrv build -c {name}")
