"""One way by which stickers become candidates, and those that there are: words, picks and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.index.language import (
    Expression,
    Filter,
    Matches,
    Nearest,
    OrderBy,
    Prefetch,
    PrefetchScore,
    Product,
    Request,
    Sum,
)
from persrv.index.schema import MEANING, PICKED, STYLE_CLUSTER, TEXT
from persrv.text.bm25f import SparseVector
from persrv.text.meaning.fusion import Blend

NEAREST = 200
"""Most stickers that are let in by meaning alone."""

ALONE = 4_000
"""Most stickers that a source of picks scores without looking at what the others let in."""


@dataclass(frozen=True, slots=True)
class CandidateSource:
    """One way by which stickers become candidates.

    A sticker's share of the recall score is ``slope * (score - floor)`` for the score that the query gives it, and 0
    below the floor. Some scores have utility in them already (``stored``); the others are multiplied by
    ``1 + beta * utility``.

    Attributes:
        query: Scores stickers.
        slope: >= 0.
        floor: Score that counts as nothing.
        entry: Score from which the source lets a sticker in; ``None`` for all that it finds.
        most: Largest number of stickers that it lets in; ``None`` for as many as the pool holds.
        stored: Whether utility is in the score.
        multiplies: Whether the share is no summand but a factor ``1 + share`` of the whole score, utility apart.
        picked: Whether it is of other people's picks, which count the less, the less one's styles are theirs.
        regions: Regions of the space of style that it is kept to by a filter; none for all stickers.
        finds: Most stickers that the query can find at all, ``None`` where nobody counted them.
        rare: Most stickers that have one of its rare words, see :mod:`persrv.ranking.regional`.
        depth: How many times the pool it lets in.
    """

    query: Nearest | OrderBy
    slope: float = 1.0
    floor: float = 0.0
    entry: float | None = None
    most: int | None = None
    stored: bool = False
    multiplies: bool = False
    picked: bool = False
    regions: tuple[int, ...] = ()
    finds: int | None = None
    rare: int = 0
    depth: int = 1

    def limit(self, pool: int) -> int:
        """Return how many stickers it lets into a pool."""
        return pool * self.depth if self.most is None else min(pool, self.most)

    def whole(self, pool: int) -> bool:
        """Return whether a pool holds all that it finds: nothing outside is scored, and nothing needs a proof."""
        return self.entry is None and self.finds is not None and self.finds <= self.limit(pool)

    def recall(self, pool: int, where: Filter | None) -> Prefetch:
        """Return what lets stickers in."""
        return Prefetch(self.query, limit=self.limit(pool), filter=within(where, self.regions), threshold=self.entry)

    def score(self, pool: int, where: Filter | None, size: int, inner: tuple[Prefetch, ...]) -> Prefetch:
        """Return what scores the candidates of all sources; those under the floor get no score.

        Scoring them means letting them in once more. A source that finds few stickers scores all of them in place of
        that: those that no source lets in come along with less than their score, which their words are missing from.

        Args:
            pool: Candidates from each source.
            where: The search's filter.
            size: Candidates of all sources.
            inner: What lets them in.
        """
        if self.whole(pool):
            return self.recall(pool, where)
        if self.picked and self.finds is not None and self.finds <= ALONE:
            return Prefetch(self.query, limit=self.finds, filter=where)
        return Prefetch(self.query, limit=size, inner=inner, threshold=self.floor or None)

    def share(self, number: int) -> Expression:
        """Return the share of the score, given the number of the prefetch that scores."""
        if self.slope == 1.0 and self.floor == 0.0:
            return PrefetchScore(number)
        return Product((self.slope, Sum((PrefetchScore(number, default=self.floor), -self.floor))))

    def last(self, pool: int, where: Filter | None) -> Request:
        """Return the request for the last sticker that it lets into a pool."""
        return Request(self.query, limit=1, offset=self.limit(pool) - 1, filter=within(where, self.regions))

    def bound(self, last: float | None, beta: float) -> float:
        """Return the largest share, utility included, of a sticker that it does not let in.

        Args:
            last: Score of the last one that it lets in; ``None`` where it lets in all that it finds.
            beta: Weight of utility.
        """
        score = (0.0 if self.entry is None else self.entry) if last is None else last
        share = self.slope * max(score - self.floor, 0.0)
        return share if self.stored or self.multiplies else share * (1.0 + beta)


def within(where: Filter | None, clusters: tuple[int, ...]) -> Filter | None:
    """Return a filter that is kept to some regions of the space of style; none for all of it."""
    if not clusters:
        return where
    kept = where or Filter()
    return Filter((*kept.must, Matches(STYLE_CLUSTER, clusters)), kept.must_not)


def text_source(query: SparseVector, finds: int | None = None, rare: int = 0) -> CandidateSource:
    """Return the source of BM25F; with unwanted words, which weigh less than 0, it lets in nothing that has them.

    Args:
        query: Words with their weights.
        finds: Most stickers that have one of them.
        rare: Most stickers that have one of the rare ones.
    """
    entry = 0.0 if any(value < 0 for value in query.values) else None
    return CandidateSource(Nearest(query, TEXT), entry=entry, stored=True, finds=finds, rare=rare)


def picked_sources(
    exact: int | None, words: SparseVector | None, omega: float, delta: float, finds: int | None = None
) -> tuple[CandidateSource, ...]:
    """Return the sources of stickers that people picked for a query, see :mod:`persrv.ranking.affinity`.

    Args:
        exact: The query's dimension, ``None`` where its picks may not answer.
        words: Its words with their weights, ``None`` for none.
        omega: Weight of the words.
        delta: Weight of the exact query.
        finds: Most stickers that were picked for one of the words, and so for the query.
    """
    if words is None or not omega:
        return ()
    by_words = CandidateSource(Nearest(words, PICKED), slope=omega, stored=True, picked=True, finds=finds)
    if exact is None or not delta:
        return (by_words,)
    query = Nearest(SparseVector([exact], [1.0]), PICKED)
    return by_words, CandidateSource(query, slope=delta, multiplies=True, picked=True, finds=finds)


def meaning_source(query: NDArray[np.floating[Any]], blend: Blend, *, exact: bool = False) -> CandidateSource:
    """Return the source of stickers that are near in meaning, so that :func:`persrv.text.meaning.fusion.fused` results.

    Args:
        query: Unit vector, shape (k,), see :meth:`persrv.text.meaning.space.MeaningSpace.search`.
        blend: How meaning counts; at most :data:`NEAREST` stickers are let in by it.
        exact: Whether all stickers are compared.
    """
    dense = Nearest([[float(x) for x in query]], MEANING, exact)
    return CandidateSource(dense, slope=blend.slope, floor=blend.floor, entry=blend.entry, most=NEAREST)
