"""The small protocol that every index engine speaks, in the words of :mod:`persrv.index.language`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, Self

from persrv.index.language import Filter, Payload, Point, Record, Request, ScoredPoint
from persrv.index.manifest import Manifest
from persrv.index.schema import Schema


class Collection(Protocol):
    """One open version of a collection; safe to share among threads, never among processes.

    It stays on the version that it was opened on: :attr:`manifest` therefore always describes what it answers from.
    Point ids are the UUIDs of :func:`persrv.index.schema.point_id`, as text.
    """

    @property
    def manifest(self) -> Manifest:
        """What the collection was built from."""
        ...

    @property
    def schema(self) -> Schema:
        """How its points are laid out."""
        ...

    def query(self, request: Request) -> list[ScoredPoint]:
        """Answer one request, best first; the order among equal scores is undefined.

        Raises:
            QueryError: The request is impossible, or this engine cannot express a part of it.
            BuildGoneError: The version was removed meanwhile; open the collection again.
            VectorIndexError: The index is closed, forked, or cannot be reached.
        """
        ...

    def query_many(self, requests: Sequence[Request]) -> list[list[ScoredPoint]]:
        """Answer several requests in one call to the engine, each as :meth:`query` does; none for none.

        Raises:
            PersrvError: As :meth:`query`; then none is answered.
        """
        ...

    def upsert(self, points: Sequence[Point]) -> None:
        """Write whole points, replacing those with the same id.

        They outlive the process; what a power failure must not take, :meth:`flush` keeps.

        Raises:
            VectorIndexError: A point does not fit the schema (then none is written), or the engine failed.
        """
        ...

    def set_payload(self, payloads: Sequence[tuple[str, Payload]]) -> None:
        """Merge keys into the payloads of (point id, keys) pairs; other keys stay, ids that are not there are ignored.

        Raises:
            VectorIndexError: A value does not fit the schema (then none is written), or the engine failed.
        """
        ...

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points; ids that are not there are ignored."""
        ...

    def check_writable(self) -> None:
        """Check, by one small request, that points may be written.

        Raises:
            IndexUnavailableError: The key may only read.
            IndexUnreachableError: The server cannot be reached just now.
        """
        ...

    def purge(self) -> None:
        """Remove the bytes of deleted and overwritten points from the files.

        A folder is rewritten where it has such bytes, which blocks for a second with 30,000 points; a server does it
        by itself when it next optimises.
        """
        ...

    def retrieve(
        self, ids: Sequence[str], with_vectors: Sequence[str] = (), *, with_payload: bool = True
    ) -> list[Record]:
        """Return the points that exist, in the order of ``ids``, each once."""
        ...

    def scroll(
        self, where: Filter | None = None, with_vectors: Sequence[str] = (), batch: int = 256
    ) -> Iterator[Record]:
        """Walk through all matching points, payload included, in ascending id order."""
        ...

    def count(self, where: Filter | None = None) -> int:
        """Return the exact number of matching points."""
        ...

    def flush(self) -> None:
        """Wait until everything that was written is on the disk.

        An embedded engine keeps every thread of the process waiting meanwhile, up to a fifth of a second with 100,000
        points, so that this is done apart from what a person waits for.
        """
        ...

    def close(self) -> None:
        """Flush and let go; closing twice is harmless."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...


class Store(Protocol):
    """Holds named collections, each in versions of which one is current.

    A build stands beside the current version until :meth:`publish` switches to it atomically.
    """

    def check_writable(self, name: str) -> None:
        """Refuse now what would make :meth:`create` or :meth:`publish` of this name fail after hours of work.

        Raises:
            IndexLockedError: Another process is building the same collection here.
            IndexUnavailableError: The server does not let us write, or its nodes do not agree.
            VectorIndexError: The name is taken by something that is not ours, or the folder cannot be made.
        """
        ...

    def create(self, name: str, schema: Schema, manifest: Manifest) -> Collection:
        """Open a new, empty, unpublished version; an older unpublished one is removed.

        Args:
            name: Lower-case letters, digits, ``-`` and ``_``.
            schema: The points' layout.
            manifest: Its ``build`` must be new (:func:`persrv.index.manifest.new_build`); its ``stickers`` is the
                number of points that :meth:`publish` will insist on.

        Raises:
            IndexLockedError: Another process is building the same collection here (embedded only: on a server the
                later builder takes over).
            VectorIndexError: The build exists already, or it cannot be written.
        """
        ...

    def publish(self, name: str, collection: Collection, points: int | None = None) -> Collection:
        """Make this version current, atomically; close it, remove all but the previous one, return it opened anew.

        Args:
            name: As at :meth:`create`.
            collection: What :meth:`create` returned.
            points: How many points it must hold, where nobody knew when it was created; the manifest says so from now
                on. ``None`` takes the manifest's ``stickers``.

        Raises:
            VectorIndexError: It does not hold as many points as its manifest says, or a probe query does not find
                what was written. The current version stays, and so does the unpublished one.
        """
        ...

    def rollback(self, name: str) -> Manifest:
        """Make the previous version current again and return its manifest; a second call goes forward again.

        Raises:
            NotFoundError: There is no previous version.
        """
        ...

    def open(self, name: str, build: str | None = None) -> Collection:
        """Open the current version, or that of a build which was published: at least the one before is kept too.

        Raises:
            BuildGoneError: The version of this build is not there (any more).
            NotFoundError: Nothing was published under this name.
            IndexLockedError: Another process owns it.
            IndexUnavailableError: The server cannot be used.
        """
        ...

    def current(self, name: str) -> str | None:
        """Return the current version's build by one look, ``None`` where there is none."""
        ...

    def previous(self, name: str) -> str | None:
        """Return the build that :meth:`rollback` would switch to, ``None`` where there is none."""
        ...

    def kept(self, name: str) -> list[str]:
        """Return the builds of all published versions that are there, sorted; in a folder also those still open."""
        ...

    def manifest(self, name: str, build: str | None = None) -> Manifest | None:
        """Return the manifest of the current version, or of a build; opens nothing, ``None`` without a current one."""
        ...

    def names(self) -> list[str]:
        """Return the names of published collections, sorted."""
        ...

    def close(self) -> None:
        """Close every collection that this store opened."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
