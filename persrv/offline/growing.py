"""Sources of picks that are read again at every build: what did not change is not read, what only grew from its end.

A log of picks grows at its end. What was read of a file is noted: its size and time, digests of its beginning and of
the last block that was read. A file of the same size and time is left alone; one that begins as before and whose last
block stands where it stood is read from there on, through a copy of its first line and of what is new. Everything else
is read whole, which is always right.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

from persrv.catalog import Catalog
from persrv.errors import writing
from persrv.offline.loading import Loader
from persrv.records import Skipped

BLOCK = 1 << 16
"""Bytes at the beginning and before the end of what was read that must be as they were."""

REPORTED = 1000
"""Rows that cannot be used, reported again at every build; a source with more is read whole each time."""

_TEXTS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson")
_HEADERS = (".csv", ".tsv", ".tab")


@dataclass(frozen=True, slots=True)
class ReadSource:
    """What was read of a file.

    Attributes:
        size: Its bytes, 0 of a folder and of an archive.
        mtime_ns: Its time of change, 0 likewise.
        end: Bytes up to the end of the last whole line.
        head: Digest of its beginning; of a folder the state of every file in it, of an archive its own.
        last: Digest of the block before ``end``.
        options: Digest of the loader's file and options, and of persrv's version.
        moves: How many keys of stickers had come to stand for other pictures.
        revision: The catalog's last change.
        untimed: Whether a pick had no time: repeated ones are distinguished by counting from the beginning.
        unknown: Whether a pick was of a sticker that nobody knew.
        skipped: Rows that could not be used: key and reason.
    """

    size: int
    mtime_ns: int
    end: int
    head: str
    last: str
    options: str
    moves: int
    revision: int
    untimed: bool = False
    unknown: bool = False
    skipped: list[list[str]] = field(default_factory=list)


Part = Literal["nothing", "the end", "all"]


class SourceLog:
    """What was read of one source of picks, kept in the catalog.

    Args:
        catalog: Keeps it.
        loader: The source.
    """

    def __init__(self, catalog: Catalog, loader: Loader) -> None:
        self._catalog = catalog
        self._loader = loader
        self._key = f"picks:{catalog.collection}:{loader.name}:{loader.source}"
        noted = catalog.noted(self._key)
        self.before = _read_source(noted) if isinstance(noted, Mapping) else None

    def look(self) -> ReadSource | None:
        """Return what the source is like now, ``None`` where only reading it tells; an unchanged file is not opened."""
        source, before, options = self._loader.source, self.before, self._loader.reader
        moves, revision = self._catalog.moves(), self._catalog.revision()
        if source is None:
            return None
        if not source.is_file() or self._loader.is_unpacked:
            state = self._loader.source_state()
            return ReadSource(0, 0, 0, state, "", options, moves, revision) if state else None
        stat = source.stat()
        if before and (before.size, before.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return replace(before, options=options, moves=moves, revision=revision)
        with source.open("rb") as file:
            head = _digest(file.read(BLOCK))
            end = _last_line_end(file, stat.st_size)
            last = _block_before(file, end)
        return ReadSource(stat.st_size, stat.st_mtime_ns, end, head, last, options, moves, revision)

    def part_to_read(self, now: ReadSource | None) -> Part:
        """Return which part of the source has to be read."""
        before = self.before
        if now is None or before is None or (before.options, before.moves) != (now.options, now.moves):
            return "all"
        if before.unknown and before.revision != now.revision:
            return "all"
        if (before.size, before.mtime_ns, before.head) == (now.size, now.mtime_ns, now.head):
            return "nothing"
        source = self._loader.source
        if source is None or source.suffix.lower() not in _TEXTS or before.untimed or now.end < before.end:
            return "all"
        with source.open("rb") as file:
            begins = _digest(file.read(min(BLOCK, before.size))) == before.head
            return "the end" if begins and _block_before(file, before.end) == before.last else "all"

    @contextmanager
    def new_part(self) -> Iterator[Loader]:
        """Give a loader that reads the source's first line and what came after its noted end."""
        source, before = self._loader.source, self.before
        if source is None or before is None:
            raise ValueError("only a file that was read before has a new part")
        with tempfile.TemporaryDirectory(prefix="persrv-picks-") as folder:
            part = Path(folder) / source.name
            with writing(f"the new part of {source}"), source.open("rb") as whole, part.open("wb") as copy:
                if source.suffix.lower() in _HEADERS:
                    copy.write(whole.readline())
                whole.seek(before.end)
                shutil.copyfileobj(whole, copy)
            yield replace(self._loader, source=part)

    def note(self, now: ReadSource, skipped: list[Skipped], *, untimed: bool, unknown: bool) -> None:
        """Note that the source was read up to its end; nothing where too much of it could not be used."""
        if len(skipped) > REPORTED:
            self._catalog.note(self._key, None)
            return
        rows = [[item.key, item.reason] for item in skipped]
        done = replace(now, untimed=untimed, unknown=unknown, skipped=rows, revision=self._catalog.revision())
        self._catalog.note(self._key, asdict(done))


def _read_source(noted: Mapping[str, Any]) -> ReadSource | None:
    try:
        return ReadSource(**noted)
    except TypeError:  # another version noted something else
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _block_before(file: BinaryIO, end: int) -> str:
    file.seek(max(0, end - BLOCK))
    return _digest(file.read(end - max(0, end - BLOCK)))


def _last_line_end(file: BinaryIO, size: int) -> int:
    """Return the number of bytes up to the end of the last whole line, at most ``size``."""
    start = max(0, size - BLOCK)
    file.seek(start)
    found = file.read(size - start).rfind(b"\n")
    return start + found + 1 if found >= 0 else 0 if not start else size
