"""Ranks by the columns of a collection: the formula over all stickers that match, without asking the engine.

Words and picks are summed up over their inverted lists. Each sticker's score is at most that sum times the largest
style factor of its region of the space of style; the best by that bound are scored by their own style, more of them
until none of the others can belong to the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.index.columns.columns import Columns
from persrv.index.columns.postings import Rows
from persrv.index.columns.scratch import Scratch
from persrv.index.columns.segment import FACETS, LISTED, facet
from persrv.index.language import Condition, Filter, HasId, Nearest
from persrv.index.schema import PICKED, STYLE_CLUSTER, TEXT, sticker_id_of
from persrv.online.candidate_source import CandidateSource
from persrv.online.page import SLACK, Page, Ranked, once_each
from persrv.online.recall import Recall, popular_recall
from persrv.online.request import Taste, Weights
from persrv.ranking.affinity import agreement
from persrv.ranking.formula import SAME, order, style_factor, style_similarity, utility_factor
from persrv.ranking.stored import trace_factors
from persrv.ranking.style_clusters import NEAREST, cluster_similarity, largest_similarity, near_clusters
from persrv.text.bm25f import SparseVector

FIRST, GROWTH = 800, 4
"""Stickers that are scored by their own style at first, and how many times as many where they do not prove the page."""

DEVIATIONS = 2.0
"""As :data:`persrv.ranking.style_clusters.DEVIATIONS`; more of them cost little here."""

Floats = NDArray[np.float64]


def can_rank(recall: Recall) -> bool:
    """Return whether columns are enough for a recall: its sources are words and picks, and its filter knows lists."""
    return not recall.constant and all(map(_is_sparse, recall.sources)) and knows(recall.where)


def knows(where: Filter | None) -> bool:
    """Return whether columns are enough for a filter."""
    conditions = (*where.must, *where.must_not) if where else ()
    return all(isinstance(each, HasId) or each.key in LISTED for each in conditions)


class ColumnRanker:
    """Ranks the stickers of one collection for a user. Safe for several threads.

    Args:
        clusters: Directions of the regions of the space of style, shape (k, d).
        weights: How utility and style count.
    """

    def __init__(self, clusters: NDArray[np.float32], weights: Weights) -> None:
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
            recall: Its sources are sparse.
            taste: The user's styles.
            page: The wanted part of the others.
            ids: Stickers that are ranked apart.
        """
        with columns.scratch.lend(columns.rows) as scratch:
            matches = _Matches(columns, recall, scratch)
            try:
                rows = _kept(matches.rows, columns, recall.where, scratch)
                own, others = _split(rows, [columns.rows_of(ids)], scratch)
                scoring = _Scoring(columns, recall, taste, self._weights, self._clusters, matches)
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
            while len(kept := _kept(useful, columns, where, scratch)) < most and len(useful) < columns.count:
                useful = columns.popular(len(useful) * GROWTH)
            _, others = _split(kept, parts, scratch)
            near_ones = _kept(columns.alive(np.concatenate([others[:0], *parts])), columns, where, scratch)
        rows = np.concatenate([others, near_ones])
        return _Scoring(columns, popular_recall(where), taste, self._weights, self._clusters, proves=False).best(
            rows, page
        )


class _Matches:
    """The stickers that match, and what each source gives them.

    Attributes:
        rows: Of the stickers that some source finds, each once.
    """

    def __init__(self, columns: Columns, recall: Recall, scratch: Scratch) -> None:
        self._scratch = scratch
        self._touched: list[tuple[NDArray[np.float32], Rows]] = []
        self._picked: list[Rows] = []
        self._sum_of: dict[int, NDArray[np.float32]] = {}
        found: list[Rows] = [np.zeros(0, np.uint32)]
        for number, source in enumerate(recall.sources):
            if (sparse := _sparse(source)) is None:
                continue
            table, query = sparse
            sums = self._sum_of[number] = scratch.sums(number)
            for dimension, weight in zip(query.indices, query.values, strict=True):
                for rows, values in columns.postings(table, dimension):
                    sums[rows] += values * np.float32(weight)
                    self._touched.append((sums, rows))
                    if source.picked:
                        scratch.picked[rows] = True
                        self._picked.append(rows)
                    if weight > 0:
                        fresh = rows[~scratch.seen[rows]]
                        scratch.seen[fresh] = True
                        found.append(fresh)
        self.rows: Rows = columns.alive(np.concatenate(found))
        self._found = found

    def of(self, number: int, rows: Rows) -> Floats | None:
        """Return what a source gives to rows, shape (len(rows),); ``None`` where nothing is asked of it."""
        return self._sum_of[number][rows].astype(np.float64) if number in self._sum_of else None

    def picked_among(self, rows: Rows) -> NDArray[np.int64]:
        """Return the positions of rows to which other people's picks give something."""
        return np.flatnonzero(self._scratch.picked[rows]) if self._picked else np.zeros(0, np.int64)

    def clear(self) -> None:
        """Leave zeros behind."""
        for sums, rows in self._touched:
            sums[rows] = 0.0
        for rows in self._found:
            self._scratch.seen[rows] = False
        for rows in self._picked:
            self._scratch.picked[rows] = False


@dataclass(frozen=True)
class _Scoring:
    """Scores stickers by the formula.

    Attributes:
        columns: Of the collection.
        recall: Where the stickers come from.
        taste: The user's styles.
        weights: How utility and style count.
        clusters: Directions of the regions of the space of style.
        matches: What the recall's sources give; ``None`` where all stickers start with the same.
        proves: Whether more stickers are scored until none of the others can belong to the page. Where all start with
            the same, thousands would be: the best by their bounds hold 99 % of the page.
    """

    columns: Columns
    recall: Recall
    taste: Taste
    weights: Weights
    clusters: NDArray[np.float32]
    matches: _Matches | None = None
    proves: bool = True

    def best(self, rows: Rows, page: Page) -> Ranked:
        """Return some of the rows' stickers in their final order, at least the page where there are that many."""
        wanted = page.end + SLACK
        taken = max(FIRST, 2 * wanted)
        bounds, surest = self._bounds(rows)
        while True:
            first, left_out = _largest(bounds, taken)
            if surest is not bounds and len(first) < len(rows):
                first = np.union1d(first, _largest(surest, taken)[0])
            some = rows[first]
            scores = self._scores(some) if len(self.taste) else bounds[first]
            leading, behind = _largest(scores, wanted)
            ranked, worst = self._ordered(some[leading], scores[leading], page)
            whole = len(leading) == len(rows)
            # What is the same up to rounding may have the smaller id; near-duplicates fall out behind the counting.
            if (
                whole
                or not self.proves
                or (ranked.total > page.end and max(left_out, behind) < worst * (1.0 - 2 * SAME))
            ):
                return ranked
            taken, wanted = taken * GROWTH, wanted * GROWTH

    def _bounds(self, rows: Rows) -> tuple[Floats, Floats]:
        """Return what the rows' scores hardly ever exceed, and what they never do up to a factor, both of shape (n,).

        Some stickers are nearer to a style than their region foretells; the best by the other bound may be such ones.
        """
        weights = self.weights
        if not len(self.taste) or not len(self.clusters):
            surest = self._recalled(rows, 1.0) * weights.largest_style(self.taste)
            return surest, surest
        similarity = cluster_similarity(self.taste.centroids, self.taste.weights, self.clusters)
        # The last one is of stickers without a style.
        largest = np.append(largest_similarity(similarity, self.taste.centroids.shape[1], DEVIATIONS), 0.0)
        factors = np.minimum(style_factor(largest, weights.gamma), weights.largest_style(self.taste))
        regions = self.columns.column("regions", rows)
        recalled = self._recalled(rows, agreement(largest)[regions])
        return recalled * factors[regions], recalled

    def _scores(self, rows: Rows) -> Floats:
        """Return the final scores for somebody with styles, shape (n,)."""
        styles: Floats = self.columns.column("styles", rows)
        centroids = self.taste.centroids.astype(styles.dtype)
        similarity, _ = style_similarity(styles, centroids, self.taste.weights)
        return self._recalled(rows, agreement(similarity)) * style_factor(similarity, self.weights.gamma)

    def _recalled(self, rows: Rows, agreed: Floats | float) -> Floats:
        """Return the recall scores, shape (n,), see :meth:`persrv.online.recall.Recall.formula`."""
        weights = self.weights
        if self.recall.constant or self.matches is None:
            return utility_factor(self.columns.column("utility", rows), weights.beta)
        total = self._part(rows, 1.0, picked=False)
        # Few stickers were picked for a query: the others need no second look.
        few = self.matches.picked_among(rows)
        if len(few):
            total[few] = self._part(rows[few], agreed if isinstance(agreed, float) else agreed[few], picked=True)
        if weights.beta != weights.stored_beta:
            utility = self.columns.column("utility", rows)
            total *= utility_factor(utility, weights.beta) / utility_factor(utility, weights.stored_beta)
        return total

    def _part(self, rows: Rows, agreed: Floats | float, *, picked: bool) -> Floats:
        """Return what all sources give, or all but those of other people's picks, shape (n,)."""
        total, factor = np.zeros(len(rows)), np.ones(1)
        for number, source in enumerate(self.recall.sources):
            if self.matches is None or (source.picked and not picked):
                continue
            share = self.matches.of(number, rows)
            if share is None:
                continue
            share *= source.slope * (agreed if source.picked else 1.0)
            if source.multiplies:
                factor = factor * (1.0 + share)
            else:
                total += share
        return total * factor

    def _ordered(self, rows: Rows, scores: Floats, page: Page) -> tuple[Ranked, float]:
        """Return rows in their final order, and the smallest score of the page with the trace of its id in it."""
        kept = scores >= 0
        rows, scores = rows[kept], scores[kept]
        ids, groups = self.columns.ids(rows), self.columns.groups(rows)
        final = scores / trace_factors(ids) if self.recall.stored and ids else scores
        positions = once_each(order(final, ids), groups)
        worst = float(scores[positions[: page.end]].min(initial=np.inf))
        return Ranked(ids, final, groups).at(positions), worst


def _largest(values: Floats, most: int) -> tuple[NDArray[np.int64], float]:
    """Return the positions of the largest values, in any order, and what none of the others exceeds."""
    if len(values) <= most:
        return np.arange(len(values)), -np.inf
    parted = np.argpartition(values, len(values) - most)
    # The smallest of the largest ones stands first among them.
    return parted[len(values) - most :], float(values[parted[len(values) - most]])


def _kept(rows: Rows, columns: Columns, where: Filter | None, scratch: Scratch) -> Rows:
    """Return the rows that a filter keeps."""
    if where is None:
        return rows
    for conditions, wanted in ((where.must, True), (where.must_not, False)):
        for condition in conditions:
            inside, outside = _split(rows, _meeting(condition, columns), scratch)
            rows = inside if wanted else outside
    return rows


def _meeting(condition: Condition, columns: Columns) -> list[Rows]:
    """Return the rows that meet a condition, in parts."""
    if isinstance(condition, HasId):
        return [columns.rows_of(map(sticker_id_of, condition.ids))]
    dimensions = [facet(condition.key, value) for value in condition.values]
    return [rows for each in dimensions for rows, _ in columns.postings(FACETS, each)]


def _split(rows: Rows, parts: Sequence[Rows], scratch: Scratch) -> tuple[Rows, Rows]:
    """Return the rows that are in one of the parts, and the others."""
    for part in parts:
        scratch.flags[part] = True
    inside = scratch.flags[rows]
    for part in parts:
        scratch.flags[part] = False
    return rows[inside], rows[~inside]


def _is_sparse(source: CandidateSource) -> bool:
    """Whether a source scores by words or picks, utility included."""
    plain = source.stored or source.multiplies
    return plain and not source.floor and not source.regions and _sparse(source) is not None


def _sparse(source: CandidateSource) -> tuple[str, SparseVector] | None:
    """Return the lists that a source reads, and the query; ``None`` where it has no sparse one."""
    query = source.query
    if isinstance(query, Nearest) and isinstance(query.vector, SparseVector) and query.using in (TEXT, PICKED):
        return query.using, query.vector
    return None
