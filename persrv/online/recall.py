"""Where candidates come from: a table of sources, each a row with its query, its share of the score and its bound.

A further source is one more row: request and proof are made from the rows alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from persrv.index.language import (
    Expression,
    Filter,
    Nearest,
    OrderBy,
    Prefetch,
    Product,
    Sum,
)
from persrv.index.schema import IMAGE, REGIONAL, TRENDING
from persrv.online.candidate_source import CandidateSource
from persrv.text.bm25f import SparseVector

FAR_DEPTH, RARE_DEPTH = 2, 8
"""How many pools of stickers are let in by words from everywhere beside a pool from the regions near somebody's styles:
so many at least, and at most where there are many with rare words."""

PICKED_DEPTH = 4
"""How many pools of stickers others' picks let in from those regions: agreement reorders picks far more than styles
reorder words."""


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
            pool: Candidates from the regions at first. Stickers with rare words come by words from everywhere alone:
                so many pools of them are let in as hold all, within bounds.
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
        """Return what scores candidates, one for each source: each scores the candidates of all rows."""
        inner = self.prefetches(pool)
        if len(inner) == 1:
            return inner
        return tuple(source.score(pool, self.where, self.size(pool), inner) for source in self.sources)

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


def _times(shares: list[Expression], factor: Expression) -> Expression:
    share = shares[0] if len(shares) == 1 else Sum(tuple(shares))
    return share if factor == 1.0 else Product((share, factor))
