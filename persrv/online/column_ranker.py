"""Ranks by the columns of a collection: the formula over all stickers that match.

The engine is asked where meaning counts, and for nothing but that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.index.columns.columns import Columns
from persrv.index.columns.segment import FACETS, facet
from persrv.index.language import Filter
from persrv.index.schema import STYLE_CLUSTER
from persrv.online.column_filter import kept, knows, split
from persrv.online.column_likeness import Ask, is_meaning
from persrv.online.column_matches import Matches, is_sparse
from persrv.online.column_scoring import GROWTH, Scoring
from persrv.online.page import SLACK, Page, Ranked
from persrv.online.recall import Recall, popular_recall
from persrv.online.request import Taste, Weights
from persrv.ranking.style_clusters import NEAREST, cluster_similarity, near_clusters


def can_rank(recall: Recall) -> bool:
    """Return whether columns are enough for a recall, or the engine has to say no more than how near meanings are."""
    sources = [source for source in recall.sources if not is_meaning(source)]
    alone = len(recall.sources) - len(sources) <= 1
    return not recall.constant and alone and all(map(is_sparse, sources)) and knows(recall.where)


class ColumnRanker:
    """Ranks the stickers of one collection for a user. Safe for several threads.

    Args:
        clusters: Directions of the regions of the space of style, shape (k, d).
        weights: How utility and style count.
        ask: Answers requests by the collection's engine, which alone knows meanings.
    """

    def __init__(self, clusters: NDArray[np.float32], weights: Weights, ask: Ask) -> None:
        self._ask = ask
        self._clusters = clusters
        self._weights = weights

    def rank(self, columns: Columns, recall: Recall, taste: Taste, page: Page) -> Ranked:
        """Return the stickers that match in their final order, at least the page where there are that many."""
        return self.rank_apart(columns, recall, taste, page, ())[0]

    def rank_apart(
        self, columns: Columns, recall: Recall, taste: Taste, page: Page, ids: Sequence[str]
    ) -> tuple[Ranked, Ranked]:
        """Return the stickers that match but some, and apart from them all of those that match.

        Args:
            columns: Of the collection.
            recall: One that :func:`can_rank`.
            taste: The user's styles.
            page: The wanted part of the others.
            ids: Stickers that are ranked apart.
        """
        with columns.scratch.lend(columns.rows) as scratch:
            apart = columns.rows_of(ids)
            matches = Matches(columns, recall, scratch, self._ask, apart)
            try:
                rows = kept(matches.rows, columns, recall.where, scratch)
                own, others = split(rows, [apart], scratch)
                scoring = Scoring(columns, recall, taste, self._weights, self._clusters, matches)
                return scoring.best(others, page), scoring.best(own, Page(0, len(own)))
            finally:
                matches.clear()

    def rank_popular(self, columns: Columns, taste: Taste, page: Page, where: Filter | None) -> Ranked:
        """Return useful stickers and those near the user's styles, in their final order: the answer to nothing typed.

        Args:
            columns: Of the collection.
            taste: The user's styles; none for nobody's.
            page: The wanted part.
            where: The search's filter; one that :func:`knows`.
        """
        near = near_clusters(cluster_similarity(taste.centroids, taste.weights, self._clusters), NEAREST)
        parts = [rows for each in near for rows, _ in columns.postings(FACETS, facet(STYLE_CLUSTER, each))]
        most = 2 * (page.end + SLACK)
        with columns.scratch.lend(columns.rows) as scratch:
            useful = columns.popular(most)
            while len(found := kept(useful, columns, where, scratch)) < most and len(useful) < columns.count:
                useful = columns.popular(len(useful) * GROWTH)
            _, others = split(found, parts, scratch)
            near_ones = kept(columns.alive(np.concatenate([others[:0], *parts])), columns, where, scratch)
        rows = np.concatenate([others, near_ones])
        return Scoring(columns, popular_recall(where), taste, self._weights, self._clusters, proves=False).best(
            rows, page
        )
