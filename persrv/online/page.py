"""From an engine's scored points to one page of the answer in a stable order."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.errors import QueryError
from persrv.index.engine import Collection
from persrv.index.language import Request, ScoredPoint
from persrv.index.schema import GROUP, sticker_id_of
from persrv.online.arguments import check_number
from persrv.ranking.formula import order
from persrv.ranking.stored import trace_factors

LARGEST_PAGE = 1000

NOISE = 5e-7
"""Share of a score that rounding in single precision may change."""

SLACK = 40
"""Points fetched beyond the page, so that a run of equal scores at its end can be ordered by id."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the answer is wanted: ``limit`` hits after the first ``offset``."""

    offset: int
    limit: int

    @classmethod
    def checked(cls, offset: object, limit: object) -> Self:
        """Return the page that somebody wants.

        Raises:
            QueryError: ``limit`` is not between 1 and 1000, ``offset`` is negative, or one is no whole number.
        """
        limit, offset = check_number("limit", limit), check_number("offset", offset)
        if not 1 <= limit <= LARGEST_PAGE:
            raise QueryError(
                f"limit {limit} is not between 1 and {LARGEST_PAGE}", "page through the answer with offset"
            )
        if offset < 0:
            raise QueryError(f"offset {offset} is negative", "use 0 for the first page")
        return cls(offset, limit)

    @property
    def end(self) -> int:
        """Position behind the last wanted hit."""
        return self.offset + self.limit


@dataclass(frozen=True, slots=True)
class Ranked:
    """Stickers in their final order; at least the page, when there are that many.

    Attributes:
        ids: Sticker ids, n of them.
        scores: Shape (n,).
        groups: The group of near-duplicates of each, ``""`` for none.
        cut: Whether the pool of candidates grew to its limit, so that nobody proved that none is missing.
    """

    ids: list[str]
    scores: NDArray[np.float64]
    groups: list[str]
    cut: bool = False

    @classmethod
    def nothing(cls) -> Self:
        """Return no stickers."""
        return cls([], np.zeros(0), [])

    @property
    def total(self) -> int:
        """How many there are, counted up to a little beyond the page."""
        return len(self.ids)

    def at(self, positions: Sequence[int]) -> Self:
        """Return the stickers at these positions."""
        return replace(
            self,
            ids=[self.ids[i] for i in positions],
            scores=self.scores[list(positions)],
            groups=[self.groups[i] for i in positions],
        )

    def part(self, page: Page) -> Self:
        """Return the stickers of a page."""
        return self.at(range(page.offset, min(page.end, self.total)))

    def then(self, other: Self) -> Self:
        """Return these stickers followed by the other ones, near-duplicates once."""
        ids, groups = self.ids + other.ids, self.groups + other.groups
        joined = type(self)(ids, np.concatenate([self.scores, other.scores]), groups, self.cut or other.cut)
        return joined.at(once_each(range(len(ids)), groups))


def leading(request: Request, page: Page) -> Request:
    """Return the request for the first points of another one: as many as a page mostly needs, with what orders them."""
    return replace(request, limit=min(request.limit, page.end + SLACK), with_payload=(GROUP,))


def best_first(
    collection: Collection,
    request: Request,
    page: Page,
    *,
    stored: bool = False,
    first: Sequence[ScoredPoint] | None = None,
    without: Set[str] = frozenset(),
) -> Ranked:
    """Ask for the page and order it by score, then id.

    When a run of equal scores crosses the end of what came back, twice as much is asked for, up to ``request.limit``,
    so that the order never depends on how the engine breaks ties.

    Args:
        collection: Where the stickers are.
        request: Its limit is the largest number of stickers that may be looked at.
        page: The wanted part.
        stored: Whether scores come from the stored text alone, and have the trace of their ids in them, see
            :mod:`persrv.ranking.stored`; it is taken out.
        first: The answer to :func:`leading`, where it was asked before.
        without: Ids of stickers that are left out.
    """
    asked = leading(request, page)
    points = collection.query(asked) if first is None else first
    while True:
        ranked = ordered([point for point in points if sticker_id_of(point.id) not in without], stored=stored)
        if len(points) < asked.limit or asked.limit >= request.limit or _settled(points, ranked, page):
            return ranked
        asked = replace(asked, limit=min(request.limit, asked.limit * 2))
        points = collection.query(asked)


def _settled(points: Sequence[ScoredPoint], ranked: Ranked, page: Page) -> bool:
    """Return whether nothing that was not fetched can belong to the page.

    Of stickers with equal texts the engine gives those with the smaller ids first, as the page wants them: the trace
    of the ids in their scores sees to that, where it is larger than rounding.
    """
    if ranked.total <= page.end:
        return False
    scores = {sticker_id_of(point.id): point.score for point in points}
    worst = min(scores[sticker_id] for sticker_id in ranked.ids[: page.end])
    return points[-1].score < worst * (1.0 - NOISE)


def ordered(points: Sequence[ScoredPoint], *, stored: bool = False) -> Ranked:
    """Return points in their final order; of near-duplicates only the best stays, and what is below 0 is no answer.

    Args:
        points: With the payload's ``group``.
        stored: As for :func:`best_first`.
    """
    points = [point for point in points if point.score >= 0]
    ids = [sticker_id_of(point.id) for point in points]
    scores = np.array([point.score for point in points], dtype=np.float64)
    if stored and ids:
        scores /= trace_factors(ids)
    groups = [str(point.payload.get(GROUP, "")) for point in points]
    return Ranked(ids, scores, groups).at(once_each(order(scores, ids), groups))


def once_each(positions: Sequence[int], groups: Sequence[str]) -> list[int]:
    """Return the positions whose near-duplicates come not earlier, in their order."""
    seen: set[str] = set()
    kept = []
    for i in positions:
        if groups[i] not in seen or not groups[i]:
            kept.append(i)
            seen.add(groups[i])
    return kept
