"""The process that holds the embedded engine: started, called over a connection for each thread, started again."""

from __future__ import annotations

import secrets
import subprocess
import sys
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from pathlib import Path
from threading import Lock, local
from typing import Any, cast

from persrv.errors import VectorIndexError
from persrv.index.lock import ENGINE

_GONE = (EOFError, OSError, AuthenticationError)


class EngineProcess:
    """The process and the callers' connections to it; started at the first call, and again when it died.

    Args:
        folder: Of the store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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
            if self._closed:
                raise VectorIndexError("this store is closed", "open the collection again")
            if self._starts == starts:
                self._stop()
                self._start()

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
            own.starts = self._starts
            own.connection = Client(self._address, authkey=self._key)
        return cast(Connection, own.connection)

    def _start(self) -> None:
        key = secrets.token_bytes(32)
        command = [sys.executable, "-m", ENGINE, str(self._folder)]
        # Our own module by our own interpreter; the folder is an argument, no shell reads it.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        address = ""
        if process.stdin is not None and process.stdout is not None:
            with suppress(OSError):
                process.stdin.write(f"{key.hex()}\n")
                process.stdin.flush()
                address = process.stdout.readline().strip()
        if not address:
            process.kill()
            raise VectorIndexError("the engine's process did not start", "see what it wrote above")
        self._process, self._key, self._address = process, key, address
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
