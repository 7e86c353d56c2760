"""Inverted lists: which rows have a dimension of a sparse vector, and how much of it, in the order of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint32]
Values = NDArray[np.float32]

AT_ONCE = 1 << 19
"""Postings that are merged at once: what a merge holds in memory, some 64 bytes each."""

_DIMENSIONS = 1 << 64


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
            and bool((np.diff(self.starts) >= 0).all())
            and self.starts[-1] == len(self.rows)
            and len(self.values) in (0, len(self.rows))
        )

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Its arrays by name."""
        return {name: getattr(self, name) for name in self.__slots__}


def merged(parts: Sequence[tuple[Postings, NDArray[np.int64]]]) -> Iterator[Postings]:
    """Yield the lists of several parts as one, some dimensions at a time, ascending.

    What is held in memory grows neither with the number of parts nor with that of their dimensions.

    Args:
        parts: Each with the new number of each of its rows, shape (n,), ascending, -1 for a row that is left out.
    """
    lists = [part for part, _ in parts]
    first = _first_from(lists, 0)
    while first is not None:
        end = _end_of_turn(lists, first)
        yield _merged_between(parts, first, end - 1)
        first = _first_from(lists, end) if end < _DIMENSIONS else None


def _first_from(lists: Sequence[Postings], dimension: int) -> int | None:
    """Return the smallest dimension that is not below a given one, ``None`` where there is none."""
    places = [int(np.searchsorted(each.dimensions, np.uint64(dimension))) for each in lists]
    found = [int(each.dimensions[at]) for each, at in zip(lists, places, strict=True) if at < len(each.dimensions)]
    return min(found, default=None)


def _end_of_turn(lists: Sequence[Postings], first: int) -> int:
    """Return the dimension before which a turn ends; one with more postings than a turn has is merged by itself."""
    most = _postings_before(lists, first) + AT_ONCE
    end, beyond = first + 1, _DIMENSIONS + 1
    while beyond - end > 1:
        middle = (end + beyond) // 2
        if _postings_before(lists, middle) <= most:
            end = middle
        else:
            beyond = middle
    return end


def _postings_before(lists: Sequence[Postings], dimension: int) -> int:
    """Return how many postings the dimensions below a given one have, which may be as large as 2**64."""
    if dimension == _DIMENSIONS:
        return sum(len(each.rows) for each in lists)
    return sum(int(each.starts[np.searchsorted(each.dimensions, np.uint64(dimension))]) for each in lists)


def _merged_between(parts: Sequence[tuple[Postings, NDArray[np.int64]]], first: int, last: int) -> Postings:
    """Return the lists of the dimensions from one to another, both included."""
    dimensions, rows, values = [], [], []
    for part, renumbered in parts:
        start = int(np.searchsorted(part.dimensions, np.uint64(first), "left"))
        end = int(np.searchsorted(part.dimensions, np.uint64(last), "right"))
        some = slice(int(part.starts[start]), int(part.starts[end]))
        numbers = renumbered[part.rows[some]]
        kept = numbers >= 0
        dimensions.append(np.repeat(part.dimensions[start:end], np.diff(part.starts[start : end + 1]))[kept])
        rows.append(numbers[kept].astype(np.uint32))
        values.append(part.values[some][kept] if len(part.values) else part.values[:0])
    return Postings.sorted(np.concatenate(dimensions), np.concatenate(rows), np.concatenate(values))
