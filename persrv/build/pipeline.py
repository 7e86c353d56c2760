"""The offline path: source, catalog, pictures, index. Every stage goes on where it stopped."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from persrv.build.assemble import assemble
from persrv.build.embed import embed
from persrv.build.ingest import PickFilter, ingest
from persrv.build.progress import Progress, Silent
from persrv.index.manifest import Manifest
from persrv.loading import load
from persrv.recipe import Recipe
from persrv.records import Skipped
from persrv.workspace import Workspace


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did.

    Attributes:
        manifest: Of the published index.
        stickers: Stickers that the source has.
        removed: Stickers that left the source since the last build.
        picks: New picks.
        encoded: Pictures that were looked at; the others were known.
        users: Users with a style profile.
        skipped: Items that could not be used, with reasons.
        seconds: Wall-clock time.
    """

    manifest: Manifest
    stickers: int
    removed: int
    picks: int
    encoded: int
    users: int
    skipped: tuple[Skipped, ...]
    seconds: float


def build_collection(
    recipe: str | Path | Recipe,
    *,
    home: Path | None = None,
    progress: Progress | None = None,
    keep_pick: PickFilter | None = None,
) -> BuildReport:
    """Build a collection, or bring it up to date, and publish it.

    An interrupted build keeps what it had read and goes on from there; until the new index is complete, searches see
    the old one. What cannot be used is skipped and reported.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object.
        home: Holds every collection's folder; default ``PERSRV_HOME``, else the user's data folder.
        progress: Shows how far it is; default nothing.
        keep_pick: Picks for which it is false are not taken in; evaluation holds picks back this way.

    Raises:
        RecipeError: There is no such recipe, or it is wrong.
        SourceError: The source cannot be read.
        CatalogError: The database cannot be used.
        VectorIndexError: The index cannot be written.
    """
    started = time.monotonic()
    shown = progress or Silent()
    workspace = Workspace.of(recipe, home)
    settings = workspace.recipe
    loader = load(settings.stickers, settings)
    pick_loaders = [load(source, settings) for source in settings.interactions]
    encoder = workspace.encoder()
    with ExitStack() as opened:
        store = workspace.store()
        opened.callback(store.close)
        catalog = opened.enter_context(workspace.catalog())
        cache = opened.enter_context(workspace.vectors(encoder))
        came = ingest(catalog, loader, pick_loaders, shown, keep_pick)
        encoded, unreadable = embed(catalog, cache, encoder, settings.image.batch, shown)
        published = assemble(workspace, catalog, cache, encoder, store, shown)
    return BuildReport(
        manifest=published.manifest,
        stickers=came.stickers,
        removed=came.removed,
        picks=came.picks,
        encoded=encoded,
        users=published.users,
        skipped=came.skipped + unreadable,
        seconds=time.monotonic() - started,
    )
