"""The process that holds an embedded store for another one, see :mod:`persrv.index.process_store`.

It is started as ``python -m persrv.index.engine_worker FOLDER [NAME ...]``, reads a key from its standard input and
writes the address that it listens at; then it opens the named collections, before somebody asks for them. Each caller
has a connection of its own. When the standard input ends, the owner is gone, and so is this process.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count, islice
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from persrv.errors import PersrvError, VectorIndexError
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection
from persrv.index.language import Record

_log = logging.getLogger("persrv")


class EngineWorker:
    """Answers calls about one store and the collections that it has open."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store
        self._collections: dict[int, Collection] = {}
        self._walks: dict[int, Iterator[Record]] = {}
        self._numbers = count(1)
        self._opening = Lock()
        self._ahead: dict[str, Collection] = {}

    def open_ahead(self, names: Sequence[str]) -> None:
        """Open the current versions of these collections; whoever asks for one meanwhile waits, and is given it.

        What cannot be opened is tried again when it is asked for, and says then what is wrong.
        """
        with self._opening:
            for name in names:
                with suppress(PersrvError):
                    self._ahead[name] = self._store.open(name)

    def serve(self, connection: Connection) -> None:
        """Answer one caller until it hangs up."""
        with connection:
            while True:
                try:
                    target, method, arguments, options = connection.recv()
                except (EOFError, OSError):
                    return
                try:
                    answer: tuple[bool, Any] = True, self.call(target, method, arguments, options)
                except PersrvError as error:
                    answer = False, error
                except Exception as error:
                    answer = False, VectorIndexError(f"the engine's process cannot {method}: {error!r}", "report this")
                connection.send(answer)

    def call(self, target: int, method: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> object:
        """Answer one call.

        Args:
            target: 0 for the store, else a collection's number.
            method: What is called.
            arguments: By position.
            options: By name.
        """
        if target:
            return self._of_collection(target, method, arguments, options)
        if method == "open":
            with self._opening:
                return self._kept(self._opened(*arguments))
        if method == "create":
            with self._opening:
                return self._kept(self._store.create(*arguments))
        if method == "publish":
            name, number, points = arguments
            with self._opening:
                return self._kept(self._store.publish(name, self._collection(number), points))
        if method == "walk":
            return self._walk(*arguments)
        return getattr(self._store, method)(*arguments)

    def _opened(self, name: str, build: str | None) -> Collection:
        ahead = self._ahead.pop(name, None)
        if ahead is not None:
            if ahead.manifest.build == (build or self._store.current(name)):
                return ahead
            ahead.close()
        return self._store.open(name, build)

    def _of_collection(self, number: int, method: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> object:
        collection = self._collection(number)
        if method == "scroll":
            walk = next(self._numbers)
            self._walks[walk] = collection.scroll(*arguments, **options)
            return walk
        if method == "close":
            self._collections.pop(number, None)
        return getattr(collection, method)(*arguments, **options)

    def _walk(self, number: int, most: int) -> list[Record]:
        """Return the next records of a walk; it is over when none come."""
        found = [*islice(self._walks[number], most)]
        if not found:
            del self._walks[number]
        return found

    def _collection(self, number: int) -> Collection:
        try:
            return self._collections[number]
        except KeyError:
            raise VectorIndexError("this collection is closed", "open it again") from None

    def _kept(self, collection: Collection) -> tuple[int, object, object]:
        number = next(self._numbers)
        self._collections[number] = collection
        return number, collection.schema, collection.manifest


def run(folder: Path, names: Sequence[str]) -> None:
    """Serve the store in a folder, and open these collections, until the standard input ends."""
    # Ctrl-C is for the owner, which ends this process when it has closed what it uses.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    key = bytes.fromhex(sys.stdin.readline().strip())
    if not key:
        return
    with EmbeddedStore(folder) as store, Listener(authkey=key) as listener:
        worker = EngineWorker(store)
        with suppress(OSError):  # the owner may be gone already
            sys.stdout.write(f"{listener.address}\n")
            sys.stdout.flush()
        Thread(target=_accept, args=(listener, worker), daemon=True).start()
        worker.open_ahead(names)
        sys.stdin.read()


def _accept(listener: Listener, worker: EngineWorker) -> None:
    while True:
        try:
            connection = listener.accept()
        except (AuthenticationError, EOFError, ConnectionError) as error:
            _log.warning("a caller was sent away: %r", error)
            continue
        except OSError:
            # The listener was closed: this process is about to end.
            return
        Thread(target=worker.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    code = 0
    try:
        run(Path(sys.argv[1]), sys.argv[2:])
    except PersrvError as error:
        # Whoever wanted to know is gone; what the disk did not take is made again from the catalog.
        _log.error("the engine's process ends: %s", error)
        code = 1
    os._exit(code)
