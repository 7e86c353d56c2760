"""Backups of a collection: one file that holds what cannot be computed again, and every file's check sum.

A backup holds the catalog (stickers, readings, edits, picks), the vectors and phrases beside it, and pictures that
were added by hand. The index is left out: it is made from these, and no picture is read for it. A backup may be made
while the collection is searched, changed and built: the catalog is copied as of one moment, and of the files that
only grow the whole rows are taken that were there after that moment.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from persrv.catalog.row_checksums import BYTES as SUM_BYTES
from persrv.errors import CatalogError, NotFoundError, SourceError
from persrv.recipe import Recipe
from persrv.workspace import Workspace

FORMAT = 1
"""Version of a backup's layout; a later one is refused."""

CONTENTS = "backup.json"
CATALOG = "catalog.db"

_LEFT_OUT = frozenset({"index", CATALOG, f"{CATALOG}-wal", f"{CATALOG}-shm"})
_ID_BYTES = 33
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds.

    Attributes:
        name: The collection's.
        created: When, ISO 8601, UTC.
        persrv: The version that made it.
        files: Name in the collection's folder to size in bytes and SHA-256 in hexadecimal.
    """

    name: str
    created: str
    persrv: str
    files: dict[str, tuple[int, str]]


def back_up(recipe: str | Path | Recipe, file: str | Path, *, home: str | Path | None = None) -> Backup:
    """Write a collection's backup; the file is there whole, or not at all.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object.
        file: The backup, a tar file; an existing one is replaced.
        home: Holds every collection's folder.

    Raises:
        NotFoundError: The collection was never built.
        CatalogError: The catalog is on a server, which has tools of its own.
        SourceError: The backup cannot be written.
    """
    workspace = Workspace.of(recipe, home)
    name = workspace.recipe.name
    if workspace.recipe.catalog.url:
        raise CatalogError(
            f"the catalog of {name} is on a server", "back it up with pg_dump, and copy the collection's folder"
        )
    if not (workspace.folder / CATALOG).is_file():
        raise NotFoundError(f"{name} was never built", f"run persrv build -c {name}")
    target = Path(file).expanduser()
    with _writable(target) as out, TemporaryDirectory(prefix="persrv-backup-") as scratch:
        snapshot = Path(scratch) / CATALOG
        _copy_catalog(workspace.folder / CATALOG, snapshot)
        files = [(CATALOG, snapshot, snapshot.stat().st_size), *_others(workspace.folder, target)]
        with tarfile.open(fileobj=out, mode="w") as archive:
            written = {member: _add(archive, member, path, size) for member, path, size in files}
            made = Backup(name, datetime.now(UTC).isoformat(timespec="seconds"), version("persrv"), written)
            facts: dict[str, Any] = {"format": FORMAT, "name": name, "created": made.created, "persrv": made.persrv}
            content = json.dumps(facts | {"files": written}, ensure_ascii=False, indent=1).encode()
            entry = tarfile.TarInfo(CONTENTS)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made


def _copy_catalog(source: Path, target: Path) -> None:
    try:
        reading = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
        with closing(reading), closing(sqlite3.connect(target)) as writing:
            reading.backup(writing)
            # A copy of its own, without a write-ahead log beside it.
            writing.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise CatalogError(f"the catalog {source} cannot be copied: {error}", "run persrv doctor --deep") from error


def _others(folder: Path, target: Path) -> Iterator[tuple[str, Path, int]]:
    """Yield name, path and size of every other file but backups; files that grow in pairs end at the same row."""
    drafts = re.compile(rf"\.{re.escape(target.name)}\.\d+")
    for path in sorted(folder.rglob("*")):
        member = path.relative_to(folder)
        if path.parent == target.absolute().parent and (path.name == target.name or drafts.fullmatch(path.name)):
            continue
        if member.parts[0] in _LEFT_OUT or path.suffix == ".lock" or path.is_symlink() or not path.is_file():
            continue
        if path.suffix in (".f16", ".crc"):
            continue
        vectors, sums = path.with_suffix(".f16"), path.with_suffix(".crc")
        if path.suffix == ".ids" and vectors.is_file():
            # The ids are measured first: a writer adds a row's vector and check sum before its id.
            rows = path.stat().st_size // _ID_BYTES
            yield member.as_posix(), path, rows * _ID_BYTES
            yield vectors.relative_to(folder).as_posix(), vectors, rows * _row_bytes(vectors)
            if sums.is_file():
                yield sums.relative_to(folder).as_posix(), sums, min(rows * SUM_BYTES, sums.stat().st_size)
        else:
            yield member.as_posix(), path, path.stat().st_size


def _row_bytes(vectors: Path) -> int:
    """Return the bytes of a row, which the file's name tells: NAME-DIMENSION-DIGEST.f16, two bytes a number."""
    return 2 * int(vectors.stem.rsplit("-", 2)[-2])


def _add(archive: tarfile.TarFile, member: str, path: Path, size: int) -> tuple[int, str]:
    entry = tarfile.TarInfo(member)
    entry.size = size
    with path.open("rb") as opened:
        reading = _Hashing(opened)
        archive.addfile(entry, reading)
    return size, reading.digest.hexdigest()


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        block = self._file.read(size)
        self.digest.update(block)
        return block


@contextmanager
def _writable(target: Path) -> Iterator[IO[bytes]]:
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with partial.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        partial.replace(target)
    except OSError as error:
        problem = f"the backup {target} cannot be written: {error.strerror or error}"
        raise SourceError(problem, "give a path in a folder that exists, on a disk with room") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
