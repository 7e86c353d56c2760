"""What earlier builds read of a source, so that files whose size and time are as they were are not opened again."""

from __future__ import annotations

import os
from collections.abc import Collection, Set
from hashlib import blake2b
from pathlib import Path
from typing import Literal

Before = Literal["placed", "left out", "unread"]
"""What became of files: a sticker that stands in the catalog, nothing, or they were never read as they are now."""


class Known:
    """Remembers files by their state: a digest of their paths, sizes and times.

    A loader with a parameter of this name is given one. It asks :meth:`before` of each item, and reads only what is
    ``"unread"``; the sticker that it yields carries the state, or it says :meth:`leave_out`.

    Args:
        reader: Digest of all else that an item depends on, such as the loader's options; ``""`` remembers nothing.
        placed: States of the stickers that the catalog has.
        left_out: States of what was read and is no sticker.
    """

    def __init__(self, reader: str = "", placed: Set[str] = frozenset(), left_out: Collection[str] = ()) -> None:
        self._reader = reader
        self._placed = placed
        self._left_out = frozenset(left_out)
        self.left_out: set[str] = set()
        """States of what was left out this time."""

    def state(self, *files: Path, beside: str = "") -> str:
        """Return the state of files, ``""`` where nothing is remembered; files that are not there have one, too.

        Args:
            files: All that an item is read from.
            beside: State of what it shares with others, such as the texts of its pack.
        """
        if not self._reader:
            return ""
        digest = blake2b(f"{self._reader}\0{beside}".encode(), digest_size=16)
        for file in files:
            digest.update(f"\0{file}\0{_size_and_time(file)}".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def before(self, state: str) -> Before:
        """Return what became of files in this state."""
        if state in self._placed:
            return "placed"
        if state in self._left_out:
            self.left_out.add(state)
            return "left out"
        return "unread"

    def leave_out(self, state: str) -> None:
        """Remember that files in this state give no sticker."""
        if state:
            self.left_out.add(state)


def state_of_source(reader: str, source: Path) -> str:
    """Return the state of a file, or of every file in a folder; ``""`` where a link leads to another folder.

    Args:
        reader: Digest of all else that the source's items depend on.
        source: Need not exist.
    """
    if not source.is_dir():
        return Known(reader).state(source)
    digest = blake2b(reader.encode(), digest_size=16)
    for folder, folders, files in os.walk(source):
        folders.sort()
        if any(Path(folder, name).is_symlink() for name in folders):
            return ""
        for name in sorted(files):
            about = _size_and_time(Path(folder, name))
            digest.update(f"\0{folder}\0{name}\0{about}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _size_and_time(file: Path) -> str:
    try:
        about = file.stat()
    except (OSError, ValueError):
        return ""
    return f"{about.st_size} {about.st_mtime_ns}"
