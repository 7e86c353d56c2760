"""Brings the index up to the catalog: in place where that is enough, else by a build beside the current one."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from persrv.catalog import Catalog
from persrv.errors import (
    BuildGoneError,
    CatalogError,
    IndexLockedError,
    IndexMismatchError,
    IndexUnavailableError,
    NotFoundError,
    VectorIndexError,
)
from persrv.index.columns.store import make_columns
from persrv.index.engine import Store
from persrv.index.manifest import Manifest
from persrv.indexing.beside import build_beside
from persrv.indexing.drift import COUNT, LENGTHS, PICKS, drift_of_lengths, growth
from persrv.indexing.fit import Fit, fingerprint
from persrv.indexing.forgetting import remove_forgotten
from persrv.indexing.in_place import PublishedIndex
from persrv.indexing.progress import Progress
from persrv.indexing.style_fit import StyleFit
from persrv.indexing.vector_sources import VectorSources
from persrv.text import TOKENIZER
from persrv.workspace import Workspace

_log = logging.getLogger("persrv")

Way = Literal["beside", "in place", "left"]
"""How an index was brought up to date; ``left`` where another process has it open and follows the catalog itself."""


@dataclass(frozen=True, slots=True)
class IndexUpdate:
    """What became of the index.

    Attributes:
        way: How it was brought up to date.
        manifest: Of the published build.
        written: Stickers whose points were written.
        removed: Stickers whose points were deleted.
        users: Users whose profiles were fitted.
    """

    way: Way
    manifest: Manifest
    written: int
    removed: int
    users: int


def update_index(
    workspace: Workspace,
    catalog: Catalog,
    sources: VectorSources,
    store: Store,
    progress: Progress,
    *,
    rebuild: bool = False,
) -> IndexUpdate:
    """Bring the index up to the catalog.

    Args:
        workspace: The recipe and its folder.
        catalog: Has the stickers, all of them read.
        sources: Give vectors.
        store: Where the index is.
        progress: Shows how far it is.
        rebuild: Build beside, also where an update in place would do.

    Raises:
        VectorIndexError: The index cannot be written; what is published stays as it is.
    """
    catalog.set_ready(workspace.recipe.name, catalog.revision())
    if not rebuild:
        try:
            done = _in_place(workspace, catalog, sources, store, progress)
        except (BuildGoneError, IndexMismatchError, NotFoundError):
            done = None
        except IndexUnavailableError:
            raise
        except VectorIndexError as error:
            # Everything in an index can be made again, and a damaged one is no reason to stop.
            _log.warning("the index is built anew: %s", error.problem)
            done = None
        if done is not None:
            return done
    published = build_beside(workspace, catalog, sources, store, progress)
    return IndexUpdate("beside", published.manifest, published.manifest.stickers, 0, published.users)


def _in_place(
    workspace: Workspace, catalog: Catalog, sources: VectorSources, store: Store, progress: Progress
) -> IndexUpdate | None:
    """Update in place; ``None`` where that cannot be done, or is not enough."""
    name, forgettings = workspace.recipe.name, catalog.forgettings()
    manifest = store.manifest(name)
    if manifest is None or not _usable(workspace, sources, manifest):
        return None
    fit = Fit.load(catalog.index_fit(manifest.vocabulary), workspace)
    grown = growth(fit.stickers, catalog.count()) > COUNT or growth(fit.picks, catalog.last_pick()) > PICKS
    if grown or fit.made_for != fingerprint(workspace):
        return None
    try:
        make_columns(store, name)
    except IndexLockedError:
        pass  # who has it open searches without columns until it is opened anew
    except CatalogError as error:
        _log.warning("searches are slower until the next build: %s", error.problem)
    if _nothing_to_do(catalog, name, manifest.vocabulary):
        return IndexUpdate("in place", manifest, 0, 0, 0)
    if fit.style is not None:
        StyleFit.check(workspace.folder / "fits" / fit.name)
    with ExitStack() as opened:
        try:
            stickers = opened.enter_context(store.open(name, manifest.build))
            users = opened.enter_context(store.open(workspace.users_name, manifest.build))
        except IndexLockedError:
            catalog.leave_profiles(True)
            return IndexUpdate("left", manifest, 0, 0, 0)
        index = PublishedIndex(workspace, catalog, sources, stickers, users)
        refreshed = index.catch_up(progress)
        index.settle()
        now = catalog.index_state(manifest.vocabulary).average_lengths
        if drift_of_lengths(fit.average_lengths, now) > LENGTHS:
            return None
        people = len(index.learn(progress))
        remove_forgotten(catalog, users, forgettings)
    return IndexUpdate("in place", manifest, len(refreshed.written), len(refreshed.removed), people)


def _nothing_to_do(catalog: Catalog, collection: str, build: str) -> bool:
    """Whether the index follows the catalog already, so that it need not be opened."""
    state = catalog.index_state(build)
    changed = catalog.changed(build, (state.applied, "g"), catalog.ready(collection), 1)
    return not changed and state.fitted >= catalog.last_pick() and not catalog.unfitted(build)


def _usable(workspace: Workspace, sources: VectorSources, manifest: Manifest) -> bool:
    texts = sources.meaning
    try:
        manifest.check(
            tokenizer=TOKENIZER,
            text=workspace.recipe.fingerprint("text"),
            encoder=f"{sources.encoder.name}@{sources.encoder.revision}",
            meaning=f"{texts.name}@{texts.revision}" if texts else "",
            style=workspace.style_name,
        )
    except IndexMismatchError:
        return False
    return True
