"""The process that holds the embedded engine: started, called over a connection for each thread, started again."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from pathlib import Path
from threading import Lock, local
from typing import Any, cast

from persrv.errors import VectorIndexError
from persrv.index.lock import ENGINE

_GONE = (EOFError, OSError, AuthenticationError)
_AHEAD: dict[Path, EngineProcess] = {}
"""Processes that run already, of stores that nobody has opened yet."""


@contextmanager
def started_ahead(folder: Path, *names: str) -> Iterator[None]:
    """Start the process of a store that is opened within the block, by whoever asks :func:`process_of` first.

    It goes on by itself: it imports what it needs and opens the current versions, while its owner imports the rest.

    Args:
        folder: Of the store.
        names: Collections to open; one that cannot be opened says why when it is asked for.
    """
    _AHEAD[folder] = process = EngineProcess(folder, names)
    process.begin()
    try:
        yield
    finally:
        if _AHEAD.pop(folder, None):
            process.close()


def process_of(folder: Path) -> EngineProcess:
    """Return a store's process: the one that was started ahead, the first time, else one that is not started yet."""
    return _AHEAD.pop(folder, None) or EngineProcess(folder)


class EngineProcess:
    """The process and the callers' connections to it; started at the first call, and again when it died.

    Args:
        folder: Of the store.
        names: Collections that it opens at its first start, before they are asked for.
    """

    def __init__(self, folder: Path, names: Sequence[str] = ()) -> None:
        self._folder = folder
        self._names = tuple(names)
        self._process: subprocess.Popen[str] | None = None
        self._key = b""
        self._address = ""
        self._starts = 0
        self._starting = Lock()
        self._callers = local()
        self._closed = False

    @property
    def starts(self) -> int:
        """How often it was started; what it had open is gone when this number grows."""
        return self._starts

    def begin(self) -> None:
        """Start it, and do not wait until it answers."""
        with self._starting:
            self._start()

    def call(self, target: int, method: str, *arguments: object, **options: object) -> Any:
        """Make one call, in the caller's own connection.

        Raises:
            PersrvError: What the call raises there.
            ConnectionError: The process died; :meth:`restart` brings another one.
        """
        try:
            connection = self._connection()
            connection.send((target, method, arguments, options))
            done, answer = connection.recv()
        except _GONE as error:
            self._callers.connection = None
            raise ConnectionError(f"the engine's process died: {error!r}") from error
        if not done:
            raise answer
        return answer

    def call_again(self, target: int, method: str, *arguments: object, **options: object) -> Any:
        """Make one call after the process was started again.

        Raises:
            PersrvError: What the call raises there.
            VectorIndexError: The process died once more.
        """
        try:
            return self.call(target, method, *arguments, **options)
        except ConnectionError as error:
            raise VectorIndexError(
                f"{error}, twice in a row",
                "look at the memory; if the index is damaged, run persrv build with --rebuild",
            ) from error

    def restart(self, starts: int) -> None:
        """Start it again, unless somebody did since it was started for the ``starts``-th time.

        Raises:
            VectorIndexError: It cannot be started, or was closed.
        """
        with self._starting:
            self._check_open()
            if self._starts == starts:
                self._stop()
                self._start()
                self._wait()

    def close(self) -> None:
        """Let it close its collections and end; closing twice is harmless."""
        with self._starting:
            self._closed = True
            self._stop()

    def _connection(self) -> Connection:
        if self._process is None:
            self.restart(0)
        own = self._callers
        if getattr(own, "connection", None) is None or own.starts != self._starts:
            with self._starting:
                self._check_open()
                self._wait()
                own.starts, address, key = self._starts, self._address, self._key
            own.connection = Client(address, authkey=key)
        return cast(Connection, own.connection)

    def _check_open(self) -> None:
        if self._closed:
            raise VectorIndexError("this store is closed", "open the collection again")

    def _start(self) -> None:
        names, self._names = self._names, ()
        command = [sys.executable, "-m", ENGINE, str(self._folder), *names]
        # Our own module by our own interpreter; the folder is an argument, no shell reads it.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        self._process, self._key, self._address = process, secrets.token_bytes(32), ""
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.write(f"{self._key.hex()}\n")
                process.stdin.flush()

    def _wait(self) -> None:
        """Wait until the process listens."""
        process = self._process
        if process is None or self._address:
            return
        if process.stdout is not None:
            with suppress(OSError):
                self._address = process.stdout.readline().strip()
        if not self._address:
            process.kill()
            self._stop()
            raise VectorIndexError("the engine's process did not start", "see what it wrote above")
        self._starts += 1

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()
