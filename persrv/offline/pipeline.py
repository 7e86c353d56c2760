"""The offline path: source, catalog, reading stages, index. Every part goes on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from persrv.catalog import Catalog
from persrv.errors import QueryError
from persrv.images.duplicates import PerceptualHash
from persrv.index.engine import Store
from persrv.index.manifest import Manifest
from persrv.indexing.progress import Progress, Silent
from persrv.indexing.update import IndexUpdate, update_index
from persrv.offline.advice import advice_on_words
from persrv.offline.engines import Engine, engine_named
from persrv.offline.ingest import Ingested, PickFilter, ingest
from persrv.offline.loading import load, load_stickers
from persrv.offline.readers import READING, open_readers
from persrv.offline.runner import StageReport, estimate_stage, run_stage
from persrv.offline.saved_anew import SavedAnew
from persrv.recipe import Recipe
from persrv.records import Skipped
from persrv.workspace import Workspace

_ADVISED = "advised on words"
"""Note that the first build is over."""

PARTS = ("ingest", *READING, "index")
"""What a build consists of, in order; ``only`` names some of them."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did.

    Attributes:
        manifest: Of the published index, ``None`` where no index was built.
        stickers: Stickers that the source has.
        removed: Stickers that left the source since the last build.
        picks: New picks.
        stages: What each reading stage did.
        users: Users whose style profile was fitted.
        index: What became of the index, ``None`` where it was left alone.
        skipped: Items that could not be used, each with a reason once; those of stages are tried again at the next
            build.
        seconds: Wall-clock time.
        notes: Sentences for the person who builds, about what was taken in another way than its source says.
    """

    manifest: Manifest | None
    stickers: int
    removed: int
    picks: int
    stages: tuple[StageReport, ...]
    users: int
    index: IndexUpdate | None
    skipped: tuple[Skipped, ...]
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def encoded(self) -> int:
        """Pictures that were newly looked at."""
        return sum(stage.done for stage in self.stages if stage.name == "look")


def build_collection(
    recipe: str | Path | Recipe,
    *,
    home: str | Path | None = None,
    progress: Progress | None = None,
    only: Collection[str] = (),
    limit: int | None = None,
    keep_pick: PickFilter | None = None,
    engine: str | Engine = "local",
    rebuild: bool = False,
    allow_removal: bool = False,
) -> BuildReport:
    """Build a collection, or bring it up to date, and publish it.

    Where the published index was made by the same recipe, only the points of what changed are written, in place. Else,
    or where the collection has changed too much for what was fitted on it, an index is built beside and switched to;
    until it is complete, searches see the old one. An interrupted build keeps what it had read and goes on from there.
    What cannot be used is skipped and reported.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object.
        home: Holds every collection's folder; default ``PERSRV_HOME``, else the user's data folder.
        progress: Shows how far it is; default nothing.
        only: Parts to do, of :data:`PARTS`; default all.
        limit: Largest number of stickers that each reading stage works on; default all.
        keep_pick: Picks for which it is false are not taken in; evaluation holds picks back this way.
        engine: Where models work: ``"local"``, ``"ray"``, or an engine with settings of its own, such as
            :class:`~persrv.offline.engines.RayEngine`. It is closed at the end.
        rebuild: Fit the collection and build its index anew, also where an update in place would do.
        allow_removal: Let a source lose all or more than half of its stickers, and a new catalog build over a
            server's collection; without it such a build stops, since a folder may only not be mounted.

    Raises:
        RecipeError: There is no such recipe, or it is wrong.
        QueryError: ``only`` names an unknown part, ``limit`` is negative, or there is no such engine.
        SourceError: The source cannot be read, or lost more than half of its stickers.
        NotFoundError: The server has the collection, and its catalog is on another machine.
        CatalogError: The database cannot be used.
        MissingExtraError: A reader's packages are not installed.
        VectorIndexError: The index cannot be written.
    """
    started = time.monotonic()
    parts = _parts(only, limit)
    shown = progress or Silent()
    runs_on = engine_named(engine) if isinstance(engine, str) else engine
    workspace = Workspace.of(recipe, home)
    settings = workspace.recipe
    loaders = load_stickers(settings, workspace.folder)
    pick_loaders = [load(source, settings, workspace.folder) for source in settings.interactions]
    with ExitStack() as opened:
        opened.callback(runs_on.close)
        catalog = opened.enter_context(workspace.catalog())
        store = _index(workspace, opened) if "index" in parts else None
        if store is not None and not allow_removal:
            workspace.check_new(catalog, store)
        readers = opened.enter_context(open_readers(workspace, parts))
        stages = [stage for stage in readers.stages if stage.name in parts]
        came = Ingested(catalog.count(), 0, 0, ())
        if "ingest" in parts:
            hashes = opened.enter_context(workspace.vectors(PerceptualHash()))
            came = ingest(
                catalog,
                loaders,
                pick_loaders,
                shown,
                keep_pick,
                allow_removal=allow_removal,
                same_picture=SavedAnew(hashes),
            )
        reports = tuple(run_stage(stage, workspace, catalog, runs_on, shown, limit) for stage in stages)
        published: IndexUpdate | None = None
        if store is not None:
            published = update_index(workspace, catalog, readers.vectors, store, shown, rebuild=rebuild)
        helpful = _advice(workspace, catalog) if "ingest" in parts else []
    return BuildReport(
        manifest=published.manifest if published else None,
        stickers=came.stickers,
        removed=came.removed,
        picks=came.picks,
        stages=reports,
        users=published.users if published else 0,
        index=published,
        # A picture that cannot be opened fails in every stage, and is one thing to mend.
        skipped=tuple(dict.fromkeys((*came.skipped, *(item for report in reports for item in report.skipped)))),
        seconds=time.monotonic() - started,
        notes=(*came.notes, *helpful),
    )


def _advice(workspace: Workspace, catalog: Catalog) -> list[str]:
    """Return what would give the stickers words, at the first build only: whoever goes on without it knows why."""
    note = f"{_ADVISED}:{catalog.collection}"
    if catalog.noted(note):
        return []
    catalog.note(note, True)
    return advice_on_words(workspace, catalog)


def plan_build(
    recipe: str | Path | Recipe, *, home: str | Path | None = None, only: Collection[str] = (), limit: int | None = None
) -> list[StageReport]:
    """Say what :func:`build_collection` would do to the stickers that are in the catalog; nothing is read or written.

    Stages that never ran here are timed on a few stickers. Arguments and errors are those of
    :func:`build_collection`.
    """
    parts = _parts(only, limit)
    workspace = Workspace.of(recipe, home)
    with workspace.existing_catalog() as catalog, open_readers(workspace, parts) as readers:
        return [estimate_stage(stage, catalog, limit) for stage in readers.stages if stage.name in parts]


def _index(workspace: Workspace, opened: ExitStack) -> Store:
    """Open the index before the first picture is read, and see that the build will be taken there."""
    store = workspace.store()
    opened.callback(store.close)
    for name in (workspace.recipe.name, workspace.users_name):
        store.check_writable(name)
    return store


def _parts(only: Collection[str], limit: int | None) -> frozenset[str]:
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise QueryError(f"there is no part {unknown[0]!r} of a build", f"name some of {', '.join(PARTS)}")
    if limit is not None and limit < 0:
        raise QueryError(f"limit {limit} is negative", "give 0 or more")
    return frozenset(only or PARTS)
