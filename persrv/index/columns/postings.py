"""Inverted lists: which rows have a dimension of a sparse vector, and how much of it, in the order of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint32]
Values = NDArray[np.float32]

AT_ONCE = 1 << 20
"""Postings that are merged at once: what a merge holds in memory."""


@dataclass(frozen=True, slots=True)
class Postings:
    """The inverted lists of some rows; nothing is an object for each posting.

    Attributes:
        dimensions: Ascending and distinct, shape (t,), uint64.
        starts: Where each one's rows begin, shape (t + 1,), int64.
        rows: Ascending for each dimension, shape (p,).
        values: Shape (p,); shape (0,) where a row either has a dimension or not.
    """

    dimensions: NDArray[np.uint64]
    starts: NDArray[np.int64]
    rows: Rows
    values: Values

    @classmethod
    def sorted(cls, dimensions: NDArray[np.uint64], rows: Rows, values: Values) -> Self:
        """Return the lists of postings in any order.

        Args:
            dimensions: Shape (p,).
            rows: Shape (p,).
            values: Shape (p,) or (0,).
        """
        by_dimension = np.lexsort((rows, dimensions))
        distinct, starts = np.unique(dimensions[by_dimension], return_index=True)
        ends = np.append(starts, len(rows)).astype(np.int64)
        return cls(distinct, ends, rows[by_dimension], values[by_dimension] if len(values) else values)

    def of(self, dimension: int) -> tuple[Rows, Values]:
        """Return the rows that have a dimension, and how much of it; none for one that nothing has."""
        place = int(np.searchsorted(self.dimensions, np.uint64(dimension)))
        if place == len(self.dimensions) or int(self.dimensions[place]) != dimension:
            return self.rows[:0], self.values[:0]
        part = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return self.rows[part], self.values[part]

    @property
    def fits(self) -> bool:
        """Whether the arrays' lengths belong together."""
        return (
            len(self.starts) == len(self.dimensions) + 1
            and self.starts[0] == 0
            and self.starts[-1] == len(self.rows)
            and len(self.values) in (0, len(self.rows))
        )

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Its arrays by name."""
        return {name: getattr(self, name) for name in self.__slots__}


def merged(parts: Sequence[tuple[Postings, NDArray[np.int64]]]) -> Iterator[Postings]:
    """Yield the lists of several parts as one, some dimensions at a time, ascending.

    Args:
        parts: Each with the new number of each of its rows, shape (n,), ascending, -1 for a row that is left out.
    """
    dimensions = np.concatenate([part.dimensions for part, _ in parts])
    lengths = np.concatenate([np.diff(part.starts) for part, _ in parts])
    distinct, places = np.unique(dimensions, return_inverse=True)
    lengths = np.bincount(places, lengths, len(distinct)).astype(np.int64)
    del dimensions, places
    # A dimension with more postings than that is merged by itself.
    turns = (np.cumsum(lengths) - lengths) // AT_ONCE
    for first in np.flatnonzero(np.diff(turns, prepend=-1)).tolist():
        last = int(np.searchsorted(turns, turns[first], "right")) - 1
        yield _merged_between(parts, distinct[first], distinct[last])


def _merged_between(parts: Sequence[tuple[Postings, NDArray[np.int64]]], first: np.uint64, last: np.uint64) -> Postings:
    """Return the lists of the dimensions from one to another, both included."""
    dimensions, rows, values = [], [], []
    for part, renumbered in parts:
        start = int(np.searchsorted(part.dimensions, first, "left"))
        end = int(np.searchsorted(part.dimensions, last, "right"))
        some = slice(int(part.starts[start]), int(part.starts[end]))
        numbers = renumbered[part.rows[some]]
        kept = numbers >= 0
        dimensions.append(np.repeat(part.dimensions[start:end], np.diff(part.starts[start : end + 1]))[kept])
        rows.append(numbers[kept].astype(np.uint32))
        values.append(part.values[some][kept] if len(part.values) else part.values[:0])
    return Postings.sorted(np.concatenate(dimensions), np.concatenate(rows), np.concatenate(values))
