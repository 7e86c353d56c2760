"""The last stage: the catalog and the vectors become two published Qdrant collections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from persrv.catalog import Catalog, PickCounts
from persrv.catalog.batches import chunks
from persrv.images.encoder import TextTower
from persrv.index.engine import Store
from persrv.index.manifest import Manifest, new_build
from persrv.index.profile_points import points_of
from persrv.index.schema import sticker_schema, user_schema
from persrv.indexing.looks import gather_looks
from persrv.indexing.meanings import learn_meanings
from persrv.indexing.points import PointMaker
from persrv.indexing.progress import Progress
from persrv.indexing.styles import gather_styles, sticker_words
from persrv.indexing.users import learn_profiles
from persrv.offline.readers import Readers
from persrv.ranking.utility import utilities
from persrv.records import Utility
from persrv.text import TOKENIZER
from persrv.text.bm25f import CorpusStatistics, collisions
from persrv.workspace import Workspace

BATCH = 256
"""Points in one upload; Qdrant's own advice is 64 to 256."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """What was published.

    Attributes:
        manifest: The sticker collection's manifest.
        users: Users with a style profile.
    """

    manifest: Manifest
    users: int


def assemble(workspace: Workspace, catalog: Catalog, readers: Readers, store: Store, progress: Progress) -> Assembled:
    """Build both collections beside the current ones, then switch to them.

    Raises:
        VectorIndexError: The index cannot be written; the current one is untouched.
    """
    recipe = workspace.recipe
    statistics, ids, packs = _survey(catalog, workspace, progress)
    encoder = readers.encoder
    looks = gather_looks(
        ids, packs, readers.images, readers.perceptual_hashes, encoder.dimension, isinstance(encoder, TextTower)
    )
    styles = None
    if workspace.style_name:
        words = sticker_words(lambda: catalog.stickers(typed=0), recipe.text) if recipe.style.apart else None
        styles = gather_styles(ids, packs, readers.styles, readers.style.dimension, words)
    utility, counts = _utility(catalog, workspace, ids)
    meanings = learn_meanings(catalog, readers.meaning, recipe.meaning, progress)
    build = new_build()
    manifest = Manifest(
        build=build,
        vocabulary=build,
        recipe=recipe.name,
        tokenizer=TOKENIZER,
        text=recipe.fingerprint("text"),
        encoder=f"{encoder.name}@{encoder.revision}",
        dimension=looks.images.shape[1],
        avg_length=dict(statistics.average_lengths),
        stickers=len(ids),
        collisions=collisions(statistics.document_frequencies),
        space=looks.space.to_dict(),
        meaning=meanings.name if meanings else "",
        meaning_space=meanings.space.to_dict() if meanings else {},
        style=workspace.style_name,
        style_dimension=styles.space.dimension if styles else 0,
        style_space=styles.space.to_dict() if styles else {},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        persrv=version("persrv"),
    )
    maker = PointMaker(recipe.text, statistics.average_lengths, recipe.index.image_base_url)
    rows = {sticker_id: row for row, sticker_id in enumerate(ids)}
    shown: dict[str, tuple[str, str, str]] = {}
    schema = sticker_schema(
        manifest.dimension,
        recipe.index.hnsw_m,
        recipe.index.replication_factor,
        meanings.space.dimension if meanings else 0,
        manifest.style_dimension,
    )
    stickers = store.create(recipe.name, schema, manifest)
    with progress.stage("indexing stickers", len(ids)) as advance:
        for batch in chunks(catalog.stickers(), BATCH):
            points = []
            rows_of = meanings.rows(batch) if meanings else [None] * len(batch)
            for sticker, said in zip(batch, rows_of, strict=True):
                row = rows[sticker.id]
                shown[sticker.id] = (sticker.id, sticker.title, maker.image_url(sticker))
                picked = counts.get(sticker.id)
                picks, group = picked.picks if picked else 0, looks.groups.get(sticker.id, "")
                drawn = styles.vectors[row] if styles else None
                points.append(maker.point(sticker, utility[row], picks, looks.images[row], drawn, group, said))
            stickers.upsert(points)
            advance(len(points))
    with progress.stage("learning styles", None) as advance:
        tastes = styles.vectors if styles else looks.images
        users = store.create(
            workspace.users_name, user_schema(manifest.taste_dimension, recipe.index.replication_factor), manifest
        )
        people = centroids = 0
        learnt = learn_profiles(catalog, rows, tastes, shown, recipe.style)
        for known in chunks(learnt, BATCH // recipe.style.clusters + 1):
            points = [point for user, profile, shows in known for point in points_of(user, profile, shows)]
            users.upsert(points)
            people, centroids = people + len(known), centroids + len(points)
            advance(len(known))
    catalog.put_vocabulary(build, statistics.document_frequencies, statistics.surface_counts, statistics.documents)
    store.publish(workspace.users_name, users, centroids)
    store.publish(recipe.name, stickers)
    return Assembled(manifest, people)


def _survey(
    catalog: Catalog, workspace: Workspace, progress: Progress
) -> tuple[CorpusStatistics, list[str], list[str]]:
    """Return the words' statistics, and every sticker's id and first pack, in id order."""
    statistics = CorpusStatistics(workspace.recipe.text)
    ids, packs = [], []
    with progress.stage("counting words", catalog.count()) as advance:
        for sticker in catalog.stickers():
            statistics.add(dict(sticker.semantics.items()))
            ids.append(sticker.id)
            packs.append(sticker.packs[0] if sticker.packs else "")
            advance(1)
    return statistics, ids, packs


def _utility(catalog: Catalog, workspace: Workspace, ids: list[str]) -> tuple[list[Utility], dict[str, PickCounts]]:
    counts = catalog.pick_counts()
    nobody = (0, 0, 0)
    table = [(c.picks, c.users, c.queries) if (c := counts.get(sticker_id)) else nobody for sticker_id in ids]
    newest = max((c.last for c in counts.values()), default=None)
    ages = [
        (newest - c.last).total_seconds() / 86_400 if newest and (c := counts.get(sticker_id)) else 0.0
        for sticker_id in ids
    ]
    return utilities(table, workspace.recipe.utility, ages), counts
