"""Mends a damaged collection from what is still sound of it: the catalog's rows, the vectors, the source, the index."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from persrv.catalog import Catalog
from persrv.catalog.durable import write_file
from persrv.catalog.salvage import Salvage, put_homeless, salvage
from persrv.errors import CatalogError, PersrvError
from persrv.images.duplicates import PerceptualHash
from persrv.indexing.duplicates import Duplicates
from persrv.indexing.progress import Progress, Silent
from persrv.indexing.soundness import caches, is_sound, links_are_whole, look_at_database, look_at_index_contents
from persrv.offline.pipeline import BuildReport, build_collection
from persrv.recipe import Recipe
from persrv.workspace import Workspace

_MENDED, _MENDING = ".catalog.mended.db", ".catalog.mending"
"""A catalog that waits to be put in place, and what names the damaged one until its repair has come to its end."""


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair did.

    Attributes:
        steps: A sentence for each thing that was mended; none for a sound collection.
        build: The build that followed.
        lost: Rows of the catalog that could be read, but belong to stickers that nobody has any more.
    """

    steps: tuple[str, ...]
    build: BuildReport
    lost: int = 0


def repair_collection(
    recipe: str | Path | Recipe, *, home: str | Path | None = None, progress: Progress | None = None
) -> RepairReport:
    """Look at all of a collection, mend what is damaged, and build it; nobody may use it meanwhile.

    Rows of a damaged catalog that can still be read come over into a new one, and the damaged file stays beside it.
    Damaged vectors are made again from their pictures. A damaged index is made again from the catalog. A repair that
    was killed is gone on with by the next.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object.
        home: Holds every collection's folder.
        progress: Shows how far it is.

    Raises:
        IndexLockedError: Another process has the index open.
        NotFoundError: There is nothing of the collection.
        PersrvError: As :func:`persrv.offline.build_collection`.
    """
    shown = progress or Silent()
    workspace = Workspace.of(recipe, home)
    steps: list[str] = []
    found = None if workspace.recipe.catalog.url else _mend_catalog(workspace, shown, steps)
    _mend_vectors(workspace, steps)
    rebuild = found is not None or not is_sound(look_at_index_contents, workspace, shown)
    if rebuild:
        steps.append("the index is made again from the catalog")
    report = build_collection(workspace.recipe, home=workspace.folder.parent, progress=shown, rebuild=rebuild)
    lost = 0
    if found is not None and found.homeless:
        lost = put_homeless(_file(workspace), found)
        report = build_collection(workspace.recipe, home=workspace.folder.parent, progress=shown, rebuild=True)
    _file(workspace).with_name(_MENDING).unlink(missing_ok=True)
    return RepairReport(tuple(steps), report, lost)


def _mend_catalog(workspace: Workspace, progress: Progress, steps: list[str]) -> Salvage | None:
    file = _file(workspace)
    if not file.is_file():
        steps.append("the catalog is gone: stickers are read from their source, without edits and picks made here")
        return None
    marker, mended = file.with_name(_MENDING), file.with_name(_MENDED)
    sound = is_sound(look_at_database, workspace, progress)
    if marker.exists() and (mended.exists() or sound):
        steps.append("a repair that was broken off is gone on with")
        return _mend_further(file, file.with_name(marker.read_text("utf-8")), workspace.recipe.name)
    if sound:
        return None
    kept = file.with_name(f"catalog.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db")
    try:
        for end in ("", "-wal"):
            if (part := Path(f"{file}{end}")).exists():
                shutil.copyfile(part, f"{kept}{end}")
        draft = _empty(file, workspace.recipe.name)
        found = salvage(kept, draft)
        write_file(marker, kept.name.encode())
        draft.replace(mended)
        _switch(mended, file)
    except OSError as error:
        raise CatalogError(f"the catalog {file} cannot be mended: {error}", "make room, and try again") from error
    rows = ", ".join(f"{count} {table}" for table, count in found.rows.items() if count)
    steps.append(f"the catalog was damaged: {rows or 'no row'} came over; the damaged file is {kept}")
    return found


def _mend_further(file: Path, kept: Path, name: str) -> Salvage:
    """Put a catalog in place that was mended before a kill, and look once more for what has no sticker yet."""
    try:
        if (mended := file.with_name(_MENDED)).exists():
            _switch(mended, file)
        draft = _empty(file, name)
        found = salvage(kept, draft)
        draft.unlink()
    except OSError as error:
        raise CatalogError(f"the catalog {file} cannot be mended: {error}", "make room, and try again") from error
    return found


def _empty(file: Path, name: str) -> Path:
    """Make an empty catalog beside another."""
    draft = file.with_name(".catalog.new.db")
    for end in ("", "-wal", "-shm"):
        Path(f"{draft}{end}").unlink(missing_ok=True)
    Catalog.open(draft, name).close()
    return draft


def _switch(mended: Path, file: Path) -> None:
    """Put a mended catalog in the place of the damaged one; its log must not be taken for the new one's."""
    for end in ("-wal", "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)
    mended.replace(file)


def _mend_vectors(workspace: Workspace, steps: list[str]) -> None:
    for cache in caches(workspace):
        with cache:
            if damaged := cache.damaged():
                cache.drop(damaged)
                steps.append(f"{len(damaged)} damaged vectors of {cache.file.name} are made again")
    try:
        whole = links_are_whole(workspace)
    except PersrvError:
        whole = False
    if not whole:
        with workspace.vectors(PerceptualHash()) as hashes:
            Duplicates(hashes).forget()
        steps.append("near-duplicates are looked for again")


def _file(workspace: Workspace) -> Path:
    return workspace.folder / "catalog.db"
