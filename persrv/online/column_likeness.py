"""How near in meaning stickers are to a query: the engine says it of some, and with that what it is at most for others.

The vectors are the engine's alone: columns of them would be as large as all others together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.index.columns.columns import Columns
from persrv.index.columns.postings import Rows
from persrv.index.columns.scratch import Scratch
from persrv.index.language import Filter, HasId, Nearest, Request, ScoredPoint
from persrv.index.schema import MEANING, point_id, sticker_id_of
from persrv.online.candidate_source import NEAREST, CandidateSource

Ask = Callable[[Sequence[Request]], list[list[ScoredPoint]]]
"""As :meth:`persrv.index.engine.Collection.query_many`."""

LIKELY, MOST_ASKED = 20, 600
"""The engine's graph misses some of the nearest. So others are taken to be as near as the one in this place among them,
and only when so many were asked for no nearer than the last one, as they are where all stickers were compared."""

_NONE = -1.0
"""Cosine of a sticker without phrases, as in :func:`persrv.text.meaning.rows.cosines`."""


def is_meaning(source: CandidateSource) -> bool:
    """Return whether a source is one of :func:`persrv.online.candidate_source.meaning_source`."""
    return isinstance(source.query, Nearest) and source.query.using == MEANING


class Likeness:
    """What is known of the cosines of a query and the stickers.

    Args:
        source: Of meaning.
        columns: Of the collection.
        ask: Answers requests.
        scratch: Its ``places`` are borrowed, until :meth:`clear`.

    Attributes:
        whole: Whether none of the nearest is missed.
    """

    def __init__(self, source: CandidateSource, columns: Columns, ask: Ask, scratch: Scratch) -> None:
        self.whole = isinstance(source.query, Nearest) and source.query.exact
        self._source = source
        self._entry = _NONE if source.entry is None else source.entry
        self._columns = columns
        self._ask = ask
        self._places = scratch.places
        self._asked: list[Rows] = []
        # The first one holds for all rows that nobody asked for.
        self._cosines = np.array([_NONE])
        self._last = _NONE
        self._left = MOST_ASKED

    def let_in(self, where: Filter | None, rows: Rows) -> Rows:
        """Return the rows that are let in for their meaning alone, whether they match otherwise or not.

        Args:
            where: The search's filter.
            rows: Apart from the nearest of all; that the filter keeps them is the caller's affair.
        """
        source, entry = self._source, self._entry
        most = source.limit(NEAREST)
        near, *apart = self._ask([Request(source.query, limit=most, filter=where), *self._requests(rows)])
        full = len(near) == most
        self._last = near[-1].score if full else entry
        self._cosines[0] = near[min(LIKELY, most) - 1].score if full and not self.whole else self._last
        found = np.union1d(self._take(near), rows)
        self._answered(rows, apart)
        return found[self._of(found) >= entry]

    def ask(self, rows: Rows) -> None:
        """Ask the engine for the cosines of rows, at least one."""
        self._answered(rows, self._ask(self._requests(rows)))
        self._left -= len(rows)
        if self._left <= 0:
            self._cosines[0] = self._last

    def known(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which rows were asked for, shape (len(rows),)."""
        return self._places[rows] > 0

    def shares(self, rows: Rows) -> NDArray[np.float64]:
        """Return the cosines above the source's floor, for rows that were not asked for the largest that they may have.

        Shape (len(rows),), >= 0.
        """
        return np.maximum(self._of(rows) - self._source.floor, 0.0)

    def clear(self) -> None:
        """Leave zeros behind."""
        for rows in self._asked:
            self._places[rows] = 0

    def _of(self, rows: Rows) -> NDArray[np.float64]:
        return self._cosines[self._places[rows]]

    def _requests(self, rows: Rows) -> list[Request]:
        if not len(rows):
            return []
        ids = tuple(map(point_id, self._columns.ids(rows)))
        return [Request(self._source.query, limit=len(ids), filter=Filter((HasId(ids),)))]

    def _answered(self, rows: Rows, found: Sequence[Sequence[ScoredPoint]]) -> None:
        for points in found:
            self._take(points)
        # What the engine does not tell of has no phrases.
        without = rows[~self.known(rows)]
        self._note(without, np.full(len(without), _NONE))

    def _take(self, points: Sequence[ScoredPoint]) -> Rows:
        """Remember the points' cosines; return the rows of those that are there."""
        found = self._columns.find([sticker_id_of(point.id) for point in points])
        there = found >= 0
        rows: Rows = found[there].astype(np.uint32)
        self._note(rows, np.array([point.score for point in points])[there])
        return rows

    def _note(self, rows: Rows, cosines: NDArray[np.float64]) -> None:
        self._places[rows] = np.arange(len(self._cosines), len(self._cosines) + len(rows))
        self._cosines = np.concatenate([self._cosines, cosines])
        self._asked.append(rows)
