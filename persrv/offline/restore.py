"""Puts a backup in place: a kill at any moment leaves the collection that was there, or the one of the backup."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path, PurePath, PurePosixPath
from tempfile import mkdtemp
from typing import IO, Any

from persrv.catalog import ADDED
from persrv.catalog.durable import sync_folder
from persrv.errors import CatalogError, IndexLockedError, NotFoundError, SourceError
from persrv.index.lock import FileLock
from persrv.offline.backup import CATALOG, CONTENTS, FORMAT, Backup
from persrv.recipe import Recipe
from persrv.recipe.places import home as default_home

_BLOCK = 1 << 20
_SCRATCH = ".restoring-"
_NEW, _REPLACED, _LOCK = "collection", "replaced", "LOCK"


def restore(
    file: str | Path, *, home: str | Path | None = None, name: str = "", replace: bool = False
) -> tuple[Backup, Path]:
    """Put a backup in place and return what it held, and the collection's folder; a build makes the index again.

    Every check sum is compared before anything is put in place. What an earlier call left that was killed is removed;
    a collection that it had taken away already, without putting the other in its place, is put back.

    Args:
        file: The backup.
        home: Holds every collection's folder.
        name: Another name for the collection; default the one that it had.
        replace: Whether a collection that is there may be removed.

    Raises:
        NotFoundError: There is no such file.
        SourceError: It is no backup, is damaged or of a later version, or the collection is there already.
        CatalogError: The backup's catalog cannot be used, or another program has the one to be replaced open.
        IndexLockedError: Another program has the index of the collection to be replaced open.
    """
    source = Path(file).expanduser()
    if not source.is_file():
        raise NotFoundError(f"there is no file {source}", "give a file that persrv backup made")
    root = default_home() if home is None else Path(home).expanduser()
    try:
        root.mkdir(parents=True, exist_ok=True)
        _clear(root)
        with _scratch(root) as scratch:
            unpacked = scratch / _NEW
            made = _unpack(source, unpacked)
            folder = root / _checked_name(name or made.name)
            there = folder.exists() and any(folder.iterdir())
            if there and not replace:
                problem = f"the collection {folder.name} is there already, in {folder}"
                raise SourceError(problem, "give --as NAME to restore beside it, or --replace to remove it first")
            _settle(unpacked / CATALOG, made.name, folder)
            for place in (*(path for path in unpacked.rglob("*") if path.is_dir()), unpacked):
                sync_folder(place)
            with _unused(folder):
                _switch(unpacked, folder, scratch / _REPLACED)
    except OSError as error:
        raise SourceError(f"{source} cannot be restored: {error.strerror or error}", "check the disk") from error
    return made, folder


def _switch(unpacked: Path, folder: Path, replaced: Path) -> None:
    """Put one folder in the place of another, which stays until it is there."""
    if folder.exists():
        replaced.mkdir()
        folder.rename(replaced / folder.name)
    try:
        unpacked.rename(folder)
    except OSError:
        if replaced.exists():
            (replaced / folder.name).rename(folder)
        raise
    sync_folder(folder.parent)


@contextmanager
def _scratch(root: Path) -> Iterator[Path]:
    """Make a folder beside the collections, held while it is used."""
    folder = Path(mkdtemp(prefix=_SCRATCH, dir=root))
    with FileLock.take(folder / _LOCK, f"the restore in {folder}"):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _clear(root: Path) -> None:
    """Remove what was left by those who were killed; a collection that nothing stands in the place of is put back."""
    for folder in sorted(root.glob(f"{_SCRATCH}*")):
        with suppress(IndexLockedError), FileLock.take(folder / _LOCK, f"the restore in {folder}"):
            for replaced in (folder / _REPLACED).glob("*"):
                if not (root / replaced.name).exists():
                    replaced.rename(root / replaced.name)
            shutil.rmtree(folder)


@contextmanager
def _unused(folder: Path) -> Iterator[None]:
    """Keep everybody out of a collection that is taken away: what it acknowledged meanwhile would be lost.

    Raises:
        IndexLockedError: Somebody has its index open, or is building one.
        CatalogError: Somebody has its catalog open.
    """
    with ExitStack() as held:
        for lock in sorted(folder.glob(f"index/*/*/{_LOCK}")):
            held.enter_context(FileLock.take(lock, f"the index {lock.parent}"))
        if (catalog := folder / CATALOG).is_file():
            database = held.enter_context(closing(sqlite3.connect(catalog, timeout=0)))
            try:
                database.execute("PRAGMA locking_mode = EXCLUSIVE")
                database.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if "locked" in str(error):
                    raise CatalogError(f"another program has {catalog} open", "end it, and try again") from error
            except sqlite3.Error:
                pass  # whoever replaces a damaged catalog loses nothing
        yield


def _unpack(source: Path, folder: Path) -> Backup:
    folder.mkdir()
    found: dict[str, tuple[int, str]] = {}
    contents: dict[str, Any] | None = None
    try:
        with tarfile.open(source, mode="r:") as archive:
            for entry in archive:
                opened = archive.extractfile(entry) if entry.isreg() else None
                if opened is None:
                    raise SourceError(f"{source} holds {entry.name!r}, which is no file", "give another backup")
                if entry.name == CONTENTS:
                    contents = json.loads(opened.read(_BLOCK * 64))
                else:
                    found[entry.name] = _write(opened, folder / _inside(source, entry.name))
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise SourceError(f"{source} cannot be read: {error}", "give a file that persrv backup made") from error
    if contents is None:
        raise SourceError(f"{source} has no {CONTENTS}", "it is cut off, or no backup; give another one")
    return _compared(source, contents, found)


def _settle(catalog: Path, before: str, folder: Path) -> None:
    """Give the rows of a restored catalog the collection's name, and added pictures their place in its folder."""
    if not catalog.is_file():
        return
    try:
        with closing(sqlite3.connect(catalog)) as database:
            for table in ("placements", "readings", "removed_stickers"):
                columns = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
                if "collection" in columns:
                    # Names of tables are this module's own.
                    update = f"UPDATE OR REPLACE {table} SET collection = ? WHERE collection = ?"  # noqa: S608
                    database.execute(update, (folder.name, before))
            for key, path in database.execute("SELECT key, path FROM placements WHERE loader = ?", (ADDED,)).fetchall():
                place = str(folder / "pictures" / PurePath(path).name)
                database.execute("UPDATE placements SET path = ? WHERE loader = ? AND key = ?", (place, ADDED, key))
            database.commit()
    except sqlite3.Error as error:
        raise CatalogError(f"the catalog of the backup cannot be used: {error}", "give another backup") from error


def _inside(source: Path, member: str) -> PurePosixPath:
    path = PurePosixPath(member)
    if path.is_absolute() or ".." in path.parts or "\\" in member or "\0" in member or not path.parts:
        raise SourceError(f"{source} holds the name {member!r}, which leads elsewhere", "do not trust this file")
    return path


def _write(opened: IO[bytes], path: Path) -> tuple[int, str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as out:
        while block := opened.read(_BLOCK):
            out.write(block)
            digest.update(block)
            size += len(block)
        out.flush()
        os.fsync(out.fileno())
    return size, digest.hexdigest()


def _compared(source: Path, contents: dict[str, Any], found: dict[str, tuple[int, str]]) -> Backup:
    if contents.get("format") != FORMAT:
        raise SourceError(
            f"{source} is a backup of format {contents.get('format')!r}, this version reads {FORMAT}", "update persrv"
        )
    try:
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in contents["files"].items()}
        made = Backup(str(contents["name"]), str(contents["created"]), str(contents["persrv"]), files)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(f"{source} has a damaged {CONTENTS}", "give another backup") from error
    if files != found:
        different = sorted(name for name in files.keys() | found.keys() if files.get(name) != found.get(name))
        raise SourceError(f"{different[0]} in {source} is not what was backed up", "give another backup")
    return made


def _checked_name(name: str) -> str:
    probe = {"name": name, "stickers": {"loader": "folder"}}
    return Recipe.from_dict(probe).name
