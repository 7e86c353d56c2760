"""Runs the online stage on one collection, and proves that the page is the formula's."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from persrv.index.columns.store import columns_of
from persrv.index.engine import Collection
from persrv.index.language import Filter, Request, ScoredPoint
from persrv.online.column_filter import knows
from persrv.online.column_ranker import ColumnRanker, can_rank
from persrv.online.page import NOISE, SLACK, Page, Ranked, best_first, leading
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
from persrv.ranking.regional import regional_query
from persrv.ranking.style_clusters import NEAREST, cluster_similarity, far_similarity, largest_similarity, near_clusters
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector

GROWTH = 4
"""How much larger the next pool is, where the page is not proven."""

CLUSTERED = 200
"""First candidates from each source for anybody, and where the regions near a user's styles are recalled apart."""

FALLEN = 0.93
"""Share of the page's last score under which the pool's last must have fallen: then nothing else is near the page."""

DEEPEST = 4_000
"""Candidates from each source at which a pool grows no more."""

_ALL = 16_777_216
"""More stickers than a collection has."""

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
        self._frequent = frozenset(manifest.regional_words)
        self._weights = Weights(ranking.beta, ranking.gamma, manifest.beta, manifest.taste_vector)
        self._by_columns = ColumnRanker(self._clusters, self._weights, collection.query_many)

    def rank(self, recall: Recall, taste: Taste, page: Page, *, whole: bool = False) -> Ranked:
        """Return the candidates in their final order, at least the page where there are that many.

        Args:
            recall: Where candidates come from, and the score that they start with.
            taste: The user's styles.
            page: The wanted part.
            whole: Whether the filter lets no more stickers in than the page holds, so that nothing is left to prove.
        """
        if (columns := columns_of(self._collection)) and can_rank(recall):
            return self._by_columns.rank(columns, recall, taste, page)
        if whole:
            return best_first(self._collection, self._whole(recall, taste, page), page, stored=recall.stored)
        return self._rank(recall, taste, page)[0]

    def rank_apart(self, recall: Recall, taste: Taste, page: Page, ids: Sequence[str]) -> tuple[Ranked, Ranked]:
        """Return the candidates but some, as :meth:`rank` does, and apart from them all of those that are candidates.

        Args:
            recall: As for :meth:`rank`.
            taste: As for :meth:`rank`.
            page: The wanted part of the others.
            ids: Stickers that are ranked apart.
        """
        if (columns := columns_of(self._collection)) and can_rank(recall):
            return self._by_columns.rank_apart(columns, recall, taste, page, ids)
        within, all_of_them = replace(recall, where=narrowed(recall.where, only=ids)), Page(0, len(ids))
        request = self._whole(within, taste, all_of_them)
        along = (leading(request, all_of_them),)
        others, (first,) = self._rank(recall, taste, page, without=frozenset(ids), along=along)
        apart = best_first(self._collection, request, all_of_them, stored=recall.stored, first=first)
        return others, apart

    def _whole(self, recall: Recall, taste: Taste, page: Page) -> Request:
        """Return the request for candidates that are no more than the page."""
        if not len(taste) and (direct := self._direct(recall)):
            return direct
        pool = max(self._pool if len(taste) else CLUSTERED, page.end + SLACK)
        return personal_request(recall, taste, self._weights, pool)

    def _rank(
        self,
        recall: Recall,
        taste: Taste,
        page: Page,
        *,
        without: Set[str] = frozenset(),
        along: Sequence[Request] = (),
    ) -> tuple[Ranked, Sequence[list[ScoredPoint]]]:
        """Return the candidates in their final order, and the answers to what is asked along with the first request."""
        if not len(taste) and (direct := self._direct(recall)):
            first, *answers = self._collection.query_many([leading(direct, page), *along])
            return best_first(self._collection, direct, page, stored=True, first=first, without=without), answers
        # Without styles the proof is exact, and soon given: few candidates are asked for first.
        pool, deepest = max(self._pool if len(taste) else CLUSTERED, page.end + SLACK), DEEPEST
        recall, similarity = self._near(recall, taste, pool)
        if recall.regions:
            pool, deepest = max(CLUSTERED, page.end + SLACK), 2 * CLUSTERED
        answers = []
        while True:
            request = personal_request(recall, taste, self._weights, pool)
            # The deepest pool is not proven.
            ends = [None if row.whole(pool) or pool >= deepest else row.last(pool, recall.where) for row in recall.rows]
            proof = [end for end in ends if end is not None]
            # The page and its proof are asked for together, but where regions let in: there few pages need one.
            together = [] if recall.regions else proof
            first, *found = self._collection.query_many([leading(request, page), *together, *along])
            answers, along = [*answers, *found[len(together) :]], ()
            ranked = best_first(self._collection, request, page, stored=recall.stored, first=first, without=without)
            if recall.regions and _fallen(first, ranked, page, pool):
                return ranked, answers
            if pool >= deepest:
                return replace(ranked, cut=True), answers
            if recall.regions and proof:
                found = list(self._collection.query_many(proof))
            lasts = _lasts(recall, ends, found)
            if self._proven(recall, taste, similarity, ranked, page, lasts):
                return ranked, answers
            pool = min(pool * GROWTH, deepest)

    def _near(self, recall: Recall, taste: Taste, pool: int) -> tuple[Recall, NDArray[np.float64]]:
        """Return the recall with the regions near the user's styles, where those are of use, and all similarities."""
        words = recall.words
        if not len(taste) or words is None or recall.sources[0].whole(pool) or self._frequent.isdisjoint(words.indices):
            return recall, _NOWHERE
        similarity = cluster_similarity(taste.centroids, taste.weights, self._clusters)
        near = near_clusters(similarity)
        largest = largest_similarity(similarity[list(near)], taste.centroids.shape[1])
        factors = np.minimum(1.0 + self._weights.gamma * largest, self._weights.largest_style(taste))
        factor_of = dict(zip(near, factors.tolist(), strict=True))
        query = regional_query(words, factor_of, self._frequent)
        return recall.near(near, query, CLUSTERED), similarity

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
        lasts: Sequence[float | None],
    ) -> bool:
        """Return whether no sticker outside the pool can belong to the page.

        Such a sticker's score is at most what the sources' last ones bound, times the largest style factor.
        """
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
        everywhere, inside = lasts[: len(recall.sources)], iter(lasts[len(recall.sources) :])
        if not recall.regions:
            return recall.bound(everywhere, beta, correction) * largest
        outside = far_similarity(similarity, recall.regions, taste.centroids.shape[1])
        agreed = float(agreement(np.array(outside)))
        far = recall.bound(everywhere, beta, correction, agreed) * (1.0 + weights.gamma * outside)
        within = [last if row is None else next(inside) for row, last in zip(recall.regional, everywhere, strict=True)]
        # The first one's score has a style factor in it already.
        words = None if within[0] is None else within[0] / largest
        return max(far, recall.bound([words, *within[1:]], beta, correction) * largest)

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
        if (columns := columns_of(self._collection)) and knows(where):
            return self._by_columns.rank_popular(columns, taste, page, where)
        if not len(taste):
            return self.rank(popular_recall(where), taste, page)
        pool = max(self._pool, page.end + SLACK)
        near = near_clusters(cluster_similarity(taste.centroids, taste.weights, self._clusters), NEAREST)
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
        near = near_clusters(cluster_similarity(styles, np.ones(len(styles)), self._clusters), NEAREST)
        request = similar_request(image, text, self_score, self._weights.stored_beta, pool, where, near)
        return best_first(self._collection, request, page) if request else None


def _fallen(first: Sequence[ScoredPoint], ranked: Ranked, page: Page, pool: int) -> bool:
    """Return whether scores fall behind the page so soon that what a pool leaves out is far from it.

    They fall by a power of the rank: the pool's last score is foreseen from those at the page's end and of the last
    sticker that came back.
    """
    if len(first) < page.end + SLACK:
        return True
    if ranked.total < page.end:
        return False
    end = float(ranked.scores[page.end - 1])
    steps = math.log(pool / page.end) / math.log(len(first) / page.end)
    return first[-1].score < end * math.pow(FALLEN, 1.0 / steps)


def _lasts(recall: Recall, ends: Sequence[Request | None], found: Sequence[list[ScoredPoint]]) -> list[float | None]:
    """Return the score of the last sticker that each source lets in, ``None`` where it lets in all that it finds."""
    answers = iter(found)
    lasts: list[float | None] = []
    for source, end in zip(recall.rows, ends, strict=True):
        points = next(answers) if end is not None else []
        last = points[0].score if points else None
        lasts.append(last if last is None or source.entry is None or last >= source.entry else None)
    return lasts
