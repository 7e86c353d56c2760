"""Starts workers by forks of one program that has imported everything: an interpreter takes longer than its kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from faults import compiled

from repository import ROOT

WORKER = Path(__file__).with_name("worker.py")
PATIENCE_SECONDS = 90.0


@dataclass(frozen=True)
class Death:
    """How a worker ended.

    Attributes:
        code: Its exit code, negative where a signal ended it.
        lines: What it had acknowledged, a line of JSON each; the last may be cut.
        complaints: What it wrote to its standard error.
    """

    code: int
    lines: list[str]
    complaints: str


class WorkerServer:
    """Starts workers and kills them; used with ``with``."""

    def __init__(self, url: str) -> None:
        """Start the program.

        Args:
            url: Where pushes go, ``""`` for nowhere.
        """
        paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
        environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PERSRV_TEST_URL": url}
        if (layer := compiled()) is not None:
            environment["LD_PRELOAD"] = str(layer)
        command = [sys.executable, str(WORKER)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

        self._group = 0

    def __enter__(self) -> Self:
        return self

    def end_engines(self) -> None:
        """Kill the engine's process of the last worker, if it is still there."""
        if self._group:
            with suppress(ProcessLookupError):
                os.killpg(self._group, signal.SIGKILL)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end_engines()
        self._process.communicate()

    def run_until_killed(
        self, arguments: list[str], environment: dict[str, str], seconds: float, *, wholly: bool
    ) -> Death:
        """Start a worker, and kill it a while after it wrote its first line.

        Args:
            arguments: As of ``worker.py``.
            environment: What makes it suffer a fault.
            seconds: The while.
            wholly: Whether the process of its engine is killed in the same moment; else it ends by itself.
        """
        with TemporaryDirectory() as folder:
            # Files, since what a pipe's reader has read ahead is lost to communicate().
            lines, complaints = Path(folder) / "lines", Path(folder) / "complaints"
            lines.touch()
            self._write({"arguments": arguments, "environment": environment, "out": str(lines), "err": str(complaints)})
            child = self._group = self._read()["pid"]
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not lines.stat().st_size and _is_running(child) and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(seconds)
            with suppress(ProcessLookupError):
                (os.killpg if wholly else os.kill)(child, signal.SIGKILL)
            self._write({})
            code = self._read()["code"]
            return Death(code, lines.read_text().splitlines(), complaints.read_text())

    def _write(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        read: dict[str, Any] = json.loads(self._process.stdout.readline())
        return read


def _is_running(child: int) -> bool:
    """Return whether a process has not ended; it stays in the table until its parent asks for its code."""
    with suppress(OSError):
        return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return not Path("/proc").exists()
