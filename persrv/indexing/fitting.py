"""Fits a collection: one walk counts the words, then the spaces are learnt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.catalog.indexed import IndexedSticker
from persrv.images.encoder import TextTower
from persrv.images.space import Space
from persrv.indexing.duplicates import Duplicates
from persrv.indexing.fit import Fit, fingerprint
from persrv.indexing.making import CollectionPoints
from persrv.indexing.progress import Progress
from persrv.indexing.style_fit import StyleFit, meaning_words
from persrv.indexing.vector_sources import VectorSources, pictured
from persrv.ranking import style_clusters
from persrv.ranking.profile import days_since_epoch
from persrv.ranking.regional import frequent_words
from persrv.ranking.utility import UtilityScale
from persrv.records import Sticker
from persrv.text import CorpusStatistics, Terms
from persrv.text.bm25f import SparseVector
from persrv.text.meaning.frequent import keep_frequent, most_frequent
from persrv.text.meaning.learn import learned_space
from persrv.text.meaning.phrases import phrases
from persrv.text.meaning.space import MeaningSpace
from persrv.workspace import Workspace

BATCH = 256
"""Stickers read, and points written, at once; Qdrant's own advice is 64 to 256."""

MEANT = 10_000
"""Stickers that the space of meanings is fitted on; more make it no better."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one walk through a collection found.

    Attributes:
        ids: The listed stickers, ascending.
        packs: First pack of each, ``""`` for none.
        statistics: Of their words.
    """

    ids: Sequence[str]
    packs: Sequence[str]
    statistics: CorpusStatistics


def survey(workspace: Workspace, catalog: Catalog, sources: VectorSources, build: str, progress: Progress) -> Survey:
    """Count the words of every sticker, once, and keep the counts under ``build`` in the catalog."""
    statistics = CorpusStatistics(workspace.recipe.text)
    ids: list[str] = []
    packs: list[str] = []
    groups = find_duplicates(catalog, sources, progress)
    with progress.stage("counting words", catalog.count()) as advance:
        for batch in chunks(catalog.stickers(typed=0), BATCH):
            made = [_counted(sticker, groups.get(sticker.id, "")) for sticker in batch]
            for each in made:
                statistics.add(each.terms)
            catalog.put_indexed(build, made)
            ids.extend(sticker.id for sticker in batch)
            packs.extend(sticker.packs[0] if sticker.packs else "" for sticker in batch)
            advance(len(batch))
    return Survey(ids, packs, statistics)


def fit_collection(
    workspace: Workspace, catalog: Catalog, sources: VectorSources, found: Survey, build: str, progress: Progress
) -> Fit:
    """Fit a collection that was surveyed under ``build``; deterministic."""
    recipe = workspace.recipe
    lengths = found.statistics.average_lengths
    with progress.stage("fitting spaces", None) as advance:
        space = _image_space(found, sources)
        style = None
        if workspace.style_name:
            have, raw = pictured(found.ids, sources.styles)
            ids, packs = [found.ids[i] for i in have], [found.packs[i] for i in have]
            words = _meant(catalog, workspace, build, ids, lengths) if recipe.style.apart else None
            style = StyleFit.fit(ids, raw, packs, words, lengths)
        meaning = _meaning_space(workspace, catalog, sources, found.ids)
        advance(1)
    newest = catalog.newest_pick()
    fit = Fit(
        name=build,
        made_for=fingerprint(workspace),
        stickers=len(found.ids),
        average_lengths=lengths,
        space=space,
        style=style,
        meaning=meaning,
        utility=UtilityScale.fit(_pick_table(catalog, found.ids), recipe.utility.prior),
        newest=None if newest is None else days_since_epoch(newest),
        picks=catalog.last_pick(),
    )
    clusters = _style_clusters(workspace, catalog, sources, found, fit)
    if not len(clusters):
        return fit
    frequent = frozenset(frequent_words(found.statistics.document_frequencies))
    return replace(fit, clusters=clusters, regional_words=frequent)


def _pick_table(catalog: Catalog, ids: Sequence[str]) -> NDArray[np.int64]:
    """Return picks, people and queries of each sticker, shape (n, 3)."""
    table = np.zeros((len(ids), 3), np.int64)
    for batch in chunks(range(len(ids)), BATCH):
        counts = catalog.pick_counts(stickers=[ids[row] for row in batch])
        for row in batch:
            if picked := counts.get(ids[row]):
                table[row] = picked.picks, picked.users, picked.queries
    return table


def _style_clusters(
    workspace: Workspace, catalog: Catalog, sources: VectorSources, found: Survey, fit: Fit
) -> NDArray[np.float32]:
    """Return the regions of the space of style, fitted on an even sample; none for a small collection."""
    sample = style_clusters.sampled(found.ids)
    if not sample:
        return fit.clusters
    points = CollectionPoints(workspace.recipe, catalog, sources, fit)
    tastes = [points.tastes([*catalog.stickers(batch, typed=0)]) for batch in chunks(sample, BATCH)]
    return style_clusters.fit_clusters(np.concatenate(tastes), workspace.recipe.style.seed)


def find_duplicates(catalog: Catalog, sources: VectorSources, progress: Progress) -> dict[str, str]:
    """Return each near-duplicate's group; stickers without a copy are left out."""
    with progress.stage("comparing pictures", None) as advance:
        seen = sorted(catalog.pictured())
        return Duplicates(sources.perceptual_hashes).groups(seen, advance)


def _counted(sticker: Sticker, group: str) -> IndexedSticker:
    return IndexedSticker(sticker.id, Terms.of(dict(sticker.semantics.items())), group)


def _image_space(found: Survey, sources: VectorSources) -> Space:
    if isinstance(sources.encoder, TextTower):
        # Texts have vectors beside the pictures; such vectors must not be moved.
        return Space.as_it_is(sources.encoder.dimension)
    have, raw = pictured(found.ids, sources.images)
    return Space.fit(raw, [found.packs[i] for i in have])


def _meant(
    catalog: Catalog, workspace: Workspace, build: str, ids: Sequence[str], lengths: Mapping[str, float]
) -> Iterator[SparseVector]:
    for batch in chunks(ids, BATCH):
        indexed = catalog.indexed(build, batch)
        for sticker_id in batch:
            yield meaning_words(indexed[sticker_id].terms, workspace.recipe.text, lengths)


def _meaning_space(
    workspace: Workspace, catalog: Catalog, sources: VectorSources, ids: Sequence[str]
) -> MeaningSpace | None:
    """Return the space of meanings, and keep the vectors of the most frequent phrases for searches."""
    if sources.meaning is None:
        return None
    chosen = [ids[len(ids) * number // MEANT] for number in range(MEANT)] if len(ids) > MEANT else ids
    texts = [sticker.semantics for sticker in catalog.stickers(chosen, typed=0)]
    keep_frequent(workspace.folder / "phrases", sources.meaning, most_frequent(map(phrases, texts)))
    return learned_space(sources.meaning, texts, workspace.recipe.meaning.dimension)
