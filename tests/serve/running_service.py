"""The service as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tiny_collection import Tiny


@dataclass(frozen=True)
class RunningService:
    """The process, its address, and the file of what it says on standard error."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path


@contextmanager
def running(tiny: Tiny, *arguments: str) -> Iterator[RunningService]:
    """Start the service and wait until it answers; it is killed at the end, where it still runs."""
    command = [sys.executable, "-m", "persrv", "serve", "-c", str(tiny.file), "--port", "0", "--no-open", *arguments]
    environment = os.environ | {"PERSRV_HOME": str(tiny.home)}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        # A pipe that nobody empties would stop the service when it is full.
        with log.open("wb") as stderr, subprocess.Popen(command, stderr=stderr, env=environment) as process:
            try:
                yield RunningService(process, _address(process, log), log)
            finally:
                process.kill()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(log.read_text())
