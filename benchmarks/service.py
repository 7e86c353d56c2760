"""``persrv serve`` as a process of its own, for benchmarks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from persrv.errors import ServiceError


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: its process, its address, and the seconds until it answered."""

    process: subprocess.Popen[bytes]
    address: str
    seconds: float

    def resident(self) -> float:
        """Return the memory of the process and its children in MB, without files that they map."""
        return sum(_resident(pid) for pid in (self.process.pid, *_children(self.process.pid))) / 1e6


@contextmanager
def service(recipe: Path, home: Path, *arguments: str) -> Iterator[Service]:
    """Serve a collection, and stop at the end.

    Raises:
        ServiceError: It does not start.
    """
    command = [sys.executable, "-m", "persrv", "serve", "-c", str(recipe), "--port", "0", "--no-open", *arguments]
    log = home / "serve.log"
    environment = os.environ | {"PERSRV_HOME": str(home)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # who installed persrv has its modules compiled
    started = time.perf_counter()
    with log.open("wb") as out, subprocess.Popen(command, stderr=out, env=environment) as process:
        try:
            while not (found := re.search(r"persrv is at (http://\S+)\n", log.read_text())):
                if process.poll() is not None:
                    raise ServiceError(f"persrv serve stopped: {log.read_text()[-500:]}", "see what it says")
                time.sleep(0.01)
            yield Service(process, found[1], time.perf_counter() - started)
        finally:
            process.terminate()


def _children(pid: int) -> list[int]:
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    own = [int(child) for child in listed.split()]
    return [*own, *(each for child in own for each in _children(child))]


def _resident(pid: int) -> int:
    try:
        _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
