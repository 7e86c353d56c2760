"""Work in a process of its own, so that neither caches nor memory of an earlier contender count, and its memory."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import ParamSpec, Self, TypeVar

_Answer = TypeVar("_Answer")
_Arguments = ParamSpec("_Arguments")

_STATUS = Path("/proc/self/status")

MEMORY_KNOWN = _STATUS.is_file()
"""Whether this system tells what a process holds; rows about memory are left out elsewhere."""


def in_fresh_process(
    function: Callable[_Arguments, _Answer], *arguments: _Arguments.args, **named: _Arguments.kwargs
) -> _Answer:
    """Call a function of a module in a new interpreter and return its answer."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **named).result()


def resident_mib() -> float:
    """Return the memory that this process holds now, in MiB, 0 where :data:`MEMORY_KNOWN` is false."""
    return _status("VmRSS:")


def peak_mib() -> float:
    """Return the most memory that this process ever held, in MiB, 0 where :data:`MEMORY_KNOWN` is false."""
    return _status("VmHWM:")


class OwnMemory:
    """Looks every 20 ms how much memory this process has of its own, files that it maps left out, in a ``with`` block.

    What is mapped is the system's to drop whenever it needs the room.

    Attributes:
        peak: The most so far, in MiB.
    """

    def __init__(self) -> None:
        self.peak = 0.0
        self._ended = Event()
        self._thread = Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            self.peak = max(self.peak, _status("RssAnon:"))


def _status(key: str) -> float:
    if not MEMORY_KNOWN:
        return 0.0
    lines = _STATUS.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))
