"""What a run was made on: a figure means nothing without it."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "persrv",
    "numpy",
    "pillow",
    "qdrant-edge-py",
    "qdrant-client",
    "sqlalchemy",
    "bm25s",
    "numba",
    "scikit-image",
)


def describe() -> dict[str, str]:
    """Return what a reader needs to judge figures: the machine, how busy it is, and the packages."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "load": _load(),
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "persrv's code": _commit(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    }


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    if "SC_PHYS_PAGES" not in os.sysconf_names:
        return "unknown"
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"


def _load() -> str:
    if not hasattr(os, "getloadavg"):
        return "unknown"
    return f"{os.getloadavg()[0]:.1f} runnable processes on average over the minute before the run"


def _commit() -> str:
    """Return the commit that last changed the package, and whether files were changed since."""
    root = Path(__file__).resolve().parent.parent
    git = ("git", "-C", str(root))
    try:
        commit = subprocess.run([*git, "log", "-1", "--format=%h", "--", "persrv"], capture_output=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain", "--", "persrv"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "no commit known"
    return f"commit {commit.stdout.decode().strip()}" + (" with changes" if changed.stdout else "")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
