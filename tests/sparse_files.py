"""Files that are mostly zeros: an index reserves some 400 MB for 30 stickers and uses under 1 MB of it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

ZEROS = bytes(1 << 16)


def copy_sparse(source: str, target: str) -> None:
    """Copy a file, leaving holes where it has only zeros: fifty copies without holes fill a disk."""
    with Path(target).open("wb", buffering=0) as writing:
        writing.truncate(Path(source).stat().st_size)
        for start, block in written_blocks(Path(source)):
            writing.seek(start)
            assert writing.write(block) == len(block)
    shutil.copystat(source, target)


def words_in_files(folder: Path, words: Iterable[str]) -> list[str]:
    """Return the files below a folder that hold one of the words, with the word."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    wanted = {word: word.encode() for word in words}
    return [f"{file}: {word}" for file in files for word in _words_in(file, wanted)]


def _words_in(file: Path, wanted: dict[str, bytes]) -> set[str]:
    found: set[str] = set()
    before, end = b"", 0
    for start, block in written_blocks(file):
        # A word may stand across the border of two blocks.
        content = before + block if start == end else block
        found |= {word for word, written in wanted.items() if written in content}
        before, end = block[-100:], start + len(block)
    return found


def written_blocks(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the blocks of a file that are not only zeros, each with its place in bytes."""
    with file.open("rb", buffering=0) as reading:
        for start, end in _written(reading.fileno(), os.fstat(reading.fileno()).st_size):
            reading.seek(start)
            while start < end:
                block = reading.read(min(len(ZEROS), end - start))
                if block != ZEROS[: len(block)]:
                    yield start, block
                start += len(block)


def _written(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield where a file has content: its start and its end in bytes. Where holes cannot be seen, all is content."""
    if not hasattr(os, "SEEK_DATA"):
        yield 0, size
        return
    end = 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nothing but a hole is left
                raise
            return
        end = os.lseek(file, start, os.SEEK_HOLE)
        yield start, end
