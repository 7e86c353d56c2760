"""Whether a collection's files are what was written: its catalog, pictures, vectors, fit and index, looked at in full.

Each look returns what it saw in a line, or raises an error that names the command that mends it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from persrv.catalog import Catalog, VectorCache
from persrv.catalog.batches import chunks
from persrv.catalog.identity import content_id
from persrv.errors import CatalogError, IndexLockedError, PersrvError, PictureError, VectorIndexError
from persrv.images.duplicates import PerceptualHash
from persrv.index.columns.store import columns_of, lacks_columns
from persrv.index.columns.verification import differing_stickers
from persrv.indexing.duplicates import Duplicates
from persrv.indexing.fit import Fit
from persrv.indexing.progress import Progress
from persrv.indexing.style_fit import StyleFit
from persrv.indexing.vector_sources import open_vectors
from persrv.indexing.verification import Findings, verify_index
from persrv.workspace import Workspace

Look = Callable[[Workspace, Progress], str]


def look_at_database(workspace: Workspace, progress: Progress) -> str:
    """Ask the catalog's database about its own state.

    Raises:
        CatalogError: It is damaged.
    """
    with workspace.existing_catalog() as catalog, progress.stage("checking the catalog", None):
        if found := catalog.damage():
            raise CatalogError(f"the catalog of {workspace.recipe.name} is damaged: {found[0]}", mended_by(workspace))
    return "the catalog's pages and references are sound"


def look_at_contents(workspace: Workspace, progress: Progress) -> str:
    """Compare every picture's content with the sticker's id, which is its hash.

    Raises:
        PictureError: A picture cannot be read or is another one than was taken in.
    """
    others: list[Path] = []
    seen = 0
    with workspace.existing_catalog() as catalog, progress.stage("reading pictures", catalog.count()) as advance:
        for sticker in catalog.stickers(typed=0):
            advance(1)
            if sticker.path is None:
                continue
            seen += 1
            if not sticker.path.is_file() or content_id(sticker.path) != sticker.id:
                others.append(sticker.path)
    if others:
        added = [path for path in others if path.is_relative_to(workspace.folder)]
        next_step = f"put it back, or run persrv build -c {workspace.recipe.name}"
        if added:
            next_step = "restore a backup, or remove the sticker and add it again"
        shown = (added or others)[0]
        raise PictureError(f"{len(others)} of {seen} pictures are not what was taken in, such as {shown}", next_step)
    return f"{seen} pictures are what was taken in"


def look_at_vectors(workspace: Workspace, progress: Progress) -> str:
    """Compare every stored vector with its check sum, and near-duplicates with what was found of them.

    Raises:
        CatalogError: A vector is not what was stored, or links of near-duplicates are gone.
    """
    rows = 0
    with progress.stage("checking vectors", None) as advance:
        for cache in caches(workspace):
            with cache:
                if damaged := cache.damaged():
                    raise CatalogError(f"{len(damaged)} vectors in {cache.file} are damaged", mended_by(workspace))
                rows += len(cache)
                advance(len(cache))
    if not links_are_whole(workspace):
        raise CatalogError(
            f"links of near-duplicates of {workspace.recipe.name} are gone or changed", mended_by(workspace)
        )
    return f"{rows} vectors are what was stored"


def look_at_index_contents(workspace: Workspace, progress: Progress) -> str:
    """Compare every point, word, filter and style of the current build with the catalog, and columns with the points.

    Raises:
        VectorIndexError: Something differs, or cannot be read.
        IndexLockedError: Another process has the index open.
    """
    name = workspace.recipe.name
    rebuild = f"run persrv build -c {name} --rebuild"
    with ExitStack() as opened:
        catalog = opened.enter_context(workspace.existing_catalog())
        sources = opened.enter_context(open_vectors(workspace))
        store = workspace.store(own_process=True)
        opened.callback(store.close)
        stickers = opened.enter_context(store.open(name))
        users = opened.enter_context(store.open(workspace.users_name, stickers.manifest.build))
        fit = Fit.load(catalog.index_fit(stickers.manifest.vocabulary), workspace)
        if fit.style is not None:
            StyleFit.check(workspace.folder / "fits" / fit.name)
        found = verify_index(workspace, catalog, sources, stickers, users, progress)
        columns = columns_of(stickers)
        differing = differing_stickers(columns, stickers) if columns is not None else []
        lacking = columns is None and lacks_columns(store, name)
    if problem := _told(found):
        raise VectorIndexError(f"the index of {name} is not what the catalog says: {problem}", rebuild)
    if lacking:
        raise VectorIndexError(
            f"the index of {name} has no columns, searches are slower", f"run persrv build -c {name}"
        )
    if differing:
        raise VectorIndexError(
            f"columns of {name} say something else than the index of {len(differing)} stickers, such as {differing[0]}",
            rebuild,
        )
    late = f", {len(found.waiting)} wait to be written" if found.waiting else ""
    return f"{found.points} points, their words, filters and styles are what the catalog says{late}"


LOOKS: Mapping[str, Look] = {
    "database": look_at_database,
    "contents": look_at_contents,
    "vectors": look_at_vectors,
    "index contents": look_at_index_contents,
}
"""Everything that is looked at in full, by name."""


def caches(workspace: Workspace) -> list[VectorCache]:
    """Open every vector cache of a collection."""
    return [cache for name in ("vectors", "phrases") for cache in VectorCache.all_in(workspace.folder / name)]


def links_are_whole(workspace: Workspace) -> bool:
    """Return whether the stickers that the current build has as near-duplicates are linked, and no others.

    Raises:
        PersrvError: The catalog or the index's description cannot be read.
    """
    store = workspace.store()
    try:
        manifest = store.manifest(workspace.recipe.name)
    except VectorIndexError:
        return True  # the index is looked at by itself
    finally:
        store.close()
    if manifest is None or not any((workspace.folder / "vectors").glob("*.ids")):
        return True
    with workspace.existing_catalog() as catalog, workspace.vectors(PerceptualHash()) as hashes:
        groups: dict[str, str] = {}
        for ids in _listed(catalog):
            known = catalog.indexed(manifest.vocabulary, ids)
            groups.update((sticker_id, each.group) for sticker_id, each in known.items() if each.group)
        return _partition(groups) == _partition(Duplicates(hashes).named(set(groups)))


def _listed(catalog: Catalog) -> Iterator[list[str]]:
    for batch in chunks(catalog.stickers(typed=0)):
        yield [sticker.id for sticker in batch]


def _partition(groups: Mapping[str, str]) -> set[frozenset[str]]:
    members: dict[str, set[str]] = defaultdict(set)
    for sticker_id, group in groups.items():
        members[group].add(sticker_id)
    return {frozenset(ids) for ids in members.values()}


def _told(found: Findings) -> str:
    """Return what differs in a few words, ``""`` for nothing."""
    for what, differing in (
        ("points differ", found.differing),
        ("words find other stickers", found.words),
        ("filters let others pass", found.filters),
        ("users' styles are not those of their picks", found.people),
    ):
        if differing:
            shown = "" if differing is found.people else f", such as {differing[0]}"
            return f"{len(differing)} {what}{shown}"
    return ""


def mended_by(workspace: Workspace) -> str:
    """Return the command that mends what a build does not, as errors name it."""
    return f"run persrv repair -c {workspace.recipe.name}"


def is_sound(look: Look, workspace: Workspace, progress: Progress) -> bool:
    """Return whether a look finds nothing wrong; an index that somebody else has open is no finding.

    Raises:
        IndexLockedError: Another process has the index open.
    """
    try:
        look(workspace, progress)
    except IndexLockedError:
        raise
    except PersrvError:
        return False
    return True
