"""An embedded store in a process of its own, behind the same protocol.

The embedded engine holds the GIL in every call, so that a search, a flush or an optimisation stops every other thread
and the event loop of its process. In a process of its own it stops only itself.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Self

from persrv.errors import VectorIndexError
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection
from persrv.index.engine_process import EngineProcess, process_of
from persrv.index.manifest import Manifest
from persrv.index.process_collection import ProcessCollection
from persrv.index.schema import Schema


class ProcessStore:
    """A :class:`persrv.index.engine.Store` in a folder, whose engine runs in a process of its own.

    A call costs some 0.1 ms more than in this process, and never stops this one's threads. The process ends with this
    one, and is started again when it dies; what was published is opened again then.

    While one version of a collection is open, another one gets a process beside: to open a large version takes the
    engine seconds, in which nothing else in its process is answered. A process ends when nothing is open in it and
    there is another one.

    Args:
        folder: As for :class:`persrv.index.embedded.EmbeddedStore`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._choosing = Lock()
        # Each process with the names of the collections that are open in it.
        self._open_in: dict[EngineProcess, list[str]] = {process_of(folder): []}
        self._building: dict[str, EngineProcess] = {}
        # Which versions there are stands in small files, for which no engine is needed.
        self._files = EmbeddedStore(folder)

    def check_writable(self, name: str) -> None:
        """See :meth:`persrv.index.engine.Store.check_writable`."""
        self._files.check_writable(name)

    def create(self, name: str, schema: Schema, manifest: Manifest) -> ProcessCollection:
        """Open a new, empty version, see :meth:`persrv.index.engine.Store.create`."""
        plain = replace(schema, payload=dict(schema.payload))
        # The engine gives up an unpublished build when it begins the next one, where both are in its process.
        process = self._building[name] = self._process_for(name, self._building.get(name))
        return self._opened(process, name, "create", name, plain, manifest, published=False)

    def publish(self, name: str, collection: Collection, points: int | None = None) -> ProcessCollection:
        """Switch to a finished build, see :meth:`persrv.index.engine.Store.publish`."""
        if not isinstance(collection, ProcessCollection):
            raise VectorIndexError(
                f"{collection.manifest.build} is no unpublished build of {name}", "publish what create() returned, once"
            )
        process = self._process_for(name, collection.process)
        return self._opened(process, name, "publish", name, collection.number, points, published=True)

    def rollback(self, name: str) -> Manifest:
        """Switch to the previous version, see :meth:`persrv.index.engine.Store.rollback`."""
        return self._files.rollback(name)

    def open(self, name: str, build: str | None = None) -> ProcessCollection:
        """Open a version, see :meth:`persrv.index.engine.Store.open`."""
        return self._opened(self._process_for(name), name, "open", name, build, published=True)

    def current(self, name: str) -> str | None:
        """Return the current version's build, see :meth:`persrv.index.engine.Store.current`."""
        return self._files.current(name)

    def previous(self, name: str) -> str | None:
        """Return the build before, see :meth:`persrv.index.engine.Store.previous`."""
        return self._files.previous(name)

    def kept(self, name: str) -> list[str]:
        """Return the builds that are there, see :meth:`persrv.index.engine.Store.kept`."""
        return self._files.kept(name)

    def manifest(self, name: str, build: str | None = None) -> Manifest | None:
        """Return a version's manifest, see :meth:`persrv.index.engine.Store.manifest`."""
        return self._files.manifest(name, build)

    def names(self) -> list[str]:
        """Return the names of published collections, sorted."""
        return self._files.names()

    def close(self) -> None:
        """Close every collection that this store opened, and end all processes."""
        with self._choosing:
            processes = [*self._open_in]
        for process in processes:
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _process_for(self, name: str, known: EngineProcess | None = None) -> EngineProcess:
        """Return a process in which no version of a collection is open, and count that one as open in it.

        Args:
            name: Of the collection.
            known: Taken where it still runs, whatever is open in it.
        """
        with self._choosing:
            if known in self._open_in:
                self._open_in[known].append(name)
                return known
            for process, names in self._open_in.items():
                if name not in names:
                    names.append(name)
                    return process
            process = EngineProcess(self._folder)
            self._open_in[process] = [name]
            return process

    def _leave(self, process: EngineProcess, name: str) -> None:
        """Count a collection as closed; a process in which nothing is open ends, but the last one."""
        with self._choosing:
            self._open_in[process].remove(name)
            ends = not self._open_in[process] and len(self._open_in) > 1
            if ends:
                del self._open_in[process]
        if ends:
            process.close()

    def _opened(
        self, process: EngineProcess, name: str, method: str, *arguments: object, published: bool
    ) -> ProcessCollection:
        try:
            number, schema, manifest = _call(process, method, *arguments)
        except BaseException:
            self._leave(process, name)
            raise
        leave = partial(self._leave, process, name)
        return ProcessCollection(process, name, number, schema, manifest, leave, published=published)


def _call(process: EngineProcess, method: str, *arguments: object) -> Any:
    starts = max(process.starts, 1)
    try:
        return process.call(0, method, *arguments)
    except ConnectionError:
        process.restart(starts)
        return process.call_again(0, method, *arguments)
