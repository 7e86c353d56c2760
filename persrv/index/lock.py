"""One owner for each embedded version: an exclusive lock that says who holds it.

Opening a Qdrant Edge shard a second time is refused by the engine, but damages the next flush of the first owner;
therefore this lock is taken before the engine sees the folder. It belongs to the open file, so it vanishes with its
process, however that ends, and a left-over lock file is no obstacle.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Self
from weakref import WeakSet

import portalocker

from persrv.errors import IndexLockedError, VectorIndexError

_NOW = portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING

ENGINE = "persrv.index.engine_worker"
"""The module that runs as an engine's process."""

_ORPHAN_SECONDS, _UNSIGNED_SECONDS = 60.0, 2.0
"""How long an engine whose program is gone is waited for, whose longest call takes half a minute; and an owner that has
not written its name yet, or could not on a full disk."""

_SHOWN = 160
"""Letters of a command line that identify a process well enough."""


class FileLock:
    """An exclusive lock on a file, held until :meth:`release` or the end of the process."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    @classmethod
    def take(cls, path: Path, what: str) -> Self:
        """Lock at once, and write into the file who holds it.

        The engine's process of a program that was killed ends by itself, a moment later: it is waited for. So is, for
        two seconds, an owner that has not written its name yet.

        Args:
            path: The lock file; created where it is missing, never removed.
            what: What is locked, for the error's text.

        Raises:
            IndexLockedError: Another owner has it; the text names its process.
            VectorIndexError: The file cannot be opened.
        """
        file = _open(path)
        began = time.monotonic()
        while True:
            try:
                portalocker.lock(file, _NOW)
                break
            except portalocker.LockException as error:
                file.seek(0)
                owner = file.readall().decode(errors="replace")
                if time.monotonic() - began >= _patience(owner):
                    file.close()
                    raise _locked(what, owner) from error
            time.sleep(0.02)
        lock = cls(file)
        lock._sign()
        _HELD.add(lock)
        return lock

    @classmethod
    def wait(cls, path: Path) -> Self:
        """Lock as soon as the owner lets go; for the few steps that change which version is current.

        Raises:
            VectorIndexError: The file cannot be opened.
        """
        file = _open(path)
        portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE)
        lock = cls(file)
        _HELD.add(lock)
        return lock

    def release(self) -> None:
        """Let go; doing so twice is harmless."""
        if not self._file.closed:
            portalocker.unlock(self._file)
        self.forget()

    def forget(self) -> None:
        """Close the file without unlocking: what a forked child does, since the lock is its parent's."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()

    def _sign(self) -> None:
        command = " ".join(shlex.join(sys.orig_argv).split())[:_SHOWN]
        owner: dict[str, object] = {"pid": os.getpid(), "command": command}
        owner["since"] = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
        if ENGINE in sys.orig_argv:
            owner["works_for"] = os.getppid()
        # The lock counts, not the name: a full disk must not keep anybody from searching.
        with suppress(OSError):
            self._file.truncate(0)
            signature = memoryview(json.dumps(owner).encode())
            while signature:  # a write may write a part only
                signature = signature[self._file.write(signature) :]


_HELD: WeakSet[FileLock] = WeakSet()


def _open(path: Path) -> FileIO:
    try:
        return path.open("a+b", buffering=0)
    except OSError as error:
        raise VectorIndexError(f"{path} cannot be opened: {error}", "make its folder writable") from error


def _patience(owner: str) -> float:
    """Return for how many seconds an owner is waited for: those that end by themselves, or have not signed yet."""
    try:
        known = json.loads(owner)
        program = known.get("works_for")
    except (ValueError, AttributeError):
        return _UNSIGNED_SECONDS
    if os.name == "nt" or not isinstance(program, int):
        return 0.0
    try:
        os.kill(program, 0)  # asks whether there is one, and does nothing to it
    except ProcessLookupError:
        return _ORPHAN_SECONDS
    except OSError:
        return 0.0
    return 0.0


def _locked(what: str, owner: str) -> IndexLockedError:
    try:
        known = json.loads(owner)
        pid, command, since = known["pid"], known["command"], known["since"]
    except (ValueError, TypeError, KeyError):
        return IndexLockedError(f"{what} is in use by another process", "stop that process, or wait until it ends")
    if pid == os.getpid():
        return IndexLockedError(
            f"{what} is open in this very process (since {since})", "share the open collection, or close it first"
        )
    return IndexLockedError(
        f"{what} is in use by process {pid} ({command}) since {since}",
        "stop that process, ask it through its HTTP API, or use a Qdrant server",
    )


def _forget_all() -> None:
    for lock in list(_HELD):
        lock.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
