"""Writes of which nothing is lost when the power fails."""

from __future__ import annotations

import os
from pathlib import Path


def extend_file(file: Path, size: int, content: bytes) -> None:
    """Cut a file to ``size`` bytes, write ``content`` behind them, and wait until all is on the disk."""
    with file.open("ab") as out:
        out.truncate(size)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def write_file(file: Path, content: bytes) -> None:
    """Write a whole file such that the old or the new content is there after a power failure, never a half."""
    draft = file.with_name(f".{file.name}.new")
    with draft.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Wait until what was made, renamed or removed in a folder is on the disk."""
    if os.name == "nt":  # Windows keeps folders in order by itself and cannot open them
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
