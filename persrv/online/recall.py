"""Where candidates come from: a table of sources, each a row with its query, its share of the score and its bound.

A further source is one more row: request and proof are made from the rows alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from persrv.index.schema import IMAGE, MEANING, PICKED, REGIONAL, STYLE_CLUSTER, TEXT, TRENDING
from persrv.text.bm25f import SparseVector
from persrv.text.meaning.fusion import Blend

NEAREST = 200
"""Most stickers that are let in by meaning alone."""


FAR_DEPTH, RARE_DEPTH, PICKED_DEPTH = 2, 8, 4
"""How many times as many stickers as by words from the regions near somebody's styles are let in by words from
everywhere, the same at most where so many have rare words, and by others' picks from those regions: agreement reorders
picks far more than styles reorder words."""


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

    def rescore(self, size: int, inner: tuple[Prefetch, ...]) -> Prefetch:
        """Return what scores the candidates of all sources; those under the floor get no score."""
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


@dataclass(frozen=True, slots=True)
class Recall:
    """The candidates of a search.

    Attributes:
        sources: At least one.
        where: The search's filter.
        constant: Whether all candidates start with 1, whatever their sources' scores.
        regions: Regions of the space of style that are near the user's styles, where those are looked through apart.
        regional: For each source what lets more of those regions in without a score of its own, ``None`` where nothing
            does; empty without regions. The score of the first one is that of the first source times the largest style
            factor of a sticker's region.
    """

    sources: tuple[CandidateSource, ...]
    where: Filter | None = None
    constant: bool = False
    regions: tuple[int, ...] = ()
    regional: tuple[CandidateSource | None, ...] = ()

    @property
    def stored(self) -> bool:
        """Whether utility is in every summand."""
        return all(source.stored or source.multiplies for source in self.sources)

    @property
    def rows(self) -> tuple[CandidateSource, ...]:
        """All that lets stickers in: the sources, and what is kept to near regions."""
        return (*self.sources, *(source for source in self.regional if source is not None))

    @property
    def words(self) -> SparseVector | None:
        """The words that score, ``None`` where something else does, or where some of them are unwanted."""
        first = self.sources[0]
        words = first.query.vector if isinstance(first.query, Nearest) else None
        return words if isinstance(words, SparseVector) and first.stored and first.entry is None else None

    def near(self, regions: tuple[int, ...], query: SparseVector, pool: int) -> Recall:
        """Return the same recall with more candidates from some regions of the space of style.

        Args:
            regions: Their numbers.
            query: For the words, of :func:`persrv.ranking.regional.regional_query`.
            pool: Candidates from each source at first; stickers with rare words, which only words let in, are let in
                as many times.
        """
        words, *others = self.sources
        depth = min(max(FAR_DEPTH, math.ceil(words.rare / pool)), RARE_DEPTH)
        regional = [
            replace(source, regions=regions, depth=PICKED_DEPTH) if source.picked else None for source in others
        ]
        return replace(
            self,
            sources=(replace(words, depth=depth), *others),
            regions=regions,
            regional=(replace(words, query=Nearest(query, REGIONAL)), *regional),
        )

    def size(self, pool: int) -> int:
        """Return the largest number of candidates."""
        return sum(row.limit(pool) for row in self.rows)

    def prefetches(self, pool: int) -> tuple[Prefetch, ...]:
        """Return what lets candidates in, one for each row."""
        return tuple(row.recall(pool, self.where) for row in self.rows)

    def scores(self, pool: int) -> tuple[Prefetch, ...]:
        """Return what scores candidates, one for each source: each scores the candidates of all rows.

        A source that is whole in the pool has no other sticker to score, so that its own candidates are enough.
        """
        inner = self.prefetches(pool)
        if len(inner) == 1:
            return inner
        return tuple(
            source.recall(pool, self.where) if source.whole(pool) else source.rescore(self.size(pool), inner)
            for source in self.sources
        )

    def formula(self, utility_factor: Expression, correction: Expression, agreement: Expression = 1.0) -> Expression:
        """Return the recall score.

        Args:
            utility_factor: ``1 + beta * utility``.
            correction: What a score that has utility in it is multiplied by.
            agreement: What other people's picks are multiplied by, in (0, 1].
        """
        if self.constant:
            return utility_factor
        shares = [
            (source, _times([source.share(i)], agreement if source.picked else 1.0))
            for i, source in enumerate(self.sources)
        ]
        factors = [Sum((1.0, share)) for source, share in shares if source.multiplies]
        stored = [share for source, share in shares if source.stored]
        plain = [share for source, share in shares if not (source.stored or source.multiplies)]
        parts = [_times(part, factor) for part, factor in ((stored, correction), (plain, utility_factor)) if part]
        score = parts[0] if len(parts) == 1 else Sum(tuple(parts))
        return Product((score, *factors)) if factors else score

    def bound(
        self, lasts: Sequence[float | None], beta: float, largest_correction: float, agreed: float = 1.0
    ) -> float:
        """Return the largest recall score of a sticker that no source let in.

        Args:
            lasts: Score of the last sticker that each source let in; ``None`` where it let in all it finds.
            beta: Weight of utility.
            largest_correction: The largest factor of a score that has utility in it.
            agreed: The largest factor of other people's picks.
        """
        if self.constant:
            return 1.0 + beta * max(last for last in lasts if last is not None)
        total, factor = 0.0, 1.0
        for source, last in zip(self.sources, lasts, strict=True):
            bound = source.bound(last, beta) * (agreed if source.picked else 1.0)
            if source.multiplies:
                factor *= 1.0 + bound
            else:
                total += bound * (largest_correction if source.stored else 1.0)
        return total * factor


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


def picture_recall(vector: Sequence[float], where: Filter | None) -> Recall:
    """Return the recall of stickers whose pictures a text fits; they start with the cosine, if above 0.

    Args:
        vector: The text's unit vector in the space of the pictures.
        where: The search's filter.
    """
    return Recall((CandidateSource(Nearest(list(vector), IMAGE), entry=0.0),), where)


def popular_recall(where: Filter | None) -> Recall:
    """Return the recall of the most useful stickers, all scored 1."""
    return Recall((CandidateSource(OrderBy(TRENDING)),), where, constant=True)


def meaning_source(query: NDArray[np.floating[Any]], blend: Blend) -> CandidateSource:
    """Return the source of stickers that are near in meaning, so that :func:`persrv.text.meaning.fusion.fused` results.

    Args:
        query: Unit vector, shape (k,), see :meth:`persrv.text.meaning.space.MeaningSpace.search`.
        blend: How meaning counts; at most :data:`NEAREST` stickers are let in by it.
    """
    dense = Nearest([[float(x) for x in query]], MEANING)
    return CandidateSource(dense, slope=blend.slope, floor=blend.floor, entry=blend.entry, most=NEAREST)


def _times(shares: list[Expression], factor: Expression) -> Expression:
    share = shares[0] if len(shares) == 1 else Sum(tuple(shares))
    return share if factor == 1.0 else Product((share, factor))
