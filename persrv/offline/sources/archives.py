"""Archives that nobody vouches for, unpacked below one folder and nowhere else.

Names that leave the folder, links, devices and special files are left out and reported. What an archive says about its
sizes is not believed: bytes are counted as they come. Nothing is written over; a broken archive gives what came before
the damage.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from persrv.errors import SourceError
from persrv.offline.sources.archive_members import archive_members
from persrv.offline.sources.walking import SUFFIXES
from persrv.records import Skipped

_WANTED = SUFFIXES | frozenset(
    (".json", ".jsonl", ".ndjson", ".txt", ".meta", ".csv", ".tsv", ".parquet", ".bin", ".proto", "")
)
"""Endings of files that some loader reads; all others, such as sounds and pages, stay in the archive."""

_ZIPPED = (".zip", ".wastickers")
_TARRED = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
_NO_FILES = frozenset(("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))))
_PIECE = 1 << 20
_NO_SPACE = 28


@dataclass(frozen=True, slots=True)
class ArchiveBounds:
    """How much may come out of one archive, with those inside it.

    Attributes:
        files: Most files.
        total_bytes: Most bytes of all.
        file_bytes: Most bytes of one file.
        ratio: Most bytes out for one byte in, counted from ``free_bytes`` on.
        free_bytes: Bytes that may come out whatever the ratio: a small text packs a thousandfold.
        directory_bytes: Largest table of contents; it is held in memory.
    """

    files: int = 1_000_000
    total_bytes: int = 16 << 30
    file_bytes: int = 4 << 30
    ratio: float = 100.0
    free_bytes: int = 64 << 20
    directory_bytes: int = 256 << 20


@dataclass(slots=True)
class _Count:
    """What has come out so far, against the bounds."""

    bounds: ArchiveBounds
    archive_bytes: int
    name: str
    files: int = 0
    written: int = 0
    streamed: int = 0
    reports: list[Skipped] = field(default_factory=list)

    def file(self) -> None:
        self.files += 1
        if self.files > self.bounds.files:
            raise _BoundError(f"{self.name} holds more than {self.bounds.files} files", "unpack it yourself")

    def write(self, count: int) -> None:
        self.written += count
        self._check(self.written)

    def stream(self, count: int) -> None:
        """Count what is unpacked on the way to the next file of a TAR, wanted or not."""
        self.streamed += count
        self._check(self.streamed)

    def _check(self, out: int) -> None:
        bounds = self.bounds
        beyond = out > bounds.free_bytes and out > bounds.ratio * self.archive_bytes
        if out > bounds.total_bytes or beyond:
            raise _BoundError(
                f"{self.name} unpacks to more than {out // 1_000_000} MB from {self.archive_bytes} bytes",
                "it looks like an archive made to fill a disk; unpack it yourself if you trust it",
            )


class _BoundError(SourceError):
    """An archive holds more than may come out of one."""


def is_archive(path: Path) -> bool:
    """Return whether a file is a ZIP or TAR archive by its name and its beginning; RAR and 7z are never."""
    name = path.name.lower()
    try:
        if not path.is_file():
            return False
        if name.endswith(_TARRED):
            return True
        with path.open("rb") as file:
            return name.endswith(_ZIPPED) and file.read(2) == b"PK"
    except OSError:
        return False


def unpacked_folder(archive: Path, archives: Path) -> Path:
    """Return where an archive is unpacked below a collection's folder of archives."""
    digest = hashlib.sha256(str(archive.resolve()).encode("utf-8", "replace")).hexdigest()[:8]
    readable = re.sub(r"[^\w-]+", "_", archive.name.split(".")[0])[:40]
    return archives / f"{readable}-{digest}"


def is_unpacked(archive: Path, into: Path) -> bool:
    """Return whether a folder has what :func:`unpack` made of an archive that has not changed since; none is opened."""
    try:
        made_from = _mark(into).read_text(encoding="utf-8")
        return into.is_dir() and archive.is_file() and made_from == _made_from(archive)
    except OSError:
        return False


def _mark(into: Path) -> Path:
    return into.with_name(f"{into.name}.made-from")


def _made_from(archive: Path) -> str:
    about = archive.stat()
    return f"{about.st_size} {about.st_mtime_ns}"


def innermost(folder: Path) -> Path:
    """Return the only folder in a folder, and so on: archives and downloads often wrap what they hold."""
    for _ in range(4):
        inside = [] if not folder.is_dir() else [each for each in folder.iterdir() if not each.name.startswith(".")]
        if len(inside) != 1 or not inside[0].is_dir() or inside[0].is_symlink():
            break
        folder = inside[0]
    return folder


def unpack(archive: Path, into: Path, bounds: ArchiveBounds | None = None) -> list[Skipped]:
    """Unpack an archive, and archives that lie in it, once.

    The folder is complete or absent: what is unpacked stands beside it until all is there. An archive that did not
    change since is not unpacked again.

    Args:
        archive: A ZIP file (also ``.wastickers``) or a TAR file, packed or not.
        into: The folder, whose own parent must be the collection's.
        bounds: How much may come out.

    Returns:
        What was left out, and why.

    Raises:
        SourceError: It is encrypted, no archive at all, beyond a bound, or the folder cannot be written.
    """
    name = str(archive)
    try:
        made_from, archive_bytes = _made_from(archive), archive.stat().st_size
        mark, partial = _mark(into), into.with_name(f"{into.name}.partial")
        if is_unpacked(archive, into):
            return []
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    except OSError as error:
        raise SourceError(
            f"{name} cannot be unpacked into {into}: {error.strerror}", "check rights and space"
        ) from error
    count = _Count(bounds or ArchiveBounds(), archive_bytes, name)
    try:
        _unpack(archive, partial, count, "", nested=False)
        mark.unlink(missing_ok=True)
        shutil.rmtree(into, ignore_errors=True)
        partial.rename(into)
        mark.write_text(made_from, encoding="utf-8")
    except OSError as error:
        raise SourceError(
            f"{name} cannot be unpacked into {into}: {error.strerror}", "check rights and space"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return count.reports


def _unwritable(name: str, into: Path, error: OSError) -> SourceError:
    return SourceError(f"{name} cannot be unpacked into {into}: {error.strerror}", "check rights and space")


def _unpack(archive: Path, folder: Path, count: _Count, prefix: str, *, nested: bool) -> None:
    inner: list[tuple[Path, str]] = []
    try:
        for key, time, refused, content in archive_members(archive, count.bounds.directory_bytes, count.stream):
            shown = prefix + key.encode("utf-8", "replace").decode()
            parts = _safe_parts(key)
            if refused or parts is None:
                count.reports.append(Skipped(shown, refused or "its name leads out of the archive's folder"))
                continue
            suffix = Path(parts[-1]).suffix.lower()
            lies_inside = parts[-1].lower().endswith((*_ZIPPED, *_TARRED))
            if content is None or not (suffix in _WANTED or lies_inside) or parts[0] == "__MACOSX":
                continue
            target = folder.joinpath(*parts)
            problem = _write(content, target, time, count)
            if problem:
                count.reports.append(Skipped(shown, problem))
            elif lies_inside:
                inner.append((target, f"{shown}/"))
    except SourceError:
        raise
    # Readers of archives answer hostile input with almost any exception.
    except Exception as error:
        if isinstance(error, OSError) and error.errno == _NO_SPACE:
            raise
        if not nested and not count.files:
            raise SourceError(f"{count.name} is no archive that can be read: {error}", "pack it again") from error
        count.reports.append(Skipped(prefix.rstrip("/") or archive.name, f"it is damaged from here on: {error}"))
    for path, name in inner:
        if nested:
            count.reports.append(Skipped(name.rstrip("/"), "it is an archive in an archive in an archive"))
        else:
            _unpack_inner(path, name, count)
        path.unlink(missing_ok=True)


def _unpack_inner(archive: Path, name: str, count: _Count) -> None:
    folder = archive.with_name(archive.name.split(".")[0] or archive.name)
    if folder.exists() or folder == archive:
        folder = archive.with_name(f"{archive.name} unpacked")
    try:
        folder.mkdir()
        _unpack(archive, folder, count, name, nested=True)
    except _BoundError:
        raise
    except SourceError as error:
        count.reports.append(Skipped(name.rstrip("/"), error.problem))


def _write(content: IO[bytes], target: Path, time: float, count: _Count) -> str:
    """Write one file and return why it could not be written, ``""`` where it was."""
    count.file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            written = 0
            while piece := content.read(_PIECE):
                written += len(piece)
                if written > count.bounds.file_bytes:
                    raise _BoundError(
                        f"{count.name}: {target.name} is larger than {count.bounds.file_bytes} bytes", "leave it out"
                    )
                count.write(len(piece))
                out.write(piece)
        os.utime(target, (time, time))
    except FileExistsError:
        return "the archive holds it twice"
    except NotADirectoryError:
        return "the archive holds a file where its folder should be"
    except _BoundError:
        raise
    except Exception as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno == _NO_SPACE:
            raise
        return f"it is damaged: {error}"
    return ""


def _safe_parts(name: str) -> tuple[str, ...] | None:
    """Return a name's parts, ``None`` for one that no folder can hold safely on any system."""
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    if not parts or name.startswith(("/", "\\")) or len(name) > 1000 or len(parts) > 32:
        return None
    for part in parts:
        bad = part == ".." or ":" in part or any(ord(c) < 32 for c in part) or part.endswith((" ", "."))
        if bad or part.split(".")[0].lower() in _NO_FILES or len(part.encode("utf-8", "replace")) > 240:
            return None
        if part != part.encode("utf-8", "replace").decode():
            return None
    return parts
