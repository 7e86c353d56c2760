"""The columns of a whole collection as they are at one moment: what was built, and on top of it what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.index.columns.postings import Rows, Values
from persrv.index.columns.scratch import ScratchPool
from persrv.index.columns.segment import Segment

Numbers = NDArray[np.int64]


class Columns:
    """Segments, of which a newer one says what is true of a sticker that several have. Never changed.

    A row's number counts through all segments.

    Args:
        segments: The oldest one first, at least one.
        dead: Whether a row is out of date or its sticker was removed, shape (rows,); ``None`` where no row is.
        scratch: What searches borrow; handed on to the columns after a change.
    """

    def __init__(
        self, segments: Sequence[Segment], dead: NDArray[np.bool_] | None = None, scratch: ScratchPool | None = None
    ) -> None:
        self.scratch = scratch or ScratchPool()
        self.segments = tuple(segments)
        self.dead = dead
        self._starts = np.cumsum([0, *map(len, segments)])

    @property
    def rows(self) -> int:
        """How many rows there are, dead ones among them."""
        return int(self._starts[-1])

    @cached_property
    def count(self) -> int:
        """How many stickers there are."""
        return self.rows if self.dead is None else int(self.rows - self.dead.sum())

    def postings(self, table: str, dimension: int) -> Iterator[tuple[Rows, Values]]:
        """Yield the rows that have a dimension, and how much of it; dead ones among them.

        Args:
            table: One of :data:`persrv.index.columns.segment.TABLES`.
            dimension: Of a word or a query; of a payload value see :func:`persrv.index.columns.segment.facet`.
        """
        for segment, start in zip(self.segments, self._starts.tolist(), strict=False):
            rows, values = segment.tables[table].of(dimension)
            if len(rows):
                yield (rows + np.uint32(start) if start else rows), values

    def popular(self, most: int) -> Rows:
        """Return the most popular stickers' rows, best first; more than ``most``, or all that there are."""
        found = [
            segment.popular[: most + self._dead_in(number)] + np.uint32(self._starts[number])
            for number, segment in enumerate(self.segments)
        ]
        rows = self.alive(np.concatenate(found))
        ordered: Rows = rows[np.argsort(-self.column("trending", rows), kind="stable")]
        return ordered

    def alive(self, rows: Rows) -> Rows:
        """Return the rows that are not dead, in their order."""
        return rows if self.dead is None else rows[~self.dead[rows]]

    def find(self, sticker_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the row of each sticker, -1 where it is not there.

        Args:
            sticker_ids: n of them.

        Returns:
            Shape (n,).
        """
        ids = np.frombuffer(bytes.fromhex("".join(sticker_ids)), np.uint8).reshape(-1, 16)
        found = np.full(len(ids), -1)
        for segment, start in zip(self.segments, self._starts.tolist(), strict=False):
            rows = segment.rows_of(ids)
            found = np.where(rows >= 0, rows + start, found)
        return found if self.dead is None else np.where(self.dead[found] & (found >= 0), -1, found)

    def rows_of(self, sticker_ids: Iterable[str]) -> Rows:
        """Return the rows of stickers, in the order of the ids; those that are not there are left out."""
        rows = self.find([*sticker_ids])
        return rows[rows >= 0].astype(np.uint32)

    def styles_of(self, sticker_ids: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of stickers in the space of style, shape (n, d); zero rows for those that are not there.

        Args:
            sticker_ids: n of them.
        """
        rows = self.find(sticker_ids)
        there = rows >= 0
        found = np.zeros((len(rows), self.segments[0].styles.shape[1]), np.float32)
        found[there] = self.column("styles", rows[there].astype(np.uint32))
        return found

    def ids(self, rows: Rows) -> list[str]:
        """Return the sticker ids of rows."""
        return [row.tobytes().hex() for row in self.column("ids", rows)]

    def groups(self, rows: Rows) -> list[str]:
        """Return the groups of near-duplicates of rows, ``""`` for none."""
        groups = self.column("groups", rows)
        found = [""] * len(rows)
        for row in np.flatnonzero(groups.max(axis=1)).tolist():
            found[row] = groups[row].tobytes().hex()
        return found

    def column(self, name: str, rows: Rows) -> NDArray[Any]:
        """Return a column's values in some rows, shape (len(rows), ...).

        Args:
            name: An attribute of :class:`persrv.index.columns.segment.Segment` with a value for each row.
            rows: Numbers of rows.
        """
        first: NDArray[Any] = getattr(self.segments[0], name)
        if len(self.segments) == 1:
            return first[rows]
        out = np.empty((len(rows), *first.shape[1:]), first.dtype)
        inside = np.searchsorted(self._starts, rows, "right") - 1
        for number in np.unique(inside).tolist():
            here = inside == number
            out[here] = getattr(self.segments[number], name)[rows[here] - np.uint32(self._starts[number])]
        return out

    def changed(self, changes: Segment, removed: Iterable[str] = ()) -> Columns:
        """Return the columns after a change.

        Args:
            changes: Stickers that are new or changed.
            removed: Ids of stickers that are gone.
        """
        dead = np.zeros(self.rows + len(changes), np.bool_)
        if self.dead is not None:
            dead[: self.rows] = self.dead
        dead[self.rows_of([*(row.tobytes().hex() for row in changes.ids), *removed])] = True
        segments = (*self.segments, changes) if len(changes) else self.segments
        return Columns(segments, dead[: sum(map(len, segments))] if dead.any() else None, self.scratch)

    def kept(self) -> list[tuple[Segment, NDArray[np.bool_]]]:
        """Return each segment with the rows that are not dead."""
        dead = np.zeros(self.rows, np.bool_) if self.dead is None else self.dead
        return [
            (segment, ~dead[start : start + len(segment)])
            for segment, start in zip(self.segments, self._starts.tolist(), strict=False)
        ]

    def _dead_in(self, number: int) -> int:
        if self.dead is None:
            return 0
        return int(self.dead[self._starts[number] : self._starts[number + 1]].sum())
