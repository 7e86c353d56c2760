"""From stickers to their points, by one fit, and to what the catalog remembers of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog, PickCounts
from persrv.catalog.affinity import PickedFor
from persrv.catalog.indexed import IndexedSticker
from persrv.index.language import Point
from persrv.indexing.fit import Fit
from persrv.indexing.points import PointMaker
from persrv.indexing.vector_sources import VectorSources, pictured
from persrv.ranking.profile import days_since_epoch
from persrv.ranking.style_clusters import cluster_of
from persrv.ranking.utility import utilities
from persrv.recipe import Recipe
from persrv.records import Sticker, Utility
from persrv.text import Terms
from persrv.text.meaning.learn import sticker_rows


@dataclass(frozen=True, slots=True)
class MadePoint:
    """A sticker made ready for the index.

    Attributes:
        point: Its point.
        indexed: What the point was made from.
        taste: Its vector in the space that users' styles lie in, shape (d,), zero without a picture.
    """

    point: Point
    indexed: IndexedSticker
    taste: NDArray[np.float32]


class CollectionPoints:
    """Makes the points of one collection by one fit: what a sticker gets depends on no other sticker.

    Args:
        recipe: The collection's.
        catalog: Counts picks.
        sources: Give vectors.
        fit: What was taken from the whole collection.
    """

    def __init__(self, recipe: Recipe, catalog: Catalog, sources: VectorSources, fit: Fit) -> None:
        self._recipe = recipe
        self._catalog = catalog
        self._sources = sources
        self._fit = fit
        self._maker = PointMaker(
            recipe.text, recipe.ranking.beta, fit.average_lengths, recipe.index.image_base_url, fit.regional_words
        )

    def make(
        self, stickers: Sequence[Sticker], groups: Mapping[str, str], known: Mapping[str, Terms] | None = None
    ) -> list[MadePoint]:
        """Return the points of some stickers, in their order.

        Args:
            stickers: With all that is known of them.
            groups: Sticker id to its group of near-duplicates; those without one are left out.
            known: Sticker id to its counted tokens, where they were counted already.
        """
        ids = [sticker.id for sticker in stickers]
        counted = known or {}
        terms = [counted.get(s.id) or Terms.of(dict(s.semantics.items())) for s in stickers]
        images, drawn = self.images(ids), self._styles(stickers, terms)
        counts, picked_for = self._catalog.pick_counts(stickers=ids), self._catalog.picked_for(ids)
        utility = self._utility([counts.get(sticker_id) for sticker_id in ids])
        meanings = self._meanings(stickers)
        made = []
        for row, sticker in enumerate(stickers):
            picked, group = counts.get(sticker.id), groups.get(sticker.id, "")
            taste = images[row] if drawn is None else drawn[row]
            point = self._maker.point(
                sticker,
                terms[row],
                utility[row],
                picked.picks if picked else 0,
                images[row],
                None if drawn is None else drawn[row],
                group,
                meanings[row],
                picked_for.get(sticker.id, PickedFor()),
                cluster_of(taste, self._fit.clusters),
            )
            made.append(MadePoint(point, IndexedSticker(sticker.id, terms[row], group), taste))
        return made

    def tastes(self, stickers: Sequence[Sticker]) -> NDArray[np.float32]:
        """Return stickers' vectors in the space of users' styles, shape (n, d), zero rows without a picture."""
        drawn = self._styles(stickers, [Terms.of(dict(s.semantics.items())) for s in stickers])
        return self.images([sticker.id for sticker in stickers]) if drawn is None else drawn

    def images(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """Return stickers' vectors ``image``, shape (n, d), zero rows without a picture."""
        have, raw = pictured(ids, self._sources.images)
        rows = np.zeros((len(ids), self._fit.space.dimension), np.float32)
        rows[have] = self._fit.space.project(raw)
        return rows

    def _styles(self, stickers: Sequence[Sticker], terms: Sequence[Terms]) -> NDArray[np.float32] | None:
        if self._fit.style is None:
            return None
        packs = [sticker.packs[0] if sticker.packs else "" for sticker in stickers]
        ids = [sticker.id for sticker in stickers]
        return self._fit.style.vectors_of(ids, packs, terms, self._recipe.text, self._sources.styles)

    def _utility(self, counts: Sequence[PickCounts | None]) -> list[Utility]:
        table = [(c.picks, c.users, c.queries) if c else (0, 0, 0) for c in counts]
        newest = self._fit.newest
        ages = [newest - days_since_epoch(c.last) if c and newest is not None else 0.0 for c in counts]
        return utilities(table, self._recipe.utility, ages, self._fit.utility)

    def _meanings(self, stickers: Sequence[Sticker]) -> list[NDArray[np.float32] | None]:
        if self._fit.meaning is None or self._sources.meaning is None:
            return [None] * len(stickers)
        texts = [sticker.semantics for sticker in stickers]
        return [*sticker_rows(self._sources.meaning, self._fit.meaning, texts)]
