"""A whole new build beside the current one: the catalog and the vectors become two published Qdrant collections."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np

from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.errors import IndexMismatchError
from persrv.index.engine import Collection, Store
from persrv.index.manifest import Manifest, new_build
from persrv.index.schema import sticker_schema, user_schema
from persrv.indexing.fit import Fit
from persrv.indexing.fitting import BATCH, Survey, fit_collection, survey
from persrv.indexing.forgetting import remove_forgotten
from persrv.indexing.in_place import PublishedIndex
from persrv.indexing.making import CollectionPoints
from persrv.indexing.progress import Progress
from persrv.indexing.users import learn_again, learn_profiles, write_profiles
from persrv.indexing.vector_sources import VectorSources
from persrv.recipe import Style
from persrv.text import TOKENIZER
from persrv.text.bm25f import collisions
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.fusion import borne_out
from persrv.text.meaning.learn import sticker_rows
from persrv.text.meaning.rows import cosines
from persrv.text.meaning.space import MeaningSpace
from persrv.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Published:
    """What was published.

    Attributes:
        manifest: The sticker collection's manifest.
        users: Users with a style profile that were written.
    """

    manifest: Manifest
    users: int


def build_beside(
    workspace: Workspace,
    catalog: Catalog,
    sources: VectorSources,
    store: Store,
    progress: Progress,
    fit: Fit | None = None,
) -> Published:
    """Build both collections beside the current ones, then switch to them.

    Args:
        workspace: The recipe and its folder.
        catalog: Has the stickers.
        sources: Give vectors.
        store: Where the collections go.
        progress: Shows how far it is.
        fit: Taken as it is; by default the collection is fitted.

    Raises:
        VectorIndexError: The index cannot be written; the current one is untouched.
    """
    recipe, build = workspace.recipe, new_build()
    forgettings = catalog.forgettings()
    # What changes from here on is made again when the build is in use.
    revision, picks = catalog.revision(), catalog.last_pick()
    catalog.count_anew()
    catalog.begin_index(build, revision, picks, None)
    found = survey(workspace, catalog, sources, build, progress)
    catalog.put_counts(build, found.statistics)
    fit = fit or fit_collection(workspace, catalog, sources, found, build, progress)
    saved = fit.save(workspace)
    catalog.begin_index(build, revision, picks, saved)
    # From its files, so that what is large is mapped and not held.
    fit = Fit.load(saved, workspace)
    manifest = _manifest(workspace, catalog, sources, build, found, fit)
    ids = found.ids
    del found  # its counts are in the catalog
    _return_freed()
    schema = sticker_schema(
        manifest.dimension,
        recipe.index.hnsw_m,
        workspace.placement,
        fit.meaning.dimension if fit.meaning else 0,
        manifest.style_dimension,
        regions=bool(manifest.regional_words),
    )
    stickers = store.create(recipe.name, schema, manifest)
    users = store.create(workspace.users_name, user_schema(manifest.taste_dimension, workspace.placement), manifest)
    points = CollectionPoints(recipe, catalog, sources, fit)
    people, centroids = _fill(catalog, points, ids, stickers, users, recipe.style, progress)
    _return_freed()
    if late := catalog.users_since(picks):
        # Those who picked while the build ran: their picks may have come after their profile was fitted.
        learn_again(catalog, stickers, users, late, recipe.style, progress)
        centroids = users.count()
    if catalog.anybody_forgotten(forgettings):
        # What they picked and typed was read before: their stickers' points are made again.
        PublishedIndex(workspace, catalog, sources, stickers, users).catch_up(progress)
        remove_forgotten(catalog, users, forgettings)
        centroids = users.count()
    published = store.publish(workspace.users_name, users, centroids)
    store.publish(recipe.name, stickers).close()
    # Whoever is forgotten from here on is looked for in this build; until here it was in the one before.
    remove_forgotten(catalog, published, forgettings)
    published.close()
    keep_words(catalog, store, recipe.name, workspace.place)
    return Published(manifest, people)


def _fill(
    catalog: Catalog,
    points: CollectionPoints,
    ids: Sequence[str],
    stickers: Collection,
    users: Collection,
    style: Style,
    progress: Progress,
) -> tuple[int, int]:
    """Write the points of all stickers and users, and return the number of users and of their centroids."""
    build = stickers.manifest.vocabulary
    tastes = np.zeros((len(ids), stickers.manifest.taste_dimension), np.float32)
    rows = {sticker_id: row for row, sticker_id in enumerate(ids)}
    with progress.stage("indexing stickers", len(ids)) as advance:
        for batch in chunks(ids, BATCH):
            indexed = catalog.indexed(build, batch)
            made = points.make(
                [*catalog.stickers(batch, typed=0)],
                {sticker_id: known.group for sticker_id, known in indexed.items()},
                {sticker_id: known.terms for sticker_id, known in indexed.items()},
            )
            stickers.upsert([each.point for each in made])
            for each in made:
                tastes[rows[each.indexed.sticker_id]] = each.taste
            advance(len(batch))
    return write_profiles(learn_profiles(catalog, rows, tastes, style), stickers, users, progress)


def _manifest(
    workspace: Workspace, catalog: Catalog, sources: VectorSources, build: str, found: Survey, fit: Fit
) -> Manifest:
    texts = sources.meaning
    return Manifest(
        build=build,
        vocabulary=build,
        recipe=workspace.recipe.name,
        tokenizer=TOKENIZER,
        text=workspace.recipe.fingerprint("text"),
        encoder=f"{sources.encoder.name}@{sources.encoder.revision}",
        dimension=fit.space.dimension,
        beta=workspace.recipe.ranking.beta,
        avg_length=dict(fit.average_lengths),
        stickers=len(found.ids),
        collisions=collisions(found.statistics.document_frequencies),
        space=fit.space.to_dict(),
        meaning=f"{texts.name}@{texts.revision}" if texts else "",
        meaning_space=fit.meaning.to_dict() if fit.meaning else {},
        style=workspace.style_name,
        style_dimension=fit.style.dimension if fit.style else 0,
        regions=fit.clusters.tolist(),
        regional_words=sorted(fit.regional_words),
        style_space=fit.style.space.to_dict() if fit.style else {},
        borne_out=_borne_out(catalog, texts, fit.meaning) if texts and fit.meaning else 1.0,
        repeats=asdict(catalog.repeat_weights(workspace.recipe.ranking.own_half_life_days)),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        persrv=version("persrv"),
    )


def _borne_out(catalog: Catalog, encoder: TextEncoder, space: MeaningSpace) -> float:
    """Learn how far meaning may be trusted, from how near the latest queries were to what was picked for them."""
    picks = catalog.latest_meant()
    stickers = {sticker.id: sticker for sticker in catalog.stickers({pick.sticker_id for pick in picks}, typed=0)}
    picks = [pick for pick in picks if pick.sticker_id in stickers]
    rows = sticker_rows(encoder, space, [stickers[pick.sticker_id].semantics for pick in picks])
    return borne_out(
        np.array(
            [
                space.standardised(cosines(space.search(encoder.encode_query(pick.query))[None, :], [indexed]))[0, 0]
                for pick, indexed in zip(picks, rows, strict=True)
                if len(indexed)
            ]
        )
    )


def keep_words(catalog: Catalog, store: Store, name: str, place: str) -> None:
    """Tell the catalog which builds a store answers with: the current version, the one before, and what is still open.

    Called after every switch; what is not needed any more, there or elsewhere, goes.

    Args:
        catalog: Has the words.
        store: Where the versions are.
        name: The collection's name there.
        place: The store's place, see :attr:`persrv.workspace.Workspace.place`.
    """
    manifests = []
    for build in store.kept(name):
        # One whose description is damaged answers nobody, and must not keep another from being used.
        with suppress(IndexMismatchError):
            manifests.append(store.manifest(name, build))
    catalog.keep_builds(place, [manifest.vocabulary or manifest.build for manifest in manifests if manifest])


def _return_freed() -> None:
    """Give the system what was freed: the C library keeps it, in gaps between what is still used."""
    with suppress(AttributeError, OSError, TypeError):  # other libraries than Linux's have no such call
        ctypes.CDLL(None).malloc_trim(0)
