"""Scores the stickers that match by the formula, and proves that none of the others belongs to the page.

Each sticker's score is at most what words and picks give it times the largest style factor of its region of the space
of style. The best by that bound are scored by their own style, and then all whose bound is above the page's last one.
Where meaning counts, the engine is asked for that of stickers which may be among the best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.index.columns.columns import Columns
from persrv.index.columns.postings import Rows
from persrv.online.column_matches import Floats, Matches
from persrv.online.page import SLACK, Page, Ranked, once_each
from persrv.online.recall import Recall
from persrv.online.request import Taste, Weights
from persrv.ranking.affinity import agreement
from persrv.ranking.formula import SAME, order, style_factor, style_similarity, utility_factor
from persrv.ranking.stored import trace_factors
from persrv.ranking.style_clusters import cluster_similarity, largest_similarity

FIRST, GROWTH = 160, 4
"""Stickers that are scored at first, and how many times as many are put in order where near-duplicates fill a page."""

ALIKE = 800
"""Stickers that are scored where all start with the same: any of them may belong to the page, and nobody proves it."""

MEANT, ASKED = 400, 200
"""Stickers that are scored at first where meaning counts, and for how many of them it is asked at once."""

_LESS = 1.0 - 2 * SAME

DEVIATIONS = 5.0
"""As :data:`persrv.ranking.style_clusters.DEVIATIONS`; more of them cost little here, and what is drawn in a style that
no region has is far from random."""


@dataclass(frozen=True)
class Scoring:
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
    matches: Matches | None = None
    proves: bool = True

    def best(self, rows: Rows, page: Page) -> Ranked:
        """Return some of the rows' stickers in their final order, at least the page where there are that many."""
        wanted = page.end + SLACK
        bounds = self._bounds(rows)
        waiting = np.ones(len(rows), np.bool_)
        waiting[_largest(bounds, self._at_first(len(rows), wanted))[0]] = False
        scored = np.flatnonzero(~waiting)
        # What the engine's list misses may be nearer than it seems: all that is likely is asked for.
        scores = self._settled(rows[scored], self._scores(rows[scored]), len(scored) if self._misses else wanted)
        least = scores[_largest(scores, page.end)[0]].min(initial=np.inf) * _LESS
        while True:
            # The page can only get better: of the others those are scored that may be above its last one.
            if self.proves and len(more := np.flatnonzero(waiting & (bounds >= least))):
                waiting[more] = False
                scored = np.concatenate([scored, more])
                scores = np.concatenate([scores, self._scores(rows[more])])
            scores = self._settled(rows[scored], scores, wanted)
            leading, behind = _largest(scores, wanted)
            if not self.proves:
                # Only their ids say which of those with the same score belong to the page.
                leading = np.flatnonzero(scores >= scores[leading].min(initial=np.inf) * _LESS)
            ranked, worst = self._ordered(rows[scored[leading]], scores[leading], page)
            # Near-duplicates fall out behind the counting; what is the same up to rounding may have the smaller id.
            proven = ranked.total > page.end and least <= worst * _LESS and behind < worst * _LESS
            if proven or not self.proves or len(leading) == len(rows):
                return ranked
            least, wanted = min(least, worst * _LESS if ranked.total > page.end else -np.inf), wanted * GROWTH

    def _at_first(self, rows: int, wanted: int) -> int:
        """Return how many of the rows are scored at first."""
        if not self.proves:
            # Without styles their bounds are their scores.
            return max(ALIKE, 2 * wanted) if len(self.taste) else rows
        return max(MEANT if self._misses else FIRST, 2 * wanted)

    @property
    def _misses(self) -> bool:
        """Whether the engine's list of the nearest in meaning may miss some."""
        return self.matches is not None and self.matches.likeness is not None and not self.matches.likeness.whole

    def _bounds(self, rows: Rows) -> Floats:
        """Return what the rows' scores hardly ever exceed, shape (n,)."""
        weights = self.weights
        if not len(self.taste) or not len(self.clusters):
            return self._recalled(rows, 1.0) * weights.largest_style(self.taste)
        similarity = cluster_similarity(self.taste.centroids, self.taste.weights, self.clusters)
        # The last one is of stickers without a style.
        largest = np.append(largest_similarity(similarity, self.taste.centroids.shape[1], DEVIATIONS), 0.0)
        factors = np.minimum(style_factor(largest, weights.gamma), weights.largest_style(self.taste))
        regions = self.columns.column("regions", rows)
        bounds: Floats = self._recalled(rows, agreement(largest)[regions]) * factors[regions]
        return bounds

    def _settled(self, rows: Rows, scores: Floats, wanted: int) -> Floats:
        """Return the rows' scores after the engine was asked for the meaning of the best ones.

        Args:
            rows: n of them.
            scores: At most, where nobody asked yet; changed.
            wanted: How many of the best are no longer bounds.
        """
        likeness = self.matches.likeness if self.matches else None
        if likeness is None:
            return scores
        known = likeness.known(rows)
        while True:
            best = scores[known][_largest(scores[known], wanted)[0]]
            unsure = np.flatnonzero(~known & (scores >= (best.min(initial=np.inf) if len(best) == wanted else -np.inf)))
            if not len(unsure):
                return scores
            asked = unsure[_largest(scores[unsure], ASKED)[0]]
            likeness.ask(rows[asked])
            known[asked] = True
            # What others are at most may have become less.
            scores[unsure] = self._scores(rows[unsure])

    def _scores(self, rows: Rows) -> Floats:
        """Return the final scores, shape (n,)."""
        if not len(self.taste):
            return self._recalled(rows, 1.0)
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
        return total

    def _part(self, rows: Rows, agreed: Floats | float, *, picked: bool) -> Floats:
        """Return what all sources give, or all but those of other people's picks, shape (n,)."""
        weights = self.weights
        stored, plain, factor = np.zeros(len(rows)), np.zeros(1), np.ones(1)
        for number, source in enumerate(self.recall.sources):
            if self.matches is None or (source.picked and not picked):
                continue
            share = self.matches.of(number, rows)
            share *= source.slope * (agreed if source.picked else 1.0)
            if source.multiplies:
                factor = factor * (1.0 + share)
            elif source.stored:
                stored += share
            else:
                plain = share
        if plain.any() or weights.beta != weights.stored_beta:
            utility = self.columns.column("utility", rows)
            ours, theirs = utility_factor(utility, weights.beta), utility_factor(utility, weights.stored_beta)
            stored = stored * (ours / theirs) + plain * ours
        return stored * factor

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
