"""Runs the online stage on one collection, and proves that the page is the formula's."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from persrv.index.engine import Collection
from persrv.index.language import Filter, Request, ScoredPoint
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
from persrv.ranking.style_clusters import cluster_similarity, far_similarity, near_clusters
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector

GROWTH = 4
"""How much larger the next pool is, where the page is not proven."""

CLUSTERED = 200
"""First candidates from each source for anybody, and where the regions near a user's styles are recalled apart."""

DEEPEST = 4_000
"""Candidates from each source at which a pool grows no more."""

LARGE = 250_000
"""Stickers from which so many have nearly the same words that a style factor of 1.2 reorders them: there, regions that
are only fairly near let in by words, and let in more. That a region is large costs nothing there."""

FAIRLY_NEAR, MOST_FAIRLY_NEAR, NEAR_DEPTH = 0.15, 32, 6
"""Bounds of :func:`~persrv.ranking.style_clusters.near_clusters` in a large collection, and how many times as many
stickers the regions let in as all the others do."""

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
        self._weights = Weights(ranking.beta, ranking.gamma, manifest.beta, manifest.taste_vector)

    def rank(self, recall: Recall, taste: Taste, page: Page, *, whole: bool = False) -> Ranked:
        """Return the candidates in their final order, at least the page where there are that many.

        Args:
            recall: Where candidates come from, and the score that they start with.
            taste: The user's styles.
            page: The wanted part.
            whole: Whether the filter lets no more stickers in than the page holds, so that nothing is left to prove.
        """
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
        similarity = _NOWHERE if recall.sources[0].whole(pool) else self._similarity(recall, taste)
        near, depth = self._regions(similarity)
        if near:
            recall = recall.near(near, depth)
            pool, deepest = max(CLUSTERED, page.end + SLACK), GROWTH * CLUSTERED
        answers = []
        while True:
            request = personal_request(recall, taste, self._weights, pool)
            # The page and its proof are asked for together; the deepest pool is not proven.
            ends = [None if source.whole(pool) else source.last(pool, recall.where) for source in recall.sources]
            proof = [end for end in ends if end is not None] if pool < deepest else []
            first, *found = self._collection.query_many([leading(request, page), *proof, *along])
            answers, along = [*answers, *found[len(proof) :]], ()
            ranked = best_first(self._collection, request, page, stored=recall.stored, first=first, without=without)
            if pool >= deepest:
                return replace(ranked, cut=True), answers
            lasts = _lasts(recall, ends, found)
            if self._proven(recall, taste, similarity, ranked, page, lasts):
                return ranked, answers
            pool = min(pool * GROWTH, deepest)

    def _regions(self, similarity: NDArray[np.float64]) -> tuple[tuple[int, ...], int]:
        """Return the regions that let in by words apart from all stickers, and how deeply they do."""
        if self._collection.manifest.stickers < LARGE:
            return near_clusters(similarity), 1
        return near_clusters(similarity, FAIRLY_NEAR, MOST_FAIRLY_NEAR), NEAR_DEPTH

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


def _lasts(recall: Recall, ends: Sequence[Request | None], found: Sequence[list[ScoredPoint]]) -> list[float | None]:
    """Return the score of the last sticker that each source lets in, ``None`` where it lets in all that it finds."""
    answers = iter(found)
    lasts: list[float | None] = []
    for source, end in zip(recall.sources, ends, strict=True):
        points = next(answers) if end is not None else []
        last = points[0].score if points else None
        lasts.append(last if last is None or source.entry is None or last >= source.entry else None)
    return lasts
