"""Work in a process of its own, so that neither caches nor memory of an earlier contender count, and its memory."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

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


def _status(key: str) -> float:
    if not MEMORY_KNOWN:
        return 0.0
    lines = _STATUS.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))
