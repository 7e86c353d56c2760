"""Work in a process of its own, so that neither caches nor memory of an earlier contender count, and its memory."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

_Answer = TypeVar("_Answer")
_Arguments = ParamSpec("_Arguments")

MEMORY_KNOWN = Path("/proc/self/status").is_file()
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

    What is mapped is the system's to drop whenever it needs the room. Another process looks: the embedded engine holds
    the GIL in its longest calls, so that a thread would miss what they take.

    Attributes:
        peak: The most, in MiB, known at the end of the block.
    """

    def __init__(self) -> None:
        self.peak = 0.0
        context = multiprocessing.get_context("spawn")
        self._line, line = context.Pipe()
        self._watcher = context.Process(target=_watch, args=(os.getpid(), line), daemon=True)

    def __enter__(self) -> Self:
        self._watcher.start()
        self._line.recv()
        return self

    def __exit__(self, *exc: object) -> None:
        self._line.send(None)
        self.peak = self._line.recv()
        self._watcher.join()


def _watch(process: int, line: Connection) -> None:
    peak = 0.0
    line.send(None)
    while not line.poll(0.02):
        peak = max(peak, _status("RssAnon:", process))
    line.send(peak)


def _status(key: str, process: int | str = "self") -> float:
    if not MEMORY_KNOWN:
        return 0.0
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))
