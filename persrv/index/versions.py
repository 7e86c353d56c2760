"""The folder of one embedded collection: its versions, and the pointer that says which one is current.

::

    NAME/
    ├── CURRENT              first line: the current version; second line: the previous one
    ├── CHANGE               lock for the moments in which versions come and go
    └── 20261104T121314Z-5ae0b7/
        ├── LOCK             held by the process that has this version open
        ├── BUILDING         there until the version is published
        ├── manifest.json
        ├── shard/           the engine's own files
        └── columns/         in a large collection, see :mod:`persrv.index.columns.live`
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persrv.catalog.durable import extend_file, sync_folder, write_file
from persrv.errors import IndexLockedError, IndexMismatchError, VectorIndexError
from persrv.index.description import description_of, read_description
from persrv.index.lock import FileLock
from persrv.index.manifest import BUILD_PATTERN, Manifest
from persrv.index.schema import Schema

_BUILD = re.compile(BUILD_PATTERN)
_DIGEST = "sha256"
"""Key of the check sum of everything else in ``manifest.json``."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which version is current and which one was before; ``""`` for none."""

    current: str = ""
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of one collection.

    Attributes:
        folder: ``.../NAME``; need not exist.
    """

    folder: Path

    def changing(self) -> FileLock:
        """Wait for the right to add, remove or switch versions; makes the folder.

        Raises:
            VectorIndexError: The folder cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VectorIndexError(f"{self.folder} cannot be made: {error}", "make room, or choose another") from error
        return FileLock.wait(self.folder / "CHANGE")

    def pointer(self) -> Pointer:
        """Read which version is current.

        Raises:
            VectorIndexError: The pointer is damaged.
        """
        file = self.folder / "CURRENT"
        try:
            lines = file.read_bytes().decode("ascii", "replace").splitlines()
        except FileNotFoundError:
            return Pointer()
        except OSError as error:
            raise VectorIndexError(f"{file} cannot be read: {error.strerror}", "make it readable") from error
        found = Pointer(*[*lines, "", ""][:2])
        for build in (found.current, found.previous):
            if build and not _BUILD.fullmatch(build):
                raise VectorIndexError(f"{file} is damaged, it names no build", self.mended_by)
        if found.current and not (self.folder / found.current).is_dir():
            raise VectorIndexError(f"{file} names the build {found.current}, which is not there", self.mended_by)
        return found

    def sound_pointer(self) -> Pointer:
        """Read which version is current; none where the pointer is damaged, for those who make a new one."""
        try:
            return self.pointer()
        except VectorIndexError:
            return Pointer()

    @property
    def mended_by(self) -> str:
        """The command that makes the index anew, as errors name it; a users' collection is its stickers'."""
        return f"run persrv build -c {self.folder.name.removesuffix('_users')} --rebuild"

    def point(self, pointer: Pointer) -> None:
        """Switch, such that a reader sees the old or the new pointer, also after a power failure."""
        replace_file(self.folder / "CURRENT", f"{pointer.current}\n{pointer.previous}\n")

    def add(self, build: str) -> FileLock:
        """Make the folder of a new, unpublished version and own it; the caller holds :meth:`changing`.

        Raises:
            VectorIndexError: There is a version of this name.
        """
        version = self.folder / build
        try:
            version.mkdir()
            # On the disk before anything else, or a power cut would leave a half version that looks published.
            extend_file(version / "BUILDING", 0, b"")
            sync_folder(version)
        except OSError as error:
            raise VectorIndexError(f"{version} cannot be made: {error}", "make a new id with new_build()") from error
        return self.lock(build)

    def building(self, build: str) -> bool:
        """Whether this version is there and was not yet published."""
        return (self.folder / build / "BUILDING").exists()

    def unpublished(self) -> list[str]:
        """Return the versions that were not published, sorted."""
        return sorted(mark.parent.name for mark in self.folder.glob("*/BUILDING"))

    def published(self, build: str) -> bool:
        """Whether this version is there and was published; a removal that broke off may leave the lock alone."""
        return self.shard(build).is_dir() and not self.building(build)

    def publish(self, build: str) -> None:
        """Make an unpublished version current; the caller holds :meth:`changing`."""
        version = self.folder / build
        try:
            (version / "BUILDING").unlink()
            sync_folder(version)
        except OSError as error:
            raise VectorIndexError(f"{version} cannot be published: {error}", "look after the disk") from error
        self.point(Pointer(build, self.sound_pointer().current))

    def shard(self, build: str) -> Path:
        """Return the folder of the engine's files."""
        return self.folder / build / "shard"

    def lock(self, build: str) -> FileLock:
        """Become the owner of one version.

        Raises:
            IndexLockedError: Another process is.
            VectorIndexError: The version is not there.
        """
        return FileLock.take(self.folder / build / "LOCK", f"the index {self.folder / build}")

    def write_description(self, build: str, schema: Schema, manifest: Manifest) -> None:
        """Keep schema and manifest beside the version."""
        described = description_of(schema, manifest)
        described[_DIGEST] = _digest(described)
        text = json.dumps(described, ensure_ascii=False, indent=2, sort_keys=True)
        replace_file(self.folder / build / "manifest.json", text + "\n")

    def description(self, build: str) -> tuple[Schema, Manifest]:
        """Read schema and manifest of a version.

        Raises:
            IndexMismatchError: They are missing, cannot be read, or are not what was written.
        """
        file = self.folder / build / "manifest.json"
        try:
            described = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise IndexMismatchError(f"{file} cannot be read: {error}", self.mended_by) from error
        schema, manifest = read_description(described, str(file))
        digest = described.pop(_DIGEST, None)
        if manifest.build != build or digest not in (None, _digest(described)):
            raise IndexMismatchError(f"{file} is damaged, or belongs to another build", self.mended_by)
        return schema, manifest

    def remove_others(self, keep: set[str]) -> list[str]:
        """Remove every version that is not kept and that nobody has open; the caller holds :meth:`changing`.

        Returns:
            The versions that somebody has open, which stay until the next time.
        """
        busy = []
        for version in sorted(self.folder.iterdir()):
            if not version.is_dir() or version.name in keep:
                continue
            try:
                with self.lock(version.name):
                    _remove(version)
            except IndexLockedError:
                busy.append(version.name)
            except OSError as error:
                raise VectorIndexError(f"{version} cannot be removed: {error}", "remove it by hand") from error
        return busy


def _remove(version: Path) -> None:
    """Remove a version; where that breaks off, what is left counts as never published, and nobody opens it.

    The lock's file goes last: whoever made another one would own what is just being removed.
    """
    mark, lock = version / "BUILDING", version / "LOCK"
    extend_file(mark, 0, b"")
    sync_folder(version)
    for part in version.iterdir():
        if part.is_dir():
            shutil.rmtree(part)
        elif part not in (mark, lock):
            part.unlink()
    mark.unlink()
    lock.unlink()
    version.rmdir()


def _digest(described: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def replace_file(path: Path, text: str) -> None:
    """Write a small file, see :func:`persrv.catalog.durable.write_file`.

    Raises:
        VectorIndexError: The disk refuses.
    """
    try:
        write_file(path, text.encode())
    except OSError as error:
        raise VectorIndexError(
            f"{path} cannot be written: {error}", "make room, or make the folder writable"
        ) from error
