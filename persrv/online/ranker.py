"""Runs the online stage on one collection, and proves that the page is the formula's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from persrv.index.engine import Collection
from persrv.index.language import Filter, Request
from persrv.online.page import NOISE, SLACK, Page, Ranked, best_first
from persrv.online.recall import Recall, popular_recall
from persrv.online.request import (
    NO_TASTE,
    Taste,
    Weights,
    narrowed,
    personal_request,
    similar_request,
    trending_request,
)
from persrv.ranking.affinity import agreement
from persrv.ranking.style_clusters import cluster_similarity, far_similarity, near_clusters
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector

GROWTH = 4
"""How much larger the next pool is, where the page is not proven."""

CLUSTERED = 200
"""First candidates from each source for anybody, and where the regions near a user's styles are recalled apart."""

DEEPEST = 4_000
"""Candidates from each source at which a pool grows no more."""


_ALL = 1 << 24
_NOWHERE = np.zeros(0)


class Ranker:
    """Ranks the candidates of one collection for a user.

    Args:
        collection: The stickers.
        ranking: The recipe's ``[ranking]``; its pool is the first one, which grows while the page is not proven.
    """

    def __init__(self, collection: Collection, ranking: Ranking) -> None:
        manifest = collection.manifest
        self._collection = collection
        self._pool = ranking.pool
        self._clusters = manifest.clusters
        self._weights = Weights(ranking.beta, ranking.gamma, manifest.beta, manifest.taste_vector)

    def rank(self, recall: Recall, taste: Taste, page: Page, *, whole: bool = False) -> Ranked:
        """Return the candidates in their final order, at least the page where there are that many.

        Args:
            recall: Where candidates come from, and the score that they start with.
            taste: The user's styles.
            page: The wanted part.
            whole: Whether the filter lets no more stickers in than the page holds, so that nothing is left to prove.
        """
        if not len(taste) and (direct := self._direct(recall)):
            return best_first(self._collection, direct, page, stored=True)
        # Without styles the proof is exact, and soon given: few candidates are asked for first.
        pool, deepest = max(self._pool if len(taste) else CLUSTERED, page.end + SLACK), DEEPEST
        similarity = _NOWHERE if whole or recall.sources[0].whole(pool) else self._similarity(recall, taste)
        if near := near_clusters(similarity):
            recall = recall.near(near)
            pool, deepest = max(CLUSTERED, page.end + SLACK), GROWTH * CLUSTERED
        while True:
            request = personal_request(recall, taste, self._weights, pool)
            ranked = best_first(self._collection, request, page, stored=recall.stored)
            if whole:
                return ranked
            if pool >= deepest:
                return replace(ranked, cut=True)
            if self._proven(recall, taste, similarity, ranked, page, pool):
                return ranked
            pool = min(pool * GROWTH, max(deepest, page.end + SLACK))

    def _similarity(self, recall: Recall, taste: Taste) -> NDArray[np.float64]:
        """Return how near the regions of the space of style are, none where those are no use."""
        first = recall.sources[0]
        if not first.stored or first.entry is not None:
            return _NOWHERE
        return cluster_similarity(taste.centroids, taste.weights, self._clusters)

    def _direct(self, recall: Recall) -> Request | None:
        """Return the request that needs no pool, since the engine's own score is the final one."""
        (first, *others) = recall.sources
        plain = first.stored and first.entry is None and not others and not recall.constant
        if not plain or self._weights.correction != 1.0:
            return None
        return Request(first.query, limit=_ALL, filter=recall.where)

    def _proven(
        self,
        recall: Recall,
        taste: Taste,
        similarity: NDArray[np.float64],
        ranked: Ranked,
        page: Page,
        pool: int,
    ) -> bool:
        """Return whether no sticker outside the pool can belong to the page.

        Such a sticker's score is at most what the sources' last ones bound, times the largest style factor.
        """
        lasts: list[float | None] = []
        for source in recall.sources:
            if source.whole(pool):
                lasts.append(None)
                continue
            found = self._collection.query(source.last(pool, recall.where))
            last = found[0].score if found else None
            lasts.append(last if last is None or source.entry is None or last >= source.entry else None)
        if all(last is None for last in lasts):
            return True
        if ranked.total < page.end:
            return False
        return self._bound(recall, taste, similarity, lasts) < float(ranked.scores[page.end - 1]) * (1.0 - NOISE)

    def _bound(
        self, recall: Recall, taste: Taste, similarity: NDArray[np.float64], lasts: Sequence[float | None]
    ) -> float:
        """Return the largest score of a sticker outside the pool, given the score of each source's last one."""
        weights = self._weights
        beta, correction, largest = weights.beta, weights.largest_correction, weights.largest_style(taste)
        near = recall.sources[-1].clusters
        if not near:
            return recall.bound(lasts, beta, correction) * largest
        # The last source gives more of what the first one scores: within the regions, the two have one bound.
        *others, last_near = lasts
        outside = far_similarity(similarity, near, taste.centroids.shape[1])
        agreed = float(agreement(np.array(outside)))
        far = recall.bound(others, beta, correction, agreed) * (1.0 + weights.gamma * outside)
        return max(far, recall.bound([last_near, *others[1:]], beta, correction) * largest)

    def trending(self, own: Sequence[str], taste: Taste, page: Page, where: Filter | None) -> Ranked:
        """Return a user's own stickers, as given, and then useful ones and those near their styles.

        Args:
            own: Ids of the user's own latest stickers; may be empty.
            taste: The user's styles.
            page: The wanted part.
            where: The search's filter.
        """
        mine = Ranked.nothing()
        if own:
            found = self.rank(popular_recall(narrowed(where, only=own)), NO_TASTE, Page(0, len(own)))
            mine = found.at([found.ids.index(sticker_id) for sticker_id in own if sticker_id in found.ids])
        rest = Page(max(page.offset - mine.total, 0), page.limit)
        return mine.then(self._popular(taste, rest, narrowed(where, without=own)))

    def _popular(self, taste: Taste, page: Page, where: Filter | None) -> Ranked:
        if not len(taste):
            return self.rank(popular_recall(where), taste, page)
        pool = max(self._pool, page.end + SLACK)
        near = near_clusters(cluster_similarity(taste.centroids, taste.weights, self._clusters))
        return best_first(self._collection, trending_request(taste, self._weights, pool, where, near), page)

    def similar(
        self,
        image: Sequence[float] | None,
        text: SparseVector | None,
        self_score: float,
        page: Page,
        where: Filter | None,
        style: Sequence[float] | None = None,
    ) -> Ranked | None:
        """Return stickers like a given one, see :func:`persrv.online.request.similar_request`.

        With its ``style``, a unit vector in the space of users' styles, a large collection looks in the regions near
        it in place of going through all pictures.
        """
        pool = max(CLUSTERED, page.end + SLACK)
        styles = np.zeros((0, 1)) if style is None else np.array([style])
        near = near_clusters(cluster_similarity(styles, np.ones(len(styles)), self._clusters))
        request = similar_request(image, text, self_score, self._weights.stored_beta, pool, where, near)
        return best_first(self._collection, request, page) if request else None
